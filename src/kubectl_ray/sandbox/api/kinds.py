"""The kinds that the sandbox serves, as one table."""

from __future__ import annotations

from dataclasses import dataclass

READ = ("get", "list", "watch")
ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
RAY = "ray.io"
RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class Kind:
    """One kind of object: what discovery says of it, and where it is served."""

    group: str
    version: str
    name: str
    plural: str
    short: tuple[str, ...] = ()
    namespaced: bool = True
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL

    @property
    def api_version(self) -> str:
        """`v1`, or `ray.io/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        """The name in lower case, as discovery has it."""
        return self.name.lower()

    @property
    def resource(self) -> str:
        """`rayclusters.ray.io`, or `pods`: as errors name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str = "", name: str = "") -> str:
        """Its URL path, of the collection where no name is given."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        inside = f"/namespaces/{namespace}" if namespace else ""
        return f"{root}{inside}/{self.plural}" + (f"/{name}" if name else "")


NAMESPACES = Kind("", "v1", "Namespace", "namespaces", ("ns",), namespaced=False, subresources=("status", "finalize"))
NODES = Kind("", "v1", "Node", "nodes", ("no",), namespaced=False, subresources=("status",))
PODS = Kind(
    "",
    "v1",
    "Pod",
    "pods",
    ("po",),
    categories=("all",),
    subresources=("attach", "binding", "eviction", "exec", "log", "portforward", "proxy", "status"),
)
SERVICES = Kind("", "v1", "Service", "services", ("svc",), categories=("all",), subresources=("proxy", "status"))
EVENTS = Kind("", "v1", "Event", "events", ("ev",))
SECRETS = Kind("", "v1", "Secret", "secrets")
CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps", ("cm",))
SERVICE_ACCOUNTS = Kind("", "v1", "ServiceAccount", "serviceaccounts", ("sa",), subresources=("token",))
RESOURCE_QUOTAS = Kind("", "v1", "ResourceQuota", "resourcequotas", ("quota",), subresources=("status",))
LIMIT_RANGES = Kind("", "v1", "LimitRange", "limitranges", ("limits",))
CLAIMS = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", ("pvc",), subresources=("status",))
NEW_EVENTS = Kind("events.k8s.io", "v1", "Event", "events", ("ev",))
ENDPOINT_SLICES = Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
JOBS = Kind("batch", "v1", "Job", "jobs", categories=("all",), subresources=("status",))
ROLES = Kind(RBAC, "v1", "Role", "roles")
ROLE_BINDINGS = Kind(RBAC, "v1", "RoleBinding", "rolebindings")
CLUSTER_ROLES = Kind(RBAC, "v1", "ClusterRole", "clusterroles", namespaced=False)
CLUSTER_ROLE_BINDINGS = Kind(RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False)
PRIORITY_CLASSES = Kind("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", ("pc",), namespaced=False)
CRDS = Kind(
    "apiextensions.k8s.io",
    "v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
    ("crd", "crds"),
    namespaced=False,
    categories=("api-extensions",),
    subresources=("status",),
)
DEPLOYMENTS = Kind("apps", "v1", "Deployment", "deployments", ("deploy",), categories=("all",), verbs=READ)
RAY_CLUSTERS = Kind(RAY, "v1", "RayCluster", "rayclusters", categories=("all",), subresources=("status",))
RAY_JOBS = Kind(RAY, "v1", "RayJob", "rayjobs", categories=("all",), subresources=("status",))
RAY_SERVICES = Kind(RAY, "v1", "RayService", "rayservices", categories=("all",), subresources=("status",))

KINDS = (
    NAMESPACES,
    NODES,
    PODS,
    SERVICES,
    EVENTS,
    SECRETS,
    CONFIG_MAPS,
    SERVICE_ACCOUNTS,
    RESOURCE_QUOTAS,
    LIMIT_RANGES,
    CLAIMS,
    NEW_EVENTS,
    ENDPOINT_SLICES,
    JOBS,
    ROLES,
    ROLE_BINDINGS,
    CLUSTER_ROLES,
    CLUSTER_ROLE_BINDINGS,
    PRIORITY_CLASSES,
    CRDS,
    DEPLOYMENTS,
    RAY_CLUSTERS,
    RAY_JOBS,
    RAY_SERVICES,
)

_BY_PATH = {(kind.group, kind.version, kind.plural): kind for kind in KINDS}
_BY_NAME = {(kind.api_version, kind.name): kind for kind in KINDS}


def by_path(group: str, version: str, plural: str) -> Kind | None:
    """The kind that is served at such a path; None when there is none."""
    return _BY_PATH.get((group, version, plural))


def by_name(api_version: str, name: str) -> Kind | None:
    """The kind that an object or an owner reference names; None when it is not served."""
    return _BY_NAME.get((api_version, name))
