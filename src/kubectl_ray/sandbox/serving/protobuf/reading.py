"""Protobuf bodies of Kubernetes' own kinds, as the JSON that they stand for.

Source: apimachinery, `pkg/runtime/serializer/protobuf` (four bytes of magic, then `runtime.Unknown`); the wire format
is Protocol Buffers' "Encoding" page. Which field is what is in `messages.json.gz`, which `make.py` writes.
"""

from __future__ import annotations

import base64
import gzip
import json
import struct
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAGIC = b"k8s\0"
DEEPEST = 60
"""Messages in messages; a Pod needs ten."""

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
_SHIFTS = 70
_NEGATIVE = 1 << 63
_INTEGERS = frozenset({"int32", "int64", "uint32"})


class NotReadable(Exception):
    """The bytes are no such message."""


_Fields = dict[str, tuple[str, str, int]]


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress((Path(__file__).parent / "messages.json.gz").read_bytes()))
    return found


def read(data: bytes) -> dict[str, Any]:
    """The object in a body, with its apiVersion and kind where the body names them.

    Raises:
        NotReadable: it is none, or of a kind that nobody sends.
    """
    if not data.startswith(MAGIC):
        raise NotReadable("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    outer = _Parts(data[len(MAGIC) :]).last()
    about = _Parts(outer.get(1, b"")).last()
    api_version, kind = _text(about.get(1, b"")), _text(about.get(2, b""))
    roots = _table()["roots"]
    name = roots.get(f"{api_version}/{kind}") or roots.get(kind)
    if name is None:
        raise NotReadable(f'no kind "{kind}" is registered for version "{api_version}"')
    made = _message(name, outer.get(2, b""), 0)
    return {"apiVersion": api_version, "kind": kind, **made}


class _Parts:
    """The fields of a message, in the order of its bytes."""

    def __init__(self, data: bytes | int) -> None:
        if isinstance(data, int):
            raise NotReadable("proto: a message was expected")
        self._data = data
        self._at = 0

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        while self._at < len(self._data):
            key = self._varint()
            yield key >> 3, self._value(key & 7)

    def packed(self) -> Iterator[int]:
        """A list of integers that is written as one value."""
        while self._at < len(self._data):
            yield self._varint()

    def last(self) -> dict[int, Any]:
        """Each field's last value."""
        return dict(self)

    def _value(self, wire: int) -> bytes | int:
        if wire == VARINT:
            return self._varint()
        if wire == LENGTH:
            return self._take(self._varint())
        if wire == FIXED64:
            return self._take(8)
        if wire == FIXED32:
            return self._take(4)
        raise NotReadable(f"proto: illegal wireType {wire}")

    def _varint(self) -> int:
        value = shift = 0
        while shift < _SHIFTS:
            (byte,) = self._take(1)
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return value & (2**64 - 1)
            shift += 7
        raise NotReadable("proto: integer overflow")

    def _take(self, count: int) -> bytes:
        if count > len(self._data) - self._at:
            raise NotReadable("unexpected EOF")
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken


def _message(name: str, data: bytes | int, depth: int) -> dict[str, Any]:
    if depth > DEEPEST:
        raise NotReadable("proto: too deep")
    fields: _Fields = _table()["messages"][name]
    made: dict[str, Any] = {}
    for number, raw in _Parts(data):
        field = fields.get(str(number))
        if field is None:
            continue  # of a newer client
        json_name, kind, kept = field
        if kind.startswith("map:"):
            entry = _Parts(raw).last()
            inner = _mapped(kind[4:], entry.get(2), depth)
            made.setdefault(json_name, {})[_text(entry.get(1, b""))] = inner
        elif kind.startswith("[]") and kind != "[]byte":
            made.setdefault(json_name, []).extend(_listed(kind[2:], raw, depth))
        else:
            value = _single(kind, raw, depth)
            if not json_name:
                made |= value
            elif value is not None and (kept or value not in ("", 0, False)):
                made[json_name] = value
    return made


def _mapped(kind: str, raw: bytes | int | None, depth: int) -> Any:
    if kind == "[]string":  # a list as a map's value is a message around it
        return [_text(each) for _number, each in _Parts(raw or b"")]
    if raw is None:
        return "" if kind in {"string", "[]byte"} else _single(kind, b"", depth)
    return _single(kind, raw, depth)


def _listed(kind: str, raw: bytes | int, depth: int) -> list[Any]:
    if kind in _INTEGERS and isinstance(raw, bytes):
        return [_signed(each) for each in _Parts(raw).packed()]
    return [_single(kind, raw, depth)]


def _single(kind: str, raw: bytes | int, depth: int) -> Any:
    if kind in _INTEGERS or kind == "bool":
        if not isinstance(raw, int):
            raise NotReadable("proto: an integer was expected")
        return bool(raw) if kind == "bool" else _signed(raw)
    if isinstance(raw, int):
        raise NotReadable(f"proto: wrong wireType for {kind}")
    special = _SPECIAL.get(kind)
    return special(raw) if special is not None else _message(kind, raw, depth + 1)


def _signed(value: int) -> int:
    return value - 2**64 if value & _NEGATIVE else value


def _text(raw: bytes | int) -> str:
    if isinstance(raw, int):
        raise NotReadable("proto: a string was expected")
    return raw.decode("utf-8", "replace")


def _bytes(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _double(raw: bytes) -> float:
    if len(raw) != 8:  # noqa: PLR2004 - fixed64
        raise NotReadable("proto: a double was expected")
    (value,) = struct.unpack("<d", raw)
    return float(value)


def _moment(raw: bytes) -> tuple[int, int] | None:
    """Seconds since 1970 and nanoseconds; None for Go's zero time."""
    parts = _Parts(raw).last()
    found = parts.get(1, 0), parts.get(2, 0)
    if not all(isinstance(each, int) for each in found):
        raise NotReadable("proto: a time was expected")
    seconds = _signed(found[0])
    if not parts or not 0 <= seconds < 253402300800:  # noqa: PLR2004 - the year 10000
        return None
    return seconds, found[1]


def _time(raw: bytes) -> str | None:
    moment = _moment(raw)
    return None if moment is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment[0]))


def _micro_time(raw: bytes) -> str | None:
    moment = _moment(raw)
    if moment is None:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment[0])) + f".{moment[1] // 1000 % 10**6:06}Z"


def _quantity(raw: bytes) -> str:
    return _text(_Parts(raw).last().get(1, b"")) or "0"


def _int_or_string(raw: bytes) -> int | str:
    parts = _Parts(raw).last()
    if parts.get(1, 0):
        return _text(parts.get(3, b""))
    value = parts.get(2, 0)
    if not isinstance(value, int):
        raise NotReadable("proto: an integer was expected")
    return _signed(value)


def _json(raw: bytes) -> Any:
    text = _Parts(raw).last().get(1, b"")
    try:
        return json.loads(_text(text)) if text else None
    except (ValueError, RecursionError):
        raise NotReadable("proto: JSON was expected") from None


_SPECIAL: dict[str, Callable[[bytes], Any]] = {
    "string": _text,
    "[]byte": _bytes,
    "float64": _double,
    "Time": _time,
    "MicroTime": _micro_time,
    "Quantity": _quantity,
    "IntOrString": _int_or_string,
    "Raw": _json,
}
