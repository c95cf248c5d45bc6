"""Deleting through HTTP: one object or all that a selector means, with `DeleteOptions` in the body or the query.

Source: apiserver, `pkg/endpoints/handlers/delete.go`; apimachinery, `pkg/apis/meta/v1/validation`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_ray.sandbox.api import decoding, kinds, typed
from kubectl_ray.sandbox.api.refusals import Refused, bad_request
from kubectl_ray.sandbox.api.shapes import TYPE_META
from kubectl_ray.sandbox.serving import answers, forms, media, options, reads
from kubectl_ray.sandbox.serving.bodies import json_or_yaml
from kubectl_ray.sandbox.serving.paths import truth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.serving.calls import Call

SHOWN_WHEN_GONE = (kinds.PODS, kinds.SERVICES, kinds.SERVICE_ACCOUNTS, kinds.RESOURCE_QUOTAS, kinds.CLAIMS)
"""Kinds whose deletion is answered with the object, where others get a Status."""
POLICIES = ("Foreground", "Background", "Orphan")


class Deleting(NamedTuple):
    """How to delete; "" and None mean that nothing is said."""

    propagation: str
    grace: int | None
    uid: str
    version: str
    dry_run: bool


async def delete(call: Call) -> web.StreamResponse:
    """Delete one object.

    Raises:
        Refused: what `Objects.delete` raises; 400, 406, 413, 415, 422.
    """
    form = call.form()
    asked = await _asked(call)
    kind, name = call.kind, call.asked.name
    found = call.objects.get(kind, call.namespace, name)
    left = _delete(call, name, asked)
    if left is None and kind not in SHOWN_WHEN_GONE:
        return answers.answered(call.request, _done(call, found), media_type=form.media_type)
    return answers.answered(call.request, forms.one(call, left or found, form), media_type=form.media_type)


def _delete(call: Call, name: str, asked: Deleting, namespace: str | None = None) -> Object | None:
    return call.objects.delete(
        call.kind,
        call.namespace if namespace is None else namespace,
        name,
        propagation=asked.propagation,
        grace=asked.grace,
        uid=asked.uid,
        version=asked.version,
        dry_run=asked.dry_run,
    )


def _done(call: Call, gone: Object) -> Object:
    kind = call.kind
    about = {"name": gone["metadata"]["name"], **({"group": kind.group} if kind.group else {}), "kind": kind.plural}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {**about, "uid": gone["metadata"]["uid"]},
    }


async def delete_many(call: Call) -> web.StreamResponse:
    """Delete all that the options choose; answers with them.

    Raises:
        Refused: what `Objects.delete` raises, except that one of them is gone already; 400, 406, 413, 415, 422.
    """
    form = call.form()
    asked = await _asked(call)
    found = await reads.find(call)
    items = []
    for each in found.items:
        meta = each["metadata"]
        try:
            items.append(_delete(call, meta["name"], asked, meta.get("namespace", "")) or each)
        except Refused as refusal:
            if refusal.code != 404:  # noqa: PLR2004 - gone with another one of them
                raise
    head, shown, field = forms.many(call, found.meta, items, form)
    if form.media_type == media.YAML:
        return answers.answered(call.request, {**head, field: shown}, media_type=media.YAML)
    return await answers.listed(call.request, head, shown, name=field)


async def _asked(call: Call) -> Deleting:
    if not call.request.body_exists:
        return checked(_of_query(call.request.query))
    text, yaml = await json_or_yaml(call.request, "DeleteOptions")
    return checked(of_body(text, yaml=yaml) if text else _of_query(call.request.query))


def _of_query(query: Mapping[str, str]) -> Object:
    found: Object = {}
    if query.get("gracePeriodSeconds"):
        found["gracePeriodSeconds"] = options.number(query, "gracePeriodSeconds")
    if query.get("propagationPolicy"):
        found["propagationPolicy"] = query["propagationPolicy"]
    if query.get("orphanDependents"):
        found["orphanDependents"] = truth(query["orphanDependents"])
    if query.get("dryRun"):
        found["dryRun"] = [query["dryRun"]]
    return found


def of_body(text: bytes, *, yaml: bool) -> Object:
    """`DeleteOptions` from a body.

    Raises:
        Refused: 400.
    """
    try:
        value = (decoding.read_yaml(text) if yaml else decoding.read_json(text)).value
    except decoding.NotReadable as wrong:
        raise bad_request(str(wrong) if yaml else f"couldn't get version/kind; json parse error: {wrong}") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        why = f"json: cannot unmarshal {typed.json_type(value)} into Go value of type {TYPE_META}"
        raise bad_request(f"couldn't get version/kind; json parse error: {why}")
    kind, version = value.get("kind"), value.get("apiVersion")
    if kind not in {None, "", "DeleteOptions"}:
        told = f"no kind {json.dumps(kind)} is registered for version {json.dumps(version)}"
        raise bad_request(f'{told} in scheme "pkg/runtime/scheme.go:111"')
    return value


_TYPES: tuple[tuple[str, type, str], ...] = (
    ("gracePeriodSeconds", int, "int64"),
    ("propagationPolicy", str, "string"),
    ("orphanDependents", bool, "bool"),
    ("dryRun", list, "[]string"),
    ("preconditions", dict, "v1.Preconditions"),
)


def checked(value: Any) -> Deleting:
    """`DeleteOptions`, if they make sense.

    Raises:
        Refused: 400, 422.
    """
    _check_types(value)
    policy, orphan, dry_run = _values(value)
    wrong: list[tuple[str, str, str]] = []
    if policy and orphan is not None:
        told = f"Invalid value: {json.dumps(policy)}: orphanDependents and deletionPropagation cannot be both set"
        wrong.append(("FieldValueInvalid", told, "propagationPolicy"))
    elif policy and policy not in POLICIES:
        known = 'supported values: "Foreground", "Background", "Orphan", "nil"'
        told = f"Unsupported value: {json.dumps(policy)}: {known}"
        wrong.append(("FieldValueNotSupported", told, "propagationPolicy"))
    if any(each != "All" for each in dry_run):
        told = f'Unsupported value: {json.dumps(dry_run)}: supported values: "All"'
        wrong.append(("FieldValueNotSupported", told, "dryRun"))
    if wrong:
        raise options.invalid("DeleteOptions", wrong)
    if orphan is not None:
        policy = "Orphan" if orphan else "Background"
    conditions = value.get("preconditions") or {}
    uid, version = conditions.get("uid") or "", conditions.get("resourceVersion") or ""
    return Deleting(policy, value.get("gracePeriodSeconds"), uid, version, bool(dry_run))


def _values(value: Object) -> tuple[str, bool | None, list[Any]]:
    return value.get("propagationPolicy") or "", value.get("orphanDependents"), value.get("dryRun") or []


def _check_types(value: Any) -> None:
    """Whether each field is of its type.

    Raises:
        Refused: 400.
    """
    if not isinstance(value, dict):
        raise bad_request("json: cannot unmarshal into Go value of type v1.DeleteOptions")
    for field, wanted, told in _TYPES:
        given = value.get(field)
        if given is not None and (not isinstance(given, wanted) or (wanted is int and isinstance(given, bool))):
            raise bad_request(_wrong_type(field, given, told))
    conditions = value.get("preconditions") or {}
    for field in ("uid", "resourceVersion"):
        if not isinstance(conditions.get(field) or "", str):
            raise bad_request(_wrong_type(f"preconditions.{field}", conditions[field], "string"))


def _wrong_type(field: str, given: object, wanted: str) -> str:
    names = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    was = names.get(type(given), "value")
    return f"json: cannot unmarshal {was} into Go struct field DeleteOptions.{field} of type {wanted}"
