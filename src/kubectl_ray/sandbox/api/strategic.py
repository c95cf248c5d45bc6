"""The strategic merge patch: lists of built-in kinds are merged by a key, not replaced.

Source: apimachinery, `pkg/util/strategicpatch/patch.go`; the keys and strategies are those of the OpenAPI documents
(`x-kubernetes-patch-merge-key`, `x-kubernetes-patch-strategy`).
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_ray.sandbox.api import schemas
from kubectl_ray.sandbox.api.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.schemas import Schema
    from kubectl_ray.sandbox.api.store import Object

DIRECTIVE, RETAIN = "$patch", "$retainKeys"
ORDER, DELETE_FROM = "$setElementOrder/", "$deleteFromPrimitiveList/"


class BadPatch(Exception):
    """The patch's directives contradict each other."""


class _Merge(NamedTuple):
    """How a field is merged: `items` is the schema of a list's entries, `key` what tells them apart."""

    schema: Schema | None
    strategy: str
    key: str

    @property
    def merges(self) -> bool:
        return "merge" in self.strategy.split(",")


def strategic_patch(kind: Kind, current: Object, patch: dict[str, Any]) -> Object:
    """The object after the patch; neither is changed.

    Raises:
        BadPatch: its `$retainKeys` contradict it.
        Refused: 500, as the real server does, of a patch that does not fit the kind's lists.
    """
    name = schemas.type_name(kind.api_version, kind.name)
    schema = schemas.types()[name] if name else None
    made = _merge_map(copy.deepcopy(current), copy.deepcopy(patch), schema, kind.name)
    return made if isinstance(made, dict) else {}


def go_map(value: Any) -> str:
    """A value as Go's `%v` prints it."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_map(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_map(each) for each in value) + "]"
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _failure(message: str) -> Refused:
    return Refused(500, "", message)


def _how(schema: Schema | None, field: str, owner: str) -> _Merge:
    """How a field of this type is merged.

    Raises:
        Refused: 500, there is no such field.
    """
    if schema is None:
        return _Merge(None, "", "")
    known = schema.get("properties")
    if known is None:
        return _Merge(None, "", "")
    found = known.get(field)
    if found is None:
        raise _failure(f'unable to find api field in struct {owner} for the json field "{field}"')
    return _Merge(found, found.get("x-kubernetes-patch-strategy", ""), found.get("x-kubernetes-patch-merge-key", ""))


def _owner(schema: Schema | None, fallback: str) -> str:
    name = schemas.referred(schema) if schema else None
    return name.rpartition(".")[2] if name else fallback


def _merge_map(original: dict[str, Any], patch: dict[str, Any], schema: Schema | None, owner: str) -> dict[str, Any]:
    directive = patch.get(DIRECTIVE)
    if directive is not None:
        if directive == "replace":
            return {key: value for key, value in patch.items() if key != DIRECTIVE}
        if directive == "delete":
            return {}
        raise _failure(f"unknown patch type: {go_map(directive)} in map: {go_map(patch)}")
    _retain(original, patch)
    for key in [key for key in patch if key.startswith(ORDER)]:
        _ordered(original, patch, key, schema, owner)
    for key, value in patch.items():
        if key.startswith(DELETE_FROM):
            _delete_from(original, key.removeprefix(DELETE_FROM), value)
        elif value is None:
            original.pop(key, None)
        elif key not in original:
            original[key] = _without_directives(value)
        else:
            original[key] = _merge_field(original[key], value, schema, key, owner)
    return original


def _merge_field(there: Any, given: Any, schema: Schema | None, key: str, owner: str) -> Any:
    if isinstance(given, dict) and isinstance(there, dict):
        how = _how(schema, key, owner)
        inner = schemas.resolved(how.schema) if how.schema else None
        return given if how.strategy == "replace" else _merge_map(there, given, inner, _owner(how.schema, owner))
    if isinstance(given, list) and isinstance(there, list):
        return _merge_list(there, given, _how(schema, key, owner), owner)
    return given


def _retain(original: dict[str, Any], patch: dict[str, Any]) -> None:
    """`$retainKeys`: members that are not named go away."""
    kept = patch.pop(RETAIN, None)
    if kept is None:
        return
    if not isinstance(kept, list):
        raise BadPatch("invalid patch format of retainKeys")
    if any(key not in kept for key in patch if not key.startswith("$")):
        raise BadPatch("invalid patch format of retainKeys")
    for key in [key for key in original if key not in kept]:
        del original[key]


def _delete_from(original: dict[str, Any], key: str, gone: Any) -> None:
    if isinstance(gone, list) and isinstance(original.get(key), list):
        original[key] = [each for each in original[key] if each not in gone]


def _without_directives(value: Any) -> Any:
    """What is taken into an object as it is may not carry directives along."""
    if isinstance(value, dict):
        return {
            key: _without_directives(each)
            for key, each in value.items()
            if not key.startswith((ORDER, DELETE_FROM)) and key not in {DIRECTIVE, RETAIN} and each is not None
        }
    if isinstance(value, list):
        kept = [each for each in value if not (isinstance(each, dict) and each.get(DIRECTIVE) == "delete")]
        return [_without_directives(each) for each in kept if each != {DIRECTIVE: "replace"}]
    return value


def _merge_list(original: list[Any], patch: list[Any], how: _Merge, owner: str) -> list[Any]:
    if not how.merges:
        return patch
    if not patch:
        return original
    maps = {isinstance(each, dict) for each in (*original, *patch)}
    if len(maps) > 1:
        raise _failure(f"list element types are not identical: {go_map([original, patch])}")
    if True not in maps:
        merged = _once([*original, *patch])
        return _sorted_together(merged, patch, original, "")
    if not how.key:
        raise _failure(f"cannot merge lists without merge key for {owner}")
    wanted = [each for each in patch if DIRECTIVE not in each]
    if any(each.get(DIRECTIVE) == "replace" for each in patch):
        return [_without_directives(each) for each in wanted]
    merged = _without_deleted(original, patch, how.key)
    inner = (how.schema or {}).get("items")
    schema = schemas.resolved(inner) if inner else None
    for each in wanted:
        key = _key(each, how.key)
        at = next((index for index, one in enumerate(merged) if one.get(how.key) == key), None)
        if at is None:
            merged.append(_without_directives(each))
        else:
            merged[at] = _merge_map(dict(merged[at]), each, schema, _owner(inner, owner))
    return _sorted_together(merged, wanted, original, how.key)


def _without_deleted(original: list[Any], patch: list[Any], key: str) -> list[Any]:
    for each in patch:
        if DIRECTIVE in each:
            if each[DIRECTIVE] != "delete":
                raise _failure(f"unknown patch type: {go_map(each[DIRECTIVE])} in map: {go_map(each)}")
            gone = _key(each, key)
            original = [one for one in original if one.get(key) != gone]
    return list(original)


def _key(entry: dict[str, Any], key: str) -> Any:
    if key not in entry:
        raise _failure(f"map: {go_map(entry)} does not contain declared merge key: {key}")
    return entry[key]


def _once(values: Iterable[Any]) -> list[Any]:
    kept: list[Any] = []
    for each in values:
        if each not in kept:
            kept.append(each)
    return kept


def _sorted_together(merged: list[Any], order: list[Any], before: list[Any], key: str) -> list[Any]:
    """Entries in the order that the patch gives them; the others keep their places among those that were there."""

    def mark(entry: Any) -> Any:
        return entry.get(key) if key and isinstance(entry, dict) else entry

    wanted, there = [mark(each) for each in order], [mark(each) for each in before]
    right = sorted((each for each in merged if mark(each) in wanted), key=lambda each: wanted.index(mark(each)))
    left = sorted(
        (each for each in merged if mark(each) not in wanted),
        key=lambda each: there.index(mark(each)) if mark(each) in there else len(there),
    )
    made: list[Any] = []
    while left and right:
        one, other = mark(left[0]), mark(right[0])
        known = one in there and other in there
        made.append((left if known and there.index(one) < there.index(other) else right).pop(0))
    return made + left + right


def _ordered(
    original: dict[str, Any], patch: dict[str, Any], directive: str, schema: Schema | None, owner: str
) -> None:
    """`$setElementOrder/x`: merges x and puts it in order; x is done then."""
    order = patch.pop(directive)
    field = directive.removeprefix(ORDER)
    there, given = original.get(field), patch.get(field)
    for each in (order, there if field in original else [], given if field in patch else []):
        if not isinstance(each, list):
            raise _failure(f"expected a []interface {{}}, but received a {_go_kind(each)}")
    how = _how(schema, field, owner)
    _same_order(given or [], order, how.key)
    if field not in original and field not in patch:
        return
    if field not in patch:
        merged = list(there or [])
    elif field not in original:
        merged = _without_directives(given)
    else:
        merged = _merge_list(list(there or []), given or [], how, owner)
    original[field] = _sorted_together(merged, order, there or [], how.key)
    patch.pop(field, None)


def _go_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return {int: "int64", float: "float64", str: "string", dict: "map[string]interface {}"}.get(type(value), "<nil>")


def _same_order(given: list[Any], order: list[Any], key: str) -> None:
    """Entries of the patch must come in the order that the directive gives.

    Raises:
        Refused: 500, they do not.
    """

    def mark(entry: Any) -> Any:
        return _key(entry, key) if key and isinstance(entry, dict) else entry

    wanted = [each for each in given if not (isinstance(each, dict) and DIRECTIVE in each)]
    left = [mark(each) for each in order]
    for each in wanted:
        while left and left[0] != mark(each):
            left.pop(0)
        if not left:
            told = (
                f"The order in patch list:\n{go_map(given)}\n doesn't match $setElementOrder list:\n{go_map(order)}\n"
            )
            raise _failure(told)
        left.pop(0)
