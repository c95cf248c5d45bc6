"""The resources that this plugin asks the API server for; known beforehand, so that no discovery is needed."""

from __future__ import annotations


class Resource:
    """One resource of the Kubernetes API: enough to build its paths and to name it in a message."""

    __slots__ = ("api_version", "group", "kind", "namespaced", "plural", "version")

    def __init__(self, group: str, version: str, plural: str, kind: str, *, namespaced: bool = True) -> None:
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.namespaced = namespaced
        self.api_version = f"{group}/{version}" if group else version

    def __repr__(self) -> str:
        return f"Resource({self.plural}.{self.api_version})"

    @property
    def singular(self) -> str:
        """As kubectl names it in `-o name`: `raycluster`, `pod`."""
        return self.kind.lower()

    @property
    def full_name(self) -> str:
        """As kubectl names it with its group: `raycluster.ray.io`, `pod`."""
        return f"{self.singular}.{self.group}" if self.group else self.singular

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The path below the server's address; without a namespace, over all of them."""
        parts = ["/apis", self.group, self.version] if self.group else ["/api", self.version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        parts += [part for part in (name, subresource) if part]
        return "/".join(parts)


RAYCLUSTERS = Resource("ray.io", "v1", "rayclusters", "RayCluster")
RAYJOBS = Resource("ray.io", "v1", "rayjobs", "RayJob")
RAYSERVICES = Resource("ray.io", "v1", "rayservices", "RayService")
PODS = Resource("", "v1", "pods", "Pod")
EVENTS = Resource("", "v1", "events", "Event")
SERVICES = Resource("", "v1", "services", "Service")
SECRETS = Resource("", "v1", "secrets", "Secret")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
