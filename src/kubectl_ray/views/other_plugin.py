"""The tables and lines of KubeRay's Go plugin behind its own words (`get cluster|workergroup|node`): scripts read them.

Its columns and values are kept as they are, also where ours tell the truth better: everything of a cluster is read off
its status, and a group's desired number is not kept within its limits. Only what would make it crash is left out.
"""

from __future__ import annotations

from kubectl_ray.models.age import since
from kubectl_ray.models.fields import dig, mapping, mappings, text, whole
from kubectl_ray.models.quantity import amount, canonical, is_binary
from kubectl_ray.models.sizes import TPU
from kubectl_ray.results import Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_ray.models.cluster import Cluster
    from kubectl_ray.models.pod import Pod
    from kubectl_ray.models.worker_group import Group

GPU = "nvidia.com/gpu"
CONDITIONS = ("RayClusterProvisioned", "HeadPodReady", "ReplicaFailure", "RayClusterSuspended", "RayClusterSuspending")


def _quantity(value: object) -> str:
    return canonical(amount(value), binary=is_binary(value))


class ClusterRow:
    """A row of `get cluster`."""

    __slots__ = (
        "age",
        "available",
        "condition",
        "cpus",
        "desired",
        "gpus",
        "memory",
        "name",
        "namespace",
        "state",
        "tpus",
    )

    def __init__(self, cluster: Cluster, now: float) -> None:
        status = cluster.status
        self.name = cluster.name
        self.namespace = cluster.namespace
        self.desired = str(cluster.claimed_workers)
        self.available = str(whole(status.get("availableWorkerReplicas")) or 0)
        self.cpus = _quantity(status.get("desiredCPU"))
        self.gpus = _quantity(status.get("desiredGPU"))
        self.tpus = _quantity(status.get("desiredTPU"))
        self.memory = _quantity(status.get("desiredMemory"))
        holding = {condition.type for condition in cluster.conditions if condition.status == "True"}
        self.condition = next((type_ for type_ in CONDITIONS if type_ in holding), "")
        self.state = cluster.state
        self.age = since(cluster.created, now)


CLUSTER_COLUMNS = (
    Column("NAME", lambda row: row.name),
    Column("NAMESPACE", lambda row: row.namespace),
    Column("DESIRED WORKERS", lambda row: row.desired),
    Column("AVAILABLE WORKERS", lambda row: row.available),
    Column("CPUS", lambda row: row.cpus),
    Column("GPUS", lambda row: row.gpus),
    Column("TPUS", lambda row: row.tpus),
    Column("MEMORY", lambda row: row.memory),
    Column("CONDITION", lambda row: row.condition),
    Column("STATUS", lambda row: row.state),
    Column("AGE", lambda row: row.age),
)


def cluster_not_found(name: str, namespace: str) -> str:
    """Its words; namespace "" is all of them."""
    return f"Ray cluster {name} not found {_in_namespace(namespace)}"


class GroupRow:
    """A row of `get workergroup`. `ready` are the group's pods that run and are ready."""

    __slots__ = ("cluster", "cpus", "gpus", "maximum", "memory", "minimum", "name", "namespace", "replicas", "tpus")

    def __init__(self, cluster: Cluster, group: Group, ready: int) -> None:
        self.name = group.name
        self.namespace = cluster.namespace
        self.cluster = cluster.name
        self.minimum = str(group.minimum)
        self.maximum = str(group.maximum)
        self.replicas = f"{ready}/{group.replicas}"
        times = 0 if group.suspended else group.replicas
        self.cpus = _total(group, "cpu", times)
        self.gpus = _total(group, GPU, times)
        self.tpus = _total(group, TPU, times)
        self.memory = _total(group, "memory", times)


def _total(group: Group, resource: str, times: int) -> str:
    """A resource of all containers (request, else limit), times the replicas, in the unit of the first container."""
    values = []
    for container in mappings(group.template.get("containers")):
        resources = container.get("resources")
        asked = mapping(dig(resources, "limits")) | mapping(dig(resources, "requests"))
        if asked.get(resource) is not None:
            values.append(asked[resource])
    total = sum(map(amount, values)) * times
    return canonical(total, binary=bool(values) and is_binary(values[0]))


_GROUP_COLUMNS = (
    Column("NAME", lambda row: row.name),
    Column("MIN", lambda row: row.minimum),
    Column("MAX", lambda row: row.maximum),
    Column("REPLICAS", lambda row: row.replicas),
    Column("CPUS", lambda row: row.cpus),
    Column("GPUS", lambda row: row.gpus),
    Column("TPUS", lambda row: row.tpus),
    Column("MEMORY", lambda row: row.memory),
    Column("CLUSTER", lambda row: row.cluster),
)


def ready_by_group(pods: Iterable[Pod]) -> dict[tuple[str, str, str], int]:
    """Pods that run and are Ready by (namespace, cluster, group): as it counts, but from one LIST, not one a group."""
    found: dict[tuple[str, str, str], int] = {}
    for pod in pods:
        if pod.node_type == "worker" and pod.phase == "Running" and pod.condition("Ready") == "True":
            key = (pod.namespace, pod.cluster, pod.group)
            found[key] = found.get(key, 0) + 1
    return found


def group_rows(cluster: Cluster, ready: dict[tuple[str, str, str], int], name: str | None = None) -> Iterator[GroupRow]:
    """The rows of a cluster's groups, or of those called `name`."""
    for group in cluster.groups:
        if name is None or group.name == name:
            yield GroupRow(cluster, group, ready.get((cluster.namespace, cluster.name, group.name), 0))


def group_columns(*, all_namespaces: bool) -> tuple[Column, ...]:
    """The columns of `get workergroup`."""
    return (_NAMESPACE, *_GROUP_COLUMNS) if all_namespaces else _GROUP_COLUMNS


def group_not_found(name: str, namespace: str, cluster: str | None) -> str:
    """Its words; namespace "" is all of them, no cluster is any."""
    return f"Ray worker group {name} not found {_in_namespace(namespace)} {_in_cluster(cluster)}"


class NodeRow:
    """A row of `get node`: the requests of the first container, nothing of the pod's state."""

    __slots__ = ("age", "cluster", "cpus", "gpus", "group", "memory", "name", "namespace", "tpus", "type")

    def __init__(self, pod: Pod, now: float) -> None:
        containers = mappings(pod.spec.get("containers"))
        requests = mapping(dig(containers[0], "resources", "requests")) if containers else {}
        self.name = pod.name
        self.namespace = pod.namespace
        self.cpus = _quantity(requests.get("cpu"))
        self.gpus = _quantity(requests.get(GPU))
        self.tpus = _quantity(requests.get(TPU))
        self.memory = _quantity(requests.get("memory"))
        self.cluster = pod.cluster
        self.type = pod.node_type
        self.group = text(pod.group)
        self.age = since(pod.created, now)


_NODE_COLUMNS = (
    Column("NAME", lambda row: row.name),
    Column("CPUS", lambda row: row.cpus),
    Column("GPUS", lambda row: row.gpus),
    Column("TPUS", lambda row: row.tpus),
    Column("MEMORY", lambda row: row.memory),
    Column("CLUSTER", lambda row: row.cluster),
    Column("TYPE", lambda row: row.type),
    Column("WORKER GROUP", lambda row: row.group),
    Column("AGE", lambda row: row.age),
)
_NAMESPACE = Column("NAMESPACE", lambda row: row.namespace)


def node_columns(*, all_namespaces: bool) -> tuple[Column, ...]:
    """The columns of `get node`."""
    return (_NAMESPACE, *_NODE_COLUMNS) if all_namespaces else _NODE_COLUMNS


def node_not_found(name: str, namespace: str, cluster: str | None) -> str:
    """Its words; namespace "" is all of them, no cluster is any."""
    return f"Ray node {name} not found {_in_namespace(namespace)} {_in_cluster(cluster)}"


def _in_namespace(namespace: str) -> str:
    return f"in namespace {namespace}" if namespace else "in any namespace"


def _in_cluster(cluster: str | None) -> str:
    return f"in Ray cluster {cluster}" if cluster else "in any Ray cluster"
