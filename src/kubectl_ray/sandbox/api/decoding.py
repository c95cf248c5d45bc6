"""Bodies of requests: JSON and YAML, read as the real server reads them, with its words for what cannot be read.

Source of the words: Go's `encoding/json` (scanner.go), which the API server shows to callers unchanged. Duplicate keys
are kept apart, because a strict request is refused for them and others are warned.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NamedTuple

LITERALS = {"t": "true", "f": "false", "n": "null"}
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
DEEPEST = 200
"""Nested values; deeper ones are refused, so that everything behind may be recursive. Go allows 10,000; nothing real
comes near either."""


class NotReadable(Exception):
    """The text is not JSON, or not YAML; the message is what Go's decoder would say."""


class Body(NamedTuple):
    """A value, and where in it a key was given twice (`spec.replicas`, `spec.containers[0].name`)."""

    value: Any
    duplicates: tuple[str, ...]


class _Twice(dict[str, Any]):
    """A mapping whose text had some keys more than once."""

    __slots__ = ("keys_twice",)
    keys_twice: list[str]


def read_json(text: bytes | str) -> Body:
    """A JSON text.

    Raises:
        NotReadable: it is not JSON.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    found_twice = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found_twice
        made = dict(items)
        if len(made) == len(items):
            return made
        found_twice = True
        marked = _Twice(made)
        seen: set[str] = set()
        marked.keys_twice = []
        for key, _value in items:
            if key in seen and key not in marked.keys_twice:
                marked.keys_twice.append(key)
            seen.add(key)
        return marked

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=_refused_constant, parse_float=_finite)
    except NotReadable:
        raise
    except (ValueError, RecursionError):
        raise NotReadable(complaint(text) or "exceeded max depth") from None
    if text.count("[") + text.count("{") > DEEPEST and _too_deep(value):
        raise NotReadable("exceeded max depth")
    if not found_twice:
        return Body(value, ())
    twice: list[str] = []
    return Body(_plain(value, "", twice), tuple(twice))


def _refused_constant(name: str) -> Any:
    raise NotReadable(f"invalid character {_quoted(name.lstrip('-')[0])} looking for beginning of value")


def _finite(text: str) -> float:
    """A number; one too big for a double is refused as Go does."""
    number = float(text)
    if math.isinf(number):
        raise NotReadable(f"json: cannot unmarshal number {text} into Go value of type float64")
    return number


def _plain(value: Any, path: str, twice: list[str]) -> Any:
    if isinstance(value, dict):
        if isinstance(value, _Twice):
            twice.extend(joined(path, key) for key in value.keys_twice)
        return {key: _plain(inner, joined(path, key), twice) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, f"{path}[{index}]", twice) for index, inner in enumerate(value)]
    return value


def joined(path: str, key: str) -> str:
    """The path of a field inside another, as the strict decoder writes it."""
    return f"{path}.{key}" if path else key


def _quoted(char: str) -> str:
    if char == "'":
        return "'\\''"
    if char == '"':
        return "'\"'"
    return "'" + json.dumps(char, ensure_ascii=not char.isprintable())[1:-1] + "'"


def complaint(text: str) -> str:
    """What Go says of a text that is not JSON; "" where it is JSON after all."""
    try:
        _Scanner(text).document()
    except NotReadable as wrong:
        return str(wrong)
    return ""


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True


class _Scanner:
    """Walks over a text only to find its first fault; not recursive, so that no text is too deep for it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def document(self) -> None:
        """One value and nothing behind it."""
        closers: list[str] = []
        while True:
            opened = self._begin()
            if opened:
                closers.append(opened)
                if self._peek() != opened:
                    if opened == "}":
                        self._key()
                    continue
            while closers:
                closer = closers[-1]
                char = self._peek()
                if char == closer:
                    self._at += 1
                    closers.pop()
                elif char == ",":
                    self._at += 1
                    if closer == "}":
                        self._key()
                    break
                else:
                    self._stop("after object key:value pair" if closer == "}" else "after array element")
            else:
                if self._peek():
                    self._stop("after top-level value")
                return

    def _peek(self) -> str:
        while self._text[self._at : self._at + 1] in {" ", "\t", "\r", "\n"}:
            self._at += 1
        return self._text[self._at : self._at + 1]

    def _stop(self, where: str) -> None:
        char = self._text[self._at : self._at + 1]
        raise NotReadable(f"invalid character {_quoted(char)} {where}" if char else "unexpected end of JSON input")

    def _key(self) -> None:
        if self._peek() != '"':
            self._stop("looking for beginning of object key string")
        self._string()
        if self._peek() != ":":
            self._stop("after object key")
        self._at += 1

    def _begin(self) -> str:
        """Over a whole scalar, giving ""; or over an opening bracket, giving the one that closes it."""
        char = self._peek()
        if char in {"{", "["}:
            self._at += 1
            return "}" if char == "{" else "]"
        if char == '"':
            self._string()
        elif char == "-" or (char.isascii() and char.isdigit()):
            self._number()
        elif char in LITERALS:
            word = LITERALS[char]
            for expected in word:
                if self._text[self._at : self._at + 1] != expected:
                    self._stop(f"in literal {word} (expecting {_quoted(expected)})")
                self._at += 1
        else:
            self._stop("looking for beginning of value")
        return ""

    def _number(self) -> None:
        found = NUMBER.match(self._text, self._at)
        if found is None:
            self._at += 1
            self._stop("in numeric literal")
            return
        self._at = found.end()
        rest = self._text[self._at : self._at + 2]
        if rest[:1] == "." and "." not in found.group() and "e" not in found.group().lower():
            self._at += 1
            self._stop("after decimal point in numeric literal")
        if rest[:1] in {"e", "E"} and "e" not in found.group().lower():
            self._at += 2 if rest[1:] in {"+", "-"} else 1
            self._stop("in exponent of numeric literal")

    def _string(self) -> None:
        self._at += 1
        while (char := self._text[self._at : self._at + 1]) != '"':
            if not char or char < " ":
                self._stop("in string literal")
            self._at += 1
            if char == "\\":
                escape = self._text[self._at : self._at + 1]
                if escape not in set('"\\/bfnrtu'):
                    self._stop("in string escape code")
                self._at += 1
                for _ in range(4 if escape == "u" else 0):
                    if self._text[self._at : self._at + 1] not in set("0123456789abcdefABCDEF"):
                        self._stop("in \\u hexadecimal character escape")
                    self._at += 1
        self._at += 1


def read_yaml(text: bytes | str) -> Body:
    """A YAML document (JSON is one too), with the values that JSON knows.

    Raises:
        NotReadable: it is not YAML, has several documents, or values that JSON does not know.
    """
    import yaml

    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if text.lstrip()[:1] == "{":
        try:
            return read_json(text)
        except NotReadable:
            pass  # a YAML flow mapping may look like JSON
    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        unfolding = _Unfolding()
        return Body(None if node is None else unfolding.value(node, "", 0), tuple(unfolding.twice))
    except (yaml.YAMLError, ValueError, RecursionError) as wrong:
        line = getattr(getattr(wrong, "problem_mark", None), "line", None)
        where = f"line {line + 1}: " if line is not None else ""
        raise NotReadable(f"yaml: {where}{getattr(wrong, 'problem', None) or wrong}") from None


WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
YAML_NUMBER = re.compile(r"[-+]?(?:0|[1-9]\d*)")
YAML_OTHER_BASE = re.compile(r"[-+]?0(?:x[0-9a-fA-F]+|o?[0-7]+)")
MOST_VALUES = 400_000
"""Values that a YAML document may unfold to; its aliases could make it endless."""
YAML_FLOAT = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


class _Unfolding:
    """Values as Go's yaml.v2 resolves them: `8080:80` and dates stay text."""

    def __init__(self) -> None:
        self.twice: list[str] = []
        self._left = MOST_VALUES

    def value(self, node: Any, path: str, depth: int) -> Any:
        self._left -= 1
        if self._left < 0:
            raise NotReadable("yaml: document contains excessive aliasing")
        if depth > DEEPEST:
            raise NotReadable("exceeded max depth")
        if node.id == "scalar":
            return _scalar(node)
        if node.id == "sequence":
            return [self.value(each, f"{path}[{index}]", depth + 1) for index, each in enumerate(node.value)]
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.id != "scalar":
                raise NotReadable("yaml: invalid map key")
            key = str(key_node.value)
            if key in made:
                self.twice.append(joined(path, key))
            made[key] = self.value(value_node, joined(path, key), depth + 1)
        return made


def _scalar(node: Any) -> Any:
    text = node.value
    if node.tag == "tag:yaml.org,2002:str" or node.style in {"'", '"', "|", ">"}:
        return text
    if text in WORDS:
        return WORDS[text]
    if YAML_NUMBER.fullmatch(text):
        return int(text)
    if YAML_OTHER_BASE.fullmatch(text):
        digits = text.lower()
        return int(digits, 16) if "x" in digits else int(digits.replace("o", ""), 8)
    if YAML_FLOAT.fullmatch(text):
        return _finite(text)
    return text
