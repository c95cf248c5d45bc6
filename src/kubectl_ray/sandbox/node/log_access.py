"""Which log is meant, and the API server's and the kubelet's words where there is none.

Source: Kubernetes v1.36, `pkg/registry/core/pod/strategy.go` (LogLocation) and `pkg/kubelet/kubelet_pods.go`
(validateContainerLogStatus).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.refusals import bad_request

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.node.containers import ContainerLife
    from kubectl_ray.sandbox.node.logs import LogFile


def chosen(pod: Object, container: str) -> str:
    """The container's name; the only one where none is named.

    Raises:
        Refused: 400: there is no such container, or several to choose from.
    """
    spec, name = pod["spec"], pod["metadata"]["name"]
    names = [each["name"] for each in spec.get("containers") or []]
    inits = [each["name"] for each in spec.get("initContainers") or []]
    if not container:
        if len(names) == 1:
            return str(names[0])
        text = f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]"
        if inits:
            text += f" or one of the init containers: [{' '.join(inits)}]"
        raise bad_request(text)
    if container not in names + inits:
        raise bad_request(f"container {container} is not valid for pod {name}")
    return container


def log_of(pod: str, life: ContainerLife, *, previous: bool) -> LogFile:
    """The log of a container's present or previous run.

    Raises:
        Refused: 400: it waits, or never ran before.
    """
    name, state = life.name, life.state
    before = life.last.get("terminated", {}).get("containerID")
    if previous:
        found = life.log if "waiting" in state else life.previous
        if before and found is not None:
            return found
        raise bad_request(f'previous terminated container "{name}" in pod "{pod}" not found')
    if before or "waiting" not in state:
        return life.log
    reason = state["waiting"].get("reason", "")
    words = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}
    raise bad_request(f'container "{name}" in pod "{pod}" is waiting to start: {words.get(reason, reason)}')
