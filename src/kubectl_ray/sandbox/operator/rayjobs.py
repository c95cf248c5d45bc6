"""RayJobs: a cluster is made or found, the entrypoint handed to Ray, its status followed, and what is left cleaned up.

Source of states, order and times: the KubeRay operator v1.6.2, as recorded; `rayjobs_end` has what comes after the
end. A step changes `status` and returns whether it is to be written.
"""

from __future__ import annotations

import copy
import logging
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.operator.dashboard import NoAnswer
from kubectl_ray.sandbox.operator.naming import CLUSTER
from kubectl_ray.sandbox.operator.parents import (
    as_written,
    cluster_status,
    dashboard_address,
    differs,
    drop_finalizer,
    empty_cluster_status,
    keep_service,
    key_of,
    owner_key,
    stable_head_service,
    submission_mode,
    with_letters,
)
from kubectl_ray.sandbox.operator.rayjobs_cluster import construct
from kubectl_ray.sandbox.operator.rayjobs_end import after_the_end, drop_cluster, drop_submitter
from kubectl_ray.sandbox.operator.rayjobs_outcome import (
    count,
    deadline_passed,
    follow,
    grace_passed,
    submission_ended,
    submitter_overdue,
)
from kubectl_ray.sandbox.operator.rayjobs_submitter import Unfit, request, submitter_job
from kubectl_ray.sandbox.operator.rayjobs_validation import fault
from kubectl_ray.sandbox.operator.stepwise import Stepwise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Change, Object
    from kubectl_ray.sandbox.operator.dashboard import Access
    from kubectl_ray.sandbox.operator.parents import Key

log = logging.getLogger(__name__)

POLL = 3.0
"""Seconds after which a job that is not at its end is looked at again."""

FINALIZER = "ray.io/rayjob-finalizer"
COMPONENT = "rayjob-controller"
ENDED = ("STOPPED", "SUCCEEDED", "FAILED")


class RayJobs(Stepwise):
    """The controller of RayJobs."""

    kind = kinds.RAY_JOBS
    component = COMPONENT
    longest = POLL
    failures = (Refused, NoAnswer, Unfit)

    def __init__(self, objects: Objects, access: Access) -> None:
        super().__init__(objects, access)
        self._steps = {
            "": self._new,
            "Initializing": self._initializing,
            "Waiting": self._waiting,
            "Running": self._running,
            "Suspending": self._release,
            "Retrying": self._release,
            "Suspended": self._suspended,
        }

    def keys(self, change: Change) -> Iterable[Key]:
        """The RayJob, or that which made the changed cluster, service or submitter."""
        if change.kind is kinds.RAY_JOBS:
            return (key_of(change.object),)
        if change.kind not in {kinds.RAY_CLUSTERS, kinds.SERVICES, kinds.JOBS}:
            return ()
        owner = owner_key(change, "RayJob")
        return () if owner is None else (owner,)

    async def _step(self, job: Object) -> float | None:
        if job["metadata"].get("deletionTimestamp"):
            return await self._let_go(job)
        status = {**self._nothing(), **copy.deepcopy(job.get("status") or {})}
        wrong = fault(job)
        if wrong is not None:
            self._tell(job, "Warning", wrong.reason, f"{key_of(job)[0]}/{key_of(job)[1]}: {wrong.text}")
            status |= {"jobDeploymentStatus": "ValidationFailed", "reason": "ValidationFailed", "message": wrong.text}
            self._write(job, status)
            return None
        state = status.get("jobDeploymentStatus", "")
        if state in {"Complete", "Failed"}:
            return after_the_end(self._objects, job, self._tell)
        step = self._steps.get(state)
        if step is None:  # ValidationFailed: what is corrected afterwards is not worked on either
            return None
        job = self._with_finalizer(job) if not state else job
        if await step(job, status):
            count(job, status)
            self._write(job, status)
        return None if state == "Suspended" and status["jobDeploymentStatus"] == "Suspended" else POLL

    async def _new(self, job: Object, status: Object) -> bool:
        spec = job["spec"]
        if submission_mode(job["spec"]) != "InteractiveMode" and not status.get("jobId"):
            status["jobId"] = spec.get("jobId") or with_letters(job["metadata"]["name"])
        if not status.get("rayClusterName"):
            chosen = spec.get("clusterSelector", {}).get(CLUSTER)
            status["rayClusterName"] = chosen or with_letters(job["metadata"]["name"])
        status |= {"jobDeploymentStatus": "Initializing", "startTime": self._objects.now()}
        return True

    async def _initializing(self, job: Object, status: Object) -> bool:
        if self._suspend(job, status) or deadline_passed(job, status, self._now()):
            return True
        cluster = self._cluster(job, status)
        if not status.get("dashboardURL"):
            if (cluster.get("status") or {}).get("state") != "ready":
                status["rayClusterStatus"] = cluster_status(cluster)
                return True
            address = dashboard_address(self._objects, cluster)
            if address is None:
                raise NoAnswer("dashboard port is not found")
            status["dashboardURL"] = address
        mode = submission_mode(job["spec"])
        if mode == "K8sJobMode":
            self._keep_submitter(job, cluster, status)
        status["jobDeploymentStatus"] = "Waiting" if mode == "InteractiveMode" else "Running"
        return True

    async def _waiting(self, job: Object, status: Object) -> bool:
        if deadline_passed(job, status, self._now(), running=False):
            return True
        if not job["spec"].get("jobId"):
            return False
        status |= {"jobId": job["spec"]["jobId"], "jobDeploymentStatus": "Running"}
        return True

    async def _running(self, job: Object, status: Object) -> bool:
        now = self._now()
        if self._suspend(job, status) or deadline_passed(job, status, now, running=True):
            return True
        if grace_passed(status, now):
            return True
        cluster = self._cluster(job, status)
        if not job["spec"].get("clusterSelector"):
            keep_service(self._objects, stable_head_service(job, cluster), lambda *said: self._tell(job, *said))
        finished: float | None = None
        has_submitter = submission_mode(job["spec"]) in {"K8sJobMode", "SidecarMode"}
        if has_submitter:
            failed, finished = submission_ended(self._objects, job, status, cluster)
            if submitter_overdue(status, finished, now) or failed:
                return True
        dashboard = self._access.dashboard(cluster)
        found = await dashboard.job(status.get("jobId", ""))
        if found is not None:
            status["rayClusterStatus"] = cluster_status(cluster)
            follow(status, found, ended=not has_submitter or finished is not None)
            return True
        if submission_mode(job["spec"]) == "HTTPMode":
            await dashboard.submit(request(job, status))
            return False
        if finished is None:
            raise NoAnswer(f"Job {status.get('jobId', '')} does not exist on the cluster")
        status |= {"jobDeploymentStatus": "Failed", "reason": "AppFailed"}
        status["message"] = "Submitter completed but Ray job not found in RayCluster."
        return True

    async def _release(self, job: Object, status: Object) -> bool:
        gone = drop_cluster(self._objects, job, self._tell)
        if not (drop_submitter(self._objects, job, self._tell) and gone):
            return False
        for field in ("rayClusterName", "dashboardURL", "jobId", "message", "reason", "jobStatus"):
            status.pop(field, None)
        status |= {"rayClusterStatus": empty_cluster_status(), "rayJobInfo": {}}
        if status["jobDeploymentStatus"] == "Suspending":
            status["jobDeploymentStatus"] = "Suspended"
        else:
            del status["jobDeploymentStatus"]
        return True

    async def _suspended(self, job: Object, status: Object) -> bool:
        if job["spec"].get("suspend"):
            return False
        status.pop("jobStatus", None)
        status["jobDeploymentStatus"] = ""
        return True

    async def _let_go(self, job: Object) -> float | None:
        status = job.get("status") or {}
        if FINALIZER not in job["metadata"].get("finalizers", ()):
            return None
        if status.get("jobStatus", "") not in ENDED:
            cluster = self._objects.find(
                kinds.RAY_CLUSTERS, job["metadata"]["namespace"], status.get("rayClusterName", "")
            )
            try:
                if cluster is not None:
                    await self._access.dashboard(cluster).stop(status.get("jobId", ""))
            except NoAnswer as error:
                log.info("RayJob %s/%s: not stopped: %s", *key_of(job), error)
        if self._objects.find(kinds.RAY_JOBS, *key_of(job)) is not None:
            self._objects.edit(kinds.RAY_JOBS, *key_of(job), _drop_finalizer)
        return None

    def _suspend(self, job: Object, status: Object) -> bool:
        if job["spec"].get("suspend"):
            status["jobDeploymentStatus"] = "Suspending"
        return bool(job["spec"].get("suspend"))

    def _cluster(self, job: Object, status: Object) -> Object:
        namespace, name = job["metadata"]["namespace"], status["rayClusterName"]
        found = self._objects.find(kinds.RAY_CLUSTERS, namespace, name)
        if found is not None:
            return found
        if job["spec"].get("clusterSelector"):
            text = f"RayCluster {namespace}/{name} set in the clusterSelector is not found. It must be created manually"
            self._tell(job, "Warning", "RayClusterNotFound", text)
            raise NoAnswer(f"clusterSelector mode is enabled, but RayCluster {namespace}/{name} is not found")
        try:
            made = self._objects.create(kinds.RAY_CLUSTERS, construct(job, status), namespace)
        except Refused as refused:
            text = f"Failed to create RayCluster {namespace}/{name}: {refused}"
            self._tell(job, "Warning", "FailedToCreateRayCluster", text)
            raise
        self._tell(job, "Normal", "CreatedRayCluster", f"Created RayCluster {namespace}/{name}")
        return made

    def _keep_submitter(self, job: Object, cluster: Object, status: Object) -> None:
        namespace, name = key_of(job)
        if self._objects.find(kinds.JOBS, namespace, name) is not None:
            return
        try:
            self._objects.create(kinds.JOBS, submitter_job(job, cluster, status), namespace)
        except Refused as refused:
            text = f"Failed to create new Kubernetes Job {namespace}/{name}: {refused}"
            self._tell(job, "Warning", "FailedToCreateRayJobSubmitter", text)
            raise
        self._tell(job, "Normal", "CreatedRayJobSubmitter", f"Created Kubernetes Job {namespace}/{name}")

    def _with_finalizer(self, job: Object) -> Object:
        if FINALIZER in job["metadata"].get("finalizers", ()):
            return job
        return self._objects.edit(kinds.RAY_JOBS, *key_of(job), _add_finalizer)

    def _write(self, job: Object, status: Object) -> None:
        before = {**self._nothing(), **(job.get("status") or {})}
        states = ("jobStatus", "jobDeploymentStatus")
        if all(before.get(field, "") == status.get(field, "") for field in states) and not differs(
            before["rayClusterStatus"], status["rayClusterStatus"]
        ):
            return
        if status.get("jobDeploymentStatus") in {"Complete", "Failed"}:
            status["endTime"] = self._objects.now()
        kept = {field: value for field, value in status.items() if value != ""}

        def change(held: Object) -> None:
            held["status"] = kept

        version = job["metadata"]["resourceVersion"]
        self._objects.edit(kinds.RAY_JOBS, *key_of(job), change, status=True, version=version)

    def _nothing(self) -> Object:
        return {"failed": 0, "succeeded": 0, "rayJobInfo": {}, "rayClusterStatus": empty_cluster_status()}

    def _now(self) -> float:
        return self._objects.clock()


def _add_finalizer(held: Object) -> None:
    held["metadata"].setdefault("finalizers", []).append(FINALIZER)
    if held["spec"].get("rayClusterSpec") is not None:
        held["spec"]["rayClusterSpec"] = as_written(held["spec"]["rayClusterSpec"])


def _drop_finalizer(held: Object) -> None:
    drop_finalizer(held, FINALIZER)
