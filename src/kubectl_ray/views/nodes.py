"""`cluster nodes`: one row a Ray node, which is a pod: the head or a worker."""

from __future__ import annotations

from kubectl_ray.models.age import since
from kubectl_ray.results import Column
from kubectl_ray.views.clusters import labels_text
from kubectl_ray.views.table import NONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubectl_ray.models.pod import Pod


class Row:
    """A node's row: its cells only."""

    __slots__ = (
        "age",
        "cluster",
        "cpus",
        "gpus",
        "group",
        "ip",
        "labels",
        "machine",
        "memory",
        "name",
        "namespace",
        "ready",
        "restarts",
        "status",
        "tpus",
        "type",
    )

    def __init__(self, pod: Pod, now: float) -> None:
        self.name = pod.name
        self.namespace = pod.namespace
        self.cluster = pod.cluster
        self.type = pod.node_type
        self.group = pod.group if pod.node_type == "worker" else NONE
        self.status = pod.status_text
        self.ready = pod.ready_text
        self.restarts = pod.restarts_text(now)
        sizes = pod.sizes
        self.cpus = sizes.cpus
        self.gpus = sizes.gpus
        self.tpus = sizes.tpus
        self.memory = sizes.memory_text
        self.age = since(pod.created, now)
        self.machine = pod.node or NONE
        self.ip = pod.ip or NONE
        self.labels = pod.labels


def order(row: Row) -> tuple[str, str, bool, str, str]:
    """Heads before workers, workers by group; for sorting."""
    return (row.namespace, row.cluster, row.type != "head", row.group, row.name)


COLUMNS = (
    Column("NAME", lambda row: row.name),
    Column("TYPE", lambda row: row.type),
    Column("GROUP", lambda row: row.group),
    Column("STATUS", lambda row: row.status),
    Column("READY", lambda row: row.ready),
    Column("RESTARTS", lambda row: row.restarts),
    Column("CPUS", lambda row: row.cpus),
    Column("GPUS", lambda row: row.gpus),
    Column("TPUS", lambda row: row.tpus),
    Column("MEMORY", lambda row: row.memory),
    Column("AGE", lambda row: row.age),
    Column("IP", lambda row: row.ip, wide=True),
    Column("MACHINE", lambda row: row.machine, wide=True),
)
CLUSTER = Column("CLUSTER", lambda row: row.cluster)
NAMESPACE = Column("NAMESPACE", lambda row: row.namespace)
LABELS = Column("LABELS", lambda row: labels_text(row.labels))


def columns(
    *, all_namespaces: bool = False, several_clusters: bool = False, show_labels: bool = False
) -> tuple[Column, ...]:
    """The table's columns: the cluster after the name where there may be several, the namespace in front with `-A`."""
    name, *others = COLUMNS
    return (
        *([NAMESPACE] if all_namespaces else []),
        name,
        *([CLUSTER] if several_clusters or all_namespaces else []),
        *others,
        *([LABELS] if show_labels else []),
    )
