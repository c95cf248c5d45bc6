"""The status of a pod from those of its containers. Pure.

Source: Kubernetes v1.36, `pkg/kubelet/kubelet_pods.go` (getPhase) and `pkg/kubelet/status/generate.go`; orders and
texts are recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_ray.sandbox.api.resources import asked, quality, written
from kubectl_ray.sandbox.node.registration import ADDRESS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_ray.sandbox.api.store import Object

PENDING, RUNNING, SUCCEEDED, FAILED = "Pending", "Running", "Succeeded", "Failed"
UNLOCATED = "The container could not be located when the pod was terminated"


class Seen(NamedTuple):
    """What the kubelet knows of a pod besides its containers."""

    started: str
    sandboxed: bool
    """Its volumes and its address are there: containers may start."""
    ending: bool = False
    """It is being taken down, and all its containers have ended."""
    phase: str = ""
    """Not what the containers say, but this."""
    reason: str = ""
    message: str = ""


def phase(spec: Object, inits: Sequence[Object], containers: Sequence[Object], *, ending: bool) -> str:
    """The phase that container statuses mean."""
    policy = spec.get("restartPolicy", "Always")
    sidecars = _sidecars(spec)
    incomplete = [_code(each) for each in inits if each["name"] not in sidecars and _code(each) != 0]
    if incomplete:
        return FAILED if ending or (policy == "Never" and incomplete[0] is not None) else PENDING
    ended = [_stopped(each) for each in containers]
    if any(not each["state"].get("running") and code is None for each, code in zip(containers, ended, strict=True)):
        return FAILED if ending else PENDING
    if any(each["state"].get("running") for each in [*inits, *containers]):
        return RUNNING
    if policy == "Always" and not ending:
        return RUNNING
    if all(code == 0 for code in ended):
        return SUCCEEDED
    return FAILED if policy == "Never" or ending else RUNNING


def pod_status(pod: Object, seen: Seen, inits: Sequence[Object], containers: Sequence[Object], now: str) -> Object:
    """The whole status; times of conditions that did not change are kept."""
    spec, generation = pod["spec"], pod["metadata"].get("generation", 1)
    before = pod.get("status", {})
    current = phase(spec, inits, containers, ending=seen.ending)
    old = {each["type"]: each for each in before.get("conditions") or []}
    conditions = []
    for type_, status, reason, message in _conditions(spec, seen, inits, containers, current):
        known = old.pop(type_, None)
        same = known is not None and known["status"] == status
        conditions.append(
            {
                "type": type_,
                "observedGeneration": generation,
                "status": status,
                "lastProbeTime": None,
                "lastTransitionTime": known["lastTransitionTime"] if same and known else now,
                **({"reason": reason} if reason else {}),
                **({"message": message} if message else {}),
            }
        )
    conditions += old.values()
    return {
        **{key: before[key] for key in ("nominatedNodeName", "resourceClaimStatuses") if key in before},
        "observedGeneration": generation,
        "phase": seen.phase or _shown(current, seen, before),
        "conditions": conditions,
        **({"message": seen.message} if seen.message else {}),
        **({"reason": seen.reason} if seen.reason else {}),
        "hostIP": ADDRESS,
        "hostIPs": [{"ip": ADDRESS}],
        **_address(seen, before),
        "startTime": seen.started,
        **({"initContainerStatuses": list(inits)} if inits else {}),
        "containerStatuses": list(containers),
        "qosClass": before.get("qosClass") or quality(pod["spec"]),
        **_resources(pod),
    }


def _conditions(
    spec: Object, seen: Seen, inits: Sequence[Object], containers: Sequence[Object], current: str
) -> list[tuple[str, str, str, str]]:
    sidecars = _sidecars(spec)
    incomplete = [each["name"] for each in inits if not _initialized(each, each["name"] in sidecars)]
    waiting = [each["name"] for each in [*inits, *containers] if _unready(each, sidecars, inits)]
    if current == SUCCEEDED:
        initialized = ("True", "PodCompleted", "")
        ready = ("False", "PodCompleted", "")
    else:
        initialized = (
            ("False", "ContainersNotInitialized", f"containers with incomplete status: [{' '.join(incomplete)}]")
            if incomplete
            else ("True", "", "")
        )
        ready = ("True", "", "")
        if current == FAILED:
            ready = ("False", "PodFailed", "")
        elif waiting:
            ready = ("False", "ContainersNotReady", f"containers with unready status: [{' '.join(waiting)}]")
    sandboxed = "True" if seen.sandboxed and not seen.ending else "False"
    return [
        ("PodReadyToStartContainers", sandboxed, "", ""),
        ("Initialized", *initialized),
        ("Ready", *ready),
        ("ContainersReady", *ready),
    ]


def _shown(current: str, seen: Seen, before: Object) -> str:
    """The phase to write: a pod that has ended is first said to be unready for it, then to have ended."""
    if current in {SUCCEEDED, FAILED} and seen.sandboxed and not seen.ending:
        return str(before.get("phase", PENDING))
    return current


def unlocated(status: Object) -> Object:
    """The status of a container that never ran, when its pod is taken down."""
    ended = {
        "exitCode": 137,
        "reason": "ContainerStatusUnknown",
        "message": UNLOCATED,
        "startedAt": None,
        "finishedAt": None,
    }
    return {**status, "state": {"terminated": ended}, "ready": False, "started": False}


def go_duration(seconds: float) -> str:
    """As Go writes it: 10s, 1m20s, 5m0s."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _address(seen: Seen, before: Object) -> Object:
    """Its address once it has one; it keeps it."""
    has = seen.sandboxed or before.get("podIP")
    return {"podIP": ADDRESS, "podIPs": [{"ip": ADDRESS}]} if has else {}


def _resources(pod: Object) -> Object:
    requests, limits = written(asked(pod, "requests")), written(asked(pod, "limits"))
    resources = {**({"limits": limits} if limits else {}), **({"requests": requests} if requests else {})}
    allocated = {"allocatedResources": requests} if requests else {}
    return {**allocated, **({"resources": resources} if resources else {})}


def _sidecars(spec: Object) -> set[str]:
    return {each["name"] for each in spec.get("initContainers") or [] if each.get("restartPolicy") == "Always"}


def _code(status: Object) -> int | None:
    """The exit code of one that has ended; None while it runs or waits."""
    ended = status["state"].get("terminated")
    return ended["exitCode"] if ended else None


def _stopped(status: Object) -> int | None:
    """The same, where one that waits for its restart has ended too."""
    ended = status["state"].get("terminated")
    if not ended and not status["state"].get("running"):
        ended = status["lastState"].get("terminated")
    return ended["exitCode"] if ended else None


def _initialized(status: Object, sidecar: bool) -> bool:
    if sidecar:
        return bool(status.get("started")) or _code(status) is not None
    return _code(status) == 0


def _unready(status: Object, sidecars: set[str], inits: Sequence[Object]) -> bool:
    if status in inits and status["name"] not in sidecars:
        return False
    return not status["ready"]
