"""What a user asked for, as plain values from flags or a config file; None is "not said".

`raycluster` and `worker_group` put the defaults in. Values are already normalized: sizes are Kubernetes quantities.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Values:
    """Attributes by name, compared and shown as a whole."""

    __slots__ = ()

    def values(self) -> dict[str, Any]:
        """Every attribute that was said."""
        names = [name for kind in type(self).__mro__ for name in getattr(kind, "__slots__", ())]
        found = {name: getattr(self, name) for name in names}
        return {name: value for name, value in found.items() if value not in (None, {}, [], "")}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Values) and type(other) is type(self) and self.values() == other.values()

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.values().items())})"

    def override(self, other: _Values) -> None:
        """Take over what `other` says: maps key by key, everything else as a whole."""
        for name, value in other.values().items():
            mine = getattr(self, name)
            setattr(self, name, {**mine, **value} if isinstance(mine, dict) and isinstance(value, dict) else value)


class _PodShape(_Values):
    """What head and workers have in common."""

    __slots__ = ("cpu", "ephemeral_storage", "gpu", "memory", "node_selectors", "ray_start_params", "tolerations")

    def __init__(self) -> None:
        self.cpu: str | None = None
        self.memory: str | None = None
        self.gpu: int | None = None
        self.ephemeral_storage: str | None = None
        self.ray_start_params: dict[str, str] = {}
        self.node_selectors: dict[str, str] = {}
        self.tolerations: list[dict[str, str]] = []


class HeadShape(_PodShape):
    """The head."""

    __slots__ = ()


class Surroundings(_Values):
    """What every pod of a cluster has: image, account, secrets, environment, a mounted bucket."""

    __slots__ = ("env", "gcsfuse", "image", "image_pull_secrets", "service_account")

    def __init__(self) -> None:
        self.image: str | None = None
        self.service_account: str | None = None
        self.image_pull_secrets: list[str] = []
        self.env: dict[str, str] = {}
        self.gcsfuse: GcsFuse | None = None


class GroupShape(_PodShape):
    """A worker group. `surroundings` are the cluster's; `autoscaling` is whether the cluster has an autoscaler."""

    __slots__ = (
        "autoscaling",
        "hosts",
        "idle_timeout",
        "maximum",
        "minimum",
        "name",
        "replicas",
        "surroundings",
        "tpu",
    )

    def __init__(self) -> None:
        super().__init__()
        self.name: str | None = None
        self.replicas: int | None = None
        self.minimum: int | None = None
        self.maximum: int | None = None
        self.tpu: int | None = None
        self.hosts: int | None = None
        self.idle_timeout: int | None = None  # seconds
        self.autoscaling: bool | None = None
        self.surroundings: Surroundings | None = None


class GcsFuse(_Values):
    """A Cloud Storage bucket mounted into every pod by GKE's driver."""

    __slots__ = (
        "bucket",
        "cpu",
        "disable_metrics",
        "ephemeral_storage",
        "memory",
        "metadata_prefetch",
        "mount_options",
        "mount_path",
        "skip_access_check",
    )

    def __init__(self) -> None:
        self.bucket: str | None = None
        self.mount_path: str | None = None
        self.mount_options: str | None = None
        self.disable_metrics: bool | None = None
        self.metadata_prefetch: bool | None = None
        self.skip_access_check: bool | None = None
        self.cpu: str | None = None  # these three: of the driver's helper container
        self.memory: str | None = None
        self.ephemeral_storage: str | None = None


class Shape(Surroundings):
    """A whole cluster.

    `autoscaler` is "v1", "v2", "default" (Ray decides which) or "off"; `creator` is the login's name, "" where unknown.
    """

    __slots__ = (
        "annotations",
        "autoscaler",
        "creator",
        "groups",
        "head",
        "idle_timeout",
        "labels",
        "name",
        "namespace",
        "ray_version",
    )

    def __init__(self) -> None:
        super().__init__()
        self.name: str | None = None
        self.namespace: str | None = None
        self.labels: dict[str, str] = {}
        self.annotations: dict[str, str] = {}
        self.ray_version: str | None = None
        self.autoscaler: str | None = None
        self.idle_timeout: int | None = None  # seconds
        self.head = HeadShape()
        self.groups: list[GroupShape] = []
        self.creator = ""

    def override(self, other: _Values) -> None:
        """The same for a cluster: its head value by value. Groups are matched by whoever knows which one is meant."""
        head, groups = self.head, self.groups
        super().override(other)
        self.head, self.groups = head, groups
        if isinstance(other, Shape):
            self.head.override(other.head)

    @property
    def autoscaling(self) -> bool:
        """An autoscaler is wanted."""
        return self.autoscaler not in {None, "off"}
