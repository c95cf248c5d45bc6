"""Gives pods that wait for a machine the one that there is, or says in the real scheduler's words why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.events import record
from kubectl_ray.sandbox.api.kinds import CLAIMS, NODES, PODS
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.node.fitting import refusal
from kubectl_ray.sandbox.node.settings import NODE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Change, Object

COMPONENT = "default-scheduler"
ENDED = ("Succeeded", "Failed")
GATED = "Scheduling is blocked due to non-empty scheduling gates"
REMIND = 300.0
"""Seconds after which a pod that still does not fit is tried, and told of, again."""


class Scheduler:
    """A controller with one key: all pods that wait, the most important and then the oldest first."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._told: dict[str, tuple[str, float]] = {}

    def keys(self, change: Change) -> Iterable[str]:
        """Anything that may make room, and each new pod."""
        if change.kind is PODS:
            before = change.before or {}
            if change.what == "MODIFIED" and _place(before) == _place(change.object):
                return ()
            return ("all",)
        return ("all",) if change.kind in {NODES, CLAIMS} else ()

    async def reconcile(self, key: str) -> float | None:
        """Place what fits."""
        del key
        pods = self._objects.list(PODS)
        waiting = [each for each in pods if _waits(each)]
        self._told = {uid: told for uid, told in self._told.items() if any(_uid(each) == uid for each in waiting)}
        node = self._objects.find(NODES, "", NODE_NAME)
        if not waiting or node is None:
            return None
        placed = [each for each in pods if each["spec"].get("nodeName") == NODE_NAME and _phase(each) not in ENDED]
        for pod in sorted(waiting, key=_urgency):
            if self._placed(pod, node, placed):
                placed.append(pod)
        return REMIND if self._told else None

    def _placed(self, pod: Object, node: Object, placed: list[Object]) -> bool:
        """Place it; or say why not."""
        if pod["spec"].get("schedulingGates"):
            self._condition(pod, "False", "SchedulingGated", GATED)
            return False
        namespace = pod["metadata"]["namespace"]
        claims = {each["metadata"]["name"]: each for each in self._objects.list(CLAIMS, namespace)}
        found = refusal(pod, node, placed, claims)
        if found is None:
            self._bind(pod)
            return True
        self._condition(pod, "False", "Unschedulable", found.message)
        message, now = found.message, self._objects.clock()
        told, at = self._told.get(_uid(pod), ("", 0.0))
        if told != message or now - at >= REMIND:
            self._told[_uid(pod)] = (message, now)
            self._say(pod, "Warning", "FailedScheduling", message)
        return False

    def _bind(self, pod: Object) -> None:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]

        def place(seen: Object) -> None:
            seen["spec"]["nodeName"] = NODE_NAME

        try:
            self._objects.edit(PODS, namespace, name, place)
        except Refused as refused:
            if refused.code in {404, 409}:
                return
            raise
        self._condition(pod, "True", "", "")
        self._told.pop(_uid(pod), None)
        self._say(pod, "Normal", "Scheduled", f"Successfully assigned {namespace}/{name} to {NODE_NAME}")

    def _condition(self, pod: Object, status: str, reason: str, message: str) -> None:
        def say(seen: Object) -> None:
            if seen["metadata"]["uid"] != _uid(pod):
                return
            known = seen.setdefault("status", {}).setdefault("conditions", [])
            old = next((each for each in known if each["type"] == "PodScheduled"), None)
            new = {
                "type": "PodScheduled",
                "observedGeneration": seen["metadata"].get("generation", 1),
                "status": status,
                "lastProbeTime": None,
                "lastTransitionTime": old["lastTransitionTime"]
                if old and old["status"] == status
                else self._objects.now(),
                **({"reason": reason} if reason else {}),
                **({"message": message} if message else {}),
            }
            known[:] = [each for each in known if each["type"] != "PodScheduled"] + [new]

        self._objects.edit(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"], say, status=True)

    def _say(self, pod: Object, type_: str, reason: str, message: str) -> None:
        record(self._objects, pod, type_, reason, message, COMPONENT, new_style=True)


def _uid(pod: Object) -> str:
    uid: str = pod["metadata"]["uid"]
    return uid


def _phase(pod: Object) -> str:
    phase: str = pod.get("status", {}).get("phase", "Pending")
    return phase


def _place(pod: Object) -> tuple[object, ...]:
    """What of a pod can change whether others fit, or itself."""
    spec = pod.get("spec", {})
    return spec.get("nodeName"), _phase(pod) in ENDED, pod.get("metadata", {}).get("deletionTimestamp"), spec


def _waits(pod: Object) -> bool:
    spec = pod["spec"]
    ours = spec.get("schedulerName", COMPONENT) == COMPONENT
    gone = pod["metadata"].get("deletionTimestamp") or _phase(pod) in ENDED
    return ours and not spec.get("nodeName") and not gone


def _urgency(pod: Object) -> tuple[int, str, int]:
    made = pod["metadata"]
    return -(pod["spec"].get("priority") or 0), made["creationTimestamp"], int(made.get("resourceVersion", 0))
