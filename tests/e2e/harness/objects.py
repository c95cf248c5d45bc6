"""Ray clusters that cost nothing: written by hand, without pods, so that a case need not wait for Ray."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

UNTOUCHED = "kueue.x-k8s.io/multikueue"
"""`spec.managedBy` that keeps the operator off a cluster."""


def container(name: str, **more: Any) -> Object:
    """A container of a Ray node with the least that the API asks for; `more` are its requests and limits."""
    return {"name": name, "image": "rayproject/ray:2.52.0", **({"resources": more} if more else {})}


def group(
    name: str, replicas: int = 1, *, minimum: int | None = None, maximum: int | None = None, **more: Any
) -> Object:
    """A worker group; `more` goes to the group itself."""
    limits = {key: value for key, value in (("minReplicas", minimum), ("maxReplicas", maximum)) if value is not None}
    requests = {"cpu": "1", "memory": "2Gi", "nvidia.com/gpu": "1"}
    worker = container("ray-worker", requests=requests, limits={"memory": "2Gi", "nvidia.com/gpu": "1"})
    return {
        "groupName": name,
        "replicas": replicas,
        **limits,
        "rayStartParams": {},
        "template": {"spec": {"containers": [worker]}},
        **more,
    }


def raycluster(name: str, *groups: Object, metadata: Object | None = None, **spec: Any) -> Object:
    """A RayCluster with a head of 1 CPU and 2Gi and these groups; `spec` overrides what is made here."""
    head = container("ray-head", requests={"cpu": "1", "memory": "2Gi"}, limits={"memory": "2Gi"})
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayCluster",
        "metadata": {"name": name, **(metadata or {})},
        "spec": {
            "rayVersion": "2.52.0",
            "headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [head]}}},
            "workerGroupSpecs": list(groups),
            **spec,
        },
    }


def suspended(name: str, *groups: Object, **more: Any) -> Object:
    """A RayCluster that is suspended: the operator knows it, and makes no pods."""
    return raycluster(name, *(groups or (group("default-worker-group"),)), suspend=True, **more)


def untouched(name: str, *groups: Object, **more: Any) -> Object:
    """A RayCluster that the operator never looks at; Kueue seems to own it."""
    return raycluster(name, *(groups or (group("default-worker-group"),)), managedBy=UNTOUCHED, **more)


def owner(kind: str, name: str) -> Object:
    """A RayJob or RayService that makes nothing: suspended, or with a cluster that is."""
    inner = raycluster(name, group("g", 0))["spec"]
    spec: Object = {"rayClusterSpec": inner, "entrypoint": "true", "suspend": True}
    if kind == "RayService":
        spec = {"rayClusterConfig": {**inner, "suspend": True}, "serveConfigV2": "applications: []"}
    return {"apiVersion": "ray.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def reference(owning: Object) -> Object:
    """An entry of `ownerReferences` for an object as the API server has it."""
    named = {key: owning["metadata"][key] for key in ("name", "uid")}
    return {"apiVersion": owning["apiVersion"], "kind": owning["kind"], **named, "controller": True}
