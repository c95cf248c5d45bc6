"""The ports of a cluster's head, from its beginning to its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.sandbox.api.kinds import PODS, RAY_CLUSTERS, SERVICES
from kubectl_ray.sandbox.node.ports import DASHBOARD, head_key
from tests.unit.sandbox.node.machine import NAMESPACE, Machine, running

if TYPE_CHECKING:
    from pathlib import Path

LABELS = {"ray.io/cluster": "c", "ray.io/node-type": "head"}
META = {"name": "c", "namespace": NAMESPACE, "uid": "1"}
OBJECTS: dict[Any, dict[str, Any]] = {
    RAY_CLUSTERS: {"metadata": META, "spec": {}},
    PODS: {"metadata": {**META, "labels": LABELS}, "spec": {"containers": [], "schedulingGates": [{"name": "g"}]}},
    SERVICES: {"metadata": META, "spec": {"selector": LABELS}},
}


def taken(machine: Machine) -> set[int]:
    """Ports that were given out."""
    return set(machine.node._given._taken)


@pytest.mark.parametrize("last", [RAY_CLUSTERS, PODS, SERVICES])
def test_a_cluster_that_is_gone_gives_its_heads_ports_back(folder: Path, last: Any) -> None:
    """When the cluster and its pods are gone, in whatever order; a service alone keeps none."""

    async def live() -> None:
        async with running(folder) as machine:
            store = machine.objects.store
            for kind, held in OBJECTS.items():
                store.put(kind, held)
            first, *others = sorted(OBJECTS, key=lambda each: each is last)
            given = machine.node._given.of(head_key(NAMESPACE, "c"), [DASHBOARD])
            store.drop(first, OBJECTS[first])
            await machine.node.settle()
            assert taken(machine) == set(given.values())
            for kind in others:
                machine.node._given.of(head_key(NAMESPACE, "c"), [DASHBOARD])  # asked for by a service
                store.drop(kind, OBJECTS[kind])
                await machine.node.settle()
            assert taken(machine) == set()

    asyncio.run(live())
