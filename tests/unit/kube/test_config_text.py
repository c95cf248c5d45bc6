"""`kube.config_text`: changes in a kubeconfig's text that leave the rest of it alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import Invalid
from kubectl_ray.kube import documents, plain_yaml
from kubectl_ray.kube.config_text import Append, Drop, Put, changed

ITEM = {"cluster": {"server": "https://127.0.0.1:6443", "extensions": [{"name": "x", "extension": {"a": "1"}}]},
        "name": "new"}  # fmt: skip

KUBECTLS = """\
apiVersion: v1
clusters:
- cluster:
    server: https://one
  name: one
contexts:
- context:
    cluster: one
    user: one
  name: one
current-context: one
kind: Config
users:
- name: one
  user:
    token: secret
"""

BY_HAND = """\
# my clusters
apiVersion: v1
kind: Config          # as always
clusters:
  # the good one
  - name: "one"
    cluster: {server: 'https://one', future-field: [1, 2]}   # keep
  - name: two
    cluster:
      server: https://two
      certificate-authority-data: |
        abc
        def

# users come later
contexts:
users: []
current-context: 'one' # the good one
"""


def parsed(text: str) -> Any:
    """What the file says."""
    return documents.parse(text.encode(), "the file")


def test_an_item_is_written_as_kubectl_writes_it() -> None:
    """The rest of the file is the same, byte for byte."""
    made = changed(KUBECTLS, [Append("clusters", ITEM)], "f")
    added = """\
- cluster:
    server: https://127.0.0.1:6443
    extensions:
    - name: x
      extension:
        a: "1"
  name: new
"""
    head, tail = KUBECTLS.split("contexts:\n")
    assert made == f"{head}{added}contexts:\n{tail}"


def test_what_is_written_needs_no_yaml_library_to_be_read() -> None:
    """A list stays quick: importing the library costs a quarter of it."""
    made = changed(KUBECTLS, [Append("clusters", ITEM), Put("current-context", "new")], "f")
    assert plain_yaml.read(made) == parsed(made)


def test_an_item_comes_and_goes() -> None:
    """Byte for byte."""
    there = changed(KUBECTLS, [Append("clusters", ITEM)], "f")
    assert changed(there, [Drop("clusters", 1)], "f") == KUBECTLS


def test_remarks_and_unknown_fields_stay() -> None:
    """What a person wrote by hand is found again, at its place."""
    made = changed(
        BY_HAND,
        [Append("clusters", ITEM), Append("contexts", {"name": "c"}), Append("users", {"name": "u"}),
         Put("current-context", "new")],
        "f",
    )  # fmt: skip
    for remark in ("# my clusters", "# as always", "# the good one", "# keep", "# users come later"):
        assert remark in made
    assert parsed(made)["clusters"] == [*parsed(BY_HAND)["clusters"], ITEM]
    assert parsed(made)["contexts"] == [{"name": "c"}]
    assert parsed(made)["users"] == [{"name": "u"}]
    assert made.endswith("current-context: new # the good one\n")


def test_the_first_and_the_only_item_go() -> None:
    """A list that has lost its last item is an empty list."""
    made = changed(BY_HAND, [Drop("clusters", 0)], "f")
    assert parsed(made)["clusters"] == parsed(BY_HAND)["clusters"][1:]
    assert "clusters: []\n" in changed(KUBECTLS, [Drop("clusters", 0)], "f")


@pytest.mark.parametrize("text", ["", "# nothing yet", "---\n", "null\n", "{}", "\ufeff"])
def test_a_file_that_says_nothing_becomes_a_kubeconfig(text: str) -> None:
    """With its kind and version."""
    made = changed(text, [Append("users", {"name": "u"}), Put("current-context", "c")], "f")
    expected = {"users": [{"name": "u"}], "current-context": "c"}
    kind = {} if text == "{}" else {"apiVersion": "v1", "kind": "Config"}
    assert parsed(made) == kind | expected


def test_json_stays_json() -> None:
    """A file that a script wrote with a JSON library can be read by it afterwards."""
    text = json.dumps({"kind": "Config", "clusters": [{"name": "ä"}], "x": 1.0})
    assert json.loads(changed(text, [Append("clusters", ITEM)], "f"))["clusters"] == [{"name": "ä"}, ITEM]


@pytest.mark.parametrize(
    "text",
    [
        "{clusters: [{name: a}], users: &u []}",
        "clusters: [{name: a}]\n",
        "x: &a {name: a}\nclusters:\n- *a\n",
        "clusters:\n- {name: a}\n-\n  name: b\nkind: Config\n...\n---\nmore: true\n",
        "clusters:\r\n- name: a\r\nkind: Config\r\n",
        "kind: Config\nclusters:\n- name: ü\n  n: 0o17\n  t: 1:20\n  d: 2026-01-01\n  f: 1.0",
    ],
)
def test_other_ways_to_write_it(text: str) -> None:
    """However the file is written, it says the same afterwards, and the item."""
    before = parsed(text)
    made = changed(text, [Append("clusters", ITEM)], "f")
    assert repr(parsed(made)) == repr({**before, "clusters": [*before["clusters"], ITEM]})
    assert ("\r\n" in text) == ("\r\n" in made)
    gone = changed(made, [Drop("clusters", len(before["clusters"]))], "f")
    assert repr(parsed(gone)) == repr(before)


def test_a_further_document_stays() -> None:
    """The first is what kubectl reads; what stands behind it is somebody's."""
    text = "clusters:\n- name: a\n---\nmore: true\n"
    assert changed(text, [Append("clusters", ITEM)], "f").endswith("---\nmore: true\n")


@pytest.mark.parametrize("word", ["yes", "1", "a: b", "#", "é", "a\nb", "a\x85b", "", "null", " a", "https://x:1"])
def test_any_word(word: str) -> None:
    """A word that YAML would take for something else is quoted."""
    assert parsed(changed(KUBECTLS, [Put("current-context", word)], "f"))["current-context"] == word


def test_no_yaml() -> None:
    """A file that cannot be read is not changed."""
    with pytest.raises(Invalid):
        changed("a: [", [Put("current-context", "x")], "f")


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co", "Zl", "Zp")), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
ENTRIES = st.none() | st.lists(st.dictionaries(WORDS, VALUES, max_size=3), max_size=3)
FILES = st.fixed_dictionaries(
    {}, optional={"clusters": ENTRIES, "users": ENTRIES, "current-context": WORDS, "extra": VALUES, "kind": WORDS}
)


@given(
    data=FILES,
    flow=st.sampled_from([None, True, False]),
    indent=st.integers(2, 5),
    style=st.sampled_from([None, '"', "'", "|", ">"]),
    as_json=st.booleans(),
)
def test_any_file_keeps_what_it_says(
    data: dict[str, Any], flow: bool | None, indent: int, style: str | None, as_json: bool
) -> None:
    """Whatever it holds and however it is written: the changes are in, and all else is as it was."""
    text = (
        json.dumps(data)
        if as_json
        else yaml.safe_dump(data, default_flow_style=flow, indent=indent, default_style=style, allow_unicode=True)
    )
    before = parsed(text)
    made = changed(text, [Append("clusters", ITEM), Put("current-context", "new")], "f")
    expected = {**before, "clusters": [*(before.get("clusters") or []), ITEM], "current-context": "new"}
    assert parsed(made) == expected
    gone = changed(made, [Drop("clusters", len(expected["clusters"]) - 1)], "f")
    assert parsed(gone) == {**expected, "clusters": expected["clusters"][:-1]}


@given(st.text())
def test_any_text(text: str) -> None:
    """It is changed as meant, or refused with an error of ours."""
    try:
        made = changed(text, [Put("current-context", "x")], "f")
    except (Invalid, UnicodeEncodeError):
        return
    assert parsed(made)["current-context"] == "x"
