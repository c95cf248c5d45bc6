"""Gives the ports of a cluster's head back when the cluster is gone.

They outlive the head's pods, so that addresses handed out before stay good, and may be known before there is a pod.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.kinds import PODS, RAY_CLUSTERS, SERVICES
from kubectl_ray.sandbox.node.ports import head_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Change
    from kubectl_ray.sandbox.node.ports import Ports

_CLUSTER = "ray.io/cluster"


class HeadPorts:
    """A controller; its keys are (namespace, name) of clusters of which something was deleted."""

    def __init__(self, objects: Objects, given: Ports) -> None:
        self._objects = objects
        self._given = given

    def keys(self, change: Change) -> Iterable[tuple[str, str]]:
        """Of a cluster itself, of its pods, and of services that lead to them: those keep ports for what may come."""
        if change.what != "DELETED":
            return ()
        meta = change.object["metadata"]
        if change.kind is RAY_CLUSTERS:
            name = meta["name"]
        elif change.kind is PODS:
            name = (meta.get("labels") or {}).get(_CLUSTER)
        elif change.kind is SERVICES:
            name = (change.object["spec"].get("selector") or {}).get(_CLUSTER)
        else:
            return ()
        return ((meta["namespace"], name),) if name else ()

    async def reconcile(self, key: tuple[str, str]) -> float | None:
        """Nobody needs them when there is neither the cluster nor a pod of it."""
        namespace, name = key
        if self._objects.find(RAY_CLUSTERS, *key) is None and not self._objects.list(PODS, namespace, {_CLUSTER: name}):
            self._given.release(head_key(namespace, name))
        return None
