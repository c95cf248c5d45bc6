"""JSON as kubectl prints it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.views.json_text import compact, list_text, number, short_number, text

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-1e15, 1e15) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def test_form() -> None:
    """Four blanks a level, sorted keys, empty ones closed at once."""
    assert text({"b": [1, {"c": None}], "a": {}, "d": [], "e": True}) == (
        '{\n    "a": {},\n    "b": [\n        1,\n        {\n            "c": null\n        }\n    ],\n'
        '    "d": [],\n    "e": true\n}'
    )


def test_escapes() -> None:
    """Go escapes what could end a script in HTML."""
    assert text("<a>&\u2028é") == '"\\u003ca\\u003e\\u0026\\u2028é"'


def test_list() -> None:
    """A List of objects as kubectl has it; the items come one by one."""
    written = "".join(list_text(iter([{"a": 1}, {"b": []}])))
    assert (
        written
        == text(
            {"apiVersion": "v1", "items": [{"a": 1}, {"b": []}], "kind": "List", "metadata": {"resourceVersion": ""}}
        )
        + "\n"
    )
    assert '"items": [],' in "".join(list_text([]))


def test_a_list_is_streamed() -> None:
    """An item is written before the next one is asked for."""
    asked = []

    def items() -> object:
        for name in range(3):
            asked.append(name)
            yield {"name": name}

    pieces = list_text(items())  # type: ignore[arg-type]
    next(pieces)
    next(pieces)
    assert asked == [0]


@pytest.mark.parametrize(
    ("value", "written", "short"),
    [
        (1, "1", "1"),
        (-3, "-3", "-3"),
        (1.0, "1", "1"),
        (0.5, "0.5", "0.5"),
        (1234567.5, "1234567.5", "1.2345675e+06"),
        (1e-6, "0.000001", "1e-06"),
        (1e-7, "1e-7", "1e-07"),
        (0.00012, "0.00012", "0.00012"),
        (1e20, "100000000000000000000", "1e+20"),
        (1e21, "1e+21", "1e+21"),
        (-1.5e300, "-1.5e+300", "-1.5e+300"),
        (12345678901234567890, "12345678901234567000", "1.2345678901234567e+19"),
        (-(2**63), "-9223372036854775808", "-9223372036854775808"),
        (float("nan"), "null", "null"),
        (float("inf"), "null", "null"),
        (10**400, "null", "null"),
    ],
)
def test_numbers(value: float, written: str, short: str) -> None:
    """As Go's encoding/json writes them, and as its fmt prints them."""
    assert number(value) == written
    assert short_number(value) == short


@given(VALUES)
def test_is_json(value: object) -> None:
    """What is written is read as the same value, on many lines and on one."""
    assert json.loads(text(value)) == value
    assert json.loads(compact(value)) == value
