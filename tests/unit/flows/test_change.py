"""A change that others may be in the way of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.errors import Conflict, Invalid, NotFound, WrongUse
from kubectl_ray.flows.change import TRIES, patched
from kubectl_ray.models.resources import RAYCLUSTERS
from tests.kuberay import cluster

if TYPE_CHECKING:
    from kubectl_ray.kube.client import Client
    from tests.kuberay import World

VERSION = "/spec/rayVersion"


def move(raw: dict[str, Any]) -> list[dict[str, Any]]:
    """From the version that is there to another."""
    return [
        {"op": "test", "path": VERSION, "value": raw["spec"]["rayVersion"]},
        {"op": "replace", "path": VERSION, "value": "2.53.0"},
    ]


def seen(world: World) -> dict[str, Any]:
    """The cluster as it is now."""
    world.add(cluster("a"))
    return world.store.get("rayclusters", "a")


def raised(version: str) -> dict[str, Any]:
    """The cluster after somebody else changed its version."""
    return cluster("a", rayVersion=version)


def test_sent(world: World, client: Client) -> None:
    """What comes back is the changed object."""
    after = patched(client, "a", "default", move, seen=seen(world))

    assert after["spec"]["rayVersion"] == "2.53.0"
    assert client.requests == 1


def test_nothing_to_change(world: World, client: Client) -> None:
    """Where nothing is to change, nothing is sent, and what was seen is the answer."""
    before = seen(world)

    assert patched(client, "a", "default", lambda _raw: [], seen=before) is before
    assert client.requests == 0


def test_somebody_was_faster(world: World, client: Client) -> None:
    """It is read again, and decided anew on what is there then."""
    before = seen(world)
    world.add(raised("2.40.0"))

    after = patched(client, "a", "default", move, seen=before)

    assert after["spec"]["rayVersion"] == "2.53.0"
    assert [request.method for request in world.api.requests] == ["PATCH", "GET", "PATCH"]


def test_somebody_did_the_same(world: World, client: Client) -> None:
    """When the change is there after reading again, nothing more is sent."""
    before = seen(world)
    world.add(raised("2.53.0"))

    patched(client, "a", "default", lambda raw: move(raw) if raw["spec"]["rayVersion"] != "2.53.0" else [], seen=before)

    assert [request.method for request in world.api.requests] == ["PATCH", "GET"]


def test_always_faster(world: World, client: Client) -> None:
    """Three tries, then it gives up with what to do."""
    before = seen(world)
    versions = iter(["2.40.0", "2.41.0", "2.42.0"])
    for _ in range(TRIES):
        world.meanwhile("PATCH", "rayclusters/a", lambda: world.add(raised(next(versions))))

    with pytest.raises(Conflict, match="keeps changing Ray cluster a: 3 tries") as caught:
        patched(client, "a", "default", move, seen=before)

    assert "kubectl ray cluster describe a -n default" in caught.value.hint
    assert len(world.api.asked("PATCH")) == TRIES


def test_gone(world: World, client: Client) -> None:
    """A cluster that went is not found."""
    before = seen(world)
    world.store.remove("rayclusters", "a")

    with pytest.raises(NotFound):
        patched(client, "a", "default", move, seen=before)


def test_decided_otherwise(world: World, client: Client) -> None:
    """What the second look refuses is refused."""
    before = seen(world)
    world.add(raised("3.0.0"))

    def decide(raw: dict[str, Any]) -> list[dict[str, Any]]:
        if raw["spec"]["rayVersion"] == "3.0.0":
            raise WrongUse("too new", "Leave it.")
        return move(raw)

    with pytest.raises(WrongUse, match="too new"):
        patched(client, "a", "default", decide, seen=before)


def test_refused(world: World, client: Client) -> None:
    """What the server refuses is not tried again."""
    before = seen(world)
    world.api.fail(400, "BadRequest", "no", method="PATCH", times=None)

    with pytest.raises(Invalid):
        patched(client, "a", "default", move, seen=before)

    assert client.requests == 1


def test_dry_run(world: World, client: Client) -> None:
    """A dry run keeps nothing."""
    after = patched(client, "a", "default", move, seen=seen(world), dry_run=True)

    assert after["spec"]["rayVersion"] == "2.53.0"
    assert client.get(RAYCLUSTERS, "a", "default")["spec"]["rayVersion"] == "2.52.0"
