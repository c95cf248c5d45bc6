"""Volume claims: they are accepted as the real server does, and stay Pending.

Source: `pkg/registry/core/persistentvolumeclaim`, `pkg/apis/core/validation/validation.go`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.metadata import prohibited, required, unsupported, wrong
from kubectl_ray.sandbox.api.quantities import parse

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.metadata import Cause
    from kubectl_ray.sandbox.api.store import Object

PROTECTION = "kubernetes.io/pvc-protection"
MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")


def fill(claim: Object) -> None:
    """Defaults."""
    spec = claim["spec"] = claim.get("spec") or {}
    spec["volumeMode"] = spec.get("volumeMode") or "Filesystem"
    requests = (spec.get("resources") or {}).get("requests") or {}
    for name, amount in requests.items():
        requests[name] = str(parse(amount).rounded())


def protect(claim: Object) -> None:
    """A new claim is kept from going while a pod uses it."""
    meta = claim["metadata"]
    claim["status"] = {"phase": "Pending"}
    if PROTECTION not in (meta.get("finalizers") or []):
        meta["finalizers"] = [*(meta.get("finalizers") or []), PROTECTION]


def causes(claim: Object) -> list[Cause]:
    """What is wrong with a claim."""
    spec = claim["spec"]
    found: list[Cause] = []
    if not spec.get("accessModes"):
        found.append(required("spec.accessModes", "at least 1 access mode is required"))
    found += [
        unsupported(mode, MODES, "spec.accessModes") for mode in spec.get("accessModes") or [] if mode not in MODES
    ]
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if size is None:
        found.append(required("spec.resources[storage]"))
    elif parse(size).nanos <= 0:
        found.append(wrong(size, "must be greater than zero", "spec.resources[storage]"))
    return found


def changed_causes(before: Object, after: Object) -> list[Cause]:
    """A claim's spec stays."""
    if before["spec"] == after["spec"]:
        return []
    why = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
    return [prohibited(why, "spec")]
