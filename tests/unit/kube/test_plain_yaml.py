"""`kube.plain_yaml`: the plain part of YAML, read without the library."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_ray.errors import Invalid
from kubectl_ray.kube import full_yaml
from kubectl_ray.kube.plain_yaml import read

KUBECONFIG = """\
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTi==
    server: https://127.0.0.1:6443
  name: arn:aws:eks:us-west-2:1234:cluster/one
contexts:
- context: {}
  name: "quoted: name"
current-context: ''
kind: Config
preferences: {}
users:
# a remark
- name: one
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      args:
      - --region
      - us-west-2
      command: aws
      env:
        - name: AWS_PROFILE
          value: default
      installHint: null
      provideClusterInfo: false
    token:
"""


def test_a_kubeconfig_needs_no_library() -> None:
    """What kubectl and the cloud providers' tools write is read, and as the library reads it."""
    found = read(KUBECONFIG)
    assert found is not None
    assert found == yaml.safe_load(KUBECONFIG)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "word",
        "- a\n- b\n",
        "a: 1\n",
        "a: 1.5\n",
        "a: 2026-10-01\n",
        "a: ~\n",
        "a: Yes\n",
        "a: 'it''s'\n",
        'a: "tab\\t"\n',
        "a: b # remark\n",
        "a: # remark\n",
        "a: |\n  text\n",
        "a: >-\n  text\n",
        "a: b\n  c\n",
        "a:\n  b\n",
        "a: &x b\n",
        "a: *x\n",
        "a: !!str b\n",
        "a: [b]\n",
        "a: {b: c}\n",
        "a: b: c\n",
        "a: b\na: c\n",
        "yes: a\n",
        "1: a\n",
        '"a": b\n',
        "? a\n: b\n",
        "<<: a\n",
        "a:\tb\n",
        "a: b\r\nc: d\r\n",
        "a: \u00e9\n",
        "a: b\n---\nc: d\n",
        "a: b\n...\n",
        "%YAML 1.1\n---\na: b\n",
        "a:\n    b: c\n  d: e\n",
        "a:\n- - b\n",
        "a:\n-\n  b: c\n",
        "a: b\n- c\n",
    ],
)
def test_anything_else_is_the_librarys(text: str) -> None:
    """At the first sign of what is not plain it gives up."""
    assert read(text) is None


WORDS = ["a", "b-c", "https://x:1/y", "true", "null", "no", "12", "'q'", '"d"', "''", "{}", "[]", "--flag", "-", "~"]
ODD = ["# r", "a b", "x: y", "k:", "&a", "*a", "|", ">", "!t", "?", "'", '"', "\\", "[", "}", ",", "%", "@", ":", "<<"]
LINES = st.builds(
    lambda indent, dash, key, value, tail: " " * indent + dash + key + value + tail,
    st.integers(0, 6),
    st.sampled_from(["", "", "", "- ", "-  ", "- - ", "-"]),
    st.sampled_from(["a:", "b:", "c-d:", "e: ", "f: ", "g: ", "h:  ", "yes: ", "", "1: ", "k :", '"q": ']),
    st.one_of(st.just(""), st.sampled_from(WORDS), st.sampled_from(ODD)),
    st.sampled_from(["", "", "", " ", " # r", ":", "\t", "#", " b"]),
)


def edited(edits: list[tuple[int, int, str]]) -> str:
    """The kubeconfig with some places cut out or written over: nearly plain, so often on the border of what is."""
    text = KUBECONFIG
    for place, cut, put in edits:
        at = place % len(text)
        text = text[:at] + put + text[at + cut :]
    return text


PUT = st.sampled_from(
    ["", "", " ", "  ", "\n", "\n  ", ":", ": ", "- ", "-", "#", " #", "'", '"', "0", "a", "{}", "&", "~"]
)
TEXTS = st.one_of(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 3), PUT), min_size=1, max_size=3).map(edited),
    st.lists(LINES, max_size=8).map("\n".join),
    st.text(st.sampled_from("ab:- \n'\"#{}[]/.\\|>&*!?,%~0\t"), max_size=40),
)


@given(TEXTS)
@settings(max_examples=500)
def test_it_never_says_anything_else_than_the_library(text: str) -> None:
    """Whatever the text: it gives up, or finds what the library finds."""
    found = read(text)
    if found is not None:
        assert found == full_yaml.load(text, "it")


PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.text(max_size=12)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.from_regex(r"[a-z][a-zA-Z-]{0,9}", fullmatch=True), inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.from_regex(r"[a-z][a-zA-Z-]{0,9}", fullmatch=True), PLAIN, min_size=1, max_size=4))
def test_documents_come_back_as_they_were_written(document: dict[str, object]) -> None:
    """What a library wrote is read as what it was, or left to the library."""
    text = yaml.safe_dump(document, default_flow_style=False, width=1000)
    assert read(text) in (None, document)


def test_deep_nesting_is_left_to_the_library() -> None:
    """It refuses what nests beyond reason; here nothing runs out of stack."""
    text = "".join(f"{' ' * depth}a:\n" for depth in range(3000))
    assert read(text) is None
    with pytest.raises(Invalid):
        full_yaml.load("- " * 6000 + "a", "it")
