r"""kubectl's JSONPath templates: `{range .items[*]}{.metadata.name}{"\n"}{end}`.

Source of the language: k8s.io/client-go/util/jsonpath (jsonpath.go), which is not RFC 9535. As with kubectl, a field
that an object lacks is no error: it gives nothing.
"""

from __future__ import annotations

from kubectl_ray.errors import WrongUse
from kubectl_ray.views import jsonpath_syntax as syntax
from kubectl_ray.views.json_text import compact, short_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

_DEEPEST = 1000


class Template:
    """A template that was read once and is filled in for any object.

    Raises:
        WrongUse: it cannot be read.
    """

    __slots__ = ("_parts",)

    def __init__(self, template: str) -> None:
        self._parts = syntax.parse(template)

    def text(self, value: Any) -> str:
        """The template filled in; values of one place are separated by a blank.

        Raises:
            WrongUse: the object is not as the template takes it, such as an index into what is no list.
        """
        return "".join(_filled(self._parts, value))


class Path:
    """One path, with or without braces: `.metadata.name`, `{.metadata.name}`, `metadata.name`.

    Raises:
        WrongUse: it cannot be read.
    """

    __slots__ = ("_nodes",)

    def __init__(self, path: str) -> None:
        self._nodes = syntax.parse_path(path)

    def values(self, value: Any) -> list[Any]:
        """All that the path leads to, nothing where it leads nowhere."""
        return walked([value], self._nodes)


def shown(value: Any) -> str:
    """A value as Go prints it: text as it is, objects and lists as JSON on one line."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return short_number(value)
    return compact(value)


def walked(values: list[Any], nodes: Iterable[syntax.Node]) -> list[Any]:
    """What the nodes of one action make of these values, one node after the other."""
    for node in nodes:
        values = _STEPS[type(node)](node, values)
    return values


def _filled(parts: Iterable[syntax.Part], value: Any) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, syntax.Loop):
            for item in walked([value], part.over):
                yield from _filled(part.parts, item)
        else:
            yield " ".join(map(shown, walked([value], part.nodes)))


def _field(node: syntax.Field, values: list[Any]) -> list[Any]:
    return [value[node.name] for value in values if isinstance(value, dict) and node.name in value]


def _constant(node: syntax.Constant, values: list[Any]) -> list[Any]:
    return [node.value] if isinstance(node.value, str) else [node.value for _value in values]


def _wildcard(_node: syntax.Wildcard, values: list[Any]) -> list[Any]:
    return [child for value in values for child in _children(value)]


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value, key=str)]
    return list(value) if isinstance(value, (list, tuple)) else []


def _recursive(_node: syntax.Recursive, values: list[Any]) -> list[Any]:
    """Each value that has children or is text, then theirs, depth first."""
    found = []
    waiting = [(value, 0) for value in reversed(values)]
    while waiting:
        value, depth = waiting.pop()
        children = _children(value)
        if (children or isinstance(value, str)) and depth < _DEEPEST:
            found.append(value)
            waiting += [(child, depth + 1) for child in reversed(children)]
    return found


def _union(node: syntax.Union, values: list[Any]) -> list[Any]:
    return [found for nodes in node.each for found in walked(values, nodes)]


def _slice(node: syntax.Slice, values: list[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if value is None:
            continue
        if not isinstance(value, (list, tuple)):
            raise WrongUse(f"jsonpath: {shown(value)[:60]} is no list")
        found += value[_bounds(node, len(value))]
    return found


def _bounds(node: syntax.Slice, length: int) -> slice:
    start = node.start or 0
    if start < 0:
        start += length
    end = length if node.end is None else node.end
    if end < 0 or (end == 0 and node.single):
        end += length
    if start == end:
        return slice(0, 0)
    for index in (start, end - 1):
        if not 0 <= index < length:
            raise WrongUse(f"jsonpath: there is no element {index} in a list of {length}")
    if start > end:
        raise WrongUse(f"jsonpath: from {start} to {end} is no part of a list")
    step = 1 if node.step is None else node.step
    if step <= 0:
        raise WrongUse("jsonpath: a step has to be more than 0")
    return slice(start, end, step)


def _filter(node: syntax.Filter, values: list[Any]) -> list[Any]:
    found = []
    for value in values:
        if value is None:
            continue
        if not isinstance(value, (list, tuple)):
            raise WrongUse(f"jsonpath: {shown(value)[:60]} is no list that could be filtered")
        found += [item for item in value if _passes(node, item)]
    return found


def _passes(node: syntax.Filter, item: Any) -> bool:
    lefts = walked([item], node.left)
    if node.operator == "exists":
        return bool(lefts)
    if not lefts:
        return False
    rights = walked([item], node.right)
    if not rights:
        return False
    if len(lefts) > 1 or len(rights) > 1:
        raise WrongUse("jsonpath: a filter compares one value with one value")
    return _compared(lefts[0], node.operator, rights[0])


def _compared(left: Any, operator: str, right: Any) -> bool:
    """As Go's templates compare: values of one kind only, booleans only whether they are equal."""
    kinds = {_kind(left), _kind(right)}
    if len(kinds) > 1 or "" in kinds:
        raise WrongUse(f"jsonpath: {shown(left)[:60]} and {shown(right)[:60]} cannot be compared: not of one kind")
    if operator in {"==", "!="}:
        return bool((left == right) == (operator == "=="))
    if kinds == {"bool"}:
        raise WrongUse(f"jsonpath: true and false cannot be compared with {operator}")
    if operator == "<":
        return bool(left < right)
    if operator == ">":
        return bool(left > right)
    return bool(left <= right) if operator == "<=" else bool(left >= right)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return type(value).__name__ if isinstance(value, (int, float, str)) else ""


_STEPS: dict[type, Any] = {
    syntax.Field: _field,
    syntax.Constant: _constant,
    syntax.Wildcard: _wildcard,
    syntax.Recursive: _recursive,
    syntax.Union: _union,
    syntax.Slice: _slice,
    syntax.Filter: _filter,
}
