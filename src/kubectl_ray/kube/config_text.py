"""Changes in the text of a kubeconfig that leave the rest of it as it stands: comments, order, quotes, unknown fields.

kubectl itself reads the file into its own types and writes these: comments and fields that it does not know are lost.
Here the few lines concerned are changed where they stand. What comes out is read again and has to say exactly what was
meant; where it does not (flow style, an alias in a list), the whole document is written anew from its YAML nodes, which
loses comments but no value. If even that does not say what was meant, nothing is changed.
"""

from __future__ import annotations

import io
import json
import re

import yaml

from kubectl_ray.errors import Invalid
from kubectl_ray.kube import documents, full_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_PLAIN = re.compile(r"[A-Za-z/](?:[A-Za-z0-9/+=._-]|:(?=\S))*")
_EMPTY = {"apiVersion": "v1", "kind": "Config"}
_WIDE = 2**30  # columns: a long line is never folded


class Append:
    """A further item at the end of a list of the document's top."""

    def __init__(self, key: str, item: dict[str, Any]) -> None:
        self.key = key
        self.item = item

    def data(self, top: dict[Any, Any]) -> None:
        """Do it to the document as it was read."""
        top[self.key] = [*(top.get(self.key) or ()), self.item]

    def node(self, top: yaml.MappingNode) -> None:
        """Do it to the document's nodes."""
        found = _value(top, self.key)
        new = _node(self.item)
        if isinstance(found, yaml.SequenceNode):
            found.value.append(new)
        else:
            _set(top, self.key, yaml.SequenceNode("tag:yaml.org,2002:seq", [new], flow_style=False))

    def text(self, text: str, top: yaml.MappingNode) -> str:
        """Do it to the text that these nodes were read from."""
        found = _value(top, self.key)
        if isinstance(found, yaml.SequenceNode) and found.value:
            place = _line_end(text, _last(found))
            return _inserted(text, place, _item(self.item, found.start_mark.column))
        lines = _item(self.item, 0)
        if found is None:
            return _inserted(text, _line_end(text, _last(top)), [f"{self.key}:", *lines])
        start, end = found.start_mark.index, found.end_mark.index
        return text[:start].rstrip(" ") + "\n" + "\n".join(lines) + text[end:]


class Drop:
    """Without one item of a list of the document's top."""

    def __init__(self, key: str, index: int) -> None:
        self.key = key
        self.index = index

    def data(self, top: dict[Any, Any]) -> None:
        """As above."""
        top[self.key] = [item for place, item in enumerate(top[self.key]) if place != self.index]

    def node(self, top: yaml.MappingNode) -> None:
        """As above."""
        found = _value(top, self.key)
        if isinstance(found, yaml.SequenceNode):
            del found.value[self.index]

    def text(self, text: str, top: yaml.MappingNode) -> str:
        """As above."""
        found = _value(top, self.key)
        if not isinstance(found, yaml.SequenceNode):
            return text
        items = found.value
        dash = text.rfind("-", _last(items[self.index - 1]) if self.index else 0, items[self.index].start_mark.index)
        start = text.rfind("\n", 0, dash) + 1
        end = _line_end(text, _last(items[self.index]))
        if len(items) > 1:
            return text[:start] + text[end:]
        return text[:start].rstrip("\r\n") + " []\n" + text[end:]


class Put:
    """A word under a key of the document's top."""

    def __init__(self, key: str, word: str) -> None:
        self.key = key
        self.word = word

    def data(self, top: dict[Any, Any]) -> None:
        """As above."""
        top[self.key] = self.word

    def node(self, top: yaml.MappingNode) -> None:
        """As above."""
        _set(top, self.key, _node(self.word))

    def text(self, text: str, top: yaml.MappingNode) -> str:
        """As above."""
        found = _value(top, self.key)
        if found is None:
            return _inserted(text, _line_end(text, _last(top)), [f"{self.key}: {_scalar(self.word)}"])
        start, end = found.start_mark.index, found.end_mark.index
        space = "" if text[start - 1 : start] == " " else " "
        return text[:start] + space + _scalar(self.word) + text[end:]


Change = Append | Drop | Put


def changed(text: str, changes: Iterable[Change], name: str) -> str:
    """`text` with all of `changes` done, one after the other; `name` is what errors call it.

    Raises:
        Invalid: it is no YAML, or written in a way in which it cannot be changed safely.
    """
    todo = tuple(changes)
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    body = text.removeprefix(mark)
    ends = "\r\n" if "\r\n" in body else "\n"
    read = documents.parse(body.encode(), name)
    wanted = dict(read) if isinstance(read, dict) else dict(_EMPTY)
    for change in todo:
        change.data(wanted)
    for way in (_as_json, _in_place, _anew):
        try:
            made = way(body, todo, wanted)
            if made is not None and _same(documents.parse(made.encode(), name), wanted):
                return mark + (made if ends == "\n" else re.sub("\r?\n", ends, made))
        except (Invalid, yaml.YAMLError, IndexError, AttributeError, RecursionError):
            continue
    raise Invalid(
        f"{name} is written in a way in which it cannot be changed safely",
        hint="Name another file with --kubeconfig or KUBECONFIG.",
    )


def _as_json(text: str, _changes: Iterable[Change], wanted: dict[Any, Any]) -> str | None:
    """A file in JSON stays one."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    return json.dumps(wanted, indent=4 if "\n" in text.strip() else None) + "\n"


def _in_place(text: str, changes: Iterable[Change], _wanted: dict[Any, Any]) -> str:
    if _top(text) is None:
        text = _inserted(text, len(text), [f"{key}: {value}" for key, value in _EMPTY.items()])
    for change in changes:
        top = _top(text)
        if not isinstance(top, yaml.MappingNode) or top.flow_style:
            raise Invalid("not in block style")
        text = change.text(text, top)
    return text


def _anew(text: str, changes: Iterable[Change], _wanted: dict[Any, Any]) -> str:
    top = _top(text)
    if not isinstance(top, yaml.MappingNode):
        top = _node(_EMPTY)
    for change in changes:
        change.node(top)
    written: str = yaml.serialize(top, Dumper=yaml.SafeDumper, allow_unicode=True, width=_WIDE)
    return written


def _same(one: object, other: object) -> bool:
    """The same values of the same types: to Python 1, 1.0 and True are equal, to a kubeconfig they are not."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return repr(one) == repr(other)


def _top(text: str) -> Any:
    """The first document's node; None where there is none."""
    loader = full_yaml.KubectlLoader(text)
    return loader.get_node() if loader.check_node() else None


def _node(value: object) -> Any:
    dumper = yaml.SafeDumper(io.StringIO(), default_flow_style=False, sort_keys=False)
    return dumper.represent_data(value)


def _value(top: yaml.MappingNode, key: str) -> yaml.Node | None:
    """The last value of this key, which is the one that counts."""
    return next((value for name, value in reversed(top.value) if name.value == key), None)


def _set(top: yaml.MappingNode, key: str, value: yaml.Node) -> None:
    kept = [(name, old) for name, old in top.value if name.value != key]
    top.value = [*kept, (_node(key), value)]


def _last(node: yaml.Node) -> int:
    """Where the last word of a node ends: a block's own end lies behind the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return _last(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _line_end(text: str, place: int) -> int:
    """The beginning of the next line; a block of text has its line's end in it already."""
    if place and text[place - 1] == "\n":
        return place
    end = text.find("\n", place)
    return len(text) if end < 0 else end + 1


def _inserted(text: str, place: int, lines: Iterable[str]) -> str:
    before = text[:place]
    if before and not before.endswith("\n"):
        before += "\n"
    return before + "".join(f"{line}\n" for line in lines) + text[place:]


def _item(item: dict[str, Any], margin: int) -> list[str]:
    """A list's item as kubectl writes it: the dash at the margin, fields behind it."""
    lines = list(_lines(item, margin + 2))
    return [f"{' ' * margin}- {lines[0][margin + 2 :]}", *lines[1:]]


def _lines(fields: dict[str, Any], margin: int) -> Iterable[str]:
    for key, value in fields.items():
        start = f"{' ' * margin}{key}:"
        if isinstance(value, dict):
            yield start
            yield from _lines(value, margin + 2)
        elif isinstance(value, list):
            yield start
            for each in value:
                yield from _item(each, margin)
        else:
            yield f"{start} {_scalar(value)}"


def _scalar(word: str) -> str:
    """A word as it is where that is safe, else in quotes."""
    if _PLAIN.fullmatch(word) and yaml.safe_load(word) == word:
        return word
    written: str = yaml.safe_dump(word, default_style='"', allow_unicode=True, width=_WIDE)
    return written.rstrip("\n")
