"""An object as a client wants to see it: as it is, its metadata only, or as rows of a table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.refusals import Refused, bad_request
from kubectl_ray.sandbox.serving import media, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.serving.calls import Call
    from kubectl_ray.sandbox.serving.media import Form

INCLUDES = ("", "Metadata", "Object", "None")


def included(call: Call) -> str:
    """What a table's rows shall hold besides their cells.

    Raises:
        Refused: 400.
    """
    asked = call.request.query.get("includeObject", "")
    if asked not in INCLUDES:
        told = f"includeObject: Invalid value: {json.dumps(asked)}: must be 'Metadata', 'Object', 'None', or empty"
        raise bad_request(f"Unable to convert to Table as requested: {told}")
    return asked or "Metadata"


def one(call: Call, held: Object, form: Form) -> Object:
    """A single object.

    Raises:
        Refused: 400; 406 a list of metadata was asked for.
    """
    if form.kind == media.TABLE:
        return tables.table(call.kind, [held], included(call), call.objects.clock())
    if form.kind == media.PARTIAL:
        return partial(held)
    if form.kind == media.PARTIAL_LIST:
        raise _mismatch(call.kind, form.kind, "the requested object is not a list", "")
    return held


def partial(held: Object) -> Object:
    """Its metadata only."""
    return {"kind": media.PARTIAL, "apiVersion": f"{media.META}/v1", "metadata": held["metadata"]}


def many(call: Call, meta: Object, items: Sequence[Object], form: Form) -> tuple[Object, list[Object], str]:
    """A list: its head, its items and the field that they are in.

    Raises:
        Refused: 400; 406 the metadata of one object was asked for.
    """
    kind = call.kind
    if form.kind == media.TABLE:
        made = tables.table(kind, items, included(call), call.objects.clock())
        rows = made.pop("rows")
        return {**made, "metadata": meta}, rows, "rows"
    if form.kind == media.PARTIAL:
        raise _mismatch(kind, form.kind, "the requested object is a list", "List")
    if form.kind == media.PARTIAL_LIST:
        head = {"kind": media.PARTIAL_LIST, "apiVersion": f"{media.META}/v1", "metadata": meta}
        return head, [partial(each) for each in items], "items"
    head = {"kind": f"{kind.name}List", "apiVersion": kind.api_version, "metadata": meta}
    if kind.group == kinds.RAY:
        head["metadata"] = {"continue": "", **meta}
        return head, list(items), "items"
    return head, [_untyped(each) for each in items], "items"


def _untyped(held: Object) -> Object:
    """An item of a list of a built-in kind does not repeat what it is."""
    return {key: value for key, value in held.items() if key not in {"kind", "apiVersion"}}


def _mismatch(kind: Kind, asked: str, why: str, suffix: str) -> Refused:
    package = (
        "unstructured.Unstructured"
        if kind.group == kinds.RAY
        else f"{kind.group.partition('.')[0] or 'core'}.{kind.name}"
    )
    return Refused(406, "NotAcceptable", f"you requested {asked}, but {why} (*{package}{suffix})")
