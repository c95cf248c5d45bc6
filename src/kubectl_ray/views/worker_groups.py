"""`cluster worker-group list`: one row a worker group."""

from __future__ import annotations

from kubectl_ray.results import Column
from kubectl_ray.views.clusters import LABELS
from kubectl_ray.views.table import NO_PERMISSION, NONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_ray.models.cluster import Cluster
    from kubectl_ray.models.health import PodCount
    from kubectl_ray.models.worker_group import Group


class Row:
    """A group's row. `count` is that of its cluster's pods; None where nobody counted, or may (`denied`)."""

    __slots__ = (
        "_claimed",
        "_desired",
        "autoscaling",
        "cluster",
        "count",
        "cpus",
        "denied",
        "gpus",
        "hosts",
        "image",
        "labels",
        "maximum",
        "memory",
        "minimum",
        "name",
        "namespace",
        "suspended",
        "tpus",
    )

    def __init__(self, cluster: Cluster, group: Group, count: PodCount | None = None, *, denied: bool = False) -> None:
        self.count = count
        self.denied = denied
        self.name = group.name
        self.cluster = cluster.name
        self.namespace = cluster.namespace
        self.labels = cluster.labels
        self.autoscaling = cluster.autoscaling
        self.suspended = group.suspended or cluster.suspended
        self._desired = group.desired
        # A status counts over all groups: with a single one, that is this one.
        self._claimed = cluster.ready_workers if len(cluster.groups) == 1 and cluster.agrees else None
        self.minimum = str(group.minimum)
        self.maximum = str(group.maximum) if group.bounded else NONE
        self.hosts = str(group.hosts)
        self.image = group.image or NONE
        sizes = group.sizes
        self.cpus = sizes.cpus
        self.gpus = sizes.gpus
        self.tpus = sizes.tpus
        self.memory = sizes.memory_text

    @property
    def workers(self) -> str:
        """Ready of desired, as in `cluster list`."""
        if self.count is not None:
            return f"{self.count.ready.get(self.name, 0)}/{self._desired}"
        if self._claimed is not None:
            return f"{self._claimed}/{self._desired}"
        return NO_PERMISSION if self.denied else f"?/{self._desired}"


def rows(cluster: Cluster, count: PodCount | None = None, *, denied: bool = False) -> Iterator[Row]:
    """A row for each group of a cluster, in its own order."""
    return (Row(cluster, group, count, denied=denied) for group in cluster.groups)


COLUMNS = (
    Column("NAME", lambda row: row.name),
    Column("CLUSTER", lambda row: row.cluster),
    Column("WORKERS", lambda row: row.workers),
    Column("MIN", lambda row: row.minimum),
    Column("MAX", lambda row: row.maximum),
    Column("CPUS", lambda row: row.cpus),
    Column("GPUS", lambda row: row.gpus),
    Column("TPUS", lambda row: row.tpus),
    Column("MEMORY", lambda row: row.memory),
    Column("HOSTS", lambda row: row.hosts, wide=True),
    Column("AUTOSCALER", lambda row: "yes" if row.autoscaling else "no", wide=True),
    Column("SUSPENDED", lambda row: "yes" if row.suspended else "no", wide=True),
    Column("IMAGE", lambda row: row.image, wide=True),
)
NAMESPACE = Column("NAMESPACE", lambda row: row.namespace)


def columns(*, all_namespaces: bool = False, show_labels: bool = False) -> tuple[Column, ...]:
    """The table's columns: with `-A` the namespace in front, with `--show-labels` the cluster's labels behind."""
    return (*([NAMESPACE] if all_namespaces else []), *COLUMNS, *([LABELS] if show_labels else []))
