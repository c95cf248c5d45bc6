"""`cluster scale` while somebody else changes the cluster too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.kuberay import cluster

if TYPE_CHECKING:
    from tests.kuberay import World


def replicas(world: World, name: str = "a") -> list[int]:
    """What the spec has now."""
    return [each["replicas"] for each in world.store.get("rayclusters", name)["spec"]["workerGroupSpecs"]]


def test_somebody_was_faster(world: World) -> None:
    """When the number moved meanwhile, the cluster is read again and the change decided anew."""
    world.add(cluster("a"))

    def faster(found: dict[str, Any]) -> None:
        found["spec"]["workerGroupSpecs"][0]["replicas"] = 7

    world.meanwhile("PATCH", "rayclusters/a", lambda: world.store.edit("rayclusters", "a", faster))

    ran = world.run("cluster scale workers --cluster a --replicas=3 --no-wait")

    assert ran.code == 0, ran
    assert [request.json[1]["value"] for request in world.api.asked("PATCH")] == [1, 7]
    assert replicas(world) == [3]


def test_somebody_is_always_faster(world: World) -> None:
    """After three tries it gives up, says so, and nothing is changed."""
    world.add(cluster("a"))
    world.api.fail(422, "Invalid", "the server rejected our request", path="rayclusters/a", method="PATCH", times=None)

    ran = world.run("cluster scale workers --cluster a --replicas=3 --no-wait")

    assert ran.code == 1, ran
    assert "3 tries met a newer version each" in ran.err
    assert len(world.api.asked("PATCH")) == 3


def test_the_line_says_what_was_there(world: World) -> None:
    """After a conflict the line names the number that was really replaced."""
    world.add(cluster("a"))

    def faster(found: dict[str, Any]) -> None:
        found["spec"]["workerGroupSpecs"][0]["replicas"] = 7

    world.meanwhile("PATCH", "rayclusters/a", lambda: world.store.edit("rayclusters", "a", faster))

    ran = world.run("cluster scale workers --cluster a --replicas=3 --no-wait")

    assert ran.out == "workers of a: workers 7 → 3\n"


def test_refused_by_the_server(world: World) -> None:
    """A 422 that names a field is the server's no, not a conflict: it is said, and not tried again."""
    world.add(cluster("a"))
    status = {
        "kind": "Status",
        "status": "Failure",
        "code": 422,
        "reason": "Invalid",
        "message": "RayCluster is invalid",
        "details": {"causes": [{"field": "spec.workerGroupSpecs[0].replicas", "message": "too many"}]},
    }
    world.api.fault("rayclusters/a", method="PATCH", status=422, body=status, times=None)

    ran = world.run("cluster scale workers --cluster a --replicas=3")

    assert ran.code == 1, ran
    assert "too many" in ran.err
    assert len(world.api.asked("PATCH")) == 1


def test_deleted_between_two_tries(world: World) -> None:
    """A cluster that is gone when it is read again is not found."""
    world.add(cluster("a"))

    def resized(found: dict[str, Any]) -> None:
        found["spec"]["workerGroupSpecs"][0]["replicas"] = 7

    world.meanwhile("PATCH", "rayclusters/a", lambda: world.store.edit("rayclusters", "a", resized))
    world.meanwhile("GET", "rayclusters/a", lambda: None)
    world.meanwhile("GET", "rayclusters/a", lambda: world.store.remove("rayclusters", "a"))

    assert world.run("cluster scale workers --cluster a --replicas=3").code == 5
