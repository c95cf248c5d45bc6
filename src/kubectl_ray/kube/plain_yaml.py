"""The plain part of YAML that kubectl and the cloud providers' tools write, read without the YAML library.

Importing that library costs 13 ms, a quarter of a whole `cluster list`, and most kubeconfigs need nothing of it: block
mappings and sequences, whose keys are words and whose values are words, quoted text without escapes, or nothing.
`read` takes just that. At the first sign of anything else (an anchor, a flow collection, a folded line, a number, a
tab, a letter beyond ASCII) it gives up, and the library reads the text; so what it says is what the library says.

Source: YAML 1.1 §4, as PyYAML implements it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_IN_KEYS = "._/-"
_LONGEST_KEY = 128  # characters; the library takes up to 1,024
_DEEPEST = 24
_WORDS = {"true": True, "false": False, "null": None}
# What else YAML 1.1 takes for a truth value or nothing, in some spelling of its letters.
_DOUBTFUL = frozenset({"true", "false", "null", "yes", "no", "on", "off"})
_EMPTY: dict[str, type[dict[str, Any] | list[Any]]] = {"{}": dict, "[]": list}


class _OtherYAML(Exception):
    """The text needs the library."""


def read(text: str) -> dict[str, Any] | None:
    """The one document of `text` when it is a plain mapping; None when the library has to read it."""
    if not text.isascii() or not text.replace("\n", "").isprintable():
        return None
    lines = _Lines(text)
    try:
        found = _mapping(lines, lines.indent, 0)
    except _OtherYAML:
        return None
    return found if lines.over else None


class _Lines:
    """The lines that say something, one at a time: its `indent` in spaces and its `rest`. At the end it is -1."""

    __slots__ = ("_at", "_lines", "indent", "rest")

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._at = 1 if self._lines[0].rstrip(" ") == "---" else 0
        self.indent = -1
        self.rest = ""
        self.next()

    @property
    def over(self) -> bool:
        """Nothing is left."""
        return self.indent < 0

    def next(self) -> None:
        """Go to the next line that is neither blank nor a remark."""
        lines = self._lines
        while self._at < len(lines):
            line = lines[self._at]
            self._at += 1
            rest = line.strip(" ")
            if rest and rest[0] != "#":
                self.indent = len(line) - len(line.lstrip(" "))
                self.rest = rest
                return
        self.indent, self.rest = -1, ""


def _mapping(lines: _Lines, indent: int, depth: int) -> dict[str, Any]:
    """The mapping whose keys stand `indent` spaces from the margin, `lines` being at its first."""
    if depth > _DEEPEST:
        raise _OtherYAML
    found: dict[str, Any] = {}
    while lines.indent == indent and not _is_item(lines.rest):
        key, colon, value = lines.rest.partition(":")
        if not colon or not _is_key(key) or key in found or (value and value[0] != " "):
            raise _OtherYAML
        value = value.lstrip(" ")
        lines.next()
        found[key] = _scalar(value) if value else _below(lines, indent, depth)
    if lines.indent > indent or not found:
        raise _OtherYAML  # a value that goes on in the next line, or no mapping at all
    return found


def _below(lines: _Lines, indent: int, depth: int) -> Any:
    """The value of a key with nothing behind its colon: what stands deeper, or a sequence at the key's own margin."""
    if lines.indent > indent:
        if _is_item(lines.rest):
            return _sequence(lines, lines.indent, depth + 1)
        return _mapping(lines, lines.indent, depth + 1)
    if lines.indent == indent and _is_item(lines.rest):
        return _sequence(lines, indent, depth + 1)
    return None


def _sequence(lines: _Lines, indent: int, depth: int) -> list[Any]:
    """The sequence whose dashes stand `indent` spaces from the margin, `lines` being at its first."""
    if depth > _DEEPEST:
        raise _OtherYAML
    found: list[Any] = []
    while lines.indent == indent and _is_item(lines.rest):
        inner = lines.rest[1:].lstrip(" ")
        if not inner or _is_item(inner):
            raise _OtherYAML
        if ": " in inner or inner[-1] == ":":
            lines.indent += len(lines.rest) - len(inner)  # a mapping that begins behind the dash
            lines.rest = inner
            found.append(_mapping(lines, lines.indent, depth + 1))
        else:
            lines.next()
            found.append(_scalar(inner))
    if lines.indent > indent:
        raise _OtherYAML
    return found


def _is_item(rest: str) -> bool:
    return rest[:2] == "- " or rest == "-"


def _is_key(key: str) -> bool:
    return (
        key[:1] in _LETTERS
        and len(key) <= _LONGEST_KEY
        and key.lower() not in _DOUBTFUL
        and (key.isalnum() or all(char.isalnum() or char in _IN_KEYS for char in key))
    )


def _scalar(value: str) -> Any:
    """One line's value, without the spaces around it."""
    first = value[0]
    if first in {'"', "'"}:
        inner = value[1:-1]
        if len(value) < 2 or value[-1] != first or first in inner or (first == '"' and "\\" in inner):  # noqa: PLR2004 -- both quotes
            raise _OtherYAML
        return inner
    if value in _EMPTY:
        return _EMPTY[value]()
    if value in _WORDS:
        return _WORDS[value]
    starts_plain = first in _LETTERS or first == "/" or (value[:2] == "--" and value[2:3] in _LETTERS)
    if not starts_plain or value.lower() in _DOUBTFUL or ": " in value or " #" in value or value[-1] == ":":
        raise _OtherYAML
    return value
