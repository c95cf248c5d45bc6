"""A world, a client of it, and an open tunnel there, for each test that asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubectl_ray.flows import tunnel as tunnels
from kubectl_ray.flows import tunnel_doors
from tests.kuberay import World, cluster
from tests.unit.flows.open_tunnels import Session, named
from tests.unit.flows.relays import FakeRelay
from tests.wire import client_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_ray.kube.client import Client


@pytest.fixture
def world() -> Iterator[World]:
    """A Kubernetes with KubeRay, empty so far."""
    with World() as made:
        yield made


@pytest.fixture
def client(world: World) -> Client:
    """The way there; closed with the world."""
    return client_for(world.api)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes a tunnel seconds takes it hundredths of them."""
    for name in ("QUIET", "LOST_QUIET", "LOGIN_PAUSE"):
        monkeypatch.setattr(tunnels, name, 0.05)
    monkeypatch.setattr(tunnels, "PAUSES", (0.0, 0.01))
    for name in ("PROBED", "ABSENT_AFTER"):
        monkeypatch.setattr(tunnel_doors, name, 0.02)


@pytest.fixture
def relay(soon: None) -> FakeRelay:  # noqa: ARG001 -- whatever goes over it is not to be waited for
    """A relay that moves nothing."""
    return FakeRelay()


@pytest.fixture
def session(world: World, client: Client, relay: FakeRelay) -> Iterator[Session]:
    """An open session to cluster a."""
    world.add(cluster("a"), named("a-head-1"))
    made = Session(client, relay).opened()
    yield made
    made.close()
