"""Volume claims: there is no storage here, so they wait and say so; one that no pod uses may go.

Source: Kubernetes' `pkg/controller/volume/persistentvolume` and `pkg/controller/volume/pvcprotection`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.admission.claims import PROTECTION
from kubectl_ray.sandbox.api.events import record

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Change, Object

COMPONENT = "persistentvolume-controller"
AGAIN, OFTEN, SELDOM = 15.0, 25, 300.0
"""Seconds until it is said again, how often at that pace, and seconds from then on."""


class Claims:
    """Says why claims are not bound, and takes off their protection when they go unused."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def keys(self, change: Change) -> Iterable[Hashable]:
        """The claim, or those of a pod that has ended."""
        meta = change.object["metadata"]
        if change.kind is kinds.CLAIMS and change.what != "DELETED":
            return ((meta["namespace"], meta["name"]),)
        if change.kind is kinds.PODS and (change.what == "DELETED" or _over(change.object)):
            return [(meta["namespace"], name) for name in _used(change.object)]
        return ()

    async def reconcile(self, key: Hashable) -> float | None:
        """Seconds until it is told again why nothing happens."""
        assert isinstance(key, tuple)  # noqa: S101 - our own keys
        namespace, name = key
        claim = self._objects.find(kinds.CLAIMS, namespace, name)
        if claim is None:
            return None
        if claim["metadata"].get("deletionTimestamp"):
            self._release(namespace, name)
            return None
        if (claim.get("status") or {}).get("phase") == "Bound":
            return None
        return self._explain(claim)

    def _explain(self, claim: Object) -> float:
        wanted = claim["spec"].get("storageClassName")
        type_, reason = ("Warning", "ProvisioningFailed") if wanted else ("Normal", "FailedBinding")
        message = (
            f'storageclass.storage.k8s.io "{wanted}" not found'
            if wanted
            else "no persistent volumes available for this claim and no storage class is set"
        )
        record(self._objects, claim, type_, reason, message, COMPONENT)
        uid = claim["metadata"]["uid"]
        told = [
            each.get("count", 1)
            for each in self._objects.list(kinds.EVENTS, claim["metadata"]["namespace"])
            if each["involvedObject"].get("uid") == uid and each.get("reason") == reason
        ]
        return AGAIN if max(told, default=1) < OFTEN else SELDOM

    def _release(self, namespace: str, name: str) -> None:
        pods = self._objects.list(kinds.PODS, namespace)
        if any(name in _used(pod) and not _over(pod) for pod in pods):
            return

        def unprotected(body: Object) -> None:
            meta = body["metadata"]
            meta["finalizers"] = [each for each in meta.get("finalizers") or [] if each != PROTECTION]

        self._objects.edit(kinds.CLAIMS, namespace, name, unprotected)


def _used(pod: Object) -> list[str]:
    claims = [each.get("persistentVolumeClaim") or {} for each in pod["spec"].get("volumes") or []]
    return [each["claimName"] for each in claims if each.get("claimName")]


def _over(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in {"Failed", "Succeeded"}
