"""Kubernetes objects as kubectl's YAML: sorted keys, two blanks a level, lists not indented, ambiguous text quoted.

kubectl writes with go-yaml 2, a port of libyaml; PyYAML's C emitter is libyaml. So the layout (folding, escapes, block
scalars) is the same code, and only what go-yaml decides before it is decided here: the order of keys and which text
must not be written plain. Source: go-yaml v2, encode.go, resolve.go, sorter.go.
"""

from __future__ import annotations

import re
from functools import cmp_to_key

import yaml

from kubectl_ray.views.json_text import number, short_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

_WIDTH = 80
_INT64 = 2**63
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_BINARY = re.compile(r"-?0b[-+]?[01]+")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    r"([Tt][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}([.,][0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2})"
    r"| [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}([.,][0-9]+)?)?"
)
_WORDS = frozenset(
    spelled
    for word in ("y", "yes", "on", "true", "n", "no", "off", "false", "null", ".nan", ".inf", "+.inf", "-.inf")
    for spelled in (word, word.capitalize(), word.upper())
) | {"", "~", ".NaN", ".Inf", "+.Inf", "-.Inf"}
_IMPLICIT = (True, True)


def text(value: Any) -> str:
    """One document, without a marker before or after it."""
    return "".join(_emitted(_events(value)))


def list_text(items: Iterable[Any]) -> Iterator[str]:
    """A `List` of the items, piece by piece as they come: what was written is not held."""
    return _emitted(_list_events(items))


def plain(value: str) -> bool:
    """Would this text, written without quotes, be read as the same text?"""
    if value in _WORDS:
        return False
    first = value[0]
    if first == ".":
        return not _is_float(value)
    if first not in "+-0123456789":
        return True
    bare = value.replace("_", "")
    return not (
        _INTEGER.fullmatch(bare)
        or _is_float(bare)
        or _BINARY.fullmatch(bare)
        or _BASE_60.fullmatch(value)
        or _TIME.fullmatch(value)
    )


def _is_float(value: str) -> bool:
    """Go's ParseFloat refuses what would be infinite."""
    return bool(_FLOAT.fullmatch(value)) and abs(float(value)) != float("inf")


class _Pieces:
    """The stream that the emitter writes to; what it holds is taken away after each event."""

    def __init__(self) -> None:
        self.held: list[str] = []

    def write(self, piece: str) -> None:
        self.held.append(piece)


def _emitted(events: Iterable[yaml.Event]) -> Iterator[str]:
    stream = _Pieces()
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)(stream, width=_WIDTH, allow_unicode=True)
    try:
        dumper.emit(yaml.StreamStartEvent(encoding=None))
        dumper.emit(yaml.DocumentStartEvent(explicit=False))
        for event in events:
            dumper.emit(event)
            if stream.held:
                yield "".join(stream.held)
                stream.held.clear()
        dumper.emit(yaml.DocumentEndEvent(explicit=False))
        dumper.emit(yaml.StreamEndEvent())
    finally:
        dumper.dispose()
    yield "".join(stream.held).removesuffix("...\n")


def _list_events(items: Iterable[Any]) -> Iterator[yaml.Event]:
    yield _map()
    yield from _events("apiVersion")
    yield from _events("v1")
    yield from _events("items")
    first = next(each := iter(items), None)
    yield _sequence(empty=first is None)
    if first is not None:
        yield from _events(first)
    for item in each:
        yield from _events(item)
    yield yaml.SequenceEndEvent()
    for value in ("kind", "List", "metadata", {"resourceVersion": ""}):
        yield from _events(value)
    yield yaml.MappingEndEvent()


def _map(*, empty: bool = False) -> yaml.Event:
    return yaml.MappingStartEvent(None, None, implicit=True, flow_style=empty)


def _sequence(*, empty: bool = False) -> yaml.Event:
    return yaml.SequenceStartEvent(None, None, implicit=True, flow_style=empty)


def _events(value: Any) -> Iterator[yaml.Event]:
    if isinstance(value, dict):
        yield _map(empty=not value)
        for key in _sorted(value):
            yield _scalar(str(key))
            yield from _events(value[key])
        yield yaml.MappingEndEvent()
    elif isinstance(value, (list, tuple)):
        yield _sequence(empty=not value)
        for item in value:
            yield from _events(item)
        yield yaml.SequenceEndEvent()
    else:
        yield _scalar(value)


def _scalar(value: Any) -> yaml.Event:
    style = None
    if value is None:
        value = "null"
    elif isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, (int, float)):
        value = _number(value)
    else:
        value = str(value)
        if "\n" in value:
            style = "|"
        elif not plain(value):
            style = '"'
    return yaml.ScalarEvent(None, None, _IMPLICIT, value, style=style)


def _number(value: float) -> str:
    """As go-yaml writes what came as JSON: whole numbers of 64 bits in full, others in Go's short form."""
    written = number(value)
    if written.lstrip("-").isdigit() and -_INT64 <= int(written) < 2 * _INT64:
        return written
    return short_number(float(value)) if written != "null" else written


def _sorted(keys: Iterable[Any]) -> list[Any]:
    named = list(keys)
    if all(isinstance(key, str) and key.isascii() and key.isalpha() for key in named):
        return sorted(named)
    return sorted(named, key=cmp_to_key(_compare))


def _compare(one: Any, other: Any) -> int:
    """go-yaml's order: digits as numbers, other signs before letters."""
    left, right = str(one), str(other)
    for place, (a, b) in enumerate(zip(left, right, strict=False)):
        if a == b:
            continue
        if a.isalpha() or b.isalpha():
            return ((a > b) - (a < b)) if a.isalpha() and b.isalpha() else (1 if a.isalpha() else -1)
        return _compare_digits(left, right, place)
    return len(left) - len(right)


def _compare_digits(left: str, right: str, place: int) -> int:
    numbers = []
    lengths = []
    zero = "0" in {left[place], right[place]} and _number_before(left, place)
    for text_ in (left, right):
        end = place
        value = 1 if zero else 0
        while end < len(text_) and text_[end].isdigit():
            value = value * 10 + (ord(text_[end]) - 48)
            end += 1
        numbers.append(value)
        lengths.append(end)
    for a, b in ((numbers[0], numbers[1]), (lengths[0], lengths[1])):
        if a != b:
            return -1 if a < b else 1
    return -1 if left[place] < right[place] else 1


def _number_before(text_: str, place: int) -> bool:
    """Do digits other than 0 stand directly before this place?"""
    before = place - 1
    while before >= 0 and text_[before].isdigit():
        if text_[before] != "0":
            return True
        before -= 1
    return False
