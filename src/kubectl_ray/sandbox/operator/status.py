"""The status of a RayCluster, out of its spec, its pods and its head service.

Source: KubeRay v1.6.2, `calculateStatus` in `raycluster_controller.go` and `utils/consistency.go`. Pure: what is new is
returned, nothing is written.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, NamedTuple

from kubectl_ray.sandbox.api.quantities import Quantity
from kubectl_ray.sandbox.operator import conditions, pod_state, spec
from kubectl_ray.sandbox.operator.failures import ReconcileError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_ray.sandbox.api.store import Object

HEAD_READY, PROVISIONED, REPLICA_FAILURE = "HeadPodReady", "RayClusterProvisioned", "ReplicaFailure"
SUSPENDING, SUSPENDED = "RayClusterSuspending", "RayClusterSuspended"

_TELLING = (
    "state",
    "reason",
    "readyWorkerReplicas",
    "availableWorkerReplicas",
    "desiredWorkerReplicas",
    "minWorkerReplicas",
    "maxWorkerReplicas",
    "endpoints",
    "head",
    "conditions",
)
"""Fields whose change is worth a write. The observed generation and the desired CPUs and memory are not: an edit that
changes only those is seen in the status at the next other change."""


class Seen(NamedTuple):
    """What there is of the cluster."""

    pods: Sequence[Object]
    heads: Sequence[Object]
    head_services: Sequence[Object]


def differs(before: Object, after: Object) -> bool:
    """The new status is worth a write."""
    return any((before.get(field) or None) != (after.get(field) or None) for field in _TELLING)


def suspend_status(status: Object) -> str:
    """RayClusterSuspending, RayClusterSuspended or nothing."""
    for condition in status.get("conditions") or []:
        if condition["type"] in {SUSPENDING, SUSPENDED} and condition["status"] == "True":
            return str(condition["type"])
    return ""


def calculate(cluster: Object, seen: Seen, failure: ReconcileError | None, now: str) -> Object:
    """The new status; the failure is what the reconciliation before it ended with.

    Raises:
        ReconcileError: there are several heads, or not exactly one head service: then no status is written.
    """
    before: Object = cluster.get("status") or {}
    if len(seen.heads) > 1:
        raise ReconcileError("found multiple heads")
    head = seen.heads[0] if seen.heads else None
    told: conditions.Conditions = deepcopy(before.get("conditions") or [])
    _tell_failure(told, failure, now)
    status = {"observedGeneration": cluster["metadata"]["generation"], **_counts(cluster["spec"], seen)}
    state = before.get("state", "")
    if failure is None and len(seen.pods) == status["desiredWorkerReplicas"] + 1 and pod_state.all_running(seen.pods):
        state = "ready"
    else:
        status["reason"] = before.get("reason", "")
    _tell_head(told, head, now)
    _tell_life(told, cluster["spec"], seen, now)
    if spec.suspended(cluster["spec"]) and not seen.pods:
        state = "suspended"
    times = dict(before.get("stateTransitionTimes") or {})
    if state != before.get("state", ""):
        times[state] = now
    status |= {
        "conditions": told,
        "endpoints": {**(before.get("endpoints") or {}), **_endpoints(seen.head_services)},
        "lastUpdateTime": now,
        "state": state,
        "stateTransitionTimes": times,
    }
    kept = {field: value for field, value in status.items() if value}
    return {**kept, **_resources(cluster["spec"]), "head": _head(head, seen.head_services)}


def _counts(of: Object, seen: Seen) -> Object:
    """Pods of workers: ready, running, wanted, and the limits."""
    workers = pod_state.workers(seen.pods)
    groups = [group for group in spec.groups(of) if not spec.suspended(group)]
    most = sum(group.get("maxReplicas", spec.MOST) * spec.hosts(group) for group in groups)
    return {
        "readyWorkerReplicas": sum(pod_state.running_and_ready(pod) for pod in workers),
        "availableWorkerReplicas": sum(pod_state.phase(pod) == "Running" for pod in workers),
        "desiredWorkerReplicas": sum(spec.desired(group) for group in groups),
        "minWorkerReplicas": sum((group.get("minReplicas") or 0) * spec.hosts(group) for group in groups),
        "maxWorkerReplicas": min(most, spec.MOST),
    }


def _resources(of: Object) -> Object:
    """What head and workers ask for; of each group as many as `replicas` says, beyond its limits, too."""
    parts = [spec.asked(of["headGroupSpec"])]
    for group in spec.groups(of):
        if not spec.suspended(group):
            one = spec.asked(group)
            times = spec.hosts(group) * max(0, group.get("replicas") or 0)
            if times:
                parts.append({name: Quantity(value.nanos * times, value.form) for name, value in one.items()})
    total = spec.added(parts)
    nothing = Quantity(0)
    gpus = sum((value for name, value in total.items() if spec.gpu(name) and value.nanos), nothing)
    return {
        "desiredCPU": str(total.get("cpu", nothing)),
        "desiredGPU": str(gpus),
        "desiredMemory": str(total.get("memory", nothing)),
        "desiredTPU": str(total.get("google.com/tpu", nothing)),
    }


def _tell_failure(told: conditions.Conditions, failure: ReconcileError | None, now: str) -> None:
    if failure is None:
        conditions.remove(told, REPLICA_FAILURE)
    elif failure.reason:
        conditions.put(told, REPLICA_FAILURE, status="True", reason=failure.reason, message=failure.message, now=now)


def _tell_head(told: conditions.Conditions, head: Object | None, now: str) -> None:
    found = pod_state.Readiness("False", "HeadPodNotFound", "Head Pod not found")
    if head is not None:
        found = pod_state.head_readiness(head)
    conditions.put(told, HEAD_READY, status=found.status, reason=found.reason, message=found.message, now=now)


def _tell_life(told: conditions.Conditions, of: Object, seen: Seen, now: str) -> None:
    """Provisioned for the first time, suspending, suspended."""

    def say(type_: str, status: str) -> None:
        conditions.put(told, type_, status=status, reason=type_, message="", now=now)

    def say_provisioning(message: str) -> None:
        conditions.put(told, PROVISIONED, status="False", reason="RayClusterPodsProvisioning", message=message, now=now)

    phase = suspend_status({"conditions": told})
    if not conditions.is_true(told, PROVISIONED) and phase != SUSPENDED:
        if pod_state.all_running(seen.pods):
            reason, message = "AllPodRunningAndReadyFirstTime", "All Ray Pods are ready for the first time"
            conditions.put(told, PROVISIONED, status="True", reason=reason, message=message, now=now)
        else:
            say_provisioning("RayCluster Pods are being provisioned for first time")
    if phase == SUSPENDING:
        if not seen.pods:
            say_provisioning("RayCluster has been suspended")
            say(SUSPENDING, "False")
            say(SUSPENDED, "True")
    elif phase == SUSPENDED:
        if of.get("suspend") is False:
            say(SUSPENDED, "False")
    else:
        say(SUSPENDED, "False")
        say(SUSPENDING, "True" if spec.suspended(of) else "False")


def _endpoints(services: Sequence[Object]) -> dict[str, str]:
    """Numbers of the head service's ports, by name: the node's port where it has one."""
    found = {}
    for port in (services[0]["spec"].get("ports") or []) if services else []:
        number = port.get("nodePort") or port.get("targetPort", port["port"])
        if port.get("name") and number:
            found[port["name"]] = str(number)
    return found


def _head(head: Object | None, services: Sequence[Object]) -> Object:
    """Names and addresses of the head and its service; a headless service has the address of its pod."""
    if len(services) != 1:
        raise ReconcileError("unable to find head service" if not services else "found multiple head services")
    service = services[0]
    pod_address = ((head or {}).get("status") or {}).get("podIP", "")
    own = service["spec"].get("clusterIP", "")
    if not own:
        raise ReconcileError("head service IP is empty")
    found = {
        "podIP": pod_address,
        "podName": head["metadata"]["name"] if head is not None else "",
        "serviceIP": pod_address if own == "None" else own,
        "serviceName": service["metadata"]["name"],
    }
    return {field: value for field, value in found.items() if value}
