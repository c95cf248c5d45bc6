"""A pod's row: how many containers are ready, the one word for its state, its restarts.

Source: Kubernetes, `pkg/printers/internalversion/printers.go` (printPod).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_ray.sandbox.serving.ages import age, moment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_ray.sandbox.api.store import Object

NONE = "<none>"
ENDED = {
    "Succeeded": ("Succeeded", "The pod has completed successfully."),
    "Failed": ("Failed", "The pod failed."),
}


class _Restarts(NamedTuple):
    times: int
    last: str

    def shown(self, now: float) -> str:
        return f"{self.times} ({age(self.last, now)} ago)" if self.times and self.last else str(self.times)


def cells(pod: Object, now: float) -> list[Any]:
    """The cells of a pod's row, wide ones included."""
    meta, spec, status = pod["metadata"], pod.get("spec", {}), pod.get("status", {})
    ready, total, word, restarts = _state(spec, status)
    if meta.get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            word = "Unknown"
        elif status.get("phase") not in ENDED:
            word = "Terminating"
    addresses = status.get("podIPs") or [{}]
    return [
        meta["name"],
        f"{ready}/{total}",
        word,
        restarts.shown(now),
        age(meta.get("creationTimestamp"), now),
        addresses[0].get("ip") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        _gates(spec, status),
    ]


def conditions(pod: Object) -> list[dict[str, str]] | None:
    """What the row itself says of a pod that has ended; None for others."""
    ended = ENDED.get(pod.get("status", {}).get("phase", ""))
    if ended is None:
        return None
    return [{"type": "Completed", "status": "True", "reason": ended[0], "message": ended[1]}]


def _state(spec: Object, status: Object) -> tuple[int, int, str, _Restarts]:
    word = status.get("reason") or status.get("phase", "")
    found = {each.get("type"): each for each in status.get("conditions") or []}
    if found.get("PodScheduled", {}).get("reason") == "SchedulingGated":
        word = "SchedulingGated"
    inits = spec.get("initContainers") or []
    sidecars = {each["name"] for each in inits if each.get("restartPolicy") == "Always"}
    statuses = status.get("initContainerStatuses") or []
    total = len(spec.get("containers") or []) + len(sidecars)
    ready, waiting, seen = _starting(statuses, sidecars, len(inits))
    restarts = _restarts(statuses[:seen])
    if not waiting or found.get("Initialized", {}).get("status") == "True":
        containers = status.get("containerStatuses") or []
        own = [each for each in statuses[:seen] if each["name"] in sidecars]
        restarts = _restarts([*own, *containers])
        running = [each for each in containers if each.get("ready") and "running" in each.get("state", {})]
        ready += len(running)
        word = _word(containers, waiting or word)
        if word == "Completed" and running:
            word = "Running" if found.get("Ready", {}).get("status") == "True" else "NotReady"
        return ready, total, word, restarts
    return ready, total, waiting, restarts


def _starting(statuses: list[Object], sidecars: set[str], total: int) -> tuple[int, str, int]:
    """Ready sidecars, the word for the first one that is not done yet ("" when all are), how many were looked at."""
    ready = 0
    for index, each in enumerate(statuses):
        state = each.get("state", {})
        ended, held = state.get("terminated"), state.get("waiting", {}).get("reason")
        if ended is not None and not ended.get("exitCode"):
            continue
        if each["name"] in sidecars and each.get("started"):
            ready += bool(each.get("ready"))
            continue
        if ended is not None:
            return ready, f"Init:{_end(ended)}", index + 1
        if held and held != "PodInitializing":
            return ready, f"Init:{held}", index + 1
        return ready, f"Init:{index}/{total}", index + 1
    return ready, "", len(statuses)


def _end(ended: Object) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _word(containers: list[Object], word: str) -> str:
    """The first container that waits or has ended gives the word."""
    for each in containers:
        state = each.get("state", {})
        if state.get("waiting", {}).get("reason"):
            return str(state["waiting"]["reason"])
        if "terminated" in state:
            return _end(state["terminated"])
    return word


def _restarts(statuses: Iterable[Object]) -> _Restarts:
    listed = list(statuses)
    ends = [each.get("lastState", {}).get("terminated", {}).get("finishedAt") for each in listed]
    last = max((each for each in ends if moment(each) is not None), default="")
    return _Restarts(sum(each.get("restartCount", 0) for each in listed), last)


def _gates(spec: Object, status: Object) -> str:
    gates = [each["conditionType"] for each in spec.get("readinessGates") or []]
    true = {each["type"] for each in status.get("conditions") or [] if each.get("status") == "True"}
    return f"{sum(each in true for each in gates)}/{len(gates)}" if gates else NONE
