"""Reads kubectl's JSONPath templates into nodes. Source: k8s.io/client-go/util/jsonpath, parser.go and node.go."""

from __future__ import annotations

import re

from kubectl_ray.errors import WrongUse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_ENDS_A_FIELD = frozenset(" \t\r\n.,[]$@{}")
_KEY = re.compile(r"'([^']*)'")
_SLICE = re.compile(r"(-?[0-9]*)(:-?[0-9]*)?(:-?[0-9]*)?")
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)", re.DOTALL)
_OPERATORS = ("==", "!=", "<", "<=", ">", ">=")
_NUMBER = re.compile(r"[-+0-9.]+")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"'}
_DEEPEST = 20
_LAST_CODE = 0x10FFFF


class Field:
    """`.name`."""

    def __init__(self, name: str) -> None:
        self.name = name


class Constant:
    """Text in quotes, a number, true or false."""

    def __init__(self, value: str | float | bool) -> None:
        self.value = value


class Wildcard:
    """`.*`."""


class Recursive:
    """`..`."""


class Union:
    """`[0,2]`, `['a','b']`: each of these."""

    def __init__(self, each: list[list[Node]]) -> None:
        self.each = each


class Slice:
    """`[1]`, `[1:3]`, `[*]`; `single` is the first form. None where a bound was not given."""

    def __init__(self, start: int | None, end: int | None, step: int | None, *, single: bool = False) -> None:
        self.start = start
        self.end = end
        self.step = step
        self.single = single


class Filter:
    """`[?(@.type=="Ready")]`; with the operator `exists` there is no right side."""

    def __init__(self, left: list[Node], operator: str, right: list[Node]) -> None:
        self.left = left
        self.operator = operator
        self.right = right


class Word:
    """`range` or `end`, before the template's blocks are built."""

    def __init__(self, word: str) -> None:
        self.word = word


class Action:
    """One `{…}`."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes


class Loop:
    """`{range …}` to `{end}`."""

    def __init__(self, over: list[Node], parts: list[Part]) -> None:
        self.over = over
        self.parts = parts


if TYPE_CHECKING:
    Node = Field | Constant | Wildcard | Recursive | Union | Slice | Filter | Word
    Part = str | Action | Loop


def parse(template: str) -> list[Part]:
    """A whole template.

    Raises:
        WrongUse: it cannot be read; the message says where.
    """
    flat: list[str | Action] = []
    place = 0
    while place < len(template):
        opening = template.find("{", place)
        if opening < 0:
            opening = len(template)
        if opening > place:
            flat.append(template[place:opening])
        place = opening
        if place < len(template):
            reader = _Reader(template, place + 1)
            flat.append(Action(reader.action()))
            place = reader.place
    parts, _rest = _blocks(flat, 0)
    return parts


def parse_path(path: str) -> list[Node]:
    """One path, its braces and leading point not needed: `{.a.b}`, `.a.b`, `a.b`.

    Raises:
        WrongUse: it cannot be read, or is more than one path.
    """
    inner = path.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1].strip()
    if inner and inner[0] not in ".[$@":
        inner = f".{inner}"
    reader = _Reader(inner + "}", 0)
    nodes = reader.action()
    if reader.place != len(inner) + 1 or not inner or any(isinstance(node, Word) for node in nodes):
        raise WrongUse(f"{path!r} is no path of a field", hint="A path looks like .metadata.name")
    return nodes


def _blocks(flat: Sequence[str | Action], place: int, depth: int = 0) -> tuple[list[Part], int]:
    """The parts from `place` on to the end of their block, and the place behind that."""
    parts: list[Part] = []
    while place < len(flat):
        part = flat[place]
        place += 1
        words = [node.word for node in part.nodes if isinstance(node, Word)] if isinstance(part, Action) else []
        if isinstance(part, str) or not words:
            parts.append(part)
            continue
        nodes: list[Node] = [node for node in part.nodes if not isinstance(node, Word)]
        if words == ["range"]:
            if depth > _DEEPEST:
                raise WrongUse(f"jsonpath: more than {_DEEPEST} ranges in each other")
            inner, behind = _blocks(flat, place, depth + 1)
            parts.append(Loop(nodes, inner))
            # As kubectl: without an end the rest is looped over and then done once more for what is outside.
            place = behind if behind >= 0 else place
        elif words != ["end"]:
            raise WrongUse(f"jsonpath: {' '.join(words)} means nothing; text needs quotes")
        elif not depth:
            raise WrongUse("jsonpath: {end} without {range}")
        else:
            return parts, place
    return parts, -1 if depth else place


class _Reader:
    """Reads one action from the sign behind its brace to its closing one."""

    def __init__(self, text: str, place: int, depth: int = 0) -> None:
        if depth > _DEEPEST:
            raise WrongUse("jsonpath: nested too deeply")
        self.text = text
        self.place = place
        self.depth = depth

    def action(self) -> list[Node]:
        nodes: list[Node] = []
        while True:
            sign = self.text[self.place : self.place + 1]
            if sign in {"", "\n", "\r"}:
                raise WrongUse(f"jsonpath: {self.text[:60]!r} has an unclosed {{")
            if sign == "}":
                self.place += 1
                return nodes
            self._node(sign, nodes)

    def _node(self, sign: str, nodes: list[Node]) -> None:
        if self.text.startswith("[?(", self.place):
            nodes.append(self._filter())
        elif self.text.startswith("..", self.place):
            self._recursive(nodes)
        elif sign in " @$":
            self.place += 1
        elif sign == "[":
            nodes.extend(self._array())
        elif sign in "'\"":
            nodes.append(Constant(self._quoted(sign)))
        elif sign == ".":
            self.place += 1
            nodes.append(self._field())
        elif sign in "+-" or sign.isdigit():
            nodes.append(Constant(self._number()))
        elif sign.isalnum() or sign == "_":
            nodes.append(self._word())
        else:
            raise WrongUse(f"jsonpath: {sign!r} at {self.place} of {self.text[:60]!r} means nothing")

    def _recursive(self, nodes: list[Node]) -> None:
        if nodes and isinstance(nodes[-1], Recursive):
            raise WrongUse("jsonpath: .. stands twice")
        self.place += 2
        nodes.append(Recursive())
        following = self.text[self.place : self.place + 1]
        if following.isalnum() or following == "_":
            nodes.append(self._field())

    def _field(self) -> Field | Wildcard:
        start = self.place
        while self.place < len(self.text) and self.text[self.place] not in _ENDS_A_FIELD:
            self.place += 2 if self.text[self.place] == "\\" else 1
        name = self.text[start : self.place]
        self.place = min(self.place, len(self.text))
        return Wildcard() if name == "*" else Field(name.replace("\\", ""))

    def _word(self) -> Node:
        start = self.place
        while self.place < len(self.text) and (self.text[self.place].isalnum() or self.text[self.place] == "_"):
            self.place += 1
        word = self.text[start : self.place]
        return Constant(word == "true") if word in {"true", "false"} else Word(word)

    def _number(self) -> float:
        found = _NUMBER.match(self.text, self.place)
        written = found[0] if found else ""
        self.place += max(len(written), 1)
        try:
            return int(written) if "." not in written else float(written)
        except ValueError:
            raise WrongUse(f"jsonpath: {written or 'this'!r} is no number") from None

    def _quoted(self, quote: str) -> str:
        end = self.place + 1
        while True:
            end = self.text.find(quote, end)
            if end < 0 or "\n" in self.text[self.place : end]:
                raise WrongUse(f"jsonpath: {self.text[self.place :][:60]!r} has no closing quote")
            if self.text[end - 1] != "\\" or end - 1 == self.place:
                break
            end += 1
        inner = self.text[self.place + 1 : end]
        self.place = end + 1
        return _ESCAPE.sub(_unescaped, inner)

    def _array(self) -> list[Node]:
        end = self.text.find("]", self.place)
        if end < 0:
            raise WrongUse(f"jsonpath: {self.text[self.place :][:60]!r} has no closing ]")
        inner = self.text[self.place + 1 : end]
        self.place = end + 1
        if inner == "*":
            return [Slice(None, None, None)]
        several = inner.split(",")
        if len(several) > 1:
            return [Union([self._inner(f"[{each.strip(' ')}]") for each in several])]
        key = _KEY.fullmatch(inner)
        if key is not None:
            return self._inner(f".{key[1]}")
        return [_slice(inner)]

    def _filter(self) -> Filter:
        start = end = self.place + len("[?(")
        quote = ""
        while True:
            sign = self.text[end : end + 1]
            if sign in {"", "\n", "\r"}:
                raise WrongUse(f"jsonpath: {self.text[self.place :][:60]!r} has an unclosed filter")
            if quote:
                quote = "" if sign == quote and self.text[end - 1] != "\\" else quote
            elif sign in "'\"":
                quote = sign
            elif sign == ")":
                break
            end += 1
        if self.text[end + 1 : end + 2] != "]":
            raise WrongUse(f"jsonpath: {self.text[self.place :][:60]!r} needs )] at the filter's end")
        inner = self.text[start:end]
        self.place = end + 2
        compared = _COMPARISON.fullmatch(inner)
        if compared is None:
            return Filter(self._inner(inner), "exists", [])
        left, operator, right = compared.groups()
        if operator not in _OPERATORS:
            raise WrongUse(f"jsonpath: {operator!r} is none of {' '.join(_OPERATORS)}")
        return Filter(self._inner(left), operator, self._inner(right))

    def _inner(self, text: str) -> list[Node]:
        """The nodes of a part, read as an action of its own."""
        nodes = _Reader(text + "}", 0, self.depth + 1).action()
        for node in nodes:
            if isinstance(node, Word):
                raise WrongUse(f"jsonpath: {node.word!r} means nothing here; text needs quotes")
        return nodes


def _slice(inner: str) -> Slice:
    found = _SLICE.fullmatch(inner)
    if found is None:
        raise WrongUse(f"jsonpath: [{inner}] is no index")
    try:
        start = int(found[1]) if found[1] else None
        bounds = [int(each[1:]) if each and each != ":" else None for each in (found[2], found[3])]
    except ValueError:
        raise WrongUse(f"jsonpath: [{inner}] is no index") from None
    if found[2] is None:
        return Slice(start, (start or 0) + 1, None, single=True)
    return Slice(start, bounds[0], bounds[1])


def _unescaped(found: re.Match[str]) -> str:
    """One escape of Go's strconv.UnquoteChar."""
    two, four, eight, octal, letter = found.groups()
    if letter is not None:
        if letter not in _LETTERS:
            raise WrongUse(f"jsonpath: \\{letter} is no escape")
        return _LETTERS[letter]
    code = int(octal, 8) if octal else int(two or four or eight, 16)
    if code > _LAST_CODE:
        raise WrongUse(f"jsonpath: \\U{eight} is no character")
    return chr(code)
