"""What every Kubernetes object has. No property raises, whatever the object holds."""

from __future__ import annotations

from kubectl_ray.models.age import epoch
from kubectl_ray.models.fields import dig, mapping, text, texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class KubernetesObject:
    """A read-only view of a raw object: its four parts, and what stands in its metadata."""

    __slots__ = ("metadata", "raw", "spec", "status")

    def __init__(self, raw: object) -> None:
        self.raw: dict[str, Any] = mapping(raw)
        self.metadata = mapping(self.raw.get("metadata"))
        self.spec = mapping(self.raw.get("spec"))
        self.status = mapping(self.raw.get("status"))

    @property
    def name(self) -> str:
        """Its name."""
        return text(self.metadata.get("name"))

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return text(self.metadata.get("namespace"))

    @property
    def uid(self) -> str:
        """Its uid; another object of the same name has another."""
        return text(self.metadata.get("uid"))

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return texts(self.metadata.get("labels"))

    def label(self, key: str) -> str:
        """One label's value, or ""; without copying all of them."""
        return text(dig(self.metadata, "labels", key))

    @property
    def created(self) -> float | None:
        """Epoch seconds."""
        return epoch(self.metadata.get("creationTimestamp"))

    @property
    def deleting(self) -> bool:
        """Being deleted: something still holds it, a finalizer or a pod that is stopping."""
        return bool(self.metadata.get("deletionTimestamp"))
