"""What kubectl's client-side apply left on an object, where `kubectl apply --server-side` takes over.

The manager `kubectl` is not in the way of what its client-side self wrote and nobody changed since, and the note of it
is kept up to date. Source: apimachinery, `pkg/util/managedfields/internal` (lastappliedmanager.go and
lastappliedupdater.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import decoding, fields
from kubectl_ray.sandbox.api.patches import go_json

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.fields import Fields
    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.store import Object

KUBECTL = "kubectl"
ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
LARGEST = 262_144
"""Bytes of an object's annotations."""
HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def _note(held: Object | None) -> str | None:
    annotations = (held or {}).get("metadata", {}).get("annotations") or {}
    note = annotations.get(ANNOTATION)
    return note if isinstance(note, str) and note else None


def allowed(kind: Kind, live: Object | None, manager: str) -> Fields:
    """Fields that this manager may change though others own them."""
    note = _note(live)
    if manager != KUBECTL or note is None:
        return frozenset()
    try:
        applied = decoding.read_json(note).value
    except decoding.NotReadable:
        return frozenset()
    if not isinstance(applied, dict):
        return frozenset()
    schema = fields.root(kind)
    compared = fields.compared(schema, applied, live)
    return fields.owned(schema, applied) - compared.changed - compared.removed


def noted(live: Object | None, after: Object, patch: Object, manager: str) -> Object:
    """The object with the note of what is applied now, if it had one; it is not changed itself."""
    if manager != KUBECTL or _note(live) is None:
        return after
    meta = dict(patch.get("metadata") or {})
    annotations = {key: value for key, value in (meta.get("annotations") or {}).items() if key != ANNOTATION}
    meta = {key: value for key, value in meta.items() if key not in {"annotations", "managedFields"}}
    if annotations:
        meta["annotations"] = annotations
    text = go_json({**patch, "metadata": meta})
    for char, escaped in HTML.items():
        text = text.replace(char, escaped)
    if len(text.encode()) > LARGEST:
        return after
    own = {**(after["metadata"].get("annotations") or {}), ANNOTATION: text + "\n"}
    return {**after, "metadata": {**after["metadata"], "annotations": own}}
