"""Small RayClusters for tests of the operator."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

NAMESPACE = "n"


def container(name: str = "ray-head", **fields: object) -> Object:
    """A container of Ray."""
    return {"name": name, "image": "ray:2.52.0", **fields}


def group(name: str = "wg", *, pod: Object | None = None, **fields: object) -> Object:
    """A worker group with the defaults that the API server puts in."""
    template = {"spec": pod or {"containers": [container("ray-worker")]}}
    defaults = {"replicas": 1, "minReplicas": 0, "maxReplicas": 3, "numOfHosts": 1}
    return {"groupName": name, **defaults, "template": template, **fields}


def cluster(
    *groups: Object, name: str = "c", head: Object | None = None, pod: Object | None = None, **spec: object
) -> Object:
    """A RayCluster as the store has it; `head` is of headGroupSpec, `pod` its template's spec."""
    template = {"spec": pod or {"containers": [container()]}}
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayCluster",
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": "u1", "generation": 1},
        "spec": {"headGroupSpec": {"template": template, **(head or {})}, "workerGroupSpecs": list(groups), **spec},
    }


def with_metadata(of: Object, **fields: object) -> Object:
    """The same with these fields in its metadata."""
    return {**of, "metadata": {**of["metadata"], **fields}}


def variables(of: Object) -> dict[str, Any]:
    """A container's environment."""
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in of.get("env", [])}
