"""One word for how a Ray cluster is, true at the moment it is asked.

==================  ====================================================================================================
`ready`             the head and every worker that the spec asks for are ready
`starting`          it was never whole yet, and nothing is known to be wrong
`scaling`           it was whole; workers are being added, replaced or taken away
`pending`           a pod waits because no machine has room for it
`degraded`          the head works; workers cannot start
`failing`           the head cannot start, or the operator cannot make its pod
`head-down`         it was whole, but its head is not ready now
`suspending`        it shall be suspended; pods are still there
`suspended`         it is suspended
`queued`            it is suspended because it waits in a queue of Kueue
`deleting`          it is being deleted
`not-picked-up`     no operator has written anything about it: none runs here, or it refused the spec
`<unknown>`         its pods were not looked at or are elsewhere, and its status is not about this spec
==================  ====================================================================================================

`status.state` and RayClusterProvisioned never go back, `readyWorkerReplicas` lags and counts pods of removed groups. So
what is ready is counted from pods, per group; a status is believed only where it was written for the present spec, or
where it says that the cluster was whole once.
"""

from __future__ import annotations

from kubectl_ray.models.pod import Pod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_ray.models.cluster import Cluster

READY = "ready"
STARTING = "starting"
SCALING = "scaling"
PENDING = "pending"
DEGRADED = "degraded"
FAILING = "failing"
HEAD_DOWN = "head-down"
SUSPENDING = "suspending"
SUSPENDED = "suspended"
QUEUED = "queued"
DELETING = "deleting"
NOT_PICKED_UP = "not-picked-up"
UNKNOWN = "<unknown>"
WORDS = (
    READY, STARTING, SCALING, PENDING, DEGRADED, FAILING, HEAD_DOWN,
    SUSPENDING, SUSPENDED, QUEUED, DELETING, NOT_PICKED_UP, UNKNOWN,
)  # fmt: skip

NEW = 15.0  # seconds in which a cluster without any status is simply new

UNSCHEDULABLE = "Unschedulable"
# Reasons of HeadPodReady that mean "on its way".
_HEAD_ON_THE_WAY = {
    "", "Unknown", "HeadPodNotFound", "ContainerCreating", "PodInitializing", "ContainersNotReady", "PodRunning",
    "HeadPodRunningAndReady", "RayClusterPodsProvisioning",
}  # fmt: skip


class PodCount:
    """What is kept of all pods of one cluster: counts, and the first reason that something gives for not starting."""

    __slots__ = ("head_pods", "head_ready", "head_trouble", "ready", "stopping", "there", "trouble")

    def __init__(self) -> None:
        self.head_ready = False
        self.head_pods = 0
        self.stopping = 0
        self.head_trouble = ""
        self.trouble = ""  # of a worker
        self.ready: dict[str, int] = {}  # by group
        self.there: dict[str, int] = {}  # by group, those being stopped left out

    @property
    def pods(self) -> int:
        """All that are there, those being stopped too."""
        return self.head_pods + self.stopping + sum(self.there.values())

    def add(self, pod: Pod) -> None:
        """Count one pod."""
        head = pod.node_type == "head"
        if not head and pod.node_type != "worker":
            return  # a clean-up job's
        if pod.deleting:
            self.stopping += 1  # a suspended cluster is only suspended when these are gone
            return
        trouble = pod.waiting_reason or (UNSCHEDULABLE if pod.phase == "Pending" and pod.unschedulable else "")
        if head:
            self.head_pods += 1
            self.head_ready = self.head_ready or pod.ready
            self.head_trouble = self.head_trouble or trouble
            return
        group = pod.group
        self.there[group] = self.there.get(group, 0) + 1
        self.ready[group] = self.ready.get(group, 0) + pod.ready
        if not self.trouble or self.trouble == UNSCHEDULABLE:
            self.trouble = trouble or self.trouble


def count_pods(pods: Iterable[object]) -> dict[tuple[str, str], PodCount]:
    """Counts by (namespace, cluster), from raw pods as they stream in; none of them is kept."""
    counts: dict[tuple[str, str], PodCount] = {}
    for raw in pods:
        pod = Pod(raw)
        key = (pod.namespace, pod.cluster)
        count = counts.get(key)
        if count is None:
            count = counts[key] = PodCount()
        count.add(pod)
    return counts


class Claims:
    """What is kept of a cluster to judge it later, when its pods are counted: a few numbers and words."""

    __slots__ = (
        "agrees", "autoscaling", "created", "deleting", "desired", "elsewhere", "groups", "has_status", "head_ready",
        "head_reason", "provisioned", "queued", "ready_workers", "replica_failure", "suspend", "suspended",
    )  # fmt: skip

    def __init__(self, cluster: Cluster) -> None:
        self.groups = tuple((group.name, group.desired) for group in cluster.groups)
        self.desired = sum(desired for _, desired in self.groups)
        self.created = cluster.created
        self.deleting = cluster.deleting
        self.suspend = cluster.suspended
        self.queued = bool(cluster.queue)
        self.elsewhere = cluster.managed_elsewhere
        self.autoscaling = cluster.autoscaling
        self.has_status = cluster.has_status
        self.agrees = cluster.agrees
        self.ready_workers = cluster.ready_workers
        self.head_ready = self.provisioned = self.suspended = False
        self.head_reason = self.replica_failure = ""
        conditions = cluster.conditions
        for condition in conditions:
            if condition.type == "HeadPodReady":
                self.head_ready = condition.status == "True"
                self.head_reason = condition.reason
            elif condition.type == "RayClusterProvisioned":
                self.provisioned = condition.status == "True"
            elif condition.type == "RayClusterSuspended":
                self.suspended = condition.status == "True"
            elif condition.type == "ReplicaFailure" and condition.status == "True":
                self.replica_failure = condition.reason
        if not conditions:  # an operator with the conditions switched off
            self.provisioned = cluster.state == "ready"
            self.suspended = cluster.state == "suspended"
            self.head_ready = bool(cluster.head_ip)

    def ready(self, count: PodCount | None) -> int | None:
        """Ready workers of the groups that the spec has; None when nobody can say."""
        if count is not None and not (self.elsewhere and self.agrees):
            return sum(count.ready.get(name, 0) for name in {name for name, _ in self.groups})
        return self.ready_workers if self.agrees else None


def judge(claims: Claims, count: PodCount | None, now: float) -> tuple[str, str]:
    """(one of WORDS, the reason in a word or ""), from what the spec asks for and the pods, or without pods (None).

    `now` is epoch seconds.
    """
    if claims.elsewhere and claims.agrees:
        count = None  # its pods run in another Kubernetes cluster; the status is copied from there
    if claims.deleting:
        return (DELETING, "")
    if claims.suspend:
        gone = count.pods == 0 if count is not None and claims.has_status else claims.suspended
        if not gone and claims.has_status:
            return (SUSPENDING, "")
        return (QUEUED if claims.queued else SUSPENDED, "")
    if not claims.has_status and (count is None or count.pods == 0):
        if claims.elsewhere:
            return (UNKNOWN, "")
        new = claims.created is not None and now - claims.created < NEW
        return (STARTING if new else NOT_PICKED_UP, "")
    return _by_pods(claims, count) if count is not None else _by_status(claims)


def _by_pods(claims: Claims, count: PodCount) -> tuple[str, str]:
    if not count.head_ready:
        return _without_head(claims, count.head_trouble or ("" if count.head_pods else claims.replica_failure))
    if all(count.ready.get(name, 0) >= desired for name, desired in claims.groups):
        surplus = any(count.there.get(name, 0) > desired for name, desired in claims.groups)
        return (SCALING if surplus and not claims.autoscaling else READY, "")
    missing = any(count.there.get(name, 0) < desired for name, desired in claims.groups)
    return _without_workers(claims, count.trouble or (claims.replica_failure if missing else ""))


def _without_head(claims: Claims, trouble: str) -> tuple[str, str]:
    if claims.provisioned:
        return (HEAD_DOWN, trouble)
    if trouble == UNSCHEDULABLE:
        return (PENDING, trouble)
    return (FAILING if trouble else STARTING, trouble)


def _without_workers(claims: Claims, trouble: str) -> tuple[str, str]:
    if trouble == UNSCHEDULABLE:
        return (PENDING, trouble)
    if trouble:
        return (DEGRADED, trouble)
    return (SCALING if claims.provisioned else STARTING, "")


def _by_status(claims: Claims) -> tuple[str, str]:
    if not claims.agrees:
        return (UNKNOWN, "")
    if not claims.head_ready:
        trouble = "" if claims.head_reason in _HEAD_ON_THE_WAY else claims.head_reason
        return _without_head(claims, trouble or claims.replica_failure)
    if claims.ready_workers >= claims.desired:
        return (READY, "")
    return _without_workers(claims, claims.replica_failure)
