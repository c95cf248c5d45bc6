"""A RayService's way: its first start, changes in place, upgrades, and its end."""

from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.operator.rayservices import RayServices
from tests.unit.sandbox.operator.world import NAMESPACE, SPEC, World, watched

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kubectl_ray.sandbox.api.store import Object

CONFIG = "http_options: {host: 0.0.0.0, port: 8000}\napplications:\n  - {name: hello, import_path: 'hello:app'}\n"
RUNNING = {
    "hello": {"status": "RUNNING", "message": "", "deployments": {"Hello": {"status": "HEALTHY", "message": ""}}}
}
NOTHING = {"desiredCPU": "0", "desiredGPU": "0", "desiredMemory": "0", "desiredTPU": "0", "head": {}}


def service(**spec: Any) -> Object:
    """A RayService `hs`."""
    wanted = {"serveConfigV2": CONFIG, "rayClusterConfig": SPEC, "rayClusterDeletionDelaySeconds": 10, **spec}
    return {"apiVersion": "ray.io/v1", "kind": "RayService", "metadata": {"name": "hs"}, "spec": wanted}


class Serving(World):
    """With somebody who keeps endpoints."""

    def answer(self) -> None:
        """The proxy is healthy and the application runs."""
        self.ray.applications = copy.deepcopy(RUNNING)
        self.ray.proxy_code = 200

    def keep_endpoints(self, ready: int = 1) -> None:
        """What the endpoints controller says of the serve service."""
        name, labels = "hs-serve-svc-x", {"kubernetes.io/service-name": "hs-serve-svc"}
        each = [{"targetRef": {"uid": f"u{n}"}, "conditions": {"ready": True}} for n in range(ready)]
        body = {"metadata": {"name": name, "labels": labels}, "addressType": "IPv4", "endpoints": each, "ports": []}
        if self.objects.find(kinds.ENDPOINT_SLICES, NAMESPACE, name) is None:
            self.objects.create(kinds.ENDPOINT_SLICES, body, NAMESPACE)
        self.objects.edit(kinds.ENDPOINT_SLICES, NAMESPACE, name, lambda held: held.update(endpoints=each))

    @property
    def status(self) -> Object:
        """The RayService's."""
        found: Object = self.get(kinds.RAY_SERVICES, "hs")["status"]
        return found

    def conditions(self) -> dict[str, tuple[str, str]]:
        """Status and reason by type."""
        return {each["type"]: (each["status"], each["reason"]) for each in self.status["conditions"]}

    def reasons(self) -> list[str]:
        """Of all events."""
        return [reason for _type, reason, _message in self.events()]


def play(story: Callable[[Serving, RayServices], Awaitable[None]]) -> None:
    """Run a story against a fake Ray."""

    async def run() -> None:
        world = Serving()
        async with world.ray.serving():
            try:
                await story(world, RayServices(world.objects, world.access))
            finally:
                await world.access.close()

    asyncio.run(run())


async def begin(world: Serving, controller: RayServices, **spec: Any) -> str:
    """Create it and let its cluster be made; the cluster's name."""
    world.objects.create(kinds.RAY_SERVICES, service(**spec), NAMESPACE)
    await world.rest(controller)
    await world.poll(controller, "hs")
    return world.names(kinds.RAY_CLUSTERS)[0]


async def serving(world: Serving, controller: RayServices, **spec: Any) -> str:
    """Let it come to serve; the cluster's name."""
    name = await begin(world, controller, **spec)
    world.cluster_comes_up()
    await world.rest(controller)
    world.answer()
    world.keep_endpoints()
    await world.poll(controller, "hs")
    assert world.conditions()["Ready"] == ("True", "NonZeroServeEndpoints")
    return name


def test_first_start_is_pending() -> None:
    """After the finalizer status names the pending cluster; the cluster itself comes with the next look, 2 s later."""

    async def story(world: Serving, controller: RayServices) -> None:
        world.objects.create(kinds.RAY_SERVICES, service(), NAMESPACE)
        await world.rest(controller)
        assert world.get(kinds.RAY_SERVICES, "hs")["metadata"]["generation"] == 2
        name = world.status["pendingServiceStatus"]["rayClusterName"]
        said = {"observedGeneration": 2, "lastTransitionTime": world.objects.now()}
        said |= {"status": "False", "reason": "Initializing", "message": "RayService is initializing"}
        assert world.status == {
            "activeServiceStatus": {"rayClusterStatus": NOTHING},
            "pendingServiceStatus": {"rayClusterStatus": NOTHING, "rayClusterName": name},
            "conditions": [{"type": "Ready", **said}, {"type": "UpgradeInProgress", **said}],
            "observedGeneration": 2,
            "lastUpdateTime": world.objects.now(),
        }
        assert (world.names(kinds.RAY_CLUSTERS), world.wait) == ([], 2.0)
        await world.poll(controller, "hs")
        assert world.names(kinds.RAY_CLUSTERS) == [name]
        assert world.events() == [("Normal", "CreatedRayCluster", f"Created the RayCluster lab/{name}")]

    play(story)


def test_its_cluster() -> None:
    """Labels say where it comes from, annotations what it was made of."""

    async def story(world: Serving, controller: RayServices) -> None:
        name = await begin(world, controller)
        meta = world.get(kinds.RAY_CLUSTERS, name)["metadata"]
        assert meta["labels"] == {
            "ray.io/originated-from-cr-name": "hs",
            "ray.io/originated-from-crd": "RayService",
        }
        digest = meta["annotations"].pop("ray.io/hash-without-replicas-and-workers-to-delete")
        assert len(digest) == 32
        assert meta["annotations"] == {"ray.io/num-worker-groups": "0", "ray.io/kuberay-version": "v1.6.2"}
        assert meta["ownerReferences"][0]["kind"] == "RayService"

    play(story)


def test_serve_is_asked_only_when_the_head_is_ready() -> None:
    """Before, it could not answer."""

    async def story(world: Serving, controller: RayServices) -> None:
        await begin(world, controller)
        world.cluster_comes_up(ready=False)
        await world.rest(controller)
        assert ("PUT", "/api/serve/applications/") not in world.ray.asked

    play(story)


def test_what_serve_is_given() -> None:
    """The applications as they are; but the head's own port on this machine, loopback, and one proxy."""

    async def story(world: Serving, controller: RayServices) -> None:
        await begin(world, controller)
        world.cluster_comes_up()
        await world.rest(controller)
        assert world.ray.config == {
            "applications": [{"name": "hello", "import_path": "hello:app"}],
            "http_options": {"host": "127.0.0.1", "port": world.ray.address[1]},
            "proxy_location": "HeadOnly",
        }
        assert world.get(kinds.RAY_SERVICES, "hs")["spec"]["serveConfigV2"] == CONFIG

    play(story)


def test_comes_to_serve() -> None:
    """DEPLOYING in pending; once all run: the head's label, the services, and the cluster becomes the active one."""

    async def story(world: Serving, controller: RayServices) -> None:
        name = await begin(world, controller)
        world.cluster_comes_up()
        await world.rest(controller)
        world.ray.applications = {"hello": {"status": "DEPLOYING", "message": "", "deployments": {}}}
        await world.poll(controller, "hs")
        assert world.status["pendingServiceStatus"]["applicationStatuses"] == {"hello": {"status": "DEPLOYING"}}
        assert world.names(kinds.SERVICES) == [f"{name}-head-svc"]
        world.answer()
        await world.poll(controller, "hs")
        world.keep_endpoints()
        await world.poll(controller, "hs")
        status = world.status
        assert status["activeServiceStatus"]["rayClusterName"] == name
        assert status["activeServiceStatus"]["applicationStatuses"] == {
            "hello": {"status": "RUNNING", "serveDeploymentStatuses": {"Hello": {"status": "HEALTHY"}}}
        }
        assert status["pendingServiceStatus"] == {"rayClusterStatus": NOTHING}
        assert (status["serviceStatus"], status["numServeEndpoints"]) == ("Running", 1)
        assert world.conditions() == {
            "Ready": ("True", "NonZeroServeEndpoints"),
            "UpgradeInProgress": ("False", "NoPendingCluster"),
        }
        assert world.get(kinds.PODS, f"{name}-head-aaaaa")["metadata"]["labels"]["ray.io/serve"] == "true"
        assert sorted(set(world.reasons())) == [
            "CreatedRayCluster",
            "CreatedService",
            "UpdatedHeadPodServeLabel",
            "UpdatedServeApplications",
        ]

    play(story)


def test_its_services() -> None:
    """`-head-svc` leads to the head, `-serve-svc` to the pods whose proxy answers."""

    async def story(world: Serving, controller: RayServices) -> None:
        name = await serving(world, controller)
        made = world.get(kinds.SERVICES, "hs-serve-svc")
        assert made["metadata"]["labels"] == {
            "ray.io/originated-from-cr-name": "hs",
            "ray.io/originated-from-crd": "RayService",
            "ray.io/serve": "hs-serve",
        }
        assert made["spec"]["selector"] == {"ray.io/cluster": name, "ray.io/serve": "true"}
        assert [(port["name"], port["port"]) for port in made["spec"]["ports"]] == [("serve", 8000)]
        head = world.get(kinds.SERVICES, "hs-head-svc")
        assert head["spec"]["selector"]["ray.io/identifier"] == f"{name}-head"
        assert head["metadata"]["ownerReferences"][0]["kind"] == "RayService"

    play(story)


def test_an_own_serve_service() -> None:
    """A user's own service keeps its name and ports, and gets selector and labels."""

    async def story(world: Serving, controller: RayServices) -> None:
        own = {
            "metadata": {"name": "mine", "labels": {"a": "b"}, "annotations": {"c": "d"}},
            "spec": {"ports": [{"name": "serve", "port": 80, "targetPort": 8000}], "selector": {"x": "y"}},
        }
        name = await begin(world, controller, serveService=own)
        world.cluster_comes_up()
        await world.rest(controller)
        world.answer()
        await world.poll(controller, "hs")
        made = world.get(kinds.SERVICES, "mine")
        assert made["metadata"]["labels"]["a"] == "b"
        assert made["metadata"]["labels"]["ray.io/serve"] == "hs-serve"
        assert made["metadata"]["annotations"] == {"c": "d"}
        assert made["spec"]["selector"] == {"ray.io/cluster": name, "ray.io/serve": "true"}
        assert [port["port"] for port in made["spec"]["ports"]] == [80]

    play(story)


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


def test_never_healthy() -> None:
    """Ready stays False Initializing for ever, and there are no services."""

    async def story(world: Serving, controller: RayServices) -> None:
        await begin(world, controller)
        world.cluster_comes_up()
        world.ray.applications = {"hello": {"status": "DEPLOY_FAILED", "message": "no", "deployments": {}}}
        await world.poll(controller, "hs", after=10_000)
        assert world.conditions()["Ready"] == ("False", "Initializing")
        assert "hs-serve-svc" not in world.names(kinds.SERVICES)

    play(story)


def test_no_endpoint_is_left() -> None:
    """Ready falls when nothing answers any more."""

    async def story(world: Serving, controller: RayServices) -> None:
        await serving(world, controller)
        world.keep_endpoints(0)
        await world.poll(controller, "hs")
        assert world.conditions()["Ready"] == ("False", "ZeroServeEndpoints")
        assert not {"serviceStatus", "numServeEndpoints"} & set(world.status)

    play(story)


def test_serve_is_not_installed() -> None:
    """Nothing of it shows: no event, no application."""

    async def story(world: Serving, controller: RayServices) -> None:
        await begin(world, controller)
        world.ray.serve_installed = False
        world.cluster_comes_up()
        await world.rest(controller)
        await world.poll(controller, "hs")
        assert world.reasons() == ["CreatedRayCluster"]
        assert "applicationStatuses" not in world.status["pendingServiceStatus"]

    play(story)


def test_serve_does_not_take_the_config() -> None:
    """What is no YAML becomes a warning only when it is to be given to Serve."""

    async def story(world: Serving, controller: RayServices) -> None:
        await begin(world, controller, serveConfigV2="a: [")
        world.cluster_comes_up()
        await world.rest(controller)
        kind, reason, message = world.events()[-1]
        assert (kind, reason) == ("Warning", "FailedToUpdateServeApplications")
        assert message.startswith("Failed to update serve applications to the RayCluster lab/hs-")
        assert "fail to create / update Serve applications." in message

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


def test_invalid() -> None:
    """Unlike a RayCluster it says so in its status."""

    async def story(world: Serving, controller: RayServices) -> None:
        broken = copy.deepcopy(SPEC)
        broken["headGroupSpec"]["headService"] = {"metadata": {"name": "mine"}}
        world.objects.create(kinds.RAY_SERVICES, service(rayClusterConfig=broken), NAMESPACE)
        await world.rest(controller)
        text = (
            "The RayService spec is invalid: spec.rayClusterConfig.headGroupSpec.headService.metadata.name"
            " should not be set"
        )
        assert world.conditions() == {"Ready": ("False", "ValidationFailed")}
        assert world.status["conditions"][0]["message"] == text
        assert world.events() == [("Warning", "InvalidRayServiceSpec", f"lab/hs: {text}")]
        assert world.wait is None

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


def test_a_head_that_is_not_to_serve() -> None:
    """With excludeHeadPodFromServeSvc its proxy is not even asked."""

    async def story(world: Serving, controller: RayServices) -> None:
        name = await begin(world, controller, excludeHeadPodFromServeSvc=True)
        world.cluster_comes_up()
        world.answer()
        await world.rest(controller)
        await world.poll(controller, "hs")
        assert world.get(kinds.PODS, f"{name}-head-aaaaa")["metadata"]["labels"]["ray.io/serve"] == "false"
        assert ("GET", "/-/healthz") not in world.ray.asked

    play(story)
