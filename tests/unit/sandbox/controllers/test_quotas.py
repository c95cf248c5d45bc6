"""The status of resource quotas follows what their namespace holds."""

from __future__ import annotations

import pytest

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.controllers.quotas import Quotas
from tests.unit.sandbox.controllers.world import Object, World


@pytest.fixture
def world() -> World:
    """The namespace n, nothing in it."""
    return World()


def used(world: World) -> Object:
    """What the quota q says."""
    found: Object = world.objects.get(kinds.RESOURCE_QUOTAS, "n", "q")["status"]
    return found


def pod(world: World, name: str) -> None:
    """A pod of 250m and 1Gi."""
    resources = {"requests": {"cpu": "250m"}, "limits": {"memory": "1Gi"}}
    world.pod(name, spec={"containers": [{"name": "a", "image": "i", "resources": resources}]})


HARD = {"pods": "5", "requests.cpu": "2", "limits.memory": "8Gi", "count/rayclusters.ray.io": "1", "services": "3"}


def test_what_is_there_is_counted(world: World) -> None:
    """Also what was there before the quota."""
    pod(world, "before")
    world.make(kinds.RESOURCE_QUOTAS, "q", spec={"hard": HARD})
    world.run(Quotas, between=lambda: pod(world, "after"))
    assert used(world) == {
        "hard": HARD,
        "used": {
            "count/rayclusters.ray.io": "0",
            "limits.memory": "2Gi",
            "pods": "2",
            "requests.cpu": "500m",
            "services": "0",
        },
    }


def test_what_ended_is_not_counted(world: World) -> None:
    """A pod that has failed holds nothing, a deleted object neither."""
    pod(world, "failed")
    pod(world, "deleted")
    world.make(kinds.RAY_CLUSTERS, "c", spec={})
    world.make(kinds.RESOURCE_QUOTAS, "q", spec={"hard": HARD})

    def end() -> None:
        world.objects.edit(kinds.PODS, "n", "failed", lambda body: body["status"].update(phase="Failed"), status=True)
        world.objects.delete(kinds.PODS, "n", "deleted")
        world.objects.delete(kinds.RAY_CLUSTERS, "n", "c")

    world.run(Quotas)
    assert used(world)["used"] == {
        "count/rayclusters.ray.io": "1",
        "limits.memory": "2Gi",
        "pods": "2",
        "requests.cpu": "500m",
        "services": "0",
    }
    world.run(Quotas, between=end)
    assert set(used(world)["used"].values()) == {"0"}


def test_a_changed_limit_is_told(world: World) -> None:
    """The status has the limits that hold."""
    world.make(kinds.RESOURCE_QUOTAS, "q", spec={"hard": {"pods": "1"}})
    change = {"hard": {"pods": "7"}}
    world.run(
        Quotas,
        between=lambda: world.objects.edit(kinds.RESOURCE_QUOTAS, "n", "q", lambda body: body.update(spec=change)),
    )
    assert used(world) == {"hard": {"pods": "7"}, "used": {"pods": "0"}}
