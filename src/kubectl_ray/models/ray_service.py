"""A RayService as far as its Ray cluster goes: which one serves, and which one is on its way."""

from __future__ import annotations

from kubectl_ray.models.fields import dig, mappings, text
from kubectl_ray.models.kubernetes_object import KubernetesObject


class RayService(KubernetesObject):
    """A read-only view of the raw object. No property raises."""

    __slots__ = ()

    @property
    def cluster(self) -> str:
        """The RayCluster that serves; before the first one does, the one that is being started; "" while none is."""
        return self._cluster("activeServiceStatus") or self._cluster("pendingServiceStatus")

    def _cluster(self, which: str) -> str:
        return text(dig(self.status, which, "rayClusterName"))

    @property
    def ended(self) -> bool:
        """It will never have another cluster."""
        return bool(self.refused)

    @property
    def suspended(self) -> bool:
        """Its spec says suspend."""
        return self.spec.get("suspend") is True

    @property
    def refused(self) -> str:
        """Why the operator will not run it, in its own words; "" when it will."""
        for condition in mappings(self.status.get("conditions")):
            if condition.get("type") == "Ready" and condition.get("reason") == "ValidationFailed":
                return text(condition.get("message"))
        return ""

    @property
    def has_status(self) -> bool:
        """The operator has written something about it."""
        return bool(self.status)
