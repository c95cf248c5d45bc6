"""What becomes of objects when their owners go."""

from __future__ import annotations

import pytest

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.controllers.garbage import Garbage
from tests.unit.sandbox.controllers.world import World

CLUSTER: dict[str, object] = {"headGroupSpec": {}}


@pytest.fixture
def world() -> World:
    """The namespace n, nothing in it."""
    return World()


def test_background(world: World) -> None:
    """The owner goes at once, its dependents and theirs after it; a pod on a node still has its grace period."""
    owner = world.make(kinds.RAY_CLUSTERS, "c", spec=CLUSTER)
    service = world.make(kinds.SERVICES, "s", owner=owner, spec={"clusterIP": "None"})
    world.make(kinds.ENDPOINT_SLICES, "e", owner=service)
    world.pod("waiting", owner=owner)
    world.pod("running", owner=owner, node="m")
    world.make(kinds.SECRETS, "free")
    world.run(Garbage, between=lambda: world.objects.delete(kinds.RAY_CLUSTERS, "n", "c"))
    assert world.names(kinds.RAY_CLUSTERS) == []
    assert world.names(kinds.SERVICES) == world.names(kinds.ENDPOINT_SLICES) == []
    assert world.names(kinds.SECRETS) == ["free"]
    (pod,) = world.objects.list(kinds.PODS, "n")
    assert (pod["metadata"]["name"], pod["metadata"]["deletionGracePeriodSeconds"]) == ("running", 30)


def test_foreground(world: World) -> None:
    """The owner waits for the dependents that block it; the others go after it."""
    owner = world.make(kinds.RAY_CLUSTERS, "c", spec=CLUSTER)
    world.pod("blocks", owner=owner, blocks=True, node="m")
    world.make(kinds.SECRETS, "later", owner=owner)

    def delete() -> None:
        world.objects.delete(kinds.RAY_CLUSTERS, "n", "c", propagation="Foreground")

    world.run(Garbage, between=delete)
    assert world.names(kinds.RAY_CLUSTERS) == ["c"]
    assert world.names(kinds.SECRETS) == ["later"]
    assert world.objects.get(kinds.PODS, "n", "blocks")["metadata"]["deletionTimestamp"]

    def pod_ends() -> None:
        world.objects.delete(kinds.PODS, "n", "blocks", grace=0)

    world.run(Garbage, between=pod_ends)
    assert world.names(kinds.RAY_CLUSTERS) == world.names(kinds.SECRETS) == []


def test_foreground_goes_down(world: World) -> None:
    """What blocks is deleted in the foreground too where something depends on it."""
    owner = world.make(kinds.RAY_JOBS, "j", spec={})
    cluster = world.make(kinds.RAY_CLUSTERS, "c", spec=CLUSTER, owner=owner, blocks=True)
    world.pod("p", owner=cluster, blocks=True, node="m")
    world.run(Garbage, between=lambda: world.objects.delete(kinds.RAY_JOBS, "n", "j", propagation="Foreground"))
    held = world.objects.get(kinds.RAY_CLUSTERS, "n", "c")
    assert held["metadata"]["finalizers"] == ["foregroundDeletion"]
    world.run(Garbage, between=lambda: world.objects.delete(kinds.PODS, "n", "p", grace=0))
    assert world.names(kinds.RAY_JOBS) == world.names(kinds.RAY_CLUSTERS) == []


def test_orphans(world: World) -> None:
    """They stay, without their owner."""
    owner = world.make(kinds.RAY_CLUSTERS, "c", spec=CLUSTER)
    world.pod("p", owner=owner, blocks=True)
    world.run(Garbage, between=lambda: world.objects.delete(kinds.RAY_CLUSTERS, "n", "c", propagation="Orphan"))
    assert world.names(kinds.RAY_CLUSTERS) == []
    assert "ownerReferences" not in world.objects.get(kinds.PODS, "n", "p")["metadata"]


def test_an_owner_that_was_never_there(world: World) -> None:
    """What names an owner that is gone goes too, also when it was written while nobody looked."""
    owner = world.make(kinds.SECRETS, "o")
    world.make(kinds.CONFIG_MAPS, "d", owner=owner)
    world.objects.delete(kinds.SECRETS, "n", "o")
    world.run(Garbage)
    assert world.names(kinds.CONFIG_MAPS) == []


def test_another_object_of_the_owners_name(world: World) -> None:
    """Names come again, uids do not: what belonged to the old one goes."""
    owner = world.make(kinds.SECRETS, "o")
    world.make(kinds.CONFIG_MAPS, "d", owner=owner)
    world.objects.delete(kinds.SECRETS, "n", "o")
    world.make(kinds.SECRETS, "o")
    world.run(Garbage)
    assert (world.names(kinds.CONFIG_MAPS), world.names(kinds.SECRETS)) == ([], ["o"])


def test_one_owner_of_two_goes(world: World) -> None:
    """The dependent stays with the one that is left."""
    first, second = world.make(kinds.SECRETS, "a"), world.make(kinds.SECRETS, "b")
    world.make(kinds.CONFIG_MAPS, "d", owner=first)

    def own(body: dict[str, dict[str, list[dict[str, object]]]]) -> None:
        reference = {"apiVersion": "v1", "kind": "Secret", "name": "b", "uid": second["metadata"]["uid"]}
        body["metadata"]["ownerReferences"].append(reference)

    world.objects.edit(kinds.CONFIG_MAPS, "n", "d", own)
    world.run(Garbage, between=lambda: world.objects.delete(kinds.SECRETS, "n", "a"))
    held = world.objects.get(kinds.CONFIG_MAPS, "n", "d")
    assert [each["name"] for each in held["metadata"]["ownerReferences"]] == ["b"]


def test_an_owner_of_an_unknown_kind(world: World) -> None:
    """Nobody can tell whether it is there: the dependent stays."""
    reference = {"apiVersion": "x.y/v1", "kind": "Thing", "name": "t", "uid": "u"}
    world.make(kinds.CONFIG_MAPS, "d", meta={"ownerReferences": [reference]})
    world.run(Garbage)
    assert world.names(kinds.CONFIG_MAPS) == ["d"]


def test_a_finalizer_of_somebody_else_keeps_the_owner(world: World) -> None:
    """Dependents stay as long as the owner does, when it is deleted in the background."""
    owner = world.make(kinds.RAY_JOBS, "j", spec={}, meta={"finalizers": ["ray.io/x"]})
    world.make(kinds.CONFIG_MAPS, "d", owner=owner)
    world.run(Garbage, between=lambda: world.objects.delete(kinds.RAY_JOBS, "n", "j"))
    assert world.names(kinds.CONFIG_MAPS) == ["d"]

    def release() -> None:
        world.objects.edit(kinds.RAY_JOBS, "n", "j", lambda body: body["metadata"].pop("finalizers"))

    world.run(Garbage, between=release)
    assert world.names(kinds.RAY_JOBS) == world.names(kinds.CONFIG_MAPS) == []
