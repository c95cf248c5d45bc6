"""What the operator reads out of a pod's status.

Source: KubeRay v1.6.2, `controllers/ray/utils/util.go` and `raycluster_controller.go`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_ray.sandbox.operator import naming

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_ray.sandbox.api.store import Object

_NO_TIME = "0001-01-01 00:00:00 +0000 UTC"


class Readiness(NamedTuple):
    """The condition HeadPodReady."""

    status: str
    reason: str
    message: str


def phase(pod: Object) -> str:
    """`status.phase`; a pod that is new has Pending."""
    return str((pod.get("status") or {}).get("phase", "Pending"))


def ready_condition(pod: Object) -> Object | None:
    """The condition Ready, which a pod has from the moment its machine knows of it."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return next((each for each in conditions if each.get("type") == "Ready"), None)


def running_and_ready(pod: Object) -> bool:
    """It runs and is ready."""
    condition = ready_condition(pod)
    return phase(pod) == "Running" and condition is not None and condition.get("status") == "True"


def all_running(pods: Iterable[Object]) -> bool:
    """There are pods, all of them run, and none says that it is not ready."""
    found = list(pods)
    conditions = [ready_condition(pod) for pod in found]
    return (
        bool(found)
        and all(phase(pod) == "Running" for pod in found)
        and all(condition is None or condition.get("status") == "True" for condition in conditions)
    )


def workers(pods: Iterable[Object]) -> list[Object]:
    """Those of them that are workers, of whatever group."""
    return [pod for pod in pods if (pod["metadata"].get("labels") or {}).get(naming.NODE_TYPE) == naming.WORKER]


def head_readiness(pod: Object) -> Readiness:
    """How ready the head is; where containers are not, in the words of the first one that waits or has ended."""
    condition = ready_condition(pod)
    if condition is None:
        return Readiness("False", "Unknown", "")
    status, message = str(condition.get("status", "")), str(condition.get("message", ""))
    reason = condition.get("reason") or ("HeadPodRunningAndReady" if status == "True" else "Unknown")
    if reason == "ContainersNotReady":
        found = _first_cause(pod)
        if found is not None:
            reason, cause = found
            message = f"{message}; {cause}" if message else cause
    return Readiness(status, reason, message)


def _first_cause(pod: Object) -> tuple[str, str] | None:
    for container in (pod.get("status") or {}).get("containerStatuses") or []:
        state = container.get("state") or {}
        told = state.get("waiting") or state.get("terminated")
        if told is not None:
            return told.get("reason", ""), f"{container['name']}: {told.get('message', '')}"
    return None


def terminated(pod: Object) -> Object | None:
    """How Ray's container ended, while it has not been started again."""
    name = pod["spec"]["containers"][0]["name"]
    for container in (pod.get("status") or {}).get("containerStatuses") or []:
        if container["name"] == name:
            found: Object | None = (container.get("state") or {}).get("terminated")
            return found
    return None


def terminated_text(pod: Object) -> str:
    """That, as Go prints it; `nil` while it has not ended."""
    found = terminated(pod)
    if found is None:
        return "nil"
    return (
        f"&ContainerStateTerminated{{ExitCode:{found.get('exitCode', 0)},Signal:{found.get('signal', 0)},"
        f"Reason:{found.get('reason', '')},Message:{found.get('message', '')},StartedAt:{_time(found, 'startedAt')},"
        f"FinishedAt:{_time(found, 'finishedAt')},ContainerID:{found.get('containerID', '')},}}"
    )


def _time(found: Object, field: str) -> str:
    text = str(found.get(field) or "")
    return f"{text[:10]} {text[11:19]} +0000 UTC" if text else _NO_TIME


def hopeless(pod: Object, node_type: str) -> str:
    """Why the pod has to be deleted; empty while it may come (back) to life by itself."""
    name, now, policy = pod["metadata"]["name"], phase(pod), pod["spec"].get("restartPolicy", "Always")
    if now in {"Failed", "Succeeded"}:
        return (
            f"The {node_type} Pod {name} status is {now} which is a terminal state. KubeRay will delete the Pod and "
            "create new Pods in the next reconciliation if necessary."
        )
    if now == "Running" and policy == "Never" and terminated(pod) is not None:
        return (
            f"The Pod status of the {node_type} Pod {name} is {now}, and the Ray container terminated status is "
            f"{terminated_text(pod)}. The container is unable to restart due to its restart policy {policy}, so "
            "KubeRay will delete it."
        )
    return ""


def end_text(pod: Object) -> str:
    """What an event says of a pod that is deleted because it came to an end."""
    return (
        f"Pod status: {phase(pod)}; Pod restart policy: {pod['spec'].get('restartPolicy', 'Always')}; Ray container "
        f"terminated status: {terminated_text(pod)}"
    )
