"""What must hold of a pod before a stream into it begins, with the real server's words where it does not.

Source: Kubernetes' `pkg/registry/core/pod/strategy.go` and the kubelet's `server.go`, v1.36.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.kinds import PODS
from kubectl_ray.sandbox.api.refusals import bad_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object


def on_a_node(objects: Objects, namespace: str, name: str) -> Object:
    """The pod, which a node has been chosen for.

    Raises:
        Refused: 404 no such pod; 400 it waits for a node.
    """
    pod = objects.get(PODS, namespace, name)
    if not pod["spec"].get("nodeName"):
        raise bad_request(f"pod {name} does not have a host assigned")
    return pod


def container(pod: Object, wanted: str) -> str:
    """The container that is meant; "" means the only one.

    Raises:
        Refused: 400 there is no such one, or there are several to choose from.
    """
    name = pod["metadata"]["name"]
    names = [each["name"] for each in _containers(pod)]
    if wanted:
        if wanted not in names:
            raise bad_request(f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(pod["spec"]["containers"]) == 1:
        return str(pod["spec"]["containers"][0]["name"])
    raise bad_request(f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]")


def runs(pod: Object, wanted: str) -> bool:
    """The container runs, as far as its status tells."""
    status = pod.get("status", {})
    return any(
        each["name"] == wanted and "running" in each.get("state", {})
        for field in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
        for each in status.get(field) or ()
    )


def is_over(pod: Object) -> bool:
    """All its containers have ended for good."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def _containers(pod: Object) -> Iterator[Object]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        yield from pod["spec"].get(field) or ()
