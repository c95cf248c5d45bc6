"""A RayJob as far as its Ray cluster goes: which one it runs on, and whether another will come."""

from __future__ import annotations

from kubectl_ray.models.fields import text
from kubectl_ray.models.kubernetes_object import KubernetesObject

# Deployment states after which the operator makes no further cluster.
_ENDED = {"Complete", "Failed", "ValidationFailed"}


class RayJob(KubernetesObject):
    """A read-only view of the raw object. No property raises."""

    __slots__ = ()

    @property
    def cluster(self) -> str:
        """The RayCluster it runs on, "" while it has none; emptied for a moment between two tries of a retry."""
        return text(self.status.get("rayClusterName"))

    @property
    def deployment_status(self) -> str:
        """`Initializing`, `Running`, `Complete`, …; "" before the operator has seen it."""
        return text(self.status.get("jobDeploymentStatus"))

    @property
    def ended(self) -> bool:
        """It will never run again: what is left of its cluster may go at any time."""
        return self.deployment_status in _ENDED

    @property
    def suspended(self) -> bool:
        """Its spec says suspend."""
        return self.spec.get("suspend") is True

    @property
    def refused(self) -> str:
        """Why the operator will not run it, in its own words; "" when it will."""
        return text(self.status.get("message")) if self.deployment_status == "ValidationFailed" else ""

    @property
    def has_status(self) -> bool:
        """The operator has written something about it."""
        return bool(self.status)
