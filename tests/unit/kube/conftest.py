"""A relay, and pods at its far side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.wire.farside import Pod
from tests.wire.nearside import Near

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def near() -> Iterator[Near]:
    """A relay that is closed in the end."""
    made = Near()
    yield made
    made.relay.close()
    for sock in made.clients:
        sock.close()


@pytest.fixture
def pod() -> Iterator[Pod]:
    """A pod by kubectl's way."""
    made = Pod()
    yield made
    made.close()


@pytest.fixture
def pod_by() -> Iterator[Callable[[str], Pod]]:
    """A pod by the way asked for."""
    pods: list[Pod] = []

    def make(way: str) -> Pod:
        pods.append(Pod(way))
        return pods[-1]

    yield make
    for each in pods:
        each.close()
