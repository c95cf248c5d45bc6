"""YAML as kubectl prints it."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.views.yaml_text import list_text, plain, text


def _read_alike(written: str) -> bool:
    """Not `.0_`, which is a text to kubectl, and a number to PyYAML."""
    return not (written.startswith(".") and "_" in written)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(codec="utf-8")).filter(_read_alike),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abz09_-./", max_size=5).filter(_read_alike), inner, max_size=4)
    ),
    max_leaves=20,
)


def test_form() -> None:
    """Two blanks a level, lists not indented, empty ones closed at once."""
    assert text({"b": [1, {"c": None, "d": [[2]]}], "a": {}, "e": [], "f": True}) == (
        "a: {}\nb:\n- 1\n- c: null\n  d:\n  - - 2\ne: []\nf: true\n"
    )


@pytest.mark.parametrize(
    "value",
    [
        "",
        "~",
        "yes",
        "NO",
        "True",
        "null",
        "1",
        "-1",
        "+1.5",
        "0x10",
        "0o7",
        "017",
        "1_000",
        "1e3",
        ".5",
        ".inf",
        "12:30:45",
        "2026-10-01",
        "2026-10-01T00:00:00Z",
        "0b1",
    ],
)
def test_text_that_looks_like_something_else(value: str) -> None:
    """It is quoted."""
    assert text({"a": value}) == f'a: "{value}"\n'
    assert not plain(value)


@pytest.mark.parametrize(
    "value", ["a", "a b", "32Gi", "500m", "1.2.3", "v1", "-", "=", "x: y", "10.0.0.1", "1e", "2026-10", "1e999", ".0_"]
)
def test_text_that_is_plain(value: str) -> None:
    """It is not."""
    assert f'"{value}"' not in text({"a": value})


def test_several_lines() -> None:
    """A block, its last line end shown by its mark."""
    assert text({"a": "x\ny\n", "b": "x\ny"}) == "a: |\n  x\n  y\nb: |-\n  x\n  y\n"


def test_order_of_keys() -> None:
    """Numbers by their size, signs before letters."""
    found = text(dict.fromkeys(["b", "a10", "a9", "_x", "A", "2", "10", "1", "a.b", "ab"]))
    assert [line.partition(":")[0].strip('"') for line in found.splitlines()] == [
        "_x",
        "1",
        "2",
        "10",
        "A",
        "a.b",
        "a9",
        "a10",
        "ab",
        "b",
    ]


def test_list() -> None:
    """A List of objects as kubectl has it."""
    assert "".join(list_text([{"a": 1}, {}])) == (
        'apiVersion: v1\nitems:\n- a: 1\n- {}\nkind: List\nmetadata:\n  resourceVersion: ""\n'
    )
    assert "items: []\n" in "".join(list_text([]))


def test_a_block_at_the_end_needs_no_mark() -> None:
    """No `...` behind a document."""
    assert text({"a": "x\n\n"}) == "a: |+\n  x\n\n"


@given(VALUES)
def test_is_yaml(value: object) -> None:
    """What is written is read as the same value."""
    written = text({"value": value})
    try:
        read = yaml.safe_load(written)
    except (yaml.YAMLError, ValueError):
        # PyYAML's reader stumbles over some characters that its own writer wrote, and over numbers such as 0b_.
        return
    assert read == {"value": value}
