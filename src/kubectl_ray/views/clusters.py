"""`cluster list` and `cluster get`: one row a cluster, holding its cells and a few numbers, never the object."""

from __future__ import annotations

from kubectl_ray.models.age import since
from kubectl_ray.models.health import Claims, judge
from kubectl_ray.results import Column
from kubectl_ray.views.table import NO_PERMISSION, NONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubectl_ray.models.cluster import Cluster
    from kubectl_ray.models.health import PodCount


class Row:
    """A cluster's row. Its pods may be counted after it was made: set `count`, or `denied` where they may not be seen.

    `now` is epoch seconds.
    """

    __slots__ = (
        "_judged",
        "autoscaling",
        "claims",
        "count",
        "cpus",
        "creator",
        "denied",
        "gpus",
        "head_ip",
        "image",
        "labels",
        "memory",
        "name",
        "namespace",
        "now",
        "owner",
        "ray_version",
        "tpus",
    )

    def __init__(self, cluster: Cluster, now: float, count: PodCount | None = None, *, denied: bool = False) -> None:
        self.now = now
        self.count = count
        self.denied = denied
        self.claims = Claims(cluster)
        self._judged: tuple[PodCount | None, tuple[str, str]] | None = None
        self.name = cluster.name
        self.namespace = cluster.namespace
        sizes = cluster.sizes
        self.cpus = sizes.cpus
        self.gpus = sizes.gpus
        self.tpus = sizes.tpus
        self.memory = sizes.memory_text
        self.ray_version = cluster.ray_version or NONE
        self.image = cluster.image or NONE
        self.head_ip = cluster.head_ip or NONE
        self.creator = cluster.creator or NONE
        owner = cluster.owner
        self.owner = "/".join(owner) if owner else NONE
        self.autoscaling = cluster.autoscaling
        self.labels = cluster.labels

    def _judgement(self) -> tuple[str, str]:
        if self._judged is None or self._judged[0] is not self.count:
            self._judged = (self.count, judge(self.claims, self.count, self.now))
        return self._judged[1]

    @property
    def status(self) -> str:
        """One of `models.health.WORDS`."""
        return self._judgement()[0]

    @property
    def reason(self) -> str:
        """Why it is not ready, in Kubernetes' own word, or `<none>`."""
        return self._judgement()[1] or NONE

    @property
    def workers(self) -> str:
        """Ready of desired: `3/5`; `?/5` where nobody counted, `<no permission>` where nobody may."""
        ready = self.claims.ready(self.count)
        if ready is None:
            return NO_PERMISSION if self.denied else f"?/{self.claims.desired}"
        return f"{ready}/{self.claims.desired}"

    @property
    def groups(self) -> str:
        """Each group with ready of desired."""
        if not self.claims.groups:
            return NONE
        if self.count is None:
            return ",".join(f"{name}:{desired}" for name, desired in self.claims.groups)
        ready = self.count.ready
        return ",".join(f"{name}:{ready.get(name, 0)}/{desired}" for name, desired in self.claims.groups)

    @property
    def age(self) -> str:
        """Since it was created."""
        return since(self.claims.created, self.now)


def labels_text(labels: dict[str, str]) -> str:
    """Labels in one cell, as kubectl's `--show-labels`."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or NONE


COLUMNS = (
    Column("NAME", lambda row: row.name),
    Column("STATUS", lambda row: row.status),
    Column("WORKERS", lambda row: row.workers),
    Column("CPUS", lambda row: row.cpus),
    Column("GPUS", lambda row: row.gpus),
    Column("TPUS", lambda row: row.tpus),
    Column("MEMORY", lambda row: row.memory),
    Column("RAY VERSION", lambda row: row.ray_version),
    Column("AGE", lambda row: row.age),
    Column("REASON", lambda row: row.reason, wide=True),
    Column("GROUPS", lambda row: row.groups, wide=True),
    Column("AUTOSCALER", lambda row: "yes" if row.autoscaling else "no", wide=True),
    Column("IMAGE", lambda row: row.image, wide=True),
    Column("HEAD IP", lambda row: row.head_ip, wide=True),
    Column("OWNER", lambda row: row.owner, wide=True),
    Column("CREATOR", lambda row: row.creator, wide=True),
)
NAMESPACE = Column("NAMESPACE", lambda row: row.namespace)
LABELS = Column("LABELS", lambda row: labels_text(row.labels))


def columns(*, all_namespaces: bool = False, show_labels: bool = False) -> tuple[Column, ...]:
    """The table's columns: with `-A` the namespace in front, with `--show-labels` the labels behind."""
    return (*([NAMESPACE] if all_namespaces else []), *COLUMNS, *([LABELS] if show_labels else []))
