"""An object's metadata: what of it is valid, what a writer may change, and what the server sets itself.

Source: apimachinery, `pkg/api/validation/objectmeta.go`; apiserver, `pkg/registry/rest/{create,update}.go`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.names import key_errors, label_errors, path_errors, subdomain_errors, value_errors
from kubectl_ray.sandbox.api.refusals import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.store import Object

Cause = tuple[str, str, str]
"""Reason, message and field, as `refusals.invalid` takes them."""

STANDARD_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})
LARGEST_ANNOTATIONS = 256 * 1024
"""Bytes of all annotations of an object together."""

COUNTED = frozenset(
    {
        kinds.PODS,
        kinds.JOBS,
        kinds.DEPLOYMENTS,
        kinds.ENDPOINT_SLICES,
        kinds.PRIORITY_CLASSES,
        kinds.CRDS,
        kinds.RAY_CLUSTERS,
        kinds.RAY_JOBS,
        kinds.RAY_SERVICES,
    }
)
"""Kinds whose changes of spec are counted in `generation`."""


def wrong(value: object, why: str, field: str) -> Cause:
    """The value is not one that the field can have."""
    return (
        "FieldValueInvalid",
        f"Invalid value: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}: {why}",
        field,
    )


def required(field: str, why: str = "") -> Cause:
    """The field has to be there."""
    return "FieldValueRequired", "Required value" + (f": {why}" if why else ""), field


def prohibited(why: str, field: str) -> Cause:
    """The field may not be set, or not be changed."""
    return "FieldValueForbidden", f"Forbidden: {why}", field


def unsupported(value: str, supported: tuple[str, ...], field: str) -> Cause:
    """The value is none of those that there are."""
    names = ", ".join(json.dumps(each) for each in supported)
    return "FieldValueNotSupported", f"Unsupported value: {json.dumps(value)}: supported values: {names}", field


def duplicate(value: str, field: str) -> Cause:
    """Another one of the list has the same value."""
    return "FieldValueDuplicate", f"Duplicate value: {json.dumps(value)}", field


def immutable(value: object, field: str) -> Cause:
    """The field keeps the value that it was created with."""
    return wrong(value, "field is immutable", field)


def fit_namespace(kind: Kind, meta: Object, namespace: str) -> None:
    """Give the object the namespace of its request.

    Raises:
        Refused: 400, it names another one.
    """
    said = meta.get("namespace") or ""
    if not kind.namespaced:
        if said:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        meta.pop("namespace", None)
        return
    if namespace and said and said != namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    meta["namespace"] = namespace or said or "default"


def of_new(kind: Kind, meta: Mapping[str, Any]) -> list[Cause]:
    """What is wrong with the metadata of an object that is to be created; its name is made already."""
    name_errors = _name_rule(kind)
    found = []
    generate = meta.get("generateName") or ""
    if generate:
        stem = generate[:-1] + "a" if generate.endswith("-") else generate
        found += [wrong(generate, why, "metadata.generateName") for why in name_errors(stem)]
    if meta.get("name"):
        found += [wrong(meta["name"], why, "metadata.name") for why in name_errors(meta["name"])]
    else:
        found.append(required("metadata.name", "name or generateName is required"))
    found += _common(meta)
    finalizers = meta.get("finalizers") or []
    found += [wrong(each, why, "metadata.finalizers") for each in finalizers for why in key_errors(each)]
    why = "name is neither a standard finalizer name nor is it fully qualified"
    return found + [
        wrong(each, why, f"metadata.finalizers[{index}]")
        for index, each in enumerate(finalizers)
        if each not in STANDARD_FINALIZERS and "/" not in each
    ]


def of_changed(meta: Mapping[str, Any], before: Mapping[str, Any]) -> list[Cause]:
    """What is wrong with the metadata of an object that is to be replaced."""
    found = [
        immutable(meta.get(key), f"metadata.{key}")
        for key in ("uid", "deletionTimestamp", "deletionGracePeriodSeconds")
        if meta.get(key) != before.get(key)
    ]
    added = sorted({*(meta.get("finalizers") or [])} - {*(before.get("finalizers") or [])})
    if before.get("deletionTimestamp") and added:
        listed = "[]string{" + ", ".join(json.dumps(each) for each in added) + "}"
        why = f"no new finalizers can be added if the object is being deleted, found new finalizers {listed}"
        found.append(prohibited(why, "metadata.finalizers"))
    return found + _common(meta)


def carry_over(kind: Kind, name: str, meta: Object, before: Mapping[str, Any]) -> None:
    """Put back what a writer cannot change, and may leave out.

    Raises:
        Refused: 400, it is an object of another name or namespace.
    """
    if meta.setdefault("name", name) != name:
        raise bad_request(f"the name of the object ({meta['name']}) does not match the name on the URL ({name})")
    fit_namespace(kind, meta, before.get("namespace", ""))
    meta.pop("selfLink", None)
    for key in ("creationTimestamp", "generation", "resourceVersion"):
        meta.pop(key, None)
        if key in before:
            meta[key] = before[key]
    if before.get("deletionTimestamp"):
        meta["deletionTimestamp"] = before["deletionTimestamp"]
    for key in ("uid", "deletionGracePeriodSeconds"):
        if meta.get(key) is None and before.get(key) is not None:
            meta[key] = before[key]


def _common(meta: Mapping[str, Any]) -> list[Cause]:
    found = label_causes(meta.get("labels") or {}, "metadata.labels")
    notes = meta.get("annotations") or {}
    found += [wrong(key, why, "metadata.annotations") for key in notes for why in key_errors(key.lower())]
    if sum(len(key.encode()) + len(str(value).encode()) for key, value in notes.items()) > LARGEST_ANNOTATIONS:
        why = f"Too long: may not be more than {LARGEST_ANNOTATIONS} bytes"
        found.append(("FieldValueTooLong", why, "metadata.annotations"))
    return found + _owners(meta.get("ownerReferences") or [])


def label_causes(labels: Mapping[str, Any], field: str) -> list[Cause]:
    """What is wrong with labels, wherever they stand."""
    found = []
    for key, value in labels.items():
        found += [wrong(key, why, field) for why in key_errors(key)]
        found += [wrong(value, why, field) for why in value_errors(value or "")]
    return found


def _owners(owners: list[Object]) -> list[Cause]:
    field = "metadata.ownerReferences"
    found = []
    controller = ""
    for each in owners:
        version = (each.get("apiVersion") or "").rpartition("/")[2]
        if not version:
            found.append(wrong(each.get("apiVersion") or "", "version must not be empty", f"{field}.apiVersion"))
        found += [
            wrong("", "must not be empty", f"{field}.{key}") for key in ("kind", "name", "uid") if not each.get(key)
        ]
        if each.get("kind") == "Event" and each.get("apiVersion") in {"v1", "events.k8s.io/v1"}:
            shown = ("/" if each["apiVersion"] == "v1" else "") + each["apiVersion"]
            found.append(wrong(each, f"{shown}, Kind=Event is disallowed from being an owner", field))
        if each.get("controller"):
            this = f"{each.get('kind')}/{each.get('name')}"
            why = (
                "Only one reference can have Controller set to true."
                f' Found "true" in references for {controller} and {this}'
            )
            found += [wrong(owners, why, field)] if controller else []
            controller = controller or this
    return found


def _name_rule(kind: Kind) -> Callable[[str], list[str]]:
    if kind in {kinds.SERVICES, kinds.NAMESPACES}:
        return label_errors
    return path_errors if kind.group == kinds.RBAC else subdomain_errors
