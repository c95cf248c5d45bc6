"""What an object must look like to be taken: read from a request, checked against its kind, and put into form.

A controller's or a client's object goes through `admit_shape`; a request's body is read by `read_body` before that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from kubectl_ray.sandbox.api import decoding, kinds, schemas, structural, typed
from kubectl_ray.sandbox.api.patches import SCHEME, invalid_result, other_version
from kubectl_ray.sandbox.api.refusals import Refused, bad_request, invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.store import Object

STRICT, WARN = "Strict", "Warn"
TYPE_META = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
MOST_SHOWN = 30
"""Characters of a body that an answer repeats."""


def read_body(kind: Kind, text: bytes, *, yaml: bool = False) -> tuple[Object, tuple[str, ...]]:
    """The object in the body of a create or an update, and the paths of keys that it has twice.

    Raises:
        Refused: 400, it cannot be read, or is of another kind or version.
    """
    try:
        body = decoding.read_yaml(text) if yaml else decoding.read_json(text)
    except decoding.NotReadable as wrong:
        said = str(wrong) if yaml else f"couldn't get version/kind; json parse error: {wrong} ({_start(text)})"
        raise _unrecognized(kind, said) from None
    value = {} if body.value is None else body.value
    if not isinstance(value, dict):
        said = f"cannot unmarshal {typed.json_type(value)} into Go value of type {TYPE_META}"
        raise _unrecognized(kind, f"couldn't get version/kind; json parse error: json: {said} ({text.hex()})")
    for name in ("apiVersion", "kind"):
        if not isinstance(value.get(name, ""), str):
            said = f"cannot unmarshal {typed.json_type(value[name])} into Go struct field .{name} of type string"
            raise _unrecognized(kind, f"couldn't get version/kind; json parse error: json: {said} ({_start(text)})")
    _expect(kind, value)
    return {**value, "apiVersion": kind.api_version, "kind": value.get("kind") or kind.name}, body.duplicates


def _start(text: bytes) -> str:
    shown = text.decode("utf-8", "replace")
    return (shown[:MOST_SHOWN] + " ..." if len(shown) > MOST_SHOWN else shown) or "<empty>"


def _unrecognized(kind: Kind, said: str) -> Refused:
    return bad_request(f"the object provided is unrecognized (must be of type {kind.name}): {said}")


def _expect(kind: Kind, value: Object) -> None:
    api, name = value.get("apiVersion", ""), value.get("kind", "")
    if kind.group == kinds.RAY:
        if api != kind.api_version:
            raise bad_request(other_version(kind, api))
        if name != kind.name:
            told = structural.Cause("FieldValueInvalid", f'Invalid value: "{name}": must be {kind.name}', "kind")
            raise invalid(kind, _name(value), [told])
        return
    api, name = api or kind.api_version, name or kind.name
    if (api, name) == (kind.api_version, kind.name):
        return
    version = api.rpartition("/")[2]
    known = schemas.type_name(api, name)
    why = (
        f"converting (v1.{name}) to (core.{kind.name}): unknown conversion"
        if known
        else f'no kind "{name}" is registered for version "{api}" in scheme {SCHEME}'
    )
    raise bad_request(f'{name} in version "{version}" cannot be handled as a {kind.name}: {why}')


def _name(value: Object) -> str:
    meta = value.get("metadata")
    name = meta.get("name", "") if isinstance(meta, dict) else ""
    return name if isinstance(name, str) else ""


def admit_shape(
    kind: Kind,
    body: Object,
    *,
    strict: str = WARN,
    duplicates: Sequence[str] = (),
    old: Object | None = None,
    status: bool = False,
    patch: str | None = None,
) -> tuple[Object, list[str]]:
    """The object in its form, with defaults and without unknown fields, and the warnings that this gives.

    Args:
        kind: what it is to be.
        body: the whole object; it is not changed.
        strict: "Strict" refuses unknown and duplicate fields, "Warn" tells them, "Ignore" drops them silently.
        duplicates: paths of keys that the request's text had twice (`read_body`).
        old: the object that this one replaces.
        status: the status is written (the status subresource) and checked; otherwise the rest is.
        patch: what a patch's answer calls it, where the object is what became of one (`patches.shown`).

    Raises:
        Refused: 400 a field is unknown (Strict) or of the wrong type; 422 a value is not allowed.
    """
    schema = schemas.custom(kind)
    try:
        if schema is None:
            made, unknown = _built_in(kind, body)
        else:
            made, unknown = _custom(schema, body)
    except typed.WrongType as wrong:
        _refuse(kind, str(wrong), patch)
    told = _told(duplicates, unknown)
    if told and strict == STRICT:
        _refuse(kind, "strict decoding error: " + ", ".join(told), patch)
    if schema is not None:
        _check(kind, schema, made, old, status=status)
    return made, told if strict == WARN else []


def _told(duplicates: Sequence[str], unknown: Sequence[str]) -> list[str]:
    inside = tuple(f"{path}{mark}" for path in unknown for mark in (".", "["))
    twice = [path for path in duplicates if path not in unknown and not path.startswith(inside or ("\0",))]
    return [f'duplicate field "{path}"' for path in twice] + [f'unknown field "{path}"' for path in unknown]


def _built_in(kind: Kind, body: Object) -> tuple[Object, list[str]]:
    name = schemas.type_name(kind.api_version, kind.name)
    if name is None:
        return body, []
    made, unknown = typed.read(name, body)
    return {"kind": kind.name, "apiVersion": kind.api_version, **made}, unknown


def _custom(schema: schemas.Schema, body: Object) -> tuple[Object, list[str]]:
    meta = {} if body.get("metadata") is None else body["metadata"]
    if not isinstance(meta, dict):
        raise typed.WrongType(f"json: cannot unmarshal {typed.json_type(meta)} into Go value of type v1.ObjectMeta")
    read = typed.read(typed.META + "ObjectMeta", meta, "metadata")
    rest = {key: value for key, value in body.items() if key != "metadata"}
    unknown = list(read.unknown)
    made = structural.shaped(schema, rest, "", unknown)
    made["metadata"] = read.value
    return made, sorted(unknown)


def _check(kind: Kind, schema: schemas.Schema, made: Object, old: Object | None, *, status: bool) -> None:
    if made.get("kind", kind.name) != kind.name:
        told = structural.Cause("FieldValueInvalid", f'Invalid value: "{made["kind"]}": must be {kind.name}', "kind")
        raise invalid(kind, _name(made), [told])
    known = schema["properties"]
    if status:
        found = structural.causes(known["status"], made.get("status", {}), field="status", shown="")
    else:
        body = {key: value for key, value in made.items() if key not in {"status", "metadata"}}
        found = structural.causes(schema, body, old)
    if found:
        raise invalid(kind, _name(made), found)


def _refuse(kind: Kind, why: str, patch: str | None) -> NoReturn:
    if patch is None:
        raise bad_request(f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}: {why}')
    raise invalid_result(patch, why)
