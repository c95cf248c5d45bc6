"""A Job's pods as its controller counts them.

Each pod carries a finalizer until it is counted: first its uid is written into the Job's status, then the finalizer is
taken away, then the counter goes up. So none is counted twice, and none is lost, whenever the controller dies.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.events import seconds

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object

TRACKING = "batch.kubernetes.io/job-tracking"


def condition(status: Object, kind: str) -> Object | None:
    """The condition of that type."""
    for each in status.get("conditions", ()):
        if each["type"] == kind:
            found: Object = each
            return found
    return None


def set_condition(status: Object, kind: str, word: str, reason: str, message: str, stamp: str) -> None:
    """Add a condition, or change the one that is there."""
    made = {"type": kind, "status": word, "lastProbeTime": stamp, "lastTransitionTime": stamp}
    made |= {"reason": reason, "message": message}
    found = condition(status, kind)
    if found is None:
        status["conditions"] = [*status.get("conditions", ()), made]
    else:
        found |= made


def tracked(pod: Object) -> bool:
    """The pod is not counted yet."""
    return TRACKING in pod["metadata"].get("finalizers", ())


def untrack(pod: Object) -> None:
    """Take the finalizer away; changes the pod."""
    meta = pod["metadata"]
    meta["finalizers"] = [each for each in meta.get("finalizers", ()) if each != TRACKING]
    if not meta["finalizers"]:
        del meta["finalizers"]


class Run:
    """One look at a Job and its pods; `status` is the copy that is changed."""

    def __init__(self, objects: Objects, job: Object) -> None:
        meta = job["metadata"]
        self.job = job
        self.namespace: str = meta["namespace"]
        self.status: Object = {"terminating": 0, "uncountedTerminatedPods": {}, "ready": 0}
        self.status |= copy.deepcopy(job.get("status") or {})
        self._pods = [each for each in objects.list(kinds.PODS, self.namespace) if _owned(each, meta["uid"])]
        self.active = [each for each in self._pods if _active(each)]
        self.terminating = sum(_terminating(each) for each in self._pods)
        waiting = self.status["uncountedTerminatedPods"]
        self._waiting = {"succeeded": list(waiting.get("succeeded", ())), "failed": list(waiting.get("failed", ()))}
        self._seen = {uid for uids in self._waiting.values() for uid in uids}
        new = [each for each in self._pods if tracked(each) and each["metadata"]["uid"] not in self._seen]
        self.succeeded = self.status.get("succeeded", 0) + len(self._waiting["succeeded"])
        self.succeeded += sum(_succeeded(each) for each in new)
        self.failed = self.status.get("failed", 0) + len(self._waiting["failed"])
        self.failed += sum(self._failed(each) for each in new)

    @property
    def completions(self) -> int | None:
        """Successes that are wanted; None where one is enough whatever the others do."""
        spec = self.job["spec"]
        given: int | None = spec.get("completions", None if "parallelism" in spec else 1)
        return given

    @property
    def wanted(self) -> int:
        """Pods that should be active."""
        parallel: int = self.job["spec"].get("parallelism", 1)
        if self.completions is None:
            return len(self.active) if self.succeeded else parallel
        left: int = min(self.completions - self.succeeded, parallel)
        return max(left, 0)

    @property
    def complete(self) -> bool:
        """Enough have succeeded and none runs any more."""
        enough = self.succeeded > 0 if self.completions is None else self.succeeded >= self.completions
        return enough and not self.active

    def restarts_exceed(self, limit: int) -> bool:
        """Containers that are restarted in place count as failures where the pods are made so."""
        if self.job["spec"]["template"]["spec"].get("restartPolicy") != "OnFailure":
            return False
        restarts = 0
        for pod in self.active:
            status = pod.get("status") or {}
            for field in ("initContainerStatuses", "containerStatuses"):
                restarts += sum(each.get("restartCount", 0) for each in status.get(field, ()))
        return restarts > 0 if limit == 0 else restarts >= limit

    def failures_in_a_row(self) -> tuple[int, float]:
        """Failed pods since the last success, and when the last of them ended, in seconds since 1970."""
        success = max((_finished(each) for each in self._pods if _succeeded(each)), default=0.0)
        times = [_finished(each) for each in self._pods if self._failed(each)]
        after = [moment for moment in times if moment > success]
        return len(after), max(after, default=0.0)

    def for_removal(self, number: int) -> list[Object]:
        """Those that have come the least far."""
        return sorted(self.active, key=_progress)[:number]

    def new_pod(self) -> Object:
        """A pod of the Job's template."""
        meta, template = self.job["metadata"], copy.deepcopy(self.job["spec"]["template"])
        own = template.get("metadata") or {}
        names = {"controller-uid": meta["uid"], "job-name": meta["name"]}
        if self.job["spec"].get("manualSelector"):
            labels = own.get("labels") or {}
        else:
            prefixed = {f"batch.kubernetes.io/{key}": value for key, value in names.items()}
            labels = {**(own.get("labels") or {}), **prefixed, **names}
        made: Object = {
            "generateName": f"{meta['name']}-",
            "labels": labels,
            "ownerReferences": [
                {
                    "apiVersion": "batch/v1",
                    "kind": "Job",
                    "name": meta["name"],
                    "uid": meta["uid"],
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
            "finalizers": [*own.get("finalizers", ()), TRACKING],
        }
        if own.get("annotations"):
            made["annotations"] = own["annotations"]
        return {"apiVersion": "v1", "kind": "Pod", "metadata": made, "spec": template["spec"]}

    def count(self, *, ending: bool, failing: bool) -> list[Object]:
        """Write down who has ended; those whose finalizer is to go. At the Job's end that is every pod."""
        freed = []
        for pod in filter(tracked, self._pods):
            failed = self._failed(pod)
            if not (ending or failed or _succeeded(pod) or self.job["metadata"].get("deletionTimestamp")):
                continue
            freed.append(pod)
            uid = pod["metadata"]["uid"]
            if uid in self._seen:
                continue
            if _succeeded(pod):
                self._waiting["succeeded"].append(uid)
            elif failed or failing:
                self._waiting["failed"].append(uid)
        self.status["uncountedTerminatedPods"] = {k: v for k, v in self._waiting.items() if v}
        self.status |= {"active": len(self.active), "terminating": self.terminating}
        self.status["ready"] = sum(_ready(each) for each in self.active)
        return freed

    def settle(self) -> None:
        """All that was written down is counted now: no finalizer holds it."""
        for field, uids in self._waiting.items():
            self.status[field] = self.status.get(field, 0) + len(uids)
        self.status["uncountedTerminatedPods"] = {}

    def _failed(self, pod: Object) -> bool:
        if (pod.get("status") or {}).get("phase") == "Failed":
            return True
        replaced_late = self.job["spec"].get("podReplacementPolicy") == "Failed"
        return _terminating(pod) and not replaced_late


def _owned(pod: Object, uid: str) -> bool:
    return any(each.get("controller") and each["uid"] == uid for each in pod["metadata"].get("ownerReferences", ()))


def _over(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}


def _succeeded(pod: Object) -> bool:
    return bool((pod.get("status") or {}).get("phase") == "Succeeded")


def _active(pod: Object) -> bool:
    return not _over(pod) and not pod["metadata"].get("deletionTimestamp")


def _terminating(pod: Object) -> bool:
    return not _over(pod) and bool(pod["metadata"].get("deletionTimestamp"))


def _ready(pod: Object) -> bool:
    found = condition(pod.get("status") or {}, "Ready")
    return found is not None and found["status"] == "True"


def _progress(pod: Object) -> tuple[bool, bool, bool]:
    running = (pod.get("status") or {}).get("phase") == "Running"
    return "nodeName" in pod["spec"], running, _ready(pod)


def _finished(pod: Object) -> float:
    """When the pod ended, in seconds since 1970, as well as can be told."""
    status = pod.get("status") or {}
    ended = [each.get("state", {}).get("terminated") or {} for each in status.get("containerStatuses", ())]
    if ended and all(each.get("finishedAt") for each in ended):
        return max(seconds(each["finishedAt"]) for each in ended)
    ready = condition(status, "Ready")
    if ready is not None and ready["status"] == "False" and ready.get("lastTransitionTime"):
        return seconds(ready["lastTransitionTime"])
    return seconds(pod["metadata"].get("deletionTimestamp") or pod["metadata"]["creationTimestamp"])
