"""Bodies are read as Go reads them, with Go's words for what cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.api.decoding import Body, NotReadable, complaint, read_json, read_yaml
from tests.unit.sandbox.api.recorded import tried

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)

WORDS = [
    ("", "unexpected end of JSON input"),
    ("nojson", "invalid character 'o' in literal null (expecting 'u')"),
    ("{nope", "invalid character 'n' looking for beginning of object key string"),
    ('{"a":1', "unexpected end of JSON input"),
    ('{"a" 1}', "invalid character '1' after object key"),
    ('{"a":1 2}', "invalid character '2' after object key:value pair"),
    ("[1,]", "invalid character ']' looking for beginning of value"),
    ("[1 2]", "invalid character '2' after array element"),
    ("1 2", "invalid character '2' after top-level value"),
    ("-x", "invalid character 'x' in numeric literal"),
    ("1.x", "invalid character 'x' after decimal point in numeric literal"),
    ("1ex", "invalid character 'x' in exponent of numeric literal"),
    ('"\\q"', "invalid character 'q' in string escape code"),
    ('"\\u12g"', "invalid character 'g' in \\u hexadecimal character escape"),
    ('"\n"', "invalid character '\\n' in string literal"),
    ("'", "invalid character '\\'' looking for beginning of value"),
    ("NaN", "invalid character 'N' looking for beginning of value"),
]


@pytest.mark.parametrize(("text", "said"), WORDS)
def test_go_words(text: str, said: str) -> None:
    """What is not JSON is told with the words of Go's decoder."""
    with pytest.raises(NotReadable) as caught:
        read_json(text)
    assert str(caught.value) == said


def test_duplicates_are_told_by_path() -> None:
    """Keys that are there twice: the last one counts, and each is told once with its path."""
    text = '{"a":{"b":1,"b":2,"b":3},"c":[{"d":1,"d":3}]}'
    assert read_json(text) == Body({"a": {"b": 3}, "c": [{"d": 3}]}, ("a.b", "c[0].d"))


def test_too_deep() -> None:
    """No nesting is too deep to be refused in words."""
    for depth in (300, 100_000):
        with pytest.raises(NotReadable, match="exceeded max depth"):
            read_json("[" * depth + "]" * depth)


@given(VALUES)
def test_reads_what_json_writes(value: Any) -> None:
    """Each JSON text gives its value."""
    assert read_json(json.dumps(value)).value == value
    assert complaint(json.dumps(value)) == ""


@given(st.text() | st.text(alphabet='{}[]",:\\ntrue0.-e1 '))
def test_text_is_json_or_refused(text: str) -> None:
    """Any text is a value or a refusal with words, and Python's reader agrees which."""
    _value, wrong = tried(lambda: read_json(text), NotReadable)
    assert str(wrong)
    if wrong is None:
        json.loads(text)


@given(st.text() | st.binary())
def test_any_text_as_yaml(text: str | bytes) -> None:
    """Any text is a value that JSON knows or a refusal."""
    value, wrong = tried(lambda: read_yaml(text), NotReadable)
    assert str(wrong)
    if value is not None:
        json.dumps(value.value, allow_nan=False)


@given(VALUES)
def test_reads_what_yaml_writes(value: Any) -> None:
    """A value written as YAML comes back, numbers and words that look like others included."""
    if isinstance(value, int | float) or "e" in json.dumps(value):
        return  # YAML writes floats in more ways than JSON does
    text = yaml.safe_dump(json.loads(json.dumps(value)))
    read, wrong = tried(lambda: read_yaml(text), NotReadable)
    assert (read and read.value == value) or "character" in str(wrong)  # control characters are not YAML


def test_yaml_values_are_those_of_go() -> None:
    """Ports and dates stay text, octal numbers are numbers, `yes` is true."""
    text = "a: 8080:80\nb: 2001-01-01\nc: 0x10\nd: 010\ne: yes\nf: 'yes'\na: 2"
    made = {"a": 2, "b": "2001-01-01", "c": 16, "d": 8, "e": True, "f": "yes"}
    assert read_yaml(text) == Body(made, ("a",))


def test_yaml_aliases_end() -> None:
    """Aliases of aliases do not fill the memory."""
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(NotReadable, match="excessive aliasing"):
        read_yaml("\n".join(lines))


def test_yaml_documents() -> None:
    """One document only."""
    with pytest.raises(NotReadable, match="yaml: line 3"):
        read_yaml("---\na: 1\n---\nb: 1")
