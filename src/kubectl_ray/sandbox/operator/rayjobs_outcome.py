"""How a RayJob's status comes to its end: Ray's word, the submitter's, deadlines, and what counts as a failure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.events import seconds
from kubectl_ray.sandbox.operator.parents import head_pod, submission_mode
from kubectl_ray.sandbox.operator.rayjobs_submitter import SUBMITTER

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.operator.dashboard import Job

GRACE = 300.0
"""Seconds that the submitter may need to end after Ray's job has."""

OVERDUE = 30.0
"""Seconds after the submitter's end within which Ray's job must have ended too."""

_LATE = "JobDeploymentStatus does not transition to Complete or Failed within the grace period after JobStatus reaches"


def stamp(instant: float) -> str:
    """A time as objects have it, in whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(instant))


def deadline_passed(job: Object, status: Object, now: float, *, running: bool | None = None) -> bool:
    """Fail the job where a deadline has passed.

    `running` True looks only at the deadline of the whole, False only at that of the start, None at both.
    """
    begun = seconds(status["startTime"])
    fields = []
    if running is not False:
        fields.append(("activeDeadlineSeconds", "ActiveDeadlineSeconds", "DeadlineExceeded"))
    if not running:
        fields.append(("preRunningDeadlineSeconds", "PreRunningDeadlineSeconds", "PreRunningDeadlineExceeded"))
    for field, shown, reason in fields:
        limit = job["spec"].get(field)
        if limit is not None and now >= begun + limit:
            told = time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC", time.gmtime(begun))
            message = f"The RayJob has passed the {field}. StartTime: {told}. {shown}: {limit}"
            status |= {"jobDeploymentStatus": "Failed", "reason": reason, "message": message}
            return True
    return False


def grace_passed(status: Object, now: float) -> bool:
    """End the job where Ray's ended long ago and the submitter still goes on."""
    ended = status["rayJobInfo"].get("endTime")
    if status.get("jobStatus", "") not in {"STOPPED", "SUCCEEDED", "FAILED"} or ended is None:
        return False
    if now < seconds(ended) + GRACE:
        return False
    status["jobDeploymentStatus"] = "Failed" if status["jobStatus"] == "FAILED" else "Complete"
    status["reason"] = "JobDeploymentStatusTransitionGracePeriodExceeded"
    status["message"] = f"{_LATE} a terminal state."
    return True


def submission_ended(objects: Objects, job: Object, status: Object, cluster: Object) -> tuple[bool, float | None]:
    """Fail the job where its submitter failed.

    Returns:
        Whether the status changed; when the submitter ended, in seconds since 1970, None while it runs.

    Raises:
        Refused: there is no submitter.
    """
    if submission_mode(job["spec"]) == "SidecarMode":
        return _sidecar_ended(objects, status, cluster)
    held = objects.get(kinds.JOBS, job["metadata"]["namespace"], job["metadata"]["name"])
    for condition in (held.get("status") or {}).get("conditions", ()):
        if condition["type"] in {"Complete", "Failed"} and condition["status"] == "True":
            failed = condition["type"] == "Failed"
            if failed:
                told = f"Reason: {condition.get('reason', '')}. Message: {condition.get('message', '')}"
                _fail(status, f"Job submission has failed. {told}")
            return failed, seconds(condition["lastTransitionTime"])
    return False, None


def _sidecar_ended(objects: Objects, status: Object, cluster: Object) -> tuple[bool, float | None]:
    pod = head_pod(objects, cluster)
    if pod is None:
        status |= {"jobDeploymentStatus": "Failed", "reason": "AppFailed", "message": "Ray head pod not found."}
        return True, None
    for each in (pod.get("status") or {}).get("containerStatuses", ()):
        ended = each.get("state", {}).get("terminated")
        if each["name"] == SUBMITTER and ended is not None:
            failed = ended["exitCode"] != 0
            if failed:
                told = f"terminated with exit code {ended['exitCode']}: {ended.get('reason', '')}"
                _fail(status, f"Ray head pod container {SUBMITTER} {told}")
            return failed, seconds(ended["finishedAt"])
    return False, None


def _fail(status: Object, message: str) -> None:
    # A driver that failed makes its submitter fail too: then Ray's own words stand in the status already.
    status["jobDeploymentStatus"] = "Failed"
    if status.get("jobStatus") == "FAILED":
        status["reason"] = "AppFailed"
    else:
        status |= {"reason": "SubmissionFailed", "message": message}


def submitter_overdue(status: Object, finished: float | None, now: float) -> bool:
    """Fail the job where its submitter ended a while ago and Ray's job goes on."""
    if finished is None or now < finished + OVERDUE:
        return False
    told = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(finished))
    status |= {"jobStatus": "FAILED", "jobDeploymentStatus": "Failed"}
    status["reason"] = "JobDeploymentStatusTransitionGracePeriodExceeded"
    status["message"] = (
        f"The RayJob submitter finished at {told} but the ray job did not reach terminal state within {OVERDUE:.0f}s"
    )
    return True


def follow(status: Object, found: Job, *, ended: bool) -> None:
    """Take over what Ray says; `ended` is whether nobody else is still busy with the job."""
    status |= {"jobStatus": found.status, "jobDeploymentStatus": "Running", "reason": "", "message": found.message}
    if found.status in {"STOPPED", "SUCCEEDED", "FAILED"} and ended:
        status["jobDeploymentStatus"] = "Complete"
        if found.status == "FAILED":
            status |= {"jobDeploymentStatus": "Failed", "reason": "AppFailed"}
    times = status["rayJobInfo"] = dict(status["rayJobInfo"])
    if found.start:
        times["startTime"] = stamp(found.start / 1000)
    if found.end:
        times["endTime"] = stamp(found.end / 1000)


def count(job: Object, status: Object) -> None:
    """Count the end of a run, and let a failed one begin again while its backoffLimit allows; deadlines are final."""
    state = status.get("jobDeploymentStatus", "")
    if state == "Complete" and status.get("jobStatus") == "SUCCEEDED":
        status["succeeded"] = status.get("succeeded", 0) + 1
    if state != "Failed":
        return
    status["failed"] = status.get("failed", 0) + 1
    limit = job["spec"].get("backoffLimit")
    if limit is not None and status["failed"] < limit + 1 and status.get("reason") != "DeadlineExceeded":
        status["jobDeploymentStatus"] = "Retrying"
