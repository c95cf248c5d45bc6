"""Kubernetes' own Jobs: pods until enough of them succeeded, too many failed or the time is up.

Source: Kubernetes v1.36, `pkg/controller/job` and `pkg/controller/ttlafterfinished`; conditions, texts and their order
as recorded. Jobs by index, pod failure policies and success policies are not here: nothing in a Ray cluster makes one.
"""

from __future__ import annotations

import copy
import logging
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.events import record, seconds
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.controllers import job_pods

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Change, Object

log = logging.getLogger(__name__)

COMPONENT = "job-controller"
MANAGER = "kubernetes.io/job-controller"
FIRST_FAILURE, LONGEST_FAILURE = 10.0, 600.0
"""Seconds before a failed pod is followed by another, twice as long with each failure in a row, and at most."""

LONGEST_REFUSAL = 60.0
"""Seconds between attempts to create a pod that the API server refuses, at most; the first wait is one."""

_COMPLETE = ("CompletionsReached", "Reached expected number of succeeded pods")
_TOO_MANY = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
_TOO_LONG = ("DeadlineExceeded", "Job was active longer than specified deadline")


class Jobs:
    """The controller of Jobs."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._refusals: dict[tuple[str, str], int] = {}

    def keys(self, change: Change) -> Iterable[tuple[str, str]]:
        """The Job, or that of the changed pod."""
        meta = change.object["metadata"]
        if change.kind is kinds.JOBS:
            return ((meta["namespace"], meta["name"]),)
        if change.kind is not kinds.PODS:
            return ()
        owners = [each for each in meta.get("ownerReferences", ()) if each.get("controller") and each["kind"] == "Job"]
        return [(meta["namespace"], owner["name"]) for owner in owners]

    async def reconcile(self, key: tuple[str, str]) -> float | None:
        """Compare what runs with what should; seconds until a deadline or the next attempt."""
        job = self._objects.find(kinds.JOBS, *key)
        self._free_orphans(key, job)
        if job is None or job["spec"].get("managedBy", MANAGER) != MANAGER:
            self._refusals.pop(key, None)
            return None
        ended = _ended(job)
        if ended is not None:
            return self._expire(job, ended)
        try:
            wait = self._sync(job)
        except Refused as refused:
            refusals = self._refusals[key] = self._refusals.get(key, 0) + 1
            log.info("Job %s/%s: %s", *key, refused)
            return min(2.0 ** (refusals - 1), LONGEST_REFUSAL)
        self._refusals.pop(key, None)
        return wait

    def _sync(self, job: Object) -> float | None:
        run = job_pods.Run(self._objects, job)
        status, now = run.status, self._objects.clock()
        suspended = job["spec"].get("suspend", False)
        if "startTime" not in status and not suspended:
            status["startTime"] = self._objects.now()
        wait: float | None = None
        told: list[tuple[str, str, str]] = []
        ending = self._ending(run, now)
        failure: Refused | None = None
        if ending is not None:
            self._delete(run, run.active)
        else:
            if not job["metadata"].get("deletionTimestamp"):
                try:
                    wait = self._manage(run, now)
                except Refused as refused:
                    failure = refused
            if run.complete:
                ending = ("SuccessCriteriaMet", *_COMPLETE)
            else:
                told = self._suspension(status, suspended=suspended)
        self._finish(run, ending, told)
        if failure is not None:
            raise failure
        limit = job["spec"].get("activeDeadlineSeconds")
        if limit is not None and not suspended and ending is None:
            left = max(seconds(status["startTime"]) + limit - now, 0.0)
            wait = left if wait is None else min(wait, left)
        return wait

    def _ending(self, run: job_pods.Run, now: float) -> tuple[str, str, str] | None:
        """Type, reason and message of the condition that says that the Job is over; None while it goes on."""
        for known in ("SuccessCriteriaMet", "FailureTarget"):
            found = job_pods.condition(run.status, known)
            if found is not None and found["status"] == "True":
                return known, found["reason"], found["message"]
        spec = run.job["spec"]
        limit = spec.get("backoffLimit", 6)
        if run.failed > limit or run.restarts_exceed(limit):
            return "FailureTarget", *_TOO_MANY
        deadline = spec.get("activeDeadlineSeconds")
        if deadline is None or spec.get("suspend") or now < seconds(run.status["startTime"]) + deadline:
            return None
        return "FailureTarget", *_TOO_LONG

    def _manage(self, run: job_pods.Run, now: float) -> float | None:
        if run.job["spec"].get("suspend"):
            self._delete(run, run.active)
            return None
        wanted = run.wanted
        if len(run.active) > wanted:
            self._delete(run, run.for_removal(len(run.active) - wanted))
            return None
        missing = wanted - len(run.active)
        if run.job["spec"].get("podReplacementPolicy") == "Failed":
            missing -= run.terminating
        if missing <= 0:
            return None
        failures, last = run.failures_in_a_row()
        if failures:
            left = min(FIRST_FAILURE * 2.0 ** min(failures - 1, 10), LONGEST_FAILURE) - (now - last)
            if left > 0:
                return left
        for _each in range(missing):
            self._create(run)
        return None

    def _create(self, run: job_pods.Run) -> None:
        try:
            made = self._objects.create(kinds.PODS, run.new_pod(), run.namespace)
        except Refused as refused:
            self._tell(run.job, "Warning", "FailedCreate", f"Error creating: {refused.message}")
            raise
        run.active.append(made)
        self._tell(run.job, "Normal", "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")

    def _delete(self, run: job_pods.Run, pods: Iterable[Object]) -> None:
        for pod in list(pods):
            name = pod["metadata"]["name"]
            left = self._objects.delete(kinds.PODS, run.namespace, name, uid=pod["metadata"]["uid"])
            self._tell(run.job, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")
            run.active.remove(pod)
            run.terminating += left is not None

    def _suspension(self, status: Object, *, suspended: bool) -> list[tuple[str, str, str]]:
        found = job_pods.condition(status, "Suspended")
        word = "True" if suspended else "False"
        if (found or {"status": "False"})["status"] == word:
            return []
        reason, message, event = (
            ("JobSuspended", "Job suspended", "Suspended") if suspended else ("JobResumed", "Job resumed", "Resumed")
        )
        job_pods.set_condition(status, "Suspended", word, reason, message, self._objects.now())
        if suspended:
            status.pop("startTime", None)
        else:
            status["startTime"] = self._objects.now()
        return [("Normal", event, message)]

    def _finish(self, run: job_pods.Run, ending: tuple[str, str, str] | None, told: list[tuple[str, str, str]]) -> None:
        """Write what was counted, let the counted pods go, and write the end where it is reached."""
        stamp = self._objects.now()
        if ending is not None and job_pods.condition(run.status, ending[0]) is None:
            kind, reason, message = ending
            job_pods.set_condition(run.status, kind, "True", reason, message, stamp)
        freed = run.count(ending=ending is not None, failing=ending is not None and ending[0] == "FailureTarget")
        self._write(run.job, run.status)
        for said in told:
            self._tell(run.job, *said)
        for pod in freed:
            self._free(pod)
        run.settle()
        if ending is not None and run.terminating == 0:
            kind = "Complete" if ending[0] == "SuccessCriteriaMet" else "Failed"
            job_pods.set_condition(run.status, kind, "True", ending[1], ending[2], stamp)
            if kind == "Complete":
                run.status["completionTime"] = stamp
            self._write(run.job, run.status)
            success = kind == "Complete"
            said = ("Normal", "Completed", "Job completed") if success else ("Warning", ending[1], ending[2])
            self._tell(run.job, *said)
            return
        self._write(run.job, run.status)

    def _write(self, job: Object, status: Object) -> None:
        kept = {
            k: v for k, v in copy.deepcopy(status).items() if not (k in {"active", "succeeded", "failed"} and not v)
        }

        def change(held: Object) -> None:
            held["status"] = kept

        namespace, name = job["metadata"]["namespace"], job["metadata"]["name"]
        self._objects.edit(kinds.JOBS, namespace, name, change, status=True)

    def _free_orphans(self, key: tuple[str, str], job: Object | None) -> None:
        """Pods of a Job that is gone must not wait to be counted."""
        uid = None if job is None else job["metadata"]["uid"]
        for pod in self._objects.list(kinds.PODS, key[0]):
            owners = [each for each in pod["metadata"].get("ownerReferences", ()) if each["kind"] == "Job"]
            if any(each["name"] == key[1] and each["uid"] != uid for each in owners) and job_pods.tracked(pod):
                self._free(pod)

    def _free(self, pod: Object) -> None:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        if self._objects.find(kinds.PODS, namespace, name) is not None:
            self._objects.edit(kinds.PODS, namespace, name, job_pods.untrack)

    def _expire(self, job: Object, ended: float) -> float | None:
        limit = job["spec"].get("ttlSecondsAfterFinished")
        if limit is None or job["metadata"].get("deletionTimestamp"):
            return None
        left: float = ended + limit - self._objects.clock()
        if left > 0:
            return left
        namespace, name = job["metadata"]["namespace"], job["metadata"]["name"]
        self._objects.delete(kinds.JOBS, namespace, name, propagation="Foreground", uid=job["metadata"]["uid"])
        return None

    def _tell(self, job: Object, type_: str, reason: str, message: str) -> None:
        record(self._objects, job, type_, reason, message, COMPONENT)


def _ended(job: Object) -> float | None:
    """When the Job ended, in seconds since 1970; None while it goes on."""
    for kind in ("Complete", "Failed"):
        found = job_pods.condition(job.get("status") or {}, kind)
        if found is not None and found["status"] == "True":
            return seconds(found["lastTransitionTime"])
    return None
