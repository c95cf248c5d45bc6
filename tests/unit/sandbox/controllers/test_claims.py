"""Volume claims wait, say why, and go when no pod uses them."""

from __future__ import annotations

import asyncio

import pytest

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.controllers.claims import Claims
from tests.unit.sandbox.controllers.world import World

SIZE = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
VOLUMES = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]


@pytest.fixture
def world() -> World:
    """The namespace n, nothing in it."""
    return World()


@pytest.mark.parametrize(
    ("storage_class", "told"),
    [
        ("nosuch", ("Warning", "ProvisioningFailed", 'storageclass.storage.k8s.io "nosuch" not found')),
        (
            "",
            ("Normal", "FailedBinding", "no persistent volumes available for this claim and no storage class is set"),
        ),
    ],
)
def test_why_a_claim_waits(world: World, storage_class: str, told: tuple[str, str, str]) -> None:
    """The events were recorded; the claim stays Pending."""
    world.make(kinds.CLAIMS, "c", spec={**SIZE, **({"storageClassName": storage_class} if storage_class else {})})
    world.run(Claims)
    (event,) = world.objects.list(kinds.EVENTS, "n")
    assert (event["type"], event["reason"], event["message"]) == told
    assert event["source"] == {"component": "persistentvolume-controller"}
    assert world.objects.get(kinds.CLAIMS, "n", "c")["status"] == {"phase": "Pending"}


def test_it_is_said_again_and_again(world: World) -> None:
    """Every 15 seconds at first, seldom when nobody listens."""
    world.make(kinds.CLAIMS, "c", spec=SIZE)
    controller = Claims(world.objects)
    waits = [asyncio.run(controller.reconcile(("n", "c"))) for _ in range(25)]
    assert waits == [15.0] * 24 + [300.0]
    (event,) = world.objects.list(kinds.EVENTS, "n")
    assert event["count"] == 25


def test_an_unused_claim_goes(world: World) -> None:
    """Its protection is taken off."""
    world.make(kinds.CLAIMS, "c", spec=SIZE)
    world.run(Claims, between=lambda: world.objects.delete(kinds.CLAIMS, "n", "c"))
    assert world.names(kinds.CLAIMS) == []


def test_a_used_claim_stays_until_the_pod_ends(world: World) -> None:
    """A pod that has ended counts as gone."""
    world.make(kinds.CLAIMS, "c", spec=SIZE)
    world.pod("p", spec={"volumes": VOLUMES})
    world.run(Claims, between=lambda: world.objects.delete(kinds.CLAIMS, "n", "c"))
    assert world.objects.get(kinds.CLAIMS, "n", "c")["metadata"]["deletionTimestamp"]
    world.run(
        Claims,
        between=lambda: world.objects.edit(
            kinds.PODS, "n", "p", lambda body: body["status"].update(phase="Succeeded"), status=True
        ),
    )
    assert world.names(kinds.CLAIMS) == []
