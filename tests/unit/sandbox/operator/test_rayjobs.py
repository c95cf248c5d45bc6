"""A RayJob's way from its creation to its end, in each mode."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

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
        seen = watched(world, kinds.RAY_JOBS, states)
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


def states(held: Object) -> tuple[str | None, str | None]:
    """Deployment status and job status."""
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
