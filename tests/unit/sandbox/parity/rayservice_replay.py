"""Plays a recorded RayService: clusters, Serve and endpoints do what they did, and what our operator writes is kept.

What they did is read off the recorded statuses: an application DEPLOYING means that Serve said so before.
"""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.operator.rayservices import RayServices
from tests.unit.sandbox.operator.world import World
from tests.unit.sandbox.parity.rayjob_replay import merge

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Change

Object = dict[str, Any]

FOLDER = Path(__file__).parents[3] / "recordings" / "rayservices"
SIDES = ("activeServiceStatus", "pendingServiceStatus")

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z")
_APPLICATION = re.compile(r"(?:active|pending)ServiceStatus\.applicationStatuses\.(\w+)\.(status|message)")
_DEPLOYMENT = re.compile(
    r"(?:active|pending)ServiceStatus\.applicationStatuses\.(\w+)\.serveDeploymentStatuses\.(\w+)\.(status|message)"
)


def load(name: str) -> Object:
    """Read a recording."""
    held: Object = json.loads((FOLDER / f"{name}.json").read_text())
    return held


def flat(status: Object) -> Object:
    """A RayService's status as paths and values, without times and without what it copies from its clusters."""
    found: Object = {f: status[f] for f in ("serviceStatus", "numServeEndpoints", "observedGeneration") if f in status}
    for each in status.get("conditions", ()):
        fields = ("status", "reason", "message", "observedGeneration")
        found |= {f"conditions[{each['type']}].{field}": each[field] for field in fields if field in each}
    for side in SIDES:
        held = status.get(side, {})
        if "rayClusterName" in held:
            found[f"{side}.rayClusterName"] = held["rayClusterName"]
        for name, application in held.get("applicationStatuses", {}).items():
            path = f"{side}.applicationStatuses.{name}"
            found |= {f"{path}.{field}": application[field] for field in ("status", "message") if field in application}
            for deployment, said in application.get("serveDeploymentStatuses", {}).items():
                inner = f"{path}.serveDeploymentStatuses.{deployment}"
                found |= {f"{inner}.{field}": said[field] for field in ("status", "message") if field in said}
    return found


class RayServiceReplay:
    """One recording, played once; then `ours` and `theirs` are the statuses in order."""

    def __init__(self, recording: Object) -> None:
        self.recording = recording
        self.world = World(recording["namespace"])
        self.ours: list[Object] = []
        self.theirs: list[Object] = []
        self.objects: dict[str, Object] = {}
        self.clusters: list[str] = []
        self.gone: list[str] = []
        self._controller = RayServices(self.world.objects, self.world.access)
        self._up: set[str] = set()

    async def run(self) -> None:
        """Play it to its end."""
        world = self.world
        async with world.ray.serving():
            world.store.listen(self._take_down)
            for step in self.recording["steps"]:
                world.now = max(world.now, float(step["clock"]))
                if "do" in step:
                    self._do(step)
                elif "serve" in step:
                    world.ray.proxy_code = 200
                    continue
                elif "cluster" in step:
                    await self._cluster(step)
                elif isinstance(step["saw"], dict):
                    await self._saw(step["saw"])
                await world.rest(self._controller)
                await world.poll(self._controller, self.recording["name"], after=0.0)
                self._keep_objects()
            await world.access.close()

    def _do(self, step: Object) -> None:
        name, objects = self.recording["name"], self.world.objects
        if step["do"] == "create":
            self.world.now = float(step["clock"])
            body = {"metadata": {"name": name}, "spec": copy.deepcopy(self.recording["spec"])}
            objects.create(kinds.RAY_SERVICES, body, self.world.namespace)
        elif step["do"] == "patch":
            objects.edit(kinds.RAY_SERVICES, self.world.namespace, name, lambda held: merge(held["spec"], step["spec"]))
        else:
            objects.delete(kinds.RAY_SERVICES, self.world.namespace, name)

    async def _cluster(self, step: Object) -> None:
        await self.world.poll(self._controller, self.recording["name"], after=0.0)
        names = self.world.names(kinds.RAY_CLUSTERS)
        if step["cluster"] == "DELETED":
            self.gone.append(self.clusters.pop(0))
            assert self.gone[-1] not in names
            return
        (made,) = set(names) - set(self.clusters)
        self.clusters.append(made)
        self.world.ray.applications = {}

    async def _saw(self, status: Object) -> None:
        """Before this status could be seen, somebody else did something: do it."""
        self.theirs.append(status)
        applications: dict[str, Object] = {}
        for path, value in status.items():
            application, deployment = _APPLICATION.fullmatch(path), _DEPLOYMENT.fullmatch(path)
            if application:
                applications.setdefault(application[1], {"deployments": {}})[application[2]] = value
            elif deployment:
                held = applications.setdefault(deployment[1], {"deployments": {}})["deployments"]
                held.setdefault(deployment[2], {})[deployment[3]] = value
        if not applications:
            return
        for name in set(self.clusters) - self._up:
            self.world.cluster_comes_up()
            self._up.add(name)
        self.world.ray.applications = applications
        if "numServeEndpoints" in status:
            self._keep_endpoints()

    def _keep_endpoints(self) -> None:
        name = f"{self.recording['name']}-serve-svc"
        body = {
            "metadata": {"name": f"{name}-x", "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["127.0.0.1"], "targetRef": {"uid": "u"}, "conditions": {"ready": True}}],
            "ports": [],
        }
        if self.world.objects.find(kinds.ENDPOINT_SLICES, self.world.namespace, f"{name}-x") is None:
            self.world.objects.create(kinds.ENDPOINT_SLICES, body, self.world.namespace)

    def _take_down(self, change: Change) -> None:
        if change.kind is kinds.RAY_SERVICES and change.what != "DELETED":
            found = flat(change.object.get("status") or {})
            if found and (not self.ours or self.ours[-1] != found):
                self.ours.append(found)

    def _keep_objects(self) -> None:
        """As they were when the recorder looked: before the upgrade, and the RayService after it too."""
        world, name = self.world, self.recording["name"]
        service = world.objects.find(kinds.RAY_SERVICES, world.namespace, name)
        if service is None or service["metadata"].get("deletionTimestamp"):
            return
        if service["metadata"]["generation"] > self.recording["objects"]["rayservice"]["metadata"]["generation"]:
            self.objects["upgraded"] = service
            return
        self.objects["rayservice"] = service
        for part, kind, wanted in (
            ("raycluster", kinds.RAY_CLUSTERS, self.clusters[-1] if self.clusters else ""),
            ("headservice", kinds.SERVICES, f"{name}-head-svc"),
            ("serveservice", kinds.SERVICES, f"{name}-serve-svc"),
        ):
            found = world.objects.find(kind, world.namespace, wanted)
            if found is not None:
                self.objects[part] = found

    def as_theirs(self, ours: Any) -> Any:
        """With their names, and TIME for times."""
        text = json.dumps(ours)
        theirs = [step["name"] for step in self.recording["steps"] if step.get("cluster") == "ADDED"]
        for mine, name in zip([*self.gone, *self.clusters], theirs, strict=True):
            text = text.replace(mine, name)
        return json.loads(_TIME.sub("TIME", text))
