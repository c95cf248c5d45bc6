"""A worker group of a RayCluster's spec, and how many pods the operator makes for it. Nothing raises."""

from __future__ import annotations

from kubectl_ray.models.fields import dig, mapping, text, texts, whole
from kubectl_ray.models.pod import ray_container
from kubectl_ray.models.sizes import Sizes, of_pod_spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NO_MAXIMUM = 2**31 - 1  # what the CRD puts where no maxReplicas is given


class Group:
    """A read-only view of one item of `workerGroupSpecs`; `index` is its place there."""

    __slots__ = ("desired", "index", "raw")

    def __init__(self, raw: object, index: int) -> None:
        self.raw = mapping(raw)
        self.index = index
        self.desired = self._desired()
        """Worker pods that the operator makes for it: clamp(replicas, min, max) times hosts, none when suspended.

        Source: KubeRay, `utils.GetWorkerGroupDesiredReplicas`.
        """

    @property
    def name(self) -> str:
        """Its `groupName`."""
        return text(self.raw.get("groupName"))

    @property
    def replicas(self) -> int:
        """As the spec has it; the operator keeps it between `minimum` and `maximum`."""
        return whole(self.raw.get("replicas")) or 0

    @property
    def minimum(self) -> int:
        """`minReplicas`, 0 where absent."""
        return whole(self.raw.get("minReplicas")) or 0

    @property
    def maximum(self) -> int:
        """`maxReplicas`, the CRD's default where absent."""
        value = whole(self.raw.get("maxReplicas"))
        return NO_MAXIMUM if value is None else value

    @property
    def bounded(self) -> bool:
        """Somebody chose a `maxReplicas`."""
        return self.maximum < NO_MAXIMUM

    @property
    def hosts(self) -> int:
        """Pods of one replica; more than one for TPU slices over several hosts."""
        value = whole(self.raw.get("numOfHosts"))
        return 1 if value is None else max(value, 0)

    @property
    def suspended(self) -> bool:
        """The group alone is suspended."""
        return self.raw.get("suspend") is True

    def _desired(self) -> int:
        if self.suspended:
            return 0
        wanted = whole(self.raw.get("replicas"))
        minimum = self.minimum
        if wanted is None or wanted < minimum:
            wanted = minimum
        elif wanted > (maximum := self.maximum):
            wanted = maximum
        return max(wanted, 0) * self.hosts

    @property
    def template(self) -> dict[str, Any]:
        """The pod's spec."""
        return mapping(dig(self.raw, "template", "spec"))

    @property
    def image(self) -> str:
        """Of the Ray container, always the first."""
        return text(ray_container(self.template).get("image"))

    @property
    def each(self) -> Sizes:
        """What one worker pod reserves."""
        return of_pod_spec(self.template)

    @property
    def sizes(self) -> Sizes:
        """What all its desired workers reserve."""
        return self.each * self.desired

    @property
    def ray_start_params(self) -> dict[str, str]:
        """Of `ray start`."""
        return texts(self.raw.get("rayStartParams"))
