"""Objects of Ray's kinds against the schemas of their definitions: unknown fields, defaults, and what is wrong.

Source of the behaviour: apiextensions-apiserver, `pkg/apiserver/schema` (pruning, defaulting, listtype, cel) and
`pkg/apiserver/validation`; the words are those that a server of version 1.36 was seen to send.
"""

from __future__ import annotations

import copy
import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_ray.sandbox.api.decoding import joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kubectl_ray.sandbox.api.schemas import Schema

INT32, INT64 = 2**31, 2**63
EXACT = 2**53
NOT_CHECKED = (
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)
BLOCKING = {"FieldValueTypeInvalid", "FieldValueRequired", "FieldValueNotSupported", "FieldValueTooLong"}
"""With one of these the rules (CEL) are not looked at, and that is said too."""


class Cause(NamedTuple):
    """One thing that is wrong, as `details.causes` of a 422 has it."""

    reason: str
    message: str
    field: str


def shaped(schema: Schema, value: Any, path: str, unknown: list[str]) -> Any:
    """A copy without unknown fields (whose paths are appended) and unwanted nulls, and with defaults."""
    if isinstance(value, list):
        items = schema.get("items", {})
        return [shaped(items, each, f"{path}[{index}]", unknown) for index, each in enumerate(value)]
    if not isinstance(value, dict):
        whole = isinstance(value, float) and value.is_integer() and abs(value) < EXACT
        return int(value) if whole else value
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return copy.deepcopy(value)
    known = schema.get("properties", {})
    others = schema.get("additionalProperties")
    made: dict[str, Any] = {}
    for key, each in value.items():
        inner = known.get(key, others)
        if not isinstance(inner, dict):
            if not inner:
                unknown.append(joined(path, key))
            else:
                made[key] = copy.deepcopy(each)
        elif each is not None or inner.get("nullable"):
            made[key] = shaped(inner, each, joined(path, key), unknown)
    for key, inner in known.items():
        if key not in made and "default" in inner:
            made[key] = shaped(inner, copy.deepcopy(inner["default"]), joined(path, key), unknown)
    return made


def causes(schema: Schema, value: Any, old: Any = None, *, field: str = "", shown: str | None = None) -> list[Cause]:
    """All that is wrong with a value; `old` is what it replaces. `shown` is the path in messages where it differs."""
    found = list(_wrong(schema, value, field, field if shown is None else shown))
    found += _twice(schema, value, field)
    if any(cause.reason in BLOCKING for cause in found):
        return [*found, Cause("FieldValueInvalid", NOT_CHECKED, "<nil>")]
    return found + list(_broken_rules(schema, value, old, field))


def _wrong(schema: Schema, value: Any, field: str, shown: str) -> Iterator[Cause]:
    if schema.get("x-kubernetes-int-or-string"):
        yield from _int_or_string(schema, value, field, shown)
        return
    wanted = schema.get("type")
    if value is None and schema.get("nullable"):
        return
    if wanted and not _is(wanted, value):
        yield from _wrong_type(schema, value, field, shown)
        return
    if wanted == "integer":
        limit = INT32 if schema.get("format") == "int32" else INT64
        if not -limit <= value < limit:
            yield _out_of_format(schema, shown)
    yield from _limits(schema, value, field, shown)
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _wrong(schema.get("items", {}), each, f"{field}[{index}]", f"{shown}[{index}]")
    elif isinstance(value, dict):
        yield from _wrong_members(schema, value, field, shown)


def _wrong_members(schema: Schema, value: dict[str, Any], field: str, shown: str) -> Iterator[Cause]:
    for name in schema.get("required", ()):
        if name not in value:
            yield Cause("FieldValueRequired", "Required value", joined(field, name))
    known, others = schema.get("properties", {}), schema.get("additionalProperties")
    for key in sorted(value):
        inner = known.get(key, others)
        if isinstance(inner, dict):
            yield from _wrong(inner, value[key], joined(field, key), joined(shown, key))


def _is(wanted: str, value: Any) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    if wanted == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, {"string": str, "number": int | float, "array": list, "object": dict}.get(wanted, ()))


def type_word(value: Any) -> str:
    """What JSON schema calls the type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return {float: "number", str: "string", list: "array"}.get(type(value), "object")


def _wrong_type(schema: Schema, value: Any, field: str, shown: str) -> Iterator[Cause]:
    wanted, word = schema["type"], type_word(value)
    halves = wanted == "integer" and isinstance(value, float)
    if halves and "format" in schema:
        wanted, word = schema["format"], "float64"
    message = f'Invalid value: "{word}": {shown} in body must be of type {wanted}: "{word}"'
    yield Cause("FieldValueTypeInvalid", message, field)
    if halves:
        yield _out_of_format(schema, shown)


def _out_of_format(schema: Schema, shown: str) -> Cause:
    form = f"with format {schema['format']}" if "format" in schema else "(default format)"
    message = f'Invalid value: "": Checked value must be of type integer {form} in {shown}'
    return Cause("FieldValueInvalid", message, "<nil>")


def _int_or_string(schema: Schema, value: Any, field: str, shown: str) -> Iterator[Cause]:
    if _is("integer", value) or isinstance(value, str):
        yield from _limits(schema, value, field, shown)
        return
    word = type_word(value)
    both = f'Invalid value: "{word}": {shown} in body must be of type integer,string: "{word}"'
    yield Cause("FieldValueTypeInvalid", both, field)
    yield Cause("FieldValueInvalid", f'Invalid value: "": "{shown}" must validate at least one schema (anyOf)', "<nil>")
    yield from _wrong_type({"type": "integer"}, value, field, shown)


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\$$", r"\\Z", pattern), re.ASCII)


def _limits(schema: Schema, value: Any, field: str, shown: str) -> Iterator[Cause]:
    allowed = schema.get("enum")
    if allowed is not None and value not in allowed:
        told = ", ".join(json.dumps(each) for each in allowed)
        yield Cause("FieldValueNotSupported", f"Unsupported value: {_told(value)}: supported values: {told}", field)
    if isinstance(value, str):
        if "maxLength" in schema and len(value) > schema["maxLength"]:
            yield Cause("FieldValueTooLong", f"Too long: may not be more than {schema['maxLength']} bytes", field)
        if len(value) < schema.get("minLength", 0):
            least = f"{shown} in body should be at least {schema['minLength']} chars long"
            yield Cause("FieldValueInvalid", f"Invalid value: {_told(value)}: {least}", field)
        if "pattern" in schema and not _pattern(schema["pattern"]).search(value):
            match = f"{shown} in body should match '{schema['pattern']}'"
            yield Cause("FieldValueInvalid", f"Invalid value: {_told(value)}: {match}", field)
    elif isinstance(value, list) and len(value) < schema.get("minItems", 0):
        least = f"{shown} in body should have at least {schema['minItems']} items"
        yield Cause("FieldValueInvalid", f"Invalid value: {len(value)}: {least}", field)
    elif isinstance(value, int | float) and "minimum" in schema and value < schema["minimum"]:
        least = f"{shown} in body should be greater than or equal to {schema['minimum']}"
        yield Cause("FieldValueInvalid", f"Invalid value: {_told(value)}: {least}", field)


def _told(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _twice(schema: Schema, value: Any, field: str) -> list[Cause]:
    """Entries of lists that stand for sets and maps may not be there twice."""
    found: list[Cause] = []
    if isinstance(value, list):
        items, sort = schema.get("items", {}), schema.get("x-kubernetes-list-type")
        seen: set[str] = set()
        for index, each in enumerate(value):
            at = f"{field}[{index}]"
            if sort == "set" or (sort == "map" and isinstance(each, dict)):
                keys = schema.get("x-kubernetes-list-map-keys", ())
                key = _told({name: each[name] for name in keys if name in each} if sort == "map" else each)
                if key in seen:
                    found.append(Cause("FieldValueDuplicate", f"Duplicate value: {key}", at))
                seen.add(key)
            found += _twice(items, each, at)
    elif isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        for key in sorted(value):
            inner = known.get(key, others)
            if isinstance(inner, dict):
                found += _twice(inner, value[key], joined(field, key))
    return found


def _broken_rules(schema: Schema, value: Any, old: Any, field: str) -> Iterator[Cause]:
    for rule in schema.get("x-kubernetes-validations", ()):
        holds = RULES.get(rule["rule"])
        if holds is not None and not holds(value, old):
            told = "" if isinstance(value, dict | list) else f"{_told(value)}: "
            yield Cause("FieldValueInvalid", f"Invalid value: {told}{rule['message']}", field)
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _broken_rules(schema.get("items", {}), each, None, f"{field}[{index}]")
    elif isinstance(value, dict):
        known = schema.get("properties", {})
        for key in sorted(value):
            if key in known:
                before = old.get(key) if isinstance(old, dict) else None
                yield from _broken_rules(known[key], value[key], before, joined(field, key))


def _has(value: Any, *names: str) -> list[bool]:
    return [name in value for name in names]


RULES: dict[str, Callable[[Any, Any], bool]] = {
    "self == oldSelf": lambda new, old: old is None or new == old,
    "self in ['ray.io/kuberay-operator', 'kueue.x-k8s.io/multikueue']": lambda new, _old: (
        new in {"ray.io/kuberay-operator", "kueue.x-k8s.io/multikueue"}
    ),
    "!(has(self.jobStatus) && has(self.jobDeploymentStatus))": lambda new, _old: (
        not all(_has(new, "jobStatus", "jobDeploymentStatus"))
    ),
    "has(self.jobStatus) || has(self.jobDeploymentStatus)": lambda new, _old: any(
        _has(new, "jobStatus", "jobDeploymentStatus")
    ),
    "!((has(self.onSuccess) || has(self.onFailure)) && has(self.deletionRules))": lambda new, _old: (
        not (any(_has(new, "onSuccess", "onFailure")) and "deletionRules" in new)
    ),
    "((has(self.onSuccess) && has(self.onFailure)) || has(self.deletionRules))": lambda new, _old: (
        all(_has(new, "onSuccess", "onFailure")) or "deletionRules" in new
    ),
}
"""What the rules (CEL) of KubeRay's definitions mean; a test holds that each rule there is here."""
