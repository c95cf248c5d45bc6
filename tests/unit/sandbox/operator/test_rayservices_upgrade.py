"""What a RayService that serves makes of a changed spec, and how it ends."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from tests.unit.sandbox.operator.test_rayservices import CONFIG, Serving, play, service, serving
from tests.unit.sandbox.operator.world import NAMESPACE, SPEC, watched

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.operator.rayservices import RayServices


def test_changed_in_place() -> None:
    """Another serveConfigV2 goes to the same cluster, and Ready stays True all along."""

    async def story(world: Serving, controller: RayServices) -> None:
        name = await serving(world, controller)
        seen = watched(world, kinds.RAY_SERVICES, lambda held: held["status"]["conditions"][0]["status"])
        world.change(kinds.RAY_SERVICES, "hs", serveConfigV2=CONFIG.replace("hello:app", "other:app"))
        await world.rest(controller)
        assert world.ray.config is not None
        assert world.ray.config["applications"][0]["import_path"] == "other:app"
        assert world.status["observedGeneration"] == 3
        message = "Upscaling from 1 to 2 replicas."
        world.ray.applications["hello"] |= {
            "status": "DEPLOYING",
            "deployments": {"Hello": {"status": "UPSCALING", "message": message}},
        }
        await world.poll(controller, "hs")
        told = world.status["activeServiceStatus"]["applicationStatuses"]["hello"]
        assert told["serveDeploymentStatuses"] == {"Hello": {"status": "UPSCALING", "message": message}}
        assert (world.names(kinds.RAY_CLUSTERS), seen) == ([name], ["True"])

    play(story)


def test_a_bad_config_leaves_it_ready() -> None:
    """The application has failed, and says why; the service says that it runs."""

    async def story(world: Serving, controller: RayServices) -> None:
        await serving(world, controller)
        world.ray.applications = {"hello": {"status": "DEPLOY_FAILED", "message": "Traceback", "deployments": {}}}
        await world.poll(controller, "hs")
        told = world.status["activeServiceStatus"]["applicationStatuses"]
        assert told == {"hello": {"status": "DEPLOY_FAILED", "message": "Traceback"}}
        assert world.conditions()["Ready"] == ("True", "NonZeroServeEndpoints")
        assert world.status["serviceStatus"] == "Running"
        assert not [each for each in world.events() if each[0] == "Warning"]

    play(story)


def _changed() -> Object:
    changed = copy.deepcopy(SPEC)
    changed["headGroupSpec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "b"}]
    return changed


def test_upgrade() -> None:
    """A new cluster beside the old one; the services go over to it when all runs there; the old one goes later."""

    async def story(world: Serving, controller: RayServices) -> None:
        old = await serving(world, controller)
        running = world.ray.applications
        world.change(kinds.RAY_SERVICES, "hs", rayClusterConfig=_changed())
        await world.rest(controller)
        assert world.conditions() == {
            "Ready": ("True", "NonZeroServeEndpoints"),
            "UpgradeInProgress": ("True", "BothActivePendingClustersExist"),
        }
        assert "applicationStatuses" not in world.status["activeServiceStatus"]
        await world.poll(controller, "hs")
        world.ray.applications, world.ray.proxy_code = {}, 404
        new = world.cluster_comes_up()
        await world.rest(controller)
        assert world.status["pendingServiceStatus"]["rayClusterName"] == new
        assert world.get(kinds.SERVICES, "hs-serve-svc")["spec"]["selector"]["ray.io/cluster"] == old
        world.ray.applications, world.ray.proxy_code = running, 200
        await world.poll(controller, "hs")
        await world.poll(controller, "hs")
        assert world.status["activeServiceStatus"]["rayClusterName"] == new
        assert world.conditions()["UpgradeInProgress"] == ("False", "NoPendingCluster")
        for name in ("hs-head-svc", "hs-serve-svc"):
            assert world.get(kinds.SERVICES, name)["spec"]["selector"]["ray.io/cluster"] == new
        assert world.reasons().count("UpdatedService") == 2
        assert sorted(world.names(kinds.RAY_CLUSTERS)) == sorted([old, new])
        await world.poll(controller, "hs", after=11)
        assert world.names(kinds.RAY_CLUSTERS) == [new]
        assert world.events()[-1] == ("Normal", "DeletedRayCluster", f"Deleted the RayCluster lab/{old}")

    play(story)


def _groups(*numbers: int) -> Object:
    template = {"spec": {"containers": [{"name": "w", "image": "i"}]}}
    limits = {"minReplicas": 0, "maxReplicas": 9, "template": template}
    groups = [{"groupName": f"g{at}", "replicas": number, **limits} for at, number in enumerate(numbers)]
    return {**copy.deepcopy(SPEC), "workerGroupSpecs": groups}


def test_more_worker_groups_update_the_living_cluster() -> None:
    """Groups added at the end need no new cluster."""

    async def story(world: Serving, controller: RayServices) -> None:
        name = await serving(world, controller, rayClusterConfig=_groups(1))
        world.change(kinds.RAY_SERVICES, "hs", rayClusterConfig=_groups(1, 2))
        await world.rest(controller)
        cluster = world.get(kinds.RAY_CLUSTERS, name)
        assert [group["groupName"] for group in cluster["spec"]["workerGroupSpecs"]] == ["g0", "g1"]
        assert world.names(kinds.RAY_CLUSTERS) == [name]
        assert world.events()[-1] == ("Normal", "UpdatedRayCluster", f"Updated the active RayCluster lab/{name}")

    play(story)


def test_other_numbers_of_replicas_change_nothing() -> None:
    """The autoscaler changes them too: they ask for no other cluster, and are not taken over."""

    async def story(world: Serving, controller: RayServices) -> None:
        name = await serving(world, controller, rayClusterConfig=_groups(1))
        world.change(kinds.RAY_SERVICES, "hs", rayClusterConfig=_groups(3))
        await world.rest(controller)
        assert world.names(kinds.RAY_CLUSTERS) == [name]
        assert world.get(kinds.RAY_CLUSTERS, name)["spec"]["workerGroupSpecs"][0]["replicas"] == 1

    play(story)


def test_without_upgrades() -> None:
    """Strategy None: a changed spec makes no new cluster."""

    async def story(world: Serving, controller: RayServices) -> None:
        name = await serving(world, controller, upgradeStrategy={"type": "None"})
        world.change(kinds.RAY_SERVICES, "hs", rayClusterConfig=_changed())
        await world.rest(controller)
        assert world.names(kinds.RAY_CLUSTERS) == [name]
        assert "rayClusterName" not in world.status["pendingServiceStatus"]

    play(story)


def test_deleted() -> None:
    """Its clusters are deleted by the operator itself, then the finalizer goes."""

    async def story(world: Serving, controller: RayServices) -> None:
        await serving(world, controller)
        world.objects.delete(kinds.RAY_SERVICES, NAMESPACE, "hs")
        await world.rest(controller)
        assert (world.names(kinds.RAY_SERVICES), world.names(kinds.RAY_CLUSTERS)) == ([], [])
        assert world.reasons()[-1] == "DeletedRayCluster"

    play(story)


def test_too_long_to_start() -> None:
    """After the annotated time it has failed for good: its clusters go, and nothing revives it."""

    async def story(world: Serving, controller: RayServices) -> None:
        wanted = service()
        wanted["metadata"]["annotations"] = {"ray.io/initializing-timeout": "5m"}
        world.objects.create(kinds.RAY_SERVICES, wanted, NAMESPACE)
        await world.rest(controller)
        await world.poll(controller, "hs")
        world.cluster_comes_up(ready=False)
        await world.poll(controller, "hs", after=300)
        assert world.conditions()["Ready"] == ("False", "InitializingTimeout")
        text = "RayService initializing timeout exceeded after 5m3s (configured timeout: 5m0s)"
        assert world.events()[-1] == ("Warning", "RayServiceInitializingTimeout", text)
        await world.poll(controller, "hs")
        await world.poll(controller, "hs", after=11)
        assert world.names(kinds.RAY_CLUSTERS) == []
        world.change(kinds.RAY_SERVICES, "hs", serveConfigV2="{}")
        await world.rest(controller)
        assert (world.names(kinds.RAY_CLUSTERS), world.wait) == ([], None)

    play(story)
