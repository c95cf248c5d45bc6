"""The controller of RayClusters, where no recording shows what it does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.api.store import Change, Store
from kubectl_ray.sandbox.operator import rayclusters
from kubectl_ray.sandbox.operator.operator import Operator
from tests.unit.sandbox.operator.clusters import NAMESPACE, cluster, group

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_ray.sandbox.api.kinds import Kind

Object = dict[str, Any]

KEY = (NAMESPACE, "c")


class World:
    """A store, and the controller, which looks when it is told to."""

    def __init__(self) -> None:
        self.objects = Objects(Store())
        self.objects.create(kinds.NAMESPACES, {"metadata": {"name": NAMESPACE}})
        self.objects.create(kinds.SERVICE_ACCOUNTS, {"metadata": {"name": "default"}}, NAMESPACE)
        self.controller = rayclusters.RayClusters(self.objects)

    def create(self, of: Object) -> None:
        """A cluster."""
        self.objects.create(kinds.RAY_CLUSTERS, of, NAMESPACE)

    def look(self) -> float | None:
        """One look; seconds to the next."""
        return asyncio.run(self.controller.reconcile(KEY))

    def edit(self, change: Callable[[Object], None]) -> None:
        """Change the cluster."""
        self.objects.edit(kinds.RAY_CLUSTERS, *KEY, change)

    @property
    def status(self) -> Object:
        """The cluster's."""
        found: Object = self.objects.get(kinds.RAY_CLUSTERS, *KEY).get("status", {})
        return found

    def names(self, kind: Kind = kinds.PODS, **labels: str) -> list[str]:
        """Names of what there is; labels with `_` for `/`, of ray.io."""
        wanted = {f"ray.io/{key}": value for key, value in labels.items()}
        return [each["metadata"]["name"] for each in self.objects.list(kind, NAMESPACE, wanted)]

    def bind(self, name: str, **status: object) -> None:
        """The pod is on a machine: deleting it takes time from now on."""

        def change(held: Object) -> None:
            held["spec"]["nodeName"] = "m"

        self.objects.edit(kinds.PODS, NAMESPACE, name, change)
        self.tell(name, **status)

    def tell(self, name: str, **status: object) -> None:
        """Write a pod's status."""

        def change(held: Object) -> None:
            held["status"] = {**held.get("status", {}), **status}

        self.objects.edit(kinds.PODS, NAMESPACE, name, change, status=True)

    def events(self) -> list[str]:
        """Reasons that were told, each once, sorted."""
        return sorted({each["reason"] for each in self.objects.list(kinds.EVENTS, NAMESPACE)})


@pytest.fixture
def world() -> World:
    """An empty one."""
    return World()


def test_a_cluster_of_another_manager_is_left_alone(world: World) -> None:
    """spec.managedBy names somebody else."""
    world.create(cluster(group(), managedBy="kueue.x-k8s.io/multikueue"))
    assert world.look() is None
    assert (world.status, world.names(), world.events()) == ({}, [], [])


def test_a_cluster_that_goes_is_left_alone(world: World) -> None:
    """Its pods go by their owner."""
    world.create(cluster(group()))
    world.edit(lambda held: held["metadata"].update(finalizers=["example.com/keep"]))
    world.objects.delete(kinds.RAY_CLUSTERS, *KEY)
    assert world.look() is None
    assert world.names() == []


def test_a_refused_cluster_gets_one_event_and_no_status(world: World) -> None:
    """And is not looked at again by itself."""
    world.create(cluster(group(minReplicas=3, maxReplicas=1)))
    assert world.look() is None
    assert (world.status, world.names(), world.events()) == ({}, [], ["InvalidRayClusterSpec"])


def test_when_it_looks_again(world: World) -> None:
    """Soon when the status was written, in five minutes when nothing was to be done."""
    world.create(cluster(group()))
    assert world.look() == rayclusters.SOON
    assert world.look() == rayclusters.LATER


def test_failures_wait_longer_each_time(world: World) -> None:
    """Twice as long, from five thousandths of a second on; a success begins anew."""
    world.objects.create(kinds.RESOURCE_QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "0"}}}, NAMESPACE)
    world.create(cluster())
    waits = [world.look() for _ in range(3)]
    assert waits == [0.005, 0.01, 0.02]
    assert world.status["conditions"][0]["type"] == "ReplicaFailure"
    world.objects.delete(kinds.RESOURCE_QUOTAS, NAMESPACE, "q")
    assert world.look() == rayclusters.SOON
    assert world.status["conditions"][0]["type"] == "HeadPodReady"


def test_a_failing_group_holds_up_the_later_ones(world: World) -> None:
    """Groups are made in the order of the list, up to the first that the API server refuses."""
    world.create(cluster(group("a"), group("Bad_Name"), group("b")))
    world.look()
    assert len(world.names(group="a")) == 1
    assert world.names(group="b") == []


def test_a_smaller_group_loses_one_pod_only(world: World) -> None:
    """While the deleted one ends nothing more is deleted, however often it looks."""
    world.create(cluster(group(replicas=3)))
    world.look()
    for name in world.names(group="wg"):
        world.bind(name, phase="Running")
    world.edit(lambda held: held["spec"]["workerGroupSpecs"][0].update(replicas=2))
    for _ in range(3):
        world.look()
    going = [each for each in world.objects.list(kinds.PODS) if "deletionTimestamp" in each["metadata"]]
    assert len(going) == 1


def test_new_pods_take_the_lowest_free_index(world: World) -> None:
    """A gap is filled first."""
    world.create(cluster(group(replicas=3)))
    world.look()
    middle = next(
        each["metadata"]["name"]
        for each in world.objects.list(kinds.PODS, NAMESPACE, {"ray.io/worker-group-replica-index": "1"})
    )
    world.objects.delete(kinds.PODS, NAMESPACE, middle)
    world.edit(lambda held: held["spec"]["workerGroupSpecs"][0].update(maxReplicas=4, replicas=4))
    world.look()
    indexes = [
        each["metadata"]["labels"]["ray.io/worker-group-replica-index"]
        for each in world.objects.list(kinds.PODS, NAMESPACE, {"ray.io/group": "wg"})
    ]
    assert sorted(indexes) == ["0", "1", "2", "3"]


def test_with_an_autoscaler_nothing_is_deleted_by_number(world: World) -> None:
    """Only what it names."""
    world.create(cluster(group(replicas=2), enableInTreeAutoscaling=True))
    world.look()
    world.edit(lambda held: held["spec"]["workerGroupSpecs"][0].update(replicas=0))
    world.look()
    kept, named = world.names(group="wg")
    strategy = {"workersToDelete": [named, "gone-before"]}
    world.edit(lambda held: held["spec"]["workerGroupSpecs"][0].update(scaleStrategy=strategy))
    world.look()
    assert world.names(group="wg") == [kept]


def test_two_heads_stop_everything(world: World) -> None:
    """Somebody made one by hand: no status is written, and it is tried again."""
    world.create(cluster())
    world.look()
    before = world.status
    head = world.objects.list(kinds.PODS, NAMESPACE)[0]
    labels = head["metadata"]["labels"]
    spec = {"containers": [{"name": "x", "image": "x"}]}
    world.objects.create(kinds.PODS, {"metadata": {"name": "other", "labels": labels}, "spec": spec}, NAMESPACE)
    assert world.look() == rayclusters.FIRST_RETRY
    assert world.status == before


def test_no_status_without_a_head_service(world: World) -> None:
    """A quota for services: the event tells it, the status nothing."""
    hard = {"hard": {"services": "0"}}
    world.objects.create(kinds.RESOURCE_QUOTAS, {"metadata": {"name": "q"}, "spec": hard}, NAMESPACE)
    world.create(cluster())
    assert world.look() == rayclusters.FIRST_RETRY
    assert (world.status, world.events()) == ({}, ["FailedToCreateService"])


def test_an_account_that_is_there_is_taken(world: World) -> None:
    """The autoscaler's name may be taken already."""
    world.objects.create(kinds.SERVICE_ACCOUNTS, {"metadata": {"name": "c"}}, NAMESPACE)
    world.create(cluster(enableInTreeAutoscaling=True))
    world.look()
    assert "CreatedServiceAccount" not in world.events()
    assert world.names(kinds.ROLE_BINDINGS) == ["c"]


def test_a_secret_of_the_user_is_not_made(world: World) -> None:
    """Nor one where the mode is disabled."""
    world.create(cluster(rayVersion="2.52.0", authOptions={"mode": "token", "secretName": "mine"}))
    world.look()
    assert world.names(kinds.SECRETS) == []
    world.edit(lambda held: held["spec"].update(authOptions={"mode": "disabled"}))
    world.look()
    assert world.names(kinds.SECRETS) == []


def test_an_edit_of_the_template_alone_is_not_written_down(world: World) -> None:
    """The observed generation stays behind until something else changes."""
    world.create(cluster(group()))
    world.look()
    resources = {"requests": {"cpu": "1"}}
    world.edit(
        lambda held: held["spec"]["workerGroupSpecs"][0]["template"]["spec"]["containers"][0].update(
            resources=resources
        )
    )
    assert world.look() == rayclusters.LATER
    assert (world.status["observedGeneration"], world.status["desiredCPU"]) == (1, "0")
    world.edit(lambda held: held["spec"]["workerGroupSpecs"][0].update(replicas=2))
    world.look()
    assert (world.status["observedGeneration"], world.status["desiredCPU"]) == (3, "2")


def test_which_changes_it_looks_at(world: World) -> None:
    """Spec, labels and annotations of a cluster, not its status; pods, services and secrets by their owner."""
    seen: list[Change] = []
    world.objects.store.listen(seen.append)
    world.create(cluster(group()))
    world.look()
    world.edit(lambda held: held["metadata"].update(labels={"a": "b"}))
    keys = [(change.kind.name, change.what, list(world.controller.keys(change))) for change in seen]
    assert ("RayCluster", "ADDED", [KEY]) in keys
    assert ("RayCluster", "MODIFIED", []) in keys
    assert ("RayCluster", "MODIFIED", [KEY]) in keys
    assert ("Service", "ADDED", [KEY]) in keys
    assert ("Pod", "ADDED", [KEY]) in keys
    assert ("Event", "ADDED", []) in keys


def test_the_operator_works_from_start_to_stop(world: World) -> None:
    """A cluster that is there at the start is made, one that comes after the end is not."""

    async def run() -> int:
        operator, told = Operator(world.objects, lambda *_: None), asyncio.Event()
        world.create(cluster(group()))
        world.objects.store.listen(lambda change: told.set() if "status" in change.object else None)
        operator.start()
        await asyncio.wait_for(told.wait(), 5)
        await operator.stop()
        world.objects.create(kinds.RAY_CLUSTERS, cluster(name="late"), NAMESPACE)
        await asyncio.sleep(0)
        return len(world.names())

    assert asyncio.run(run()) == 2


def test_a_full_disk_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is half done that the next look would not finish."""
    world.create(cluster(group()))
    write = world.objects.store.put
    left = iter(range(3))

    def put(kind: Kind, changed: Object) -> Object:
        if next(left, None) is None:
            raise Refused(500, "InternalError", "disk full")
        return write(kind, changed)

    monkeypatch.setattr(world.objects.store, "put", put)
    assert world.look() == rayclusters.FIRST_RETRY
    monkeypatch.undo()
    assert world.look() == rayclusters.SOON
    assert len(world.names()) == 2


def test_two_groups_of_one_name_never_come_to_rest(world: World) -> None:
    """Both count the same pods: each look makes one pod and the next deletes it."""
    world.create(cluster(group("g", replicas=1), group("g", replicas=2)))
    counts = []
    for _ in range(6):
        world.look()
        counts.append(len(world.names(group="g")))
    assert counts == [2] * 6
    assert world.status["desiredWorkerReplicas"] == 3
    assert {"CreatedWorkerPod", "DeletedWorkerPod"} <= set(world.events())
