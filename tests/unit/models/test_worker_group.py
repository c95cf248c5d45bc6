"""A worker group of a spec."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_ray.models.sizes import Sizes
from kubectl_ray.models.worker_group import NO_MAXIMUM, Group


@pytest.mark.parametrize(
    ("group", "desired"),
    [
        ({"replicas": 3}, 3),
        ({"replicas": 9, "maxReplicas": 4}, 4),
        ({"replicas": 0, "minReplicas": 2}, 2),
        ({}, 0),
        ({"minReplicas": 1}, 1),
        ({"replicas": -1}, 0),
        ({"replicas": 2, "numOfHosts": 4}, 8),
        ({"replicas": 2, "suspend": True}, 0),
        ({"replicas": "3"}, 0),
        ({"replicas": True}, 0),
        ({"replicas": 3.0}, 3),
        ({"replicas": None, "maxReplicas": None, "numOfHosts": None}, 0),
        ({"replicas": 5, "minReplicas": 1, "maxReplicas": 3}, 3),
    ],
)
def test_desired(group: dict[str, Any], desired: int) -> None:
    """clamp(replicas, min, max) times hosts; none when suspended."""
    assert Group(group, 0).desired == desired


def test_defaults_of_a_group() -> None:
    """What the CRD would put in is read where it is absent."""
    group = Group({}, 0)
    assert (group.minimum, group.maximum, group.hosts, group.replicas) == (0, NO_MAXIMUM, 1, 0)
    assert not group.bounded
    assert group.each == Sizes()
