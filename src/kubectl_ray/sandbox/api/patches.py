"""What becomes of an object by a patch: JSON patch, merge patch and Kubernetes' strategic merge patch.

Sources: RFC 6902 as Go's json-patch v4 does it (a `replace` of an absent member adds it, `-1` is the last entry, a
`test` of an absent member holds for null), RFC 7386, and apimachinery `pkg/util/strategicpatch`.
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_ray.sandbox.api import decoding, kinds, strategic, typed
from kubectl_ray.sandbox.api.refusals import Refused, bad_patch, bad_request, conflict

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.store import Object

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
MOST_OPERATIONS = 10_000
SCHEME = '"pkg/runtime/scheme.go:111"'
KNOWN_MEMBERS = frozenset({"op", "path", "from", "value"})


class Patched(NamedTuple):
    """The object after a patch, before it is checked.

    `duplicates` are keys that the patch's text had twice, `warnings` what else is odd in it, and `shown` what a
    refusal of the result calls it (`admit_shape(patch=...)`).
    """

    object: Object
    duplicates: tuple[str, ...]
    warnings: tuple[str, ...]
    shown: str


def patched(kind: Kind, current: Object, content_type: str, text: bytes) -> Patched:
    """The object after this patch; `current` is not changed.

    Raises:
        Refused: 400 the patch cannot be read; 415 no such patch for this kind; 422 it does not fit the object; 409 it
            names another version than the object has; 413 it has too many operations.
    """
    if content_type == JSON_PATCH:
        operations, warnings = read_operations(text)
        made = json_patch(current, operations)
        return _checked(kind, current, made, (), warnings, go_json(made))
    if content_type == MERGE_PATCH:
        patch = _read(text, "error decoding patch: ")
        if patch.value is None:
            raise bad_request("Invalid JSON Patch")
        made = merge_patch(current, patch.value)
        return _checked(kind, current, made, patch.duplicates, (), go_json(made))
    if content_type == STRATEGIC_PATCH and kind.group != kinds.RAY:
        patch = _read(text, "")
        try:
            made = strategic.strategic_patch(kind, current, patch.value or {})
        except strategic.BadPatch as wrong:
            raise bad_request(str(wrong)) from None
        return _checked(kind, current, made, patch.duplicates, (), strategic.go_map(patch.value or {}))
    raise unsupported(kind)


def unsupported(kind: Kind) -> Refused:
    """415: what patches there are for this kind."""
    types = [JSON_PATCH, MERGE_PATCH, *([STRATEGIC_PATCH] if kind.group != kinds.RAY else []), APPLY_PATCH]
    return Refused(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: " + ", ".join(types),
    )


def _read(text: bytes, before: str) -> decoding.Body:
    """A patch that is an object, or null.

    Raises:
        Refused: 400.
    """
    try:
        body = decoding.read_json(text)
    except decoding.NotReadable as wrong:
        raise bad_request(f"{before}{wrong}") from None
    if body.value is not None and not isinstance(body.value, dict):
        told = f"json: cannot unmarshal {typed.json_type(body.value)} into Go value of type map[string]interface {{}}"
        raise bad_request(before + told)
    return body


def _checked(
    kind: Kind, current: Object, made: Object, duplicates: tuple[str, ...], warnings: tuple[str, ...], shown: str
) -> Patched:
    """The result, if it is still the same object."""
    told = _other_type(kind, made, shown)
    if told:
        raise invalid_result(shown, told)
    meta, before = made.get("metadata"), current["metadata"]
    name = meta.get("name") if isinstance(meta, dict) else None
    if isinstance(meta, dict) or meta is None:
        if not name:
            told = f"the name of the object ({before['name']} based on URL) was undeterminable: name must be provided"
            raise bad_request(told)
        if name != before["name"]:
            told = f"the name of the object ({name}) does not match the name on the URL ({before['name']})"
            raise bad_request(told)
        if meta is not None and meta.get("namespace", "") != before.get("namespace", "") and meta.get("namespace"):
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        version = (meta or {}).get("resourceVersion")
        if version and version != before.get("resourceVersion"):
            changed = "the object has been modified; please apply your changes to the latest version and try again"
            raise conflict(kind, before["name"], changed)
    return Patched(made, duplicates, warnings, shown)


def _other_type(kind: Kind, made: Object, shown: str) -> str:
    """What is wrong with the kind and version that the result says it has; a built-in one may say nothing."""
    name, api = made.get("kind"), made.get("apiVersion")
    if kind.group == kinds.RAY:
        if not name:
            return f"Object 'Kind' is missing in '{shown}'"
        if api != kind.api_version:
            return other_version(kind, api or "")
    elif (api or kind.api_version, name or kind.name) != (kind.api_version, kind.name):
        version = str(api or kind.api_version).rpartition("/")[2]
        return f'no kind "{name or kind.name}" is registered for version "{version}" in scheme {SCHEME}'
    return ""


def other_version(kind: Kind, given: str) -> str:
    """What is said of an object of one of Ray's kinds in a version that this is not."""
    return f"the API version in the data ({given}) does not match the expected API version ({kind.api_version})"


def invalid_result(shown: str, why: str) -> Refused:
    """422: what became of the object by the patch is no such object."""
    message = f"Invalid value: {json.dumps(shown, ensure_ascii=False)}: {why}"
    causes = [{"reason": "FieldValueInvalid", "message": message, "field": "patch"}]
    return Refused(422, "Invalid", f' "" is invalid: patch: {message}', {"causes": causes})


def go_json(value: Any) -> str:
    """JSON as the server writes it into messages."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386: members of the patch replace the target's, null removes them; a new value."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    made = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = merge_patch(made.get(key), value)
    return made


def read_operations(text: bytes) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The operations of a JSON patch, and warnings about members that have no meaning.

    Raises:
        Refused: 400 it is no list of operations; 413 there are too many.
    """
    try:
        value = decoding.read_json(text).value
    except decoding.NotReadable as wrong:
        raise bad_request(f"error decoding patch: {wrong}") from None
    if value is None:
        return [], ()
    if not isinstance(value, list):
        raise _not_operations(value, "value of type []handlers.jsonPatchOp")
    for each in value:
        if not isinstance(each, dict):
            raise _not_operations(each, "value of type handlers.jsonPatchOp")
        for member in ("op", "path", "from"):
            if each.get(member) is not None and not isinstance(each[member], str):
                raise _not_operations(each[member], f"struct field jsonPatchOp.{member} of type string")
    if len(value) > MOST_OPERATIONS:
        told = f"The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {len(value)}"
        raise Refused(413, "RequestEntityTooLarge", told, {})
    strange = [
        f'json patch unknown field "[{index}].{member}"'
        for index, each in enumerate(value)
        for member in each
        if member not in KNOWN_MEMBERS
    ]
    return value, tuple(strange)


def _not_operations(value: Any, where: str) -> Refused:
    return bad_request(f"error decoding patch: json: cannot unmarshal {typed.json_type(value)} into Go {where}")


def json_patch(target: Object, operations: list[dict[str, Any]]) -> Object:
    """RFC 6902; a new object.

    Raises:
        Refused: 422, an operation does not fit; the real server does not say which.
    """
    made: Any = copy.deepcopy(target)
    for each in operations:
        made = _operate(made, each)
    if not isinstance(made, dict):
        raise bad_patch()
    return made


def _operate(target: Any, operation: dict[str, Any]) -> Any:
    op, path, value = operation.get("op"), operation.get("path"), operation.get("value")
    if path == "" and op == "replace":
        return copy.deepcopy(value)
    if path == "" and op == "test" and same(target, value):
        return target
    if op in {"move", "copy"}:
        source, name = _parent(target, operation.get("from"))
        value = _member(source, name)
        if op == "move":
            _remove(source, name)
    parent, key = _parent(target, path)
    if op in {"add", "move", "copy"}:
        _add(parent, key, copy.deepcopy(value))
    elif op == "remove":
        _remove(parent, key)
    elif op == "replace":
        parent[key if isinstance(parent, dict) else _index(parent, key)] = copy.deepcopy(value)
    elif op != "test" or not same(parent.get(key) if isinstance(parent, dict) else _member(parent, key), value):
        raise bad_patch()
    return target


def _parent(target: Any, pointer: Any) -> tuple[Any, str]:
    """The map or list that a pointer's last part is in, and that part."""
    if not isinstance(pointer, str) or not pointer:
        raise bad_patch()
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]] or [""]
    for part in parts[:-1]:
        target = _member(target, part)
    if not isinstance(target, dict | list):
        raise bad_patch()
    return target, parts[-1]


def _member(target: Any, key: str) -> Any:
    if isinstance(target, dict) and key in target:
        return target[key]
    if isinstance(target, list):
        return target[_index(target, key)]
    raise bad_patch()


def _index(target: list[Any], key: str, end: int | None = None) -> int:
    """The place that a part of a pointer means; negative ones count from the end."""
    count = len(target) if end is None else end
    digits = key.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 9:  # noqa: PLR2004 - no list is that long
        raise bad_patch()
    index = int(key)
    if index < 0:
        index += count
    if not 0 <= index < count:
        raise bad_patch()
    return index


def _add(parent: Any, key: str, value: Any) -> None:
    if isinstance(parent, dict):
        parent[key] = value
    elif key == "-":
        parent.append(value)
    else:
        parent.insert(_index(parent, key, len(parent) + 1), value)


def _remove(parent: Any, key: str) -> None:
    if isinstance(parent, list):
        del parent[_index(parent, key)]
    elif key in parent:
        del parent[key]
    else:
        raise bad_patch()


def same(one: Any, other: Any) -> bool:
    """Equal as JSON values are: true is not 1, 1.0 is 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
