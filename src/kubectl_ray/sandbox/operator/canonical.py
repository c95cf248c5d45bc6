"""A pod, written as a client of Kubernetes that knows the type writes it.

A cluster's spec keeps what the user wrote (`1024Mi`, `0.5`, an empty text); the operator reads it and writes `1Gi`,
`500m` and nothing into the pod.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.quantities import parse

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object


def canonical_pod(pod: Object) -> Object:
    """Changes the pod it is given, and returns it."""
    body = pod["spec"] = {field: value for field, value in pod["spec"].items() if value != ""}
    for container in [*(body.get("initContainers") or []), *(body.get("containers") or [])]:
        for part in ("limits", "requests"):
            _rewrite_all((container.get("resources") or {}).get(part))
        for variable in container.get("env") or []:
            if variable.get("value") == "":
                del variable["value"]
    for volume in body.get("volumes") or []:
        folder = volume.get("emptyDir")
        if isinstance(folder, dict) and "sizeLimit" in folder:
            folder["sizeLimit"] = _rewritten(folder["sizeLimit"])
        claim = ((volume.get("ephemeral") or {}).get("volumeClaimTemplate") or {}).get("spec") or {}
        _rewrite_all((claim.get("resources") or {}).get("requests"))
    _rewrite_all(body.get("overhead"))
    return pod


def _rewrite_all(amounts: object) -> None:
    if isinstance(amounts, dict):
        for name in amounts:
            amounts[name] = _rewritten(amounts[name])


def _rewritten(amount: object) -> object:
    try:
        return str(parse(amount))
    except ValueError:
        return amount
