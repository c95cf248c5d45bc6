"""What a RayCluster's spec asks for."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kubectl_ray.sandbox.operator import spec
from tests.unit.sandbox.operator.clusters import cluster, container, group


@pytest.mark.parametrize(
    ("fields", "pods"),
    [
        ({"replicas": 5}, 3),
        ({"replicas": 0, "minReplicas": 2}, 2),
        ({"replicas": -1}, 0),
        ({"replicas": None}, 0),
        ({"replicas": 2, "numOfHosts": 2}, 4),
        ({"replicas": 2, "suspend": True}, 0),
    ],
)
def test_replicas_lie_within_their_limits(fields: dict[str, Any], pods: int) -> None:
    """Times hosts; none of a suspended group."""
    assert spec.desired(group(**fields)) == pods


@pytest.mark.parametrize("name", ["nvidia.com/gpu", "amd.com/gpu", "gpu", "nvidia.com/mig-2g.32gb"])
def test_gpus_by_their_names(name: str) -> None:
    """Anything that ends with gpu, and slices."""
    assert spec.gpu(name)


def test_what_is_no_gpu() -> None:
    """Memory, and slices of another form."""
    assert not any(map(spec.gpu, ("memory", "nvidia.com/mig-2g.32gb-x", "nvidia.com/mig-ag.32gb")))


def test_a_pod_counts_for_its_requests_else_its_limits() -> None:
    """Over all its containers, written as the first one is."""
    first = container(resources={"requests": {"cpu": "200m"}, "limits": {"cpu": "1", "memory": "1Gi"}})
    second = container(resources={"limits": {"cpu": "1"}})
    found = spec.asked(group(pod={"containers": [first, second]}))
    assert {name: str(value) for name, value in found.items()} == {"cpu": "1200m", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("path", "value", "same"),
    [
        (("workerGroupSpecs", 0, "replicas"), 9, True),
        (("workerGroupSpecs", 0, "maxReplicas"), 9, True),
        (("workerGroupSpecs", 0, "scaleStrategy"), {"workersToDelete": ["a"]}, True),
        (("workerGroupSpecs", 0, "rayStartParams"), {}, True),
        (("upgradeStrategy",), {"type": "Recreate"}, True),
        (("headGroupSpec", "template", "spec", "tolerations"), [{"key": "a"}], True),
        (("rayVersion",), "2.53.0", False),
        (("headGroupSpec", "template", "spec", "containers", 0, "image"), "other", False),
        (("workerGroupSpecs", 0, "groupName"), "other", False),
    ],
)
def test_what_pods_have_to_be_made_anew_for(path: tuple[str | int, ...], value: object, *, same: bool) -> None:
    """Everything but replicas and what a queue puts in."""
    before = cluster(group())["spec"]
    after = copy.deepcopy(before)
    place: Any = after
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    assert (spec.recreate_hash(before) == spec.recreate_hash(after)) is same


def test_the_hash_has_the_operators_form() -> None:
    """32 letters of base32hex."""
    found = spec.recreate_hash(cluster()["spec"])
    assert len(found) == 32
    assert set(found) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUV")
