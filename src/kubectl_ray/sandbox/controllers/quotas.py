"""Keeps the status of resource quotas: what they limit, and what their namespace uses of it.

Source: Kubernetes' `pkg/controller/resourcequota`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.admission import quotas

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Change, Object


class Quotas:
    """Usage is added up again whenever something in the namespace comes, goes or ends."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def keys(self, change: Change) -> Iterable[Hashable]:
        """The quota itself, or all of the namespace where usage may have changed."""
        meta = change.object["metadata"]
        if change.kind is kinds.RESOURCE_QUOTAS and change.what != "DELETED":
            return ((meta["namespace"], meta["name"]),)
        if not change.kind.namespaced or (change.what == "MODIFIED" and not _matters(change)):
            return ()
        held = self._objects.list(kinds.RESOURCE_QUOTAS, meta["namespace"])
        return [(meta["namespace"], each["metadata"]["name"]) for each in held]

    async def reconcile(self, key: Hashable) -> float | None:
        """Write the usage where it is not what it was."""
        assert isinstance(key, tuple)  # noqa: S101 - our own keys
        namespace, name = key
        quota = self._objects.find(kinds.RESOURCE_QUOTAS, namespace, name)
        if quota is None:
            return None
        hard = quota["spec"].get("hard") or {}
        used = {each: str(amount) for each, amount in sorted(quotas.used(self._objects, quota).items())}

        def write(body: Object) -> None:
            body["status"] = {"hard": hard, "used": used} if hard else {}

        self._objects.edit(kinds.RESOURCE_QUOTAS, namespace, name, write, status=True)
        return None


def _matters(change: Change) -> bool:
    """A pod that ended or begins to, a service or a claim that became another one."""
    if change.before is None or change.kind not in {kinds.PODS, kinds.SERVICES, kinds.CLAIMS}:
        return False
    return any(
        (held[0].get(part) or {}).get(key) != (held[1].get(part) or {}).get(key)
        for held in ((change.before, change.object),)
        for part, key in (("status", "phase"), ("metadata", "deletionTimestamp"), ("spec", "type"))
    )
