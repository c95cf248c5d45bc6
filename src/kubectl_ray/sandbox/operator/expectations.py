"""Pods that were told to go and are still there: their group is left alone until they are gone.

Source: KubeRay v1.6.2, `controllers/ray/expectations`. Without it a group that is scaled down by one would lose another
pod at every look, for a pod takes seconds to end. What is remembered is lost with the process, as the operator's is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.kinds import PODS

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.objects import Objects

Cluster = tuple[str, str]
"""Namespace and name."""

HEAD_GROUP = ""


class Expectations:
    """By cluster and group."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._going: dict[Cluster, dict[str, set[str]]] = {}

    def expect_gone(self, cluster: Cluster, group: str, pod: str) -> None:
        """This pod was deleted."""
        self._going.setdefault(cluster, {}).setdefault(group, set()).add(pod)

    def met(self, cluster: Cluster, group: str) -> bool:
        """All that were deleted of this group are gone."""
        groups = self._going.get(cluster, {})
        left = {pod for pod in groups.get(group, set()) if self._objects.find(PODS, cluster[0], pod) is not None}
        if left:
            groups[group] = left
        else:
            groups.pop(group, None)
        return not left

    def forget(self, cluster: Cluster) -> None:
        """The cluster is gone, or all its pods go."""
        self._going.pop(cluster, None)
