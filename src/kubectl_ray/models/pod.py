"""A pod of a Ray cluster: the head or a worker. Status and restarts read as kubectl prints them."""

from __future__ import annotations

from kubectl_ray.models.age import epoch, human
from kubectl_ray.models.fields import dig, mapping, mappings, sequence, text, whole
from kubectl_ray.models.kubernetes_object import KubernetesObject
from kubectl_ray.models.sizes import of_pod_spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kubectl_ray.models.sizes import Sizes

CLUSTER_LABEL = "ray.io/cluster"
GROUP_LABEL = "ray.io/group"
NODE_TYPE_LABEL = "ray.io/node-type"
RAY_PODS = "ray.io/is-ray-node=yes"
"""Label selector of every pod that is a Ray node."""

# A waiting container of these is on its way, not in trouble.
_ON_THE_WAY = {"", "ContainerCreating", "PodInitializing"}


def ray_container(pod_spec: object) -> dict[str, Any]:
    """The container in which Ray runs: always the first of the spec. Empty when there is none."""
    containers = mappings(dig(pod_spec, "containers"))
    return containers[0] if containers else {}


class Pod(KubernetesObject):
    """A read-only view of the raw object."""

    __slots__ = ()

    @property
    def cluster(self) -> str:
        """The Ray cluster it belongs to; never parsed from its name, which is cut."""
        return self.label(CLUSTER_LABEL)

    @property
    def group(self) -> str:
        """Its worker group; a head's is `headgroup`."""
        return self.label(GROUP_LABEL)

    @property
    def node_type(self) -> str:
        """`head` or `worker`."""
        return self.label(NODE_TYPE_LABEL)

    @property
    def phase(self) -> str:
        """`Pending`, `Running` (also while it crashes again and again), `Succeeded`, `Failed`, `Unknown`."""
        return text(self.status.get("phase"))

    @property
    def node(self) -> str:
        """The machine it runs on, or ""."""
        return text(self.spec.get("nodeName"))

    @property
    def ip(self) -> str:
        """Its address, or ""."""
        return text(self.status.get("podIP"))

    @property
    def image(self) -> str:
        """Of its Ray container, as its spec names it."""
        return text(ray_container(self.spec).get("image"))

    @property
    def sizes(self) -> Sizes:
        """What all its containers reserve."""
        return of_pod_spec(self.spec)

    @property
    def owner_uid(self) -> str:
        """The uid of what made it (its Ray cluster), or ""."""
        for reference in mappings(self.metadata.get("ownerReferences")):
            if reference.get("controller") is True:
                return text(reference.get("uid"))
        return ""

    @property
    def ports(self) -> dict[str, int]:
        """The port numbers of its Ray container that have names: `{"dashboard": 8265}`."""
        found = {}
        for item in mappings(ray_container(self.spec).get("ports")):
            name, number = text(item.get("name")), whole(item.get("containerPort"))
            if name and number is not None and 0 < number < 1 << 16:
                found[name] = number
        return found

    # its containers

    @property
    def ray_status(self) -> dict[str, Any]:
        """The status of its Ray container: the first in the spec (statuses are sorted by name)."""
        statuses = mappings(self.status.get("containerStatuses"))
        name = ray_container(self.spec).get("name")
        return next((status for status in statuses if status.get("name") == name), statuses[0] if statuses else {})

    @property
    def ready(self) -> bool:
        """Its Ray container is ready, whatever its helpers are; a pod that is being stopped never is."""
        return not self.deleting and self.phase == "Running" and self.ray_status.get("ready") is True

    @property
    def ray_runs(self) -> bool:
        """Its Ray container runs now; whether it is ready is another question."""
        return isinstance(dig(self.ray_status, "state", "running"), dict)

    @property
    def restarts(self) -> int:
        """Restarts of its Ray container, the only lasting trace of a crash."""
        return whole(self.ray_status.get("restartCount")) or 0

    @property
    def waiting_reason(self) -> str:
        """Why a container cannot start: `ImagePullBackOff`, `CrashLoopBackOff`; "" while it is on its way or runs.

        The Ray container's own reason first, then the others' and the init containers'.
        """
        return text(self._waiting().get("reason"))

    @property
    def waiting_message(self) -> str:
        """The words to `waiting_reason`."""
        return text(self._waiting().get("message"))

    def _waiting(self) -> dict[str, Any]:
        statuses = [
            self.ray_status,
            *mappings(self.status.get("containerStatuses")),
            *mappings(self.status.get("initContainerStatuses")),
        ]
        for status in statuses:
            waiting = mapping(dig(status, "state", "waiting"))
            if text(waiting.get("reason")) not in _ON_THE_WAY:
                return waiting
        return {}

    @property
    def terminated(self) -> dict[str, Any]:
        """How its Ray container ended the last time: `reason`, `exitCode`, `message`; empty when it never did."""
        now = mapping(dig(self.ray_status, "state", "terminated"))
        return now or mapping(dig(self.ray_status, "lastState", "terminated"))

    @property
    def unschedulable(self) -> str:
        """The scheduler's words when no machine can take it, else ""."""
        for condition in mappings(self.status.get("conditions")):
            if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
                return text(condition.get("message")) or text(condition.get("reason"))
        return ""

    def condition(self, type_: str) -> str:
        """`True`, `False`, `Unknown`, or "" when there is no such condition."""
        for condition in mappings(self.status.get("conditions")):
            if condition.get("type") == type_:
                return text(condition.get("status"))
        return ""

    # as kubectl's table has it

    @property
    def status_text(self) -> str:
        """As kubectl's STATUS: `Running`, `CrashLoopBackOff`, `Init:0/1`, `Terminating`, `Completed`.

        Source: Kubernetes, `pkg/printers/internalversion`, `printPod`.
        """
        reason = text(self.status.get("reason")) or self.phase
        for condition in mappings(self.status.get("conditions")):
            if condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated":
                reason = "SchedulingGated"
        initializing = self._initializing()
        reason = initializing or reason
        if not initializing or self.condition("Initialized") == "True":
            reason = self._main_reason(reason)
        if self.deleting and self.status.get("reason") == "NodeLost":
            return "Unknown"
        if self.deleting and self.phase not in {"Failed", "Succeeded"}:
            return "Terminating"
        return reason or "Unknown"

    def _initializing(self) -> str:
        specs = {item.get("name"): item for item in mappings(self.spec.get("initContainers")) if _hashable(item)}
        for at, status in enumerate(mappings(self.status.get("initContainerStatuses"))):
            name = status.get("name")
            stays = isinstance(name, str) and mapping(specs.get(name)).get("restartPolicy") == "Always"
            ended = dig(status, "state", "terminated")
            waits = text(dig(status, "state", "waiting", "reason"))
            if isinstance(ended, dict) and whole(ended.get("exitCode")) in {0, None}:
                continue
            if stays and status.get("started") is True:
                continue
            if isinstance(ended, dict):
                return f"Init:{_ending(ended)}"
            if waits and waits != "PodInitializing":
                return f"Init:{waits}"
            return f"Init:{at}/{len(sequence(self.spec.get('initContainers')))}"
        return ""

    def _main_reason(self, reason: str) -> str:
        running = False
        for status in reversed(mappings(self.status.get("containerStatuses"))):
            ended = dig(status, "state", "terminated")
            waits = text(dig(status, "state", "waiting", "reason"))
            if waits:
                reason = waits
            elif isinstance(ended, dict):
                reason = _ending(ended)
            elif status.get("ready") is True and isinstance(dig(status, "state", "running"), dict):
                running = True
        if reason == "Completed" and running:
            return "Running" if self.condition("Ready") == "True" else "NotReady"
        return reason

    @property
    def ready_text(self) -> str:
        """As kubectl's READY: ready containers of all, `1/1`."""
        stays = {
            item.get("name")
            for item in mappings(self.spec.get("initContainers"))
            if item.get("restartPolicy") == "Always" and _hashable(item)
        }
        ready = 0
        for status in mappings(self.status.get("containerStatuses")):
            ready += status.get("ready") is True and isinstance(dig(status, "state", "running"), dict)
        for status in mappings(self.status.get("initContainerStatuses")):
            ready += _hashable(status) and status.get("name") in stays and status.get("ready") is True
        return f"{ready}/{len(mappings(self.spec.get('containers'))) + len(stays)}"

    def restarts_text(self, now: float) -> str:
        """As kubectl's RESTARTS, over all containers: `0`, `3 (5m ago)`."""
        total, last = 0, None
        for status in mappings(self.status.get("containerStatuses")):
            total += whole(status.get("restartCount")) or 0
            ended = epoch(dig(status, "lastState", "terminated", "finishedAt"))
            if ended is not None and (last is None or ended > last):
                last = ended
        return f"{total} ({human(now - last)} ago)" if total and last is not None else str(total)


def _hashable(item: dict[str, Any]) -> bool:
    return isinstance(item.get("name"), str)


def _ending(ended: dict[str, Any]) -> str:
    """How a container ended: its reason, else its signal, else its exit code."""
    reason = text(ended.get("reason"))
    if reason:
        return reason
    signal = whole(ended.get("signal"))
    return f"Signal:{signal}" if signal else f"ExitCode:{whole(ended.get('exitCode')) or 0}"
