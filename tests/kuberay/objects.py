"""Objects as KubeRay makes them, with no more in them than a command looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RAY = "2.52.0"
IMAGE = f"rayproject/ray:{RAY}"


def _template(cpu: str, memory: str, gpus: int) -> dict[str, Any]:
    asked = {"cpu": cpu, "memory": memory} | ({"nvidia.com/gpu": str(gpus)} if gpus else {})
    return {"spec": {"containers": [{"name": "ray", "image": IMAGE, "resources": {"requests": asked}}]}}


def group(
    name: str = "workers",
    replicas: int = 1,
    *,
    least: int | None = None,
    most: int | None = None,
    gpus: int = 0,
    **more: Any,
) -> dict[str, Any]:
    """A worker group of 2 CPUs and 4Gi a worker. `more` are further fields of it."""
    made: dict[str, Any] = {"groupName": name, "replicas": replicas, "rayStartParams": {}}
    if least is not None:
        made["minReplicas"] = least
    if most is not None:
        made["maxReplicas"] = most
    return {**made, **more, "template": _template("2", "4Gi", gpus)}


def cluster(
    name: str,
    *groups: Mapping[str, Any],
    namespace: str = "default",
    labels: Mapping[str, str] | None = None,
    owner: tuple[str, str] | None = None,
    status: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """A RayCluster; without groups it has the one of `group()`. `spec` are further fields of its spec."""
    about: dict[str, Any] = {"name": name, "namespace": namespace, "uid": f"uid-of-{name}", **(metadata or {})}
    if labels:
        about["labels"] = dict(labels)
    if owner:
        kind, by = owner
        about["ownerReferences"] = [{"apiVersion": "ray.io/v1", "kind": kind, "name": by, "uid": "1"}]
    made: dict[str, Any] = {
        "apiVersion": "ray.io/v1",
        "kind": "RayCluster",
        "metadata": about,
        "spec": {
            "rayVersion": RAY,
            "headGroupSpec": {"rayStartParams": {}, "template": _template("500m", "8Gi", 0)},
            "workerGroupSpecs": [dict(each) for each in groups or (group(),)],
            **spec,
        },
    }
    if status is not None:
        made["status"] = dict(status)
    return made


def head(of: str, *, ready: bool = True, namespace: str = "default", **status: Any) -> dict[str, Any]:
    """The head's pod of a cluster. `status` are further fields of its status."""
    return _pod(f"{of}-head", of, "headgroup", "head", ready=ready, namespace=namespace, status=status)


def worker(
    of: str, name: str = "1", *, group: str = "workers", ready: bool = True, namespace: str = "default", **status: Any
) -> dict[str, Any]:
    """A worker's pod of a cluster."""
    whole = f"{of}-{group}-worker-{name}"
    return _pod(whole, of, group, "worker", ready=ready, namespace=namespace, status=status)


def _pod(
    name: str, of: str, group: str, kind: str, *, ready: bool, namespace: str, status: Mapping[str, Any]
) -> dict[str, Any]:
    labels = {
        "ray.io/cluster": of,
        "ray.io/group": group,
        "ray.io/node-type": kind,
        "ray.io/is-ray-node": "yes",
    }
    container = {"name": "ray", "image": IMAGE, "resources": {"requests": {"cpu": "2", "memory": "4Gi"}}}
    state: dict[str, Any] = {"running": {}} if ready else {"waiting": {"reason": "ContainerCreating"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"nodeName": "machine-1", "containers": [container]},
        "status": {
            "phase": "Running" if ready else "Pending",
            "podIP": "10.0.0.7",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"name": "ray", "ready": ready, "restartCount": 0, "state": state}],
            **status,
        },
    }


def event(of: str, reason: str, message: str, *, kind: str = "Warning") -> dict[str, Any]:
    """An event about a Ray cluster."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{of}.{reason.lower()}", "namespace": "default"},
        "involvedObject": {"kind": "RayCluster", "name": of, "uid": f"uid-of-{of}"},
        "reason": reason,
        "message": message,
        "type": kind,
    }


def namespace(name: str) -> dict[str, Any]:
    """A namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def names(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Their names."""
    return [item["metadata"]["name"] for item in items]
