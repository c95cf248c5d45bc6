"""Creating, replacing and patching through HTTP; the rules themselves are the objects' own.

Source: apiserver, `pkg/endpoints/handlers` (create.go, update.go, patch.go).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from aiohttp import hdrs

from kubectl_ray.sandbox.api import kinds, patches, shapes
from kubectl_ray.sandbox.api.refusals import Refused, bad_request, conflict
from kubectl_ray.sandbox.serving import answers, applying, forms, media, options
from kubectl_ray.sandbox.serving.bodies import body, json_or_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiohttp import web

    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.serving.calls import Call
    from kubectl_ray.sandbox.serving.options import Writing

CREATED_BY_UPDATE = (
    kinds.EVENTS,
    kinds.NEW_EVENTS,
    kinds.LIMIT_RANGES,
    kinds.ROLES,
    kinds.ROLE_BINDINGS,
    kinds.CLUSTER_ROLES,
    kinds.CLUSTER_ROLE_BINDINGS,
)
"""Kinds of which a PUT makes an object that is not there."""


class Given(NamedTuple):
    """What a body holds, and the paths of keys that it has twice."""

    object: Object
    duplicates: tuple[str, ...]


async def create(call: Call) -> web.StreamResponse:
    """A new object.

    Raises:
        Refused: what `Objects.create` raises; 400, 406, 413, 415, 422.
    """
    form = call.form()
    asked = options.writing("CreateOptions", call.request.query, agent=_agent(call))
    given = await _given(call)
    return _created(call, given, asked, form)


def _created(call: Call, given: Given, asked: Writing, form: media.Form) -> web.StreamResponse:
    _same_namespace(call, given.object)
    admitted, warnings = shapes.admit_shape(
        call.kind, given.object, strict=asked.validation, duplicates=given.duplicates
    )
    noted = applying.noted(call, asked, None, admitted)
    made = call.objects.create(call.kind, noted, call.namespace, dry_run=asked.dry_run)
    return shown(call, made, form, 201, warnings)


async def update(call: Call) -> web.StreamResponse:
    """Another state of an object, or of its status.

    Raises:
        Refused: what `Objects.edit` raises; 400, 406, 413, 415, 422.
    """
    form = call.form()
    asked = options.writing("UpdateOptions", call.request.query, agent=_agent(call))
    given = await _given(call)
    _same_name(call, given.object)
    _same_namespace(call, given.object)
    kind, name, status = call.kind, call.asked.name, call.asked.subresource == "status"
    before = call.objects.find(kind, call.namespace, name)
    if before is None and kind in CREATED_BY_UPDATE and not status:
        return _created(call, given, asked, form)
    before = before or call.objects.get(kind, call.namespace, name)
    admitted, warnings = shapes.admit_shape(
        kind, given.object, strict=asked.validation, duplicates=given.duplicates, old=before, status=status
    )
    uid = admitted["metadata"].get("uid")
    if uid and uid != before["metadata"]["uid"]:
        raise _another(call, uid, before["metadata"]["uid"])
    version = admitted["metadata"].get("resourceVersion") or ""
    if version and not version.isdecimal():
        raise Refused(500, "", f"strconv.ParseUint: parsing {json.dumps(version)}: invalid syntax")
    if not version and kind.group in {kinds.RAY, kinds.CRDS.group}:
        raise _no_version(call)
    kept = call.objects.edit(
        kind,
        call.namespace,
        name,
        _replacing(applying.noted(call, asked, before, admitted)),
        status=status,
        version=version,
        dry_run=asked.dry_run,
    )
    return shown(call, kept, form, 200, warnings)


async def patch(call: Call) -> web.StreamResponse:
    """A change of an object, or of its status, in one of four languages.

    Raises:
        Refused: what `Objects.edit` raises; 400, 406, 413, 415, 422.
    """
    form = call.form()
    kind, name, status = call.kind, call.asked.name, call.asked.subresource == "status"
    patch_type = call.request.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower()
    asked = options.writing("PatchOptions", call.request.query, agent=_agent(call), patch_type=patch_type or "none")
    text = await body(call.request)
    if patch_type == patches.APPLY_PATCH:
        return applying.applied(call, asked, text, form)
    before = call.objects.find(kind, call.namespace, name)
    if before is None:
        # What cannot be a patch at all is told before what is missing.
        if patch_type not in {patches.JSON_PATCH, patches.MERGE_PATCH, patches.STRATEGIC_PATCH}:
            raise patches.unsupported(kind)
        before = call.objects.get(kind, call.namespace, name)
    made = patches.patched(kind, before, patch_type, text)
    admitted, warnings = shapes.admit_shape(
        kind,
        made.object,
        strict=asked.validation,
        duplicates=made.duplicates,
        old=before,
        status=status,
        patch=made.shown,
    )
    kept = call.objects.edit(
        kind,
        call.namespace,
        name,
        _replacing(applying.noted(call, asked, before, admitted)),
        status=status,
        dry_run=asked.dry_run,
    )
    return shown(call, kept, form, 200, [*made.warnings, *warnings])


def shown(call: Call, held: Object, form: media.Form, code: int, warnings: Sequence[str] = ()) -> web.Response:
    """An object as the answer to a write."""
    return answers.answered(
        call.request, forms.one(call, held, form), code, media_type=form.media_type, warnings=warnings
    )


def _replacing(wanted: Object) -> Callable[[Object], None]:
    def change(held: Object) -> None:
        held.clear()
        held.update(wanted)

    return change


async def _given(call: Call) -> Given:
    """The object in the body.

    Raises:
        Refused: 400, 413, 415.
    """
    text, yaml = await json_or_yaml(call.request, call.kind.name)
    return Given(*shapes.read_body(call.kind, text, yaml=yaml))


def _agent(call: Call) -> str:
    return call.request.headers.get(hdrs.USER_AGENT, "")


def _meta(given: Object) -> Object:
    meta = given.get("metadata")
    return meta if isinstance(meta, dict) else {}


def _same_name(call: Call, given: Object) -> None:
    name, wanted = _meta(given).get("name"), call.asked.name
    if not name:
        raise bad_request(f"the name of the object ({wanted} based on URL) was undeterminable: name must be provided")
    if name != wanted:
        raise bad_request(f"the name of the object ({name}) does not match the name on the URL ({wanted})")


def _same_namespace(call: Call, given: Object) -> None:
    said = _meta(given).get("namespace")
    if said and said != call.namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")


def _another(call: Call, asked: str, held: str) -> Refused:
    """409: the object of that name is another one by now."""
    kind, name = call.kind, call.asked.name
    custom = kind.group == kinds.RAY
    parts = ("registry", kind.group) if custom else ()
    key = "".join(f"/{part}" for part in (*parts, kind.plural, call.namespace, name) if part)
    why = (
        f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg:"
        f" Precondition failed: UID in precondition: {asked}, UID in object meta: {held}"
    )
    return conflict(kind, name, why)


def _no_version(call: Call) -> Refused:
    kind, name = call.kind, call.asked.name
    message = "Invalid value: 0: must be specified for an update"
    field = "metadata.resourceVersion"
    details = {
        "name": name,
        "group": kind.group,
        "kind": kind.plural,
        "causes": [{"reason": "FieldValueInvalid", "message": message, "field": field}],
    }
    return Refused(422, "Invalid", f'{kind.resource} "{name}" is invalid: {field}: {message}', details)
