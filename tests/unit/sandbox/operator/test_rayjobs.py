"""A RayJob's way from its creation to its end, in each mode."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.operator.rayjobs import RayJobs
from tests.unit.sandbox.operator.world import NAMESPACE, SPEC, World, watched

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kubectl_ray.sandbox.api.store import Object

ENTRYPOINT = "python -c \"print('hello')\""


def job(**spec: Any) -> Object:
    """A RayJob `ok` with a cluster of its own."""
    given = {"entrypoint": ENTRYPOINT, "rayClusterSpec": SPEC, "submissionMode": "HTTPMode", **spec}
    wanted = {field: value for field, value in given.items() if value is not None}
    return {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": {"name": "ok"}, "spec": wanted}


def play(story: Callable[[World, RayJobs], Awaitable[None]]) -> None:
    """Run a story against a fake Ray."""

    async def run() -> None:
        world = World()
        async with world.ray.serving():
            try:
                await story(world, RayJobs(world.objects, world.access))
            finally:
                await world.access.close()

    asyncio.run(run())


async def begin(world: World, controller: RayJobs, **spec: Any) -> Object:
    """Create the RayJob and let the controller do what it can; the RayJob's status."""
    world.objects.create(kinds.RAY_JOBS, job(**spec), NAMESPACE)
    await world.rest(controller)
    return status(world)


def status(world: World) -> Object:
    """The RayJob's status."""
    found: Object = world.get(kinds.RAY_JOBS, "ok")["status"]
    return found


async def ready(world: World, controller: RayJobs, **spec: Any) -> Object:
    """Create it and let its cluster come up."""
    await begin(world, controller, **spec)
    world.cluster_comes_up()
    await world.rest(controller)
    return status(world)


def reasons(world: World) -> list[str]:
    """Of all events about the RayJob."""
    return [reason for _type, reason, _message in world.events()]


def test_starts_with_finalizer_id_and_cluster() -> None:
    """The finalizer comes first and counts the generation up, then status names job and cluster, then that is made."""

    async def story(world: World, controller: RayJobs) -> None:
        seen = watched(world, kinds.RAY_JOBS, lambda held: (held["metadata"]["generation"], held.get("status")))
        began = await begin(world, controller)
        assert [each[0] for each in seen] == [1, 2, 2]
        assert seen[1][1] is None
        name = world.names(kinds.RAY_CLUSTERS)[0]
        assert began == {
            "failed": 0,
            "succeeded": 0,
            "rayJobInfo": {},
            "rayClusterStatus": {
                "desiredCPU": "0",
                "desiredGPU": "0",
                "desiredMemory": "0",
                "desiredTPU": "0",
                "head": {},
            },
            "jobDeploymentStatus": "Initializing",
            "jobId": began["jobId"],
            "rayClusterName": name,
            "startTime": world.objects.now(),
        }
        assert began["jobId"].startswith("ok-")
        assert began["jobId"] != name
        assert world.get(kinds.RAY_JOBS, "ok")["metadata"]["finalizers"] == ["ray.io/rayjob-finalizer"]
        assert world.events() == [("Normal", "CreatedRayCluster", f"Created RayCluster lab/{name}")]

    play(story)


def test_own_cluster() -> None:
    """The cluster belongs to the RayJob, has its labels and annotations and says where it comes from."""

    async def story(world: World, controller: RayJobs) -> None:
        wanted = job()
        wanted["metadata"] |= {"labels": {"team": "a"}, "annotations": {"note": "b"}}
        made = world.objects.create(kinds.RAY_JOBS, wanted, NAMESPACE)
        await world.rest(controller)
        cluster = world.objects.list(kinds.RAY_CLUSTERS, NAMESPACE)[0]
        assert cluster["metadata"]["labels"] == {
            "team": "a",
            "ray.io/originated-from-cr-name": "ok",
            "ray.io/originated-from-crd": "RayJob",
            "ray.io/job-submission-mode": "HTTPMode",
        }
        assert cluster["metadata"]["annotations"] == {"note": "b"}
        assert cluster["metadata"]["ownerReferences"] == [
            {
                "apiVersion": "ray.io/v1",
                "kind": "RayJob",
                "name": "ok",
                "uid": made["metadata"]["uid"],
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]
        assert cluster["spec"]["headGroupSpec"]["template"]["metadata"] == {}

    play(story)


def test_the_clusters_status_is_copied_while_it_starts() -> None:
    """Why a job is not starting can be read of the RayJob alone."""

    async def story(world: World, controller: RayJobs) -> None:
        began = await begin(world, controller)
        said = {"conditions": [{"type": "HeadPodReady", "status": "False", "reason": "ContainerCreating"}]}
        world.set_status(kinds.RAY_CLUSTERS, began["rayClusterName"], said)
        await world.rest(controller)
        assert status(world)["rayClusterStatus"]["conditions"] == said["conditions"]
        assert status(world)["jobDeploymentStatus"] == "Initializing"
        assert world.wait == 3.0

    play(story)


def test_http_mode() -> None:
    """The operator posts the job by itself; SUCCEEDED and Complete come together."""

    async def story(world: World, controller: RayJobs) -> None:
        seen = watched(world, kinds.RAY_JOBS, _states)
        began = await ready(world, controller, runtimeEnvYAML="env_vars: {A: b}", entrypointNumCpus=0.5)
        assert began["dashboardURL"] == f"{began['rayClusterName']}-head-svc.lab.svc.cluster.local:8265"
        assert world.ray.jobs[began["jobId"]]["request"] == {
            "entrypoint": ENTRYPOINT,
            "submission_id": began["jobId"],
            "runtime_env": {"env_vars": {"A": "b"}},
            "entrypoint_num_cpus": 0.5,
        }
        await world.poll(controller, "ok")
        start = int(world.now * 1000)
        world.ray.job(began["jobId"], "RUNNING", message="Job is currently running.", start_time=start)
        await world.poll(controller, "ok")
        end = start + 2000
        world.ray.job(began["jobId"], "SUCCEEDED", message="Job finished successfully.", start_time=start, end_time=end)
        await world.poll(controller, "ok")
        assert seen == [
            (None, None),
            ("Initializing", None),
            ("Running", None),
            ("Running", "PENDING"),
            ("Running", "RUNNING"),
            ("Complete", "SUCCEEDED"),
        ]
        done = status(world)
        assert (done["succeeded"], done["failed"], done["message"]) == (1, 0, "Job finished successfully.")
        assert set(done["rayJobInfo"]) == {"startTime", "endTime"}
        assert done["endTime"] == world.objects.now()
        assert "reason" not in done
        assert world.wait is None
        assert reasons(world) == ["CreatedRayCluster", "CreatedService"]

    play(story)


def _states(held: Object) -> tuple[str | None, str | None]:
    seen = held.get("status") or {}
    return seen.get("jobDeploymentStatus"), seen.get("jobStatus")


def test_head_service_of_the_job() -> None:
    """`<rayjob>-head-svc` leads to the cluster's head under the job's own name."""

    async def story(world: World, controller: RayJobs) -> None:
        began = await ready(world, controller)
        made, name = world.get(kinds.SERVICES, "ok-head-svc"), began["rayClusterName"]
        assert made["metadata"]["labels"] == {
            "ray.io/identifier": "ok-head",
            "ray.io/node-type": "head",
            "ray.io/originated-from-cr-name": "ok",
            "ray.io/originated-from-crd": "RayJob",
        }
        assert made["spec"]["selector"] == {
            "app.kubernetes.io/created-by": "kuberay-operator",
            "app.kubernetes.io/name": "kuberay",
            "ray.io/cluster": name,
            "ray.io/identifier": f"{name}-head",
            "ray.io/node-type": "head",
        }
        assert [port["name"] for port in made["spec"]["ports"]] == [
            "client",
            "dashboard",
            "gcs-server",
            "metrics",
            "serve",
        ]

    play(story)


def test_k8s_job_mode_waits_for_the_submitter() -> None:
    """A Ray job that has ended leaves the RayJob Running until the submitter has ended too."""

    async def story(world: World, controller: RayJobs) -> None:
        seen = watched(world, kinds.RAY_JOBS, _states)
        began = await ready(world, controller, submissionMode="K8sJobMode")
        assert world.names(kinds.JOBS) == ["ok"]
        world.ray.job(began["jobId"], "SUCCEEDED", message="Job finished successfully.")
        await world.poll(controller, "ok")
        assert _states(world.get(kinds.RAY_JOBS, "ok")) == ("Running", "SUCCEEDED")
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


def test_cluster_selector() -> None:
    """A cluster that is there already is used: no service of the job's own, and nothing of it is deleted."""

    async def story(world: World, controller: RayJobs) -> None:
        world.objects.create(kinds.RAY_CLUSTERS, {"metadata": {"name": "mine"}, "spec": SPEC}, NAMESPACE)
        world.cluster_comes_up()
        began = await begin(
            world,
            controller,
            rayClusterSpec=None,
            clusterSelector={"ray.io/cluster": "mine"},
            shutdownAfterJobFinishes=True,
        )
        assert (began["rayClusterName"], began["jobDeploymentStatus"]) == ("mine", "Running")
        world.ray.job(began["jobId"], "SUCCEEDED")
        await world.poll(controller, "ok")
        await world.poll(controller, "ok", after=100)
        assert status(world)["jobDeploymentStatus"] == "Complete"
        assert world.names(kinds.RAY_CLUSTERS) == ["mine"]
        assert world.names(kinds.SERVICES) == ["mine-head-svc"]

    play(story)


def test_a_selected_cluster_that_is_not_there() -> None:
    """It is waited for, with a warning each time it is looked for."""

    async def story(world: World, controller: RayJobs) -> None:
        await begin(world, controller, rayClusterSpec=None, clusterSelector={"ray.io/cluster": "nosuch"})
        assert status(world)["jobDeploymentStatus"] == "Initializing"
        text = "RayCluster lab/nosuch set in the clusterSelector is not found. It must be created manually"
        assert world.events() == [("Warning", "RayClusterNotFound", text)]
        assert world.wait is not None
        assert world.wait < 3

    play(story)


def test_an_unknown_mode_runs_for_ever() -> None:
    """The operator takes any word for a mode: the cluster is made, and then nobody submits."""

    async def story(world: World, controller: RayJobs) -> None:
        began = await ready(world, controller, submissionMode="Nope")
        assert began["jobDeploymentStatus"] == "Running"
        assert "jobStatus" not in began
        assert world.ray.jobs == {}

    play(story)


def test_managed_elsewhere() -> None:
    """A RayJob of another controller is left alone."""

    async def story(world: World, controller: RayJobs) -> None:
        world.objects.create(kinds.RAY_JOBS, job(managedBy="kueue.x-k8s.io/multikueue"), NAMESPACE)
        await world.rest(controller)
        assert "status" not in world.get(kinds.RAY_JOBS, "ok")

    play(story)


def test_invalid() -> None:
    """What is wrong stands in status and in a warning; there is no finalizer, and a correction does not revive it."""

    async def story(world: World, controller: RayJobs) -> None:
        await begin(world, controller, rayClusterSpec=None)
        text = "The RayJob spec is invalid: one of RayClusterSpec or ClusterSelector must be set"
        failed = status(world)
        assert (failed["jobDeploymentStatus"], failed["reason"]) == ("ValidationFailed", "ValidationFailed")
        assert failed["message"] == text
        assert "finalizers" not in world.get(kinds.RAY_JOBS, "ok")["metadata"]
        assert world.events() == [("Warning", "InvalidRayJobSpec", f"lab/ok: {text}")]
        world.change(kinds.RAY_JOBS, "ok", rayClusterSpec=SPEC)
        await world.rest(controller)
        assert status(world)["jobDeploymentStatus"] == "ValidationFailed"
        assert world.names(kinds.RAY_CLUSTERS) == []

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
