"""What a wait is still waiting for, in one line: counts from the pods, and the reason that most of them share.

Source of the causes and their texts: what the operator, the scheduler and the kubelet were seen to write.
"""

from __future__ import annotations

from kubectl_ray.diagnose.pods import why
from kubectl_ray.views.table import NO_PERMISSION
from kubectl_ray.views.text import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_ray.models.cluster import Cluster
    from kubectl_ray.models.event import Event
    from kubectl_ray.models.pod import Pod
    from kubectl_ray.models.worker_group import Group

UNNOTICED = "the KubeRay operator to notice it"
REFUSALS = ("InvalidRayClusterSpec", "InvalidRayClusterMetadata")


def by_pods(cluster: Cluster, pods: list[Pod]) -> str | None:
    """What a cluster still lacks to be usable as its spec says, judged by its pods; None when nothing is missing."""
    if cluster.suspended:
        return _suspended(cluster)
    if not cluster.has_status and not pods:
        return UNNOTICED
    heads = [pod for pod in pods if pod.node_type == "head" and not pod.deleting]
    parts = [] if any(pod.ready for pod in heads) else [_head(cluster, heads)]
    for group in cluster.groups:
        lack = by_group(cluster, group, pods)
        if lack:
            parts.append(lack)
    return "; ".join(parts) or None


def by_head(cluster: Cluster, pods: list[Pod]) -> str | None:
    """What the head alone lacks, judged by its pods (there may be an old one that stops); None when it is ready."""
    if cluster.suspended:
        return _suspended(cluster)
    if not cluster.has_status and not pods:
        return UNNOTICED
    heads = [pod for pod in pods if not pod.deleting]
    return None if any(pod.ready for pod in heads) else _head(cluster, heads)


def by_group(cluster: Cluster, group: Group, pods: Iterable[Pod]) -> str | None:
    """What one group lacks: workers not ready yet, or workers too many that are not gone yet; None when it is right."""
    there = [pod for pod in pods if pod.group == group.name and pod.node_type == "worker"]
    alive = [pod for pod in there if not pod.deleting]
    ready = sum(pod.ready for pod in alive)
    surplus = len(there) - group.desired
    if ready >= group.desired and surplus > 0 and not cluster.autoscaling:
        return f"{count(surplus, 'worker')} of {group.name} to stop"
    if ready >= group.desired:
        return None
    reason = _shared(pod for pod in alive if not pod.ready)
    if not reason and len(alive) < group.desired:
        reason = _refused(cluster)
    words = f"{group.name} {ready}/{group.desired} ready"
    return f"{words} ({reason})" if reason else words


def _refused(cluster: Cluster) -> str:
    """Why no pod can be made, without the pod's name: each try has a new one, and would make a new line of progress."""
    pod, forbidden, why_not = cluster.replica_failure.partition(" is forbidden: ")
    return why_not if forbidden and pod.startswith("pods ") else cluster.replica_failure


def by_status(cluster: Cluster) -> str | None:
    """The same by the cluster's status alone, for a login that may not list pods; less exact, and said to be."""
    if cluster.suspended:
        return _suspended(cluster)
    parts = []
    if not cluster.head_ready:
        parts.append("the head")
    if cluster.ready_workers < cluster.desired_workers:
        parts.append(f"workers {cluster.ready_workers}/{cluster.desired_workers} ready")
    return f"{' and '.join(parts)} (why: {NO_PERMISSION} to list pods)" if parts else None


def going(cluster: Cluster, pods: list[Pod]) -> str:
    """A cluster that is being deleted: what keeps it."""
    if cluster.finalizers:
        return f"the clean-up of {cluster.name} ({', '.join(cluster.finalizers)})"
    return pods_going(pods) or f"{cluster.name} to go"


def pods_going(pods: list[Pod]) -> str | None:
    """Pods of a cluster that is gone: how many still stop; None when all are gone."""
    if not pods:
        return None
    return "the head to stop" if all(pod.node_type == "head" for pod in pods) else f"{len(pods)} nodes to stop"


def refusal(cluster: Cluster, events: Iterable[Event]) -> str:
    """The operator's own words when it refuses this cluster's spec, else empty."""
    refused = [event for event in events if event.reason in REFUSALS and event.uid in {"", cluster.uid}]
    return refused[-1].message if refused else ""


def _head(cluster: Cluster, heads: list[Pod]) -> str:
    reason = _shared(heads) if heads else _refused(cluster)
    return f"the head ({reason})" if reason else "the head"


def _suspended(cluster: Cluster) -> str:
    by = f" by {cluster.owner[0]} {cluster.owner[1]}" if cluster.owner else ""
    return f"the cluster to be resumed: it is suspended{by}"


def _shared(pods: Iterable[Pod]) -> str:
    """The reason that most of these pods give."""
    reasons = [reason for reason in map(why, pods) if reason]
    return max(sorted(set(reasons)), key=reasons.count) if reasons else ""
