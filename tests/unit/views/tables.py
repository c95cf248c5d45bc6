"""A table as it is printed, and recorded cases as models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.health import PodCount, count_pods
from kubectl_ray.models.pod import Pod
from kubectl_ray.views.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_ray.results import Column

CASES = (
    "ready", "multihost", "scaled-up", "group-removed", "suspended", "deleting", "autoscaler", "worker-quota",
    "workers-many-causes", "workers-crash", "head-imagepull", "head-cpu", "head-oom", "head-quota",
    "head-readiness-fails", "bad-minmax", "dup-groups",
)  # fmt: skip


def printed(columns: Iterable[Column], rows: Iterable[Any], *, wide: bool = False) -> str:
    """The table's text."""
    return "\n".join(Table(columns, wide=wide).lines(rows)) + "\n"


def cluster_of(case: dict[str, Any]) -> Cluster:
    """The recorded cluster."""
    return Cluster(case["cluster"])


def pods_of(case: dict[str, Any]) -> list[Pod]:
    """The recorded pods."""
    return [Pod(raw) for raw in case["pods"] or ()]


def count_of(case: dict[str, Any]) -> PodCount | None:
    """The counts of its pods; None where none were recorded."""
    if case["pods"] is None:
        return None
    cluster = cluster_of(case)
    return count_pods(case["pods"]).get((cluster.namespace, cluster.name), PodCount())


def now_of(case: dict[str, Any]) -> float:
    """Five minutes after the cluster was created."""
    return (cluster_of(case).created or 0.0) + 300
