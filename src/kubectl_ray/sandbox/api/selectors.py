"""Label and field selectors: text in, a question to an object out; what is wrong with one in the real server's words.

Source: apimachinery, `pkg/labels/selector.go` and `pkg/fields/selector.go`; the fields of each kind are those of
`pkg/apis/*/v1/conversion.go` and `pkg/registry/*/*/strategy.go` in Kubernetes v1.36.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.names import key_errors, value_errors
from kubectl_ray.sandbox.api.refusals import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.store import Object

_TOKEN = re.compile(r"[ \t\r\n]*(==|!=|[=!(),<>]|[^=!(),<> \t\r\n\0]+\0?|\0|$)")
"""A NUL ends a word, or all of it where a word would begin."""

_WORD = re.compile(r"[^=!(),<>]")
_NUMBER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_LONGEST_NUMBER = 19
_TERM = re.compile(r"((?:[^=!]|!(?!=))*?)(!=|==|=)(.*)", re.DOTALL)


class _Requirement(NamedTuple):
    """One part of a label selector."""

    key: str
    operator: str
    values: frozenset[str]

    def holds(self, labels: Mapping[str, Any]) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case "exists":
                return value is not None
            case "!":
                return value is None
            case "in" | "=" | "==":
                return value in self.values
            case "notin" | "!=":
                return value not in self.values
        (limit,) = self.values
        if not isinstance(value, str) or not _integer(value):
            return False
        return int(value) > int(limit) if self.operator == "gt" else int(value) < int(limit)


class _Parser:
    """The words of one label selector, read from the left."""

    def __init__(self, text: str) -> None:
        self.at = 0
        self.words: list[str] = [word.rstrip("\0") for word in _TOKEN.findall(text)]

    @property
    def word(self) -> str:
        """The next one; "" is the end, however often it is asked for."""
        return self.words[self.at]

    def take(self) -> str:
        """The next one, and go on; past the end nothing comes."""
        word = self.word
        self.at += bool(word)
        return word

    def selector(self) -> list[_Requirement]:
        """All of it.

        Raises:
            ValueError: it is no selector.
        """
        found: list[_Requirement] = []
        while self.word:
            if not _is_name(self.word) and self.word != "!":
                raise ValueError(f"found '{self.word}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self.requirement())
            except ValueError as error:
                raise ValueError(f"unable to parse requirement: {error}") from None
            end = self.take()
            if not end:
                break
            if end != ",":
                raise ValueError(f"found '{end}', expected: ',' or 'end of string'")
            if not _is_name(self.word) and self.word != "!":
                raise ValueError(f"found '{self.word}', expected: identifier after ','")
        return found

    def requirement(self) -> _Requirement:
        absent = self.word == "!"
        if absent:
            self.take()
        key = self.take()
        if not _is_name(key):
            raise ValueError(f"found '{key}', expected: identifier")
        wrong = key_errors(key)
        if wrong:
            raise ValueError(f'<nil>: Invalid value: "{key}": {"; ".join(wrong)}')
        if self.word in {"", ","} or absent:
            return _Requirement(key, "!" if absent else "exists", frozenset())
        operator = self.take()
        if operator not in {"in", "notin", "=", "==", "!=", ">", "<"}:
            raise ValueError(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")
        values = self.values() if operator in {"in", "notin"} else frozenset({self.value()})
        operator = {">": "gt", "<": "lt"}.get(operator, operator)
        for index, value in enumerate(sorted(values)):
            if operator in {"gt", "lt"} and not _integer(value):
                rule = "for 'Gt', 'Lt' operators, the value must be an integer"
                raise ValueError(f'values[{index}]: Invalid value: "{value}": {rule}')
            wrong = value_errors(value)
            if wrong:
                raise ValueError(f'values[{index}][{key}]: Invalid value: "{value}": {"; ".join(wrong)}')
        return _Requirement(key, operator, values)

    def value(self) -> str:
        if self.word in {"", ","}:
            return ""
        word = self.take()
        if not _is_name(word):
            raise ValueError(f"found '{word}', expected: identifier")
        return word

    def values(self) -> frozenset[str]:
        word = self.take()
        if word != "(":
            raise ValueError(f"found '{word}' expected: '('")
        if self.word == ")":
            self.take()
            return frozenset({""})
        if not _is_name(self.word) and self.word != ",":
            raise ValueError(f"found '{self.word}', expected: ',', ')' or identifier")
        found: set[str] = set()
        while True:
            word = self.take()
            if _is_name(word):
                found.add(word)
                if self.word not in {",", ")"}:
                    raise ValueError(f"found '{self.word}', expected: ',' or ')'")
            elif word == ",":
                if not found or self.word in {")", ","}:
                    found.add("")
            else:
                raise ValueError(f"found '{word}', expected: ',', or identifier")
            if self.word == ")":
                self.take()
                return frozenset(found)


def labels(text: str) -> Callable[[Object], bool]:
    """Whether an object's labels are those that the selector asks for.

    Raises:
        Refused: 400, it cannot be understood.
    """
    try:
        requirements = _Parser(text).selector()
    except ValueError as error:
        raise bad_request(str(error)) from None

    def holds(held: Object) -> bool:
        given = held["metadata"].get("labels") or {}
        return all(each.holds(given) for each in requirements)

    return holds


def matches(selector: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Whether labels fit a `LabelSelector` object (matchLabels, matchExpressions); an empty one fits all."""
    wanted = selector.get("matchLabels") or {}
    names = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}
    return wanted.items() <= given.items() and all(
        _Requirement(each["key"], names[each["operator"]], frozenset(each.get("values") or ())).holds(given)
        for each in selector.get("matchExpressions") or []
        if each.get("operator") in names
    )


def fields(kind: Kind, text: str) -> Callable[[Object], bool]:
    """Whether an object's fields are those that the selector asks for.

    Raises:
        Refused: 400, it cannot be understood, or names a field that the kind cannot be chosen by.
    """
    known = _FIELDS.get(kind, ())
    wanted: list[tuple[str, bool, str]] = []
    for part in sorted(_split(text)):
        term = _TERM.fullmatch(part)
        if term is None:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        value = _unescaped(term[3])
        if term[1] or value:
            wanted.append((term[1], term[2] != "!=", value))
    for name, _equal, _value in wanted:
        if name not in {"metadata.name", "metadata.namespace", *known}:
            raise bad_request(_unknown(kind, name))

    def holds(held: Object) -> bool:
        return all((_field(kind, held, name) == value) == equal for name, equal, value in wanted)

    return holds


def _split(text: str) -> list[str]:
    """At commas that no backslash precedes; empty parts mean nothing."""
    return [part for part in re.findall(r"(?:\\.|[^,\\]|\\$)+", text, re.DOTALL) if part]


def _unescaped(value: str) -> str:
    found = ""
    characters = iter(value)
    for each in characters:
        if each in ",=":
            raise bad_request(f"invalid field selector: unescaped character in value: {ord(each)}")
        if each != "\\":
            found += each
            continue
        escaped = next(characters, "")
        if escaped not in {"\\", ",", "="}:
            raise bad_request(f"invalid field selector: invalid escape sequence: \\{escaped}")
        found += escaped
    return found


def _unknown(kind: Kind, name: str) -> str:
    if kind is kinds.JOBS:
        return f"field label {json.dumps(name)} not supported for Job"
    if kind in _FIELDS or kind.group == kinds.RAY:
        return f"field label not supported: {name}"
    return f'{json.dumps(name)} is not a known field selector: only "metadata.name", "metadata.namespace"'


def _field(kind: Kind, held: Object, name: str) -> str:
    """A field as text; "" where it is absent, as Go has it."""
    if kind is kinds.EVENTS and name == "source":
        return (held.get("source") or {}).get("component") or held.get("reportingComponent") or ""
    if kind is kinds.JOBS and name == "status.successful":
        return str(held.get("status", {}).get("succeeded", 0))
    if name == "name":
        name = "metadata.name"
    if name == "spec.host":
        name = "spec.nodeName"
    value: Any = held
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if value is None:
        return "false" if name in {"spec.hostNetwork", "spec.unschedulable"} else ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_name(word: str) -> bool:
    return bool(_WORD.match(word))


def _integer(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text)) and len(text) <= _LONGEST_NUMBER


_ABOUT = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_FIELDS: dict[Kind, tuple[str, ...]] = {
    kinds.PODS: (
        "spec.nodeName",
        "spec.host",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.podIPs",
        "status.nominatedNodeName",
    ),
    kinds.NODES: ("spec.unschedulable",),
    kinds.EVENTS: (*(f"involvedObject.{each}" for each in _ABOUT), "reason", "reportingComponent", "source", "type"),
    kinds.NEW_EVENTS: (
        *(f"regarding.{each}" for each in _ABOUT),
        "reason",
        "reportingController",
        "type",
    ),
    kinds.NAMESPACES: ("status.phase",),
    kinds.SECRETS: ("type",),
    kinds.SERVICES: ("spec.clusterIP", "spec.type"),
    kinds.JOBS: ("status.successful",),
    kinds.CRDS: (),
}
"""What each kind can be chosen by besides its name and namespace."""
