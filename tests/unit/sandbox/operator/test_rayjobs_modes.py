"""How an entrypoint comes to Ray: each mode, and how it ends there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubectl_ray.sandbox.api import kinds
from tests.unit.sandbox.operator.test_rayjobs import play, ready, reasons, states, status
from tests.unit.sandbox.operator.world import NAMESPACE, World, watched

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.operator.rayjobs import RayJobs


def test_k8s_job_mode_waits_for_the_submitter() -> None:
    """A Ray job that has ended leaves the RayJob Running until the submitter has ended too."""

    async def story(world: World, controller: RayJobs) -> None:
        seen = watched(world, kinds.RAY_JOBS, states)
        began = await ready(world, controller, submissionMode="K8sJobMode")
        assert world.names(kinds.JOBS) == ["ok"]
        world.ray.job(began["jobId"], "SUCCEEDED", message="Job finished successfully.")
        await world.poll(controller, "ok")
        assert states(world.get(kinds.RAY_JOBS, "ok")) == ("Running", "SUCCEEDED")
        world.finish("ok")
        await world.rest(controller)
        assert seen[-2:] == [("Running", "SUCCEEDED"), ("Complete", "SUCCEEDED")]
        assert reasons(world) == ["CreatedRayCluster", "CreatedRayJobSubmitter", "CreatedService"]

    play(story)


def test_a_failed_driver_fails_the_job_although_the_submitter_completes() -> None:
    """The submitter ends well after a job that failed: only Ray's word counts."""

    async def story(world: World, controller: RayJobs) -> None:
        began = await ready(world, controller, submissionMode="K8sJobMode")
        world.ray.job(began["jobId"], "FAILED", message="Job entrypoint command failed with exit code 3")
        await world.poll(controller, "ok")
        world.finish("ok")
        await world.rest(controller)
        done = status(world)
        assert (done["jobDeploymentStatus"], done["reason"], done["failed"]) == ("Failed", "AppFailed", 1)
        assert done["message"] == "Job entrypoint command failed with exit code 3"

    play(story)


def test_a_failed_submitter_fails_the_job() -> None:
    """Where nothing could be submitted, the Kubernetes Job's reason is told."""

    async def story(world: World, controller: RayJobs) -> None:
        await ready(world, controller, submissionMode="K8sJobMode")
        world.finish(
            "ok", "Failed", reason="BackoffLimitExceeded", message="Job has reached the specified backoff limit"
        )
        await world.rest(controller)
        done = status(world)
        assert (done["jobDeploymentStatus"], done["reason"]) == ("Failed", "SubmissionFailed")
        assert done["message"] == (
            "Job submission has failed. Reason: BackoffLimitExceeded."
            " Message: Job has reached the specified backoff limit"
        )

    play(story)


def test_a_submitter_without_a_job() -> None:
    """A submitter that ends well without a job in Ray is a failure."""

    async def story(world: World, controller: RayJobs) -> None:
        await ready(world, controller, submissionMode="K8sJobMode")
        world.finish("ok")
        await world.rest(controller)
        assert status(world)["message"] == "Submitter completed but Ray job not found in RayCluster."

    play(story)


def test_a_submitter_that_ended_long_before_the_job() -> None:
    """30 s after the submitter's end the job must have ended too."""

    async def story(world: World, controller: RayJobs) -> None:
        began = await ready(world, controller, submissionMode="K8sJobMode")
        world.ray.job(began["jobId"], "RUNNING")
        world.finish("ok")
        await world.rest(controller)
        assert status(world)["jobDeploymentStatus"] == "Running"
        await world.poll(controller, "ok", after=30)
        done = status(world)
        assert (done["jobDeploymentStatus"], done["jobStatus"]) == ("Failed", "FAILED")
        assert done["message"].endswith("but the ray job did not reach terminal state within 30s")

    play(story)


def test_interactive_mode_waits_for_an_id() -> None:
    """Without jobId it waits; with one it follows that job, which may not exist yet."""

    async def story(world: World, controller: RayJobs) -> None:
        began = await ready(world, controller, submissionMode="InteractiveMode")
        assert began["jobDeploymentStatus"] == "Waiting"
        assert "jobId" not in began
        world.change(kinds.RAY_JOBS, "ok", jobId="mine")
        await world.rest(controller)
        assert (status(world)["jobDeploymentStatus"], status(world)["jobId"]) == ("Running", "mine")
        world.ray.job("mine", "SUCCEEDED")
        await world.poll(controller, "ok")
        assert status(world)["jobDeploymentStatus"] == "Complete"

    play(story)


def test_an_unknown_mode_runs_for_ever() -> None:
    """The operator takes any word for a mode: the cluster is made, and then nobody submits."""

    async def story(world: World, controller: RayJobs) -> None:
        began = await ready(world, controller, submissionMode="Nope")
        assert began["jobDeploymentStatus"] == "Running"
        assert "jobStatus" not in began
        assert world.ray.jobs == {}

    play(story)


def test_sidecar_mode() -> None:
    """The submitter sits in the head's pod, which is not made anew when it ends; the pod's container tells the end."""

    async def story(world: World, controller: RayJobs) -> None:
        began = await ready(world, controller, submissionMode="SidecarMode")
        cluster = world.get(kinds.RAY_CLUSTERS, began["rayClusterName"])
        pod = cluster["spec"]["headGroupSpec"]["template"]["spec"]
        assert cluster["metadata"]["annotations"] == {"ray.io/disable-provisioned-head-restart": "true"}
        assert pod["restartPolicy"] == "Never"
        assert [each["name"] for each in pod["containers"]] == ["ray-head", "ray-job-submitter"]
        assert world.names(kinds.JOBS) == []
        world.ray.job(began["jobId"], "SUCCEEDED")
        await world.poll(controller, "ok")
        assert status(world)["jobDeploymentStatus"] == "Running"
        _sidecar_ends(world, began, 0)
        await world.poll(controller, "ok")
        assert status(world)["jobDeploymentStatus"] == "Complete"

    play(story)


@pytest.mark.parametrize(
    ("known", "reason", "message"),
    [
        ("FAILED", "AppFailed", "Ray's words"),
        (
            "PENDING",
            "SubmissionFailed",
            "Ray head pod container ray-job-submitter terminated with exit code 1: Error",
        ),
    ],
)
def test_a_failed_sidecar(known: str, reason: str, message: str) -> None:
    """A failed sidecar fails the job; Ray's words are kept where the driver was at fault."""

    async def story(world: World, controller: RayJobs) -> None:
        began = await ready(world, controller, submissionMode="SidecarMode")
        world.ray.job(began["jobId"], known, message="Ray's words")
        await world.poll(controller, "ok")
        _sidecar_ends(world, began, 1)
        await world.poll(controller, "ok")
        done = status(world)
        assert (done["jobDeploymentStatus"], done["reason"], done["message"]) == ("Failed", reason, message)

    play(story)


def _sidecar_ends(world: World, began: Object, code: int) -> None:
    ended = {"exitCode": code, "reason": "Error" if code else "Completed", "finishedAt": world.objects.now()}
    said = [{"name": "ray-job-submitter", "state": {"terminated": ended}}]
    world.set_status(kinds.PODS, f"{began['rayClusterName']}-head-aaaaa", {"containerStatuses": said})


def test_a_sidecar_without_its_head() -> None:
    """The head's pod gone is the end of the job."""

    async def story(world: World, controller: RayJobs) -> None:
        began = await ready(world, controller, submissionMode="SidecarMode")
        world.objects.delete(kinds.PODS, NAMESPACE, f"{began['rayClusterName']}-head-aaaaa", grace=0)
        await world.poll(controller, "ok")
        assert status(world)["message"] == "Ray head pod not found."

    play(story)
