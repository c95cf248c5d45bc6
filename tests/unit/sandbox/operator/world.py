"""A store, a clock that stands, a controller that is let work until it rests; the cluster's part is played by hand."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Protocol

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.operator.dashboard import Access
from kubectl_ray.sandbox.operator.services import head_service
from tests.unit.sandbox.operator.fake_ray import FakeRay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.store import Change, Object

NOW = 1_795_435_000.0
NAMESPACE = "lab"

SPEC: dict[str, Any] = {
    "rayVersion": "2.52.0",
    "headGroupSpec": {
        "rayStartParams": {"num-cpus": "1"},
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "ray-head",
                        "image": "rayproject/ray:2.52.0",
                        "resources": {"limits": {"memory": "2Gi"}, "requests": {"cpu": "200m", "memory": "1Gi"}},
                    }
                ]
            }
        },
    },
}


class Reconciler(Protocol):
    """A controller whose keys are a namespace and a name."""

    def keys(self, change: Change) -> Iterable[tuple[str, str]]:
        """What to look at after a change."""

    async def reconcile(self, key: tuple[str, str]) -> float | None:
        """One step."""


class World:
    """What a test of a controller needs; `history` is every change, `wait` what the last step asked for."""

    def __init__(self, namespace: str = NAMESPACE) -> None:
        self.namespace = namespace
        self.now = NOW
        self.store = Store()
        self.objects = Objects(self.store, lambda: self.now)
        self.ray = FakeRay()
        self.live = True
        self.access = Access(self.objects, self.address)
        self.history: list[Change] = []
        self.wait: float | None = None
        self.store.listen(self.history.append)
        self.objects.create(kinds.NAMESPACES, {"metadata": {"name": namespace}})

    def address(self, _namespace: str, _pod: str, port: int) -> tuple[str, int] | None:
        """Where the node has a port: the fake Ray has both the dashboard's and Serve's."""
        return self.ray.address if self.live and port in {8265, 8000} else None

    async def rest(self, controller: Reconciler, *others: Reconciler, limit: int = 60) -> None:
        """Let controllers follow changes until there are none; polls are not waited for."""
        seen = 0
        while seen < len(self.history):
            fresh = self.history[seen:]
            seen = len(self.history)
            for each in (controller, *others):
                for key in dict.fromkeys(key for change in fresh for key in each.keys(change)):
                    wait = await each.reconcile(key)
                    self.wait = wait if each is controller else self.wait
                    limit -= 1
                    assert limit > 0, "the controllers do not come to rest"
        self.history.clear()

    async def poll(self, controller: Reconciler, name: str, *others: Reconciler, after: float = 3.0) -> None:
        """Time passes, and the controller looks again."""
        self.now += after
        self.wait = await controller.reconcile((self.namespace, name))
        await self.rest(controller, *others)

    def get(self, kind: Kind, name: str) -> Object:
        """An object, to be read."""
        return self.objects.get(kind, self.namespace, name)

    def names(self, kind: Kind) -> list[str]:
        """All of a kind."""
        return [each["metadata"]["name"] for each in self.objects.list(kind, self.namespace)]

    def change(self, kind: Kind, name: str, **fields: Any) -> None:
        """A user edits `spec`."""

        def edit(held: Object) -> None:
            held["spec"] |= copy.deepcopy(fields)

        self.objects.edit(kind, self.namespace, name, edit)

    def set_status(self, kind: Kind, name: str, status: dict[str, Any]) -> None:
        """Another controller tells how it is."""

        def edit(held: Object) -> None:
            held["status"] = {**(held.get("status") or {}), **copy.deepcopy(status)}

        self.objects.edit(kind, self.namespace, name, edit, status=True)

    def finish(self, name: str, condition: str = "Complete", **more: str) -> None:
        """A Kubernetes Job ends."""
        said = {"type": condition, "status": "True", "lastTransitionTime": self.objects.now(), **more}
        self.set_status(kinds.JOBS, name, {"conditions": [said]})

    def cluster_comes_up(self, *, ready: bool = True) -> str:
        """The newest cluster gets its service and head and is ready; its name."""
        cluster = max(self.objects.list(kinds.RAY_CLUSTERS, self.namespace), key=_version)
        name: str = cluster["metadata"]["name"]
        self.objects.create(kinds.SERVICES, head_service(cluster), self.namespace)
        labels = {"ray.io/cluster": name, "ray.io/node-type": "head", "ray.io/serve": "false"}
        spec = cluster["spec"]["headGroupSpec"]["template"]["spec"]
        pod = {"metadata": {"name": f"{name}-head-aaaaa", "labels": labels}, "spec": spec}
        self.objects.create(kinds.PODS, pod, self.namespace)
        status: dict[str, Any] = {"head": {"serviceName": f"{name}-head-svc"}}
        if ready:
            said = {"type": "HeadPodReady", "status": "True", "reason": "HeadPodRunningAndReady", "message": ""}
            status |= {"state": "ready", "conditions": [said]}
        self.set_status(kinds.RAY_CLUSTERS, name, status)
        return name

    def events(self) -> list[tuple[str, str, str]]:
        """Type, reason and message of each, in the order of the first."""
        found = sorted(self.objects.list(kinds.EVENTS, self.namespace), key=_version)
        return [(each["type"], each["reason"], each["message"]) for each in found]


def _version(held: Object) -> int:
    return int(held["metadata"]["resourceVersion"])


def watched(world: World, kind: Kind, read: Callable[[Object], Any]) -> list[Any]:
    """What a watcher of a kind sees from now on, filled as it happens."""
    found: list[Any] = []

    def listener(change: Change) -> None:
        if change.kind is kind and change.what != "DELETED":
            value = read(change.object)
            if not found or found[-1] != value:
                found.append(value)

    world.store.listen(listener)
    return found
