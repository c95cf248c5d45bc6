"""A world, and a client of it, for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kuberay import World
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
