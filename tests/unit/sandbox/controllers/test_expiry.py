"""Events go an hour after they were last written."""

from __future__ import annotations

import asyncio

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.events import record
from kubectl_ray.sandbox.controllers.expiry import Expiry
from tests.unit.sandbox.controllers.world import World


def test_an_event_lives_for_an_hour() -> None:
    """A look before tells how long it has; a look after finds it gone."""
    world = World()
    about = world.make(kinds.SECRETS, "s")
    record(world.objects, about, "Normal", "A", "text", "x")
    (name,) = world.names(kinds.EVENTS)
    world.time += 600
    assert asyncio.run(Expiry(world.objects).reconcile(("n", name))) == 3000.0
    world.time += 3000
    world.run(Expiry)
    assert world.names(kinds.EVENTS) == []


def test_a_repeated_event_lives_on() -> None:
    """The hour counts from its last write."""
    world = World()
    about = world.make(kinds.SECRETS, "s")
    for _ in range(2):
        record(world.objects, about, "Normal", "A", "text", "x")
        world.time += 3500
    world.run(Expiry)
    assert len(world.names(kinds.EVENTS)) == 1


def test_other_objects_stay() -> None:
    """Whatever their age."""
    world = World()
    world.make(kinds.SECRETS, "s")
    world.time += 1e6
    world.run(Expiry)
    assert world.names(kinds.SECRETS) == ["s"]
