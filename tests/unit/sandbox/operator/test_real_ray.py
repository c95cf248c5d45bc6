"""One real Ray: a RayService comes to serve on it, breaks in place, and a RayJob finds its cluster and runs there."""

from __future__ import annotations

import asyncio
import copy
import sys
import urllib.request
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.controllers.endpoints import Endpoints
from kubectl_ray.sandbox.controllers.garbage import Garbage
from kubectl_ray.sandbox.controllers.jobs import Jobs
from kubectl_ray.sandbox.loop import Loop
from kubectl_ray.sandbox.node.machine import Node
from kubectl_ray.sandbox.node.settings import Settings
from kubectl_ray.sandbox.operator.operator import Operator
from tests.unit.sandbox.operator.world import SPEC

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.store import Change, Object

APPLICATION = """
from ray import serve


@serve.deployment(ray_actor_options={"num_cpus": 0.1})
class Hello:
    def __call__(self, request):
        return "hello"


app = Hello.bind()
"""
CONFIG = "http_options: {host: 0.0.0.0, port: 8000}\napplications: [{name: hello, import_path: 'hello:app'}]\n"
PATIENCE = 90.0
"""Seconds for each step: two cores may be shared with others."""


class Machine:
    """Store, node, controllers and operator, as a sandbox has them, without its server."""

    def __init__(self, folder: Path) -> None:
        self.store = Store()
        self.objects = Objects(self.store)
        settings = Settings(cpus=8, memory=32 * 2**30, ray_bin=Path(sys.executable).parent)
        self.node = Node(self.objects, folder, settings)

    async def start(self, begun: AsyncExitStack) -> None:
        """Let all of it run until `begun` is closed."""
        self.objects.create(kinds.NAMESPACES, {"metadata": {"name": "lab"}})
        self.objects.create(kinds.SERVICE_ACCOUNTS, {"metadata": {"name": "default"}}, "lab")
        begun.callback(self.node._places.sweep, ())  # what is still in the store is not to stay on disk
        begun.push_async_callback(self.node.stop)
        await self.node.start()
        for controller in (Jobs(self.objects), Endpoints(self.objects, self.node.address), Garbage(self.objects)):
            loop = Loop(self.store, controller)
            begun.push_async_callback(loop.stop)
            loop.start()
        operator = Operator(self.objects, self.node.address)
        begun.push_async_callback(operator.stop)
        operator.start()

    async def until(self, kind: Kind, name: str, told: Callable[[Object], bool]) -> Object:
        """Wait until an object's status is so; the object."""

        def there() -> Object | None:
            found = self.objects.find(kind, "lab", name)
            return found if found is not None and told(found.get("status") or {}) else None

        return await self._seen(there)

    async def gone(self, kind: Kind, name: str) -> None:
        """Wait until there is no such object."""
        await self._seen(lambda: None if self.objects.find(kind, "lab", name) else {})

    async def _seen(self, look: Callable[[], Object | None]) -> Object:
        changed = asyncio.Event()

        def listener(_change: Change) -> None:
            changed.set()

        unlisten = self.store.listen(listener)
        try:
            async with asyncio.timeout(PATIENCE):
                while (found := look()) is None:
                    changed.clear()
                    await changed.wait()
                return found
        finally:
            unlisten()


def _service() -> Object:
    spec: dict[str, Any] = copy.deepcopy(SPEC)
    pod = spec["headGroupSpec"]["template"]["spec"]
    pod["volumes"] = [{"name": "app", "configMap": {"name": "hello"}}]
    pod["containers"][0] |= {
        "env": [{"name": "PYTHONPATH", "value": "/app"}],
        "volumeMounts": [{"name": "app", "mountPath": "/app"}],
    }
    return {"metadata": {"name": "hs"}, "spec": {"serveConfigV2": CONFIG, "rayClusterConfig": spec}}


def _ready(status: Object) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", ()))


def _application(status: Object) -> str | None:
    applications = status.get("activeServiceStatus", {}).get("applicationStatuses", {})
    found: str | None = applications.get("hello", {}).get("status")
    return found


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_service_and_a_job_on_one_ray(tmp_path: Path) -> None:
    """The service answers; a bad config leaves it Ready; the job's submitter hands over, follows and ends."""

    async def story() -> None:
        async with AsyncExitStack() as begun:
            machine = Machine(tmp_path)
            await machine.start(begun)
            objects = machine.objects
            objects.create(kinds.CONFIG_MAPS, {"metadata": {"name": "hello"}, "data": {"hello.py": APPLICATION}}, "lab")
            objects.create(kinds.RAY_SERVICES, _service(), "lab")
            service = await machine.until(kinds.RAY_SERVICES, "hs", _ready)
            assert _application(service["status"]) == "RUNNING"
            cluster = service["status"]["activeServiceStatus"]["rayClusterName"]
            head = objects.list(kinds.PODS, "lab", {"ray.io/cluster": cluster})[0]
            address = machine.node.address("lab", head["metadata"]["name"], 8000)
            assert address is not None
            url = f"http://{address[0]}:{address[1]}/"
            answer = await asyncio.to_thread(lambda: urllib.request.urlopen(url).read())
            assert answer == b"hello"

            selector = {"ray.io/cluster": cluster}
            wanted = {"entrypoint": "python -c 'print(6 * 7)'", "clusterSelector": selector, "backoffLimit": 0}
            objects.create(kinds.RAY_JOBS, {"metadata": {"name": "ok"}, "spec": wanted}, "lab")
            job = await machine.until(kinds.RAY_JOBS, "ok", lambda status: "endTime" in status)
            assert (job["status"]["jobDeploymentStatus"], job["status"]["jobStatus"]) == ("Complete", "SUCCEEDED")
            assert objects.get(kinds.JOBS, "lab", "ok")["status"]["succeeded"] == 1

            bad = CONFIG.replace("hello:app", "nosuch:app")
            objects.edit(kinds.RAY_SERVICES, "lab", "hs", lambda held: held["spec"].update(serveConfigV2=bad))
            service = await machine.until(
                kinds.RAY_SERVICES, "hs", lambda status: _application(status) == "DEPLOY_FAILED"
            )
            assert _ready(service["status"])

            submitter = objects.list(kinds.PODS, "lab", {"job-name": "ok"})[0]["metadata"]["name"]
            objects.delete(kinds.RAY_JOBS, "lab", "ok")
            objects.delete(kinds.RAY_SERVICES, "lab", "hs")
            await machine.gone(kinds.RAY_CLUSTERS, cluster)
            await machine.gone(kinds.RAY_SERVICES, "hs")
            for pod in (submitter, head["metadata"]["name"]):
                await machine.gone(kinds.PODS, pod)

    asyncio.run(story())
