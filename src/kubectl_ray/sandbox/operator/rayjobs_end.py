"""What a RayJob takes away: at its end by its deletion rules, at a suspension or a retry all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.events import seconds
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.operator.parents import key_of, submission_mode

if TYPE_CHECKING:
    from typing import Protocol

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object

    class Tell(Protocol):
        """Writes an event about the object."""

        def __call__(self, about: Object, type_: str, reason: str, message: str, /) -> None:
            """Type, reason, message."""


MARGIN = 2.0
"""Seconds after the moment at which something is due when the operator comes to look."""

_IMPACT = {"DeleteNone": 1, "DeleteWorkers": 2, "DeleteCluster": 3, "DeleteSelf": 4}


def after_the_end(objects: Objects, job: Object, tell: Tell) -> float | None:
    """Take away what is due; seconds until the next is, None where nothing is left to do.

    Raises:
        Refused: something cannot be deleted.
    """
    spec = job["spec"]
    if spec.get("clusterSelector"):
        return None
    strategy = spec.get("deletionStrategy")
    if strategy is not None and strategy.get("deletionRules") is not None:
        return _by_rules(objects, job, tell)
    if strategy is not None:
        field = {"SUCCEEDED": "onSuccess", "FAILED": "onFailure"}.get(job["status"].get("jobStatus", ""), "")
        policy = strategy[field]["policy"] if field else "DeleteNone"
    elif spec.get("shutdownAfterJobFinishes"):
        policy = "DeleteCluster"
    else:
        return None
    if policy == "DeleteNone":
        return None
    left: float = seconds(job["status"]["endTime"]) + spec.get("ttlSecondsAfterFinished", 0) - objects.clock()
    if left > 0:
        return left + MARGIN
    _execute(objects, job, policy, tell)
    return None


def _by_rules(objects: Objects, job: Object, tell: Tell) -> float | None:
    status, now = job["status"], objects.clock()
    due, later = [], []
    for rule in job["spec"]["deletionStrategy"]["deletionRules"]:
        condition = rule["condition"]
        field = "jobStatus" if "jobStatus" in condition else "jobDeploymentStatus"
        if condition[field] != status.get(field):
            continue
        moment = seconds(status["endTime"]) + condition.get("ttlSeconds", 0)
        if now < moment:
            later.append(moment)
        elif not _done(objects, job, rule["policy"]):
            due.append(rule["policy"])
    if due:
        _execute(objects, job, max(due, key=_IMPACT.__getitem__), tell)
    return min(later) - now + MARGIN if later else None


def _done(objects: Objects, job: Object, policy: str) -> bool:
    if policy in {"DeleteSelf", "DeleteNone"}:
        return policy == "DeleteNone"
    cluster = _cluster(objects, job)
    if cluster is None or cluster["metadata"].get("deletionTimestamp"):
        return True
    groups = cluster["spec"].get("workerGroupSpecs", ())
    return policy == "DeleteWorkers" and all(group.get("suspend") for group in groups)


def _execute(objects: Objects, job: Object, policy: str, tell: Tell) -> None:
    if policy == "DeleteCluster":
        drop_cluster(objects, job, tell)
    elif policy == "DeleteWorkers":
        _suspend_workers(objects, job, tell)
    elif policy == "DeleteSelf":
        objects.delete(kinds.RAY_JOBS, *key_of(job))


def _suspend_workers(objects: Objects, job: Object, tell: Tell) -> None:
    namespace, name = job["metadata"]["namespace"], job["status"]["rayClusterName"]

    def suspend(held: Object) -> None:
        for group in held["spec"].get("workerGroupSpecs", ()):
            group["suspend"] = True

    try:
        objects.edit(kinds.RAY_CLUSTERS, namespace, name, suspend)
    except Refused as refused:
        text = f"Failed to suspend worker groups in cluster {namespace}/{name}: {refused}"
        tell(job, "Warning", "FailedToUpdateRayCluster", text)
        raise
    text = f"Set the `suspend` field to true for all worker groups in cluster {namespace}/{name}"
    tell(job, "Normal", "UpdatedRayCluster", text)


def drop_cluster(objects: Objects, job: Object, tell: Tell) -> bool:
    """Delete the job's own cluster; whether it is gone. One that the job was only pointed at is left alone.

    Raises:
        Refused: it cannot be deleted.
    """
    if job["spec"].get("clusterSelector"):
        return True
    cluster = _cluster(objects, job)
    if cluster is None:
        return True
    if not cluster["metadata"].get("deletionTimestamp"):
        namespace, name = key_of(cluster)
        try:
            objects.delete(kinds.RAY_CLUSTERS, namespace, name)
        except Refused as refused:
            tell(job, "Warning", "FailedToDeleteRayCluster", f"Failed to delete cluster {namespace}/{name}: {refused}")
            raise
        tell(job, "Normal", "DeletedRayCluster", f"Deleted cluster {namespace}/{name}")
    return False


def drop_submitter(objects: Objects, job: Object, tell: Tell) -> bool:
    """Delete the Kubernetes Job that submits; whether it is gone.

    Raises:
        Refused: it cannot be deleted.
    """
    namespace, name = key_of(job)
    if submission_mode(job["spec"]) in {"HTTPMode", "SidecarMode"}:
        return True
    held = objects.find(kinds.JOBS, namespace, name)
    if held is None:
        return True
    if not held["metadata"].get("deletionTimestamp"):
        try:
            objects.delete(kinds.JOBS, namespace, name, propagation="Background")
        except Refused as refused:
            text = f"Failed to delete submitter K8s Job {namespace}/{name}: {refused}"
            tell(job, "Warning", "FailedToDeleteRayJobSubmitter", text)
            raise
        tell(job, "Normal", "DeletedRayJobSubmitter", f"Deleted submitter K8s Job {namespace}/{name}")
    return False


def _cluster(objects: Objects, job: Object) -> Object | None:
    return objects.find(kinds.RAY_CLUSTERS, job["metadata"]["namespace"], job["status"].get("rayClusterName", ""))
