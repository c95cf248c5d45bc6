"""A RayCluster as this plugin reads it: what its spec asks for, and what its status claims.

What the spec asks for is computed here as the operator computes it, because the status lags and its `state` never goes
back. No property raises, whatever the object holds; `Cluster.group` does, for a name that a person gave.
"""

from __future__ import annotations

from kubectl_ray.errors import NotFound, WrongUse
from kubectl_ray.models.fields import dig, mappings, text, texts, whole
from kubectl_ray.models.kubernetes_object import KubernetesObject
from kubectl_ray.models.near import suggestion
from kubectl_ray.models.pod import ray_container
from kubectl_ray.models.sizes import Sizes, of_pod_spec
from kubectl_ray.models.worker_group import Group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OPERATOR = "ray.io/kuberay-operator"
CREATOR_LABEL = "kubectl-ray/creator"
CREATOR_ANNOTATION = "kubectl-ray/created-by"
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
ORIGIN_KIND_LABEL = "ray.io/originated-from-crd"
ORIGIN_NAME_LABEL = "ray.io/originated-from-cr-name"


class Condition:
    """One condition of a status."""

    __slots__ = ("_raw", "type")

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw
        self.type = text(raw.get("type"))

    @property
    def status(self) -> str:
        """`True`, `False` or `Unknown`."""
        return text(self._raw.get("status"))

    @property
    def reason(self) -> str:
        """One word: `HeadPodRunningAndReady`."""
        return text(self._raw.get("reason"))

    @property
    def message(self) -> str:
        """The words, often none."""
        return text(self._raw.get("message"))


class Cluster(KubernetesObject):
    """A RayCluster: a read-only view of the raw object."""

    __slots__ = ("groups",)

    def __init__(self, raw: object) -> None:
        super().__init__(raw)
        specs = self.spec.get("workerGroupSpecs")
        self.groups = tuple(Group(item, at) for at, item in enumerate(specs if isinstance(specs, list) else ()))

    # what it is

    @property
    def annotations(self) -> dict[str, str]:
        """Its annotations."""
        return texts(self.metadata.get("annotations"))

    @property
    def generation(self) -> int:
        """Counts the changes of the spec."""
        return whole(self.metadata.get("generation")) or 0

    @property
    def finalizers(self) -> list[str]:
        """What keeps it while it is being deleted."""
        found = self.metadata.get("finalizers")
        return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []

    @property
    def creator(self) -> str:
        """The login that created it through this plugin: the whole name where known, else the label's value."""
        return text(dig(self.metadata, "annotations", CREATOR_ANNOTATION)) or self.label(CREATOR_LABEL)

    @property
    def queue(self) -> str:
        """Kueue's queue, or ""."""
        return self.label(QUEUE_LABEL)

    @property
    def owner(self) -> tuple[str, str] | None:
        """(kind, name) of what owns it: a RayJob, a RayService, anything else, or ("Kueue", the queue)."""
        for reference in mappings(self.metadata.get("ownerReferences")):
            kind, name = text(reference.get("kind")), text(reference.get("name"))
            if kind and name:
                return (kind, name)
        kind, name = self.label(ORIGIN_KIND_LABEL), self.label(ORIGIN_NAME_LABEL)
        if kind and name:
            return (kind, name)
        return ("Kueue", self.queue) if self.queue else None

    @property
    def managed_by(self) -> str:
        """`spec.managedBy`; anything but "" and KubeRay's own name keeps the operator's hands off."""
        return text(self.spec.get("managedBy"))

    @property
    def managed_elsewhere(self) -> bool:
        """Another controller than the operator of this cluster looks after it: its pods are not here."""
        return self.managed_by not in {"", OPERATOR}

    # what its spec asks for

    @property
    def image(self) -> str:
        """Of the head's Ray container."""
        return text(ray_container(dig(self.spec, "headGroupSpec", "template", "spec")).get("image"))

    @property
    def ray_version(self) -> str:
        """`spec.rayVersion`, else the version in the head image's tag, else ""."""
        stated = text(self.spec.get("rayVersion"))
        if stated:
            return stated
        tag = self.image.rpartition("/")[2].partition("@")[0].partition(":")[2]
        version = tag.partition("-")[0]
        return version if version.replace(".", "").isdigit() else ""

    @property
    def suspended(self) -> bool:
        """Its spec says suspend."""
        return self.spec.get("suspend") is True

    @property
    def autoscaling(self) -> bool:
        """An autoscaler runs beside its head."""
        return self.spec.get("enableInTreeAutoscaling") is True

    @property
    def autoscaler_version(self) -> str:
        """`v1`, `v2`, or "" where Ray decides."""
        return text(dig(self.spec, "autoscalerOptions", "version"))

    @property
    def auth_token(self) -> bool:
        """Ray asks for a token."""
        return text(dig(self.spec, "authOptions", "mode")) == "token"

    @property
    def head_sizes(self) -> Sizes:
        """What the head's pod reserves."""
        return of_pod_spec(dig(self.spec, "headGroupSpec", "template", "spec"))

    @property
    def desired_workers(self) -> int:
        """Worker pods that the spec asks for, over all groups."""
        return sum(group.desired for group in self.groups)

    @property
    def sizes(self) -> Sizes:
        """What the head and all desired workers reserve."""
        total = self.head_sizes
        for group in self.groups:
            total += group.sizes
        return total

    def group(self, name: str | None = None) -> Group:
        """The worker group of this name; without a name the only one.

        Raises:
            NotFound: there is none of this name (the hint names those there are), or none at all.
            WrongUse: no name was given and there are several.
        """
        names = ", ".join(group.name for group in self.groups)
        if name is None and len(self.groups) == 1:
            return self.groups[0]
        if name is None and self.groups:
            raise WrongUse(
                f"Ray cluster {self.name} has {len(self.groups)} worker groups: {names}.", "Name one of them."
            )
        for group in self.groups:
            if group.name == name:
                return group
        if not self.groups:
            raise NotFound(
                f"Ray cluster {self.name} has no worker groups.",
                f"Add one:  kubectl ray cluster worker-group create NAME --cluster {self.name}",
            )
        near = suggestion(name or "", (group.name for group in self.groups))
        raise NotFound(
            f"Ray cluster {self.name} has no worker group {name}.", " ".join(filter(None, (near, f"It has: {names}.")))
        )

    # what its status claims

    @property
    def has_status(self) -> bool:
        """The operator has written something about it."""
        return bool(self.status)

    @property
    def state(self) -> str:
        """`ready`, `suspended` or "": set once and never taken back, so never enough alone."""
        return text(self.status.get("state"))

    @property
    def observed_generation(self) -> int:
        """The generation that the operator saw when it last wrote the status."""
        return whole(self.status.get("observedGeneration")) or 0

    @property
    def claimed_workers(self) -> int:
        """`desiredWorkerReplicas`; absent means 0."""
        return whole(self.status.get("desiredWorkerReplicas")) or 0

    @property
    def ready_workers(self) -> int:
        """`readyWorkerReplicas`; counts pods of removed groups too and lags for 40 s after the head died."""
        return whole(self.status.get("readyWorkerReplicas")) or 0

    @property
    def agrees(self) -> bool:
        """The status was written for this very spec; only then are its counts worth showing."""
        if not self.has_status or self.observed_generation != self.generation:
            return False
        return self.suspended or self.claimed_workers == self.desired_workers

    @property
    def conditions(self) -> list[Condition]:
        """All of them, in the status' own order."""
        return [Condition(raw) for raw in mappings(self.status.get("conditions"))]

    def condition(self, type_: str) -> Condition | None:
        """The condition of this type."""
        return next((condition for condition in self.conditions if condition.type == type_), None)

    def holds(self, type_: str) -> bool:
        """The condition of this type is True."""
        condition = self.condition(type_)
        return condition is not None and condition.status == "True"

    @property
    def head_ready(self) -> bool:
        """The condition HeadPodReady is True."""
        return self.holds("HeadPodReady")

    @property
    def provisioned(self) -> bool:
        """All its pods were ready once; never taken back while it runs."""
        return self.holds("RayClusterProvisioned") or (self.state == "ready" and not self.conditions)

    @property
    def replica_failure(self) -> str:
        """Why the operator cannot make a pod, in the API server's words; "" when it can."""
        condition = self.condition("ReplicaFailure")
        if condition is None or condition.status != "True":
            return ""
        first, _, rest = condition.message.partition("\n")
        return (rest if first == condition.reason and rest else condition.message) or condition.reason

    @property
    def head_service(self) -> str:
        """The name of the head's service: as the status has it, else the operator's rule."""
        stated = text(dig(self.status, "head", "serviceName")) or text(
            dig(self.spec, "headGroupSpec", "headService", "metadata", "name")
        )
        return stated or (f"{self.name}-head-svc" if self.name else "")

    @property
    def head_ip(self) -> str:
        """The head pod's address as the status has it."""
        return text(dig(self.status, "head", "podIP"))

    @property
    def ports(self) -> dict[str, str]:
        """Port numbers of the head's service by their names (`dashboard`, `client`, …)."""
        return texts(self.status.get("endpoints"))
