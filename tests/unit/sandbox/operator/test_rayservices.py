"""A RayService's way: its first start, changes in place, upgrades, and its end."""

from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.operator.rayservices import RayServices
from tests.unit.sandbox.operator.world import NAMESPACE, SPEC, World

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
    """The user's configuration as it is: ports and addresses are the node's business."""

    async def story(world: Serving, controller: RayServices) -> None:
        await begin(world, controller)
        world.cluster_comes_up()
        await world.rest(controller)
        assert world.ray.config == {
            "applications": [{"name": "hello", "import_path": "hello:app"}],
            "http_options": {"host": "0.0.0.0", "port": 8000},  # noqa: S104 - the user's words
        }

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
