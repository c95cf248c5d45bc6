"""Suspension, retries, deadlines, deletion: how a RayJob ends and what it takes away."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.sandbox.api import kinds
from tests.unit.sandbox.operator.test_rayjobs import begin, play, ready, reasons, status
from tests.unit.sandbox.operator.world import NAMESPACE, SPEC, World, watched

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.operator.rayjobs import RayJobs

WORKERS = {
    **SPEC,
    "workerGroupSpecs": [
        {
            "groupName": "w",
            "minReplicas": 0,
            "maxReplicas": 2,
            "replicas": 1,
            "template": {"spec": {"containers": [{"name": "w"}]}},
        }
    ],
}


def _state(held: Object) -> str | None:
    found: str | None = (held.get("status") or {}).get("jobDeploymentStatus")
    return found


async def _end(world: World, controller: RayJobs, word: str = "SUCCEEDED", **spec: Any) -> Object:
    began = await ready(world, controller, **spec)
    world.ray.job(began["jobId"], word)
    await world.poll(controller, "ok")
    return status(world)


def test_created_suspended() -> None:
    """Suspended at once, without a cluster; the id and the cluster's name are gone from status again."""

    async def story(world: World, controller: RayJobs) -> None:
        seen = watched(world, kinds.RAY_JOBS, _state)
        rested = await begin(world, controller, suspend=True, shutdownAfterJobFinishes=True)
        assert seen == [None, "Initializing", "Suspending", "Suspended"]
        assert world.names(kinds.RAY_CLUSTERS) == []
        assert set(rested) == {
            "failed",
            "succeeded",
            "rayJobInfo",
            "rayClusterStatus",
            "jobDeploymentStatus",
            "startTime",
        }
        assert world.wait is None

    play(story)


def test_suspended_while_it_runs_and_resumed() -> None:
    """Cluster and submitter are deleted and status is wiped; resuming starts over with new names."""

    async def story(world: World, controller: RayJobs) -> None:
        began = await ready(world, controller, submissionMode="K8sJobMode", shutdownAfterJobFinishes=True)
        world.ray.job(began["jobId"], "RUNNING")
        await world.poll(controller, "ok")
        seen = watched(world, kinds.RAY_JOBS, _state)
        world.change(kinds.RAY_JOBS, "ok", suspend=True)
        await world.rest(controller)
        assert (world.names(kinds.RAY_CLUSTERS), world.names(kinds.JOBS)) == ([], [])
        rested = status(world)
        assert not {"jobId", "jobStatus", "rayClusterName", "dashboardURL", "message"} & set(rested)
        world.change(kinds.RAY_JOBS, "ok", suspend=False)
        await world.rest(controller)
        assert seen == ["Running", "Suspending", "Suspended", None, "Initializing"]
        again = status(world)
        assert again["jobId"] != began["jobId"]
        assert world.names(kinds.RAY_CLUSTERS) == [again["rayClusterName"]]
        assert again["rayClusterName"] != began["rayClusterName"]

    play(story)


def test_retries() -> None:
    """A failed run is done again on a new cluster with a new id while backoffLimit allows; failures are counted."""

    async def story(world: World, controller: RayJobs) -> None:
        seen = watched(world, kinds.RAY_JOBS, _state)
        first = await ready(world, controller, backoffLimit=1)
        world.ray.job(first["jobId"], "FAILED", message="exit code 3")
        await world.poll(controller, "ok")
        again = status(world)
        assert seen[-3:] == ["Retrying", None, "Initializing"]
        assert (again["failed"], "message" in again, "endTime" in again) == (1, False, False)
        assert world.names(kinds.RAY_CLUSTERS) == [again["rayClusterName"]] != [first["rayClusterName"]]
        second = world.cluster_comes_up()
        await world.rest(controller)
        assert world.get(kinds.SERVICES, "ok-head-svc")["spec"]["selector"]["ray.io/cluster"] == second
        world.ray.job(again["jobId"], "FAILED", message="exit code 3")
        await world.poll(controller, "ok")
        done = status(world)
        assert (done["jobDeploymentStatus"], done["failed"], done["message"]) == ("Failed", 2, "exit code 3")
        assert reasons(world) == [
            "CreatedRayCluster",
            "CreatedService",
            "DeletedRayCluster",
            "CreatedRayCluster",
            "UpdatedService",
        ]

    play(story)


def test_active_deadline() -> None:
    """It counts from startTime; jobStatus stays what it was, and there is no retry."""

    async def story(world: World, controller: RayJobs) -> None:
        began = await ready(world, controller, activeDeadlineSeconds=20, backoffLimit=3)
        world.ray.job(began["jobId"], "RUNNING")
        await world.poll(controller, "ok")
        await world.poll(controller, "ok", after=18)
        done = status(world)
        assert (done["jobDeploymentStatus"], done["jobStatus"], done["reason"]) == (
            "Failed",
            "RUNNING",
            "DeadlineExceeded",
        )
        assert done["message"] == (
            "The RayJob has passed the activeDeadlineSeconds."
            " StartTime: 2026-11-23 11:56:40 +0000 UTC. ActiveDeadlineSeconds: 20"
        )
        assert ("POST", f"/api/jobs/{began['jobId']}/stop") not in world.ray.asked

    play(story)


def test_deadline_before_running() -> None:
    """PreRunningDeadlineSeconds ends what never came to run."""

    async def story(world: World, controller: RayJobs) -> None:
        await begin(world, controller, preRunningDeadlineSeconds=5)
        await world.poll(controller, "ok", after=5)
        assert status(world)["reason"] == "PreRunningDeadlineExceeded"

    play(story)


def test_a_submitter_that_does_not_end() -> None:
    """300 s after Ray's job has ended the RayJob ends too."""

    async def story(world: World, controller: RayJobs) -> None:
        began = await ready(world, controller, submissionMode="K8sJobMode")
        world.ray.job(began["jobId"], "SUCCEEDED", end_time=int(world.now * 1000))
        await world.poll(controller, "ok")
        await world.poll(controller, "ok", after=300)
        done = status(world)
        assert done["jobDeploymentStatus"] == "Complete"
        assert done["reason"] == "JobDeploymentStatusTransitionGracePeriodExceeded"

    play(story)


def test_stopped_through_ray() -> None:
    """STOPPED ends as Complete, and does not count as a success."""

    async def story(world: World, controller: RayJobs) -> None:
        done = await _end(world, controller, "STOPPED")
        assert (done["jobDeploymentStatus"], done["succeeded"], done["failed"]) == ("Complete", 0, 0)

    play(story)


def test_an_ended_job_does_not_run_again() -> None:
    """Its spec may be edited; nothing comes of it."""

    async def story(world: World, controller: RayJobs) -> None:
        done = await _end(world, controller)
        world.change(kinds.RAY_JOBS, "ok", entrypoint="true")
        await world.rest(controller)
        assert status(world) == done

    play(story)


def test_without_shutdown_the_cluster_stays() -> None:
    """Nothing is taken away by default."""

    async def story(world: World, controller: RayJobs) -> None:
        done = await _end(world, controller)
        await world.poll(controller, "ok", after=10_000)
        assert world.names(kinds.RAY_CLUSTERS) == [done["rayClusterName"]]

    play(story)


def test_shutdown_after_the_ttl() -> None:
    """The cluster goes ttlSecondsAfterFinished after the end; the RayJob and its submitter stay."""

    async def story(world: World, controller: RayJobs) -> None:
        await _end(world, controller, shutdownAfterJobFinishes=True, ttlSecondsAfterFinished=10)
        assert world.wait == 12.0
        assert len(world.names(kinds.RAY_CLUSTERS)) == 1
        await world.poll(controller, "ok", after=10)
        assert world.names(kinds.RAY_CLUSTERS) == []
        assert status(world)["jobDeploymentStatus"] == "Complete"
        assert reasons(world)[-1] == "DeletedRayCluster"

    play(story)


def _rule(policy: str, seconds: int, word: str = "SUCCEEDED") -> Object:
    return {"policy": policy, "condition": {"jobStatus": word, "ttlSeconds": seconds}}


def test_deletion_rules() -> None:
    """Each rule at its time: workers, then the cluster, then the RayJob itself."""

    async def story(world: World, controller: RayJobs) -> None:
        rules = [_rule("DeleteSelf", 30), _rule("DeleteWorkers", 10), _rule("DeleteCluster", 20)]
        strategy = {"deletionRules": [*rules, _rule("DeleteSelf", 0, "FAILED")]}
        done = await _end(world, controller, deletionStrategy=strategy, rayClusterSpec=copy.deepcopy(WORKERS))
        assert world.wait == 12.0
        await world.poll(controller, "ok", after=10)
        cluster = world.get(kinds.RAY_CLUSTERS, done["rayClusterName"])
        assert [group["suspend"] for group in cluster["spec"]["workerGroupSpecs"]] == [True]
        text = f"Set the `suspend` field to true for all worker groups in cluster lab/{done['rayClusterName']}"
        assert world.events()[-1] == ("Normal", "UpdatedRayCluster", text)
        await world.poll(controller, "ok", after=10)
        assert world.names(kinds.RAY_CLUSTERS) == []
        await world.poll(controller, "ok", after=10)
        assert world.names(kinds.RAY_JOBS) == []

    play(story)


def test_of_several_rules_that_are_due_the_strongest_is_done() -> None:
    """What takes most away makes the others needless."""

    async def story(world: World, controller: RayJobs) -> None:
        strategy = {"deletionRules": [_rule("DeleteNone", 0), _rule("DeleteCluster", 0), _rule("DeleteWorkers", 0)]}
        await _end(world, controller, deletionStrategy=strategy, rayClusterSpec=copy.deepcopy(WORKERS))
        assert world.names(kinds.RAY_CLUSTERS) == []
        assert "UpdatedRayCluster" not in reasons(world)

    play(story)


@pytest.mark.parametrize(("word", "left"), [("SUCCEEDED", 1), ("FAILED", 0)])
def test_old_deletion_policies(word: str, left: int) -> None:
    """There is one policy for success and one for failure."""

    async def story(world: World, controller: RayJobs) -> None:
        strategy = {"onSuccess": {"policy": "DeleteNone"}, "onFailure": {"policy": "DeleteCluster"}}
        await _end(world, controller, word, deletionStrategy=strategy)
        assert len(world.names(kinds.RAY_CLUSTERS)) == left

    play(story)


def test_deleting_a_running_job_stops_it_in_ray() -> None:
    """Ray is asked to stop the job, then the finalizer goes."""

    async def story(world: World, controller: RayJobs) -> None:
        began = await ready(world, controller)
        world.ray.job(began["jobId"], "RUNNING")
        await world.poll(controller, "ok")
        world.objects.delete(kinds.RAY_JOBS, NAMESPACE, "ok")
        await world.rest(controller)
        assert world.ray.jobs[began["jobId"]]["status"] == "STOPPED"
        assert world.names(kinds.RAY_JOBS) == []

    play(story)


def test_deleting_an_ended_job_asks_ray_nothing() -> None:
    """There is nothing to stop."""

    async def story(world: World, controller: RayJobs) -> None:
        await _end(world, controller)
        world.ray.asked.clear()
        world.objects.delete(kinds.RAY_JOBS, NAMESPACE, "ok")
        await world.rest(controller)
        assert world.ray.asked == []
        assert world.names(kinds.RAY_JOBS) == []

    play(story)


def test_a_job_whose_ray_is_silent_can_be_deleted() -> None:
    """The finalizer goes whatever Ray answers."""

    async def story(world: World, controller: RayJobs) -> None:
        await ready(world, controller)
        world.live = False
        world.objects.delete(kinds.RAY_JOBS, NAMESPACE, "ok")
        await world.rest(controller)
        assert world.names(kinds.RAY_JOBS) == []

    play(story)
