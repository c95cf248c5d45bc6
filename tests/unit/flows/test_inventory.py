"""All clusters with their pods counted, from two requests."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.errors import NotAllowed, NotLoggedIn
from kubectl_ray.flows import inventory
from tests.kuberay import cluster, head, worker
from tests.kuberay.objects import names

if TYPE_CHECKING:
    from kubectl_ray.kube.client import Client
    from tests.kuberay import World


def keep(raw: dict[str, Any]) -> dict[str, Any]:
    """Keep it all."""
    return raw


def test_counted(world: World, client: Client) -> None:
    """Each cluster's pods, by namespace and name."""
    world.add(cluster("a"), head("a"), worker("a"), worker("a", "2", ready=False), cluster("b"))

    found, counts = inventory.clusters(client, "default", keep)
    count = counts.of("default", "a")

    assert names(found) == ["a", "b"]
    assert counts.counted
    assert count is not None
    assert (count.head_ready, count.ready, count.there) == (True, {"workers": 1}, {"workers": 2})


def test_no_pods(world: World, client: Client) -> None:
    """A cluster without pods has counts of nothing, which is not the same as no counts."""
    world.add(cluster("a"))

    count = inventory.clusters(client, "default", keep)[1].of("default", "a")

    assert count is not None
    assert count.pods == 0


def test_no_clusters(client: Client) -> None:
    """Without clusters no pods are asked for."""
    found, counts = inventory.clusters(client, "default", keep)

    assert (found, counts.counted, client.requests) == ([], False, 1)


@pytest.mark.parametrize(("more", "counted"), [(0, True), (1, False)])
def test_many(world: World, client: Client, more: int, counted: bool) -> None:
    """Up to `MANY` clusters pods are counted, beyond they are not asked for."""
    world.add(*(cluster(f"c{number}") for number in range(inventory.MANY + more)))

    counts = inventory.clusters(client, "default", keep)[1]

    assert counts.counted is counted
    assert (counts.of("default", "c1") is None) is not counted
    assert not counts.no_right


def test_no_right_to_pods(world: World, client: Client) -> None:
    """Without the right to list pods there are no counts, and it is known why."""
    world.add(cluster("a"))
    world.api.deny("list", "pods")

    counts = inventory.clusters(client, "default", keep)[1]

    assert (counts.counted, counts.no_right, counts.of("default", "a")) == (False, True, None)


def test_no_right_to_clusters(world: World, client: Client) -> None:
    """Without the right to list clusters there is no answer."""
    world.api.deny("list", "rayclusters")

    with pytest.raises(NotAllowed):
        inventory.clusters(client, "default", keep)


def test_an_expired_login(world: World, client: Client) -> None:
    """401 is not a missing right."""
    world.api.fail(401, "Unauthorized", path="/pods", times=None)

    with pytest.raises(NotLoggedIn):
        inventory.counts(client, "default")


def test_selectors(world: World, client: Client) -> None:
    """Selectors choose the clusters, never the pods."""
    world.add(cluster("a", labels={"x": "1"}), cluster("b", labels={"x": "1"}), cluster("c"), head("b"))

    found, counts = inventory.clusters(client, "default", keep, label_selector="x=1", field_selector="metadata.name!=a")
    count = counts.of("default", "b")

    assert names(found) == ["b"]
    assert count is not None
    assert count.head_ready


def test_nothing_but_rows_is_held(world: World, client: Client) -> None:
    """The objects themselves are gone once their rows are made."""

    def held() -> int:
        gc.collect()
        return sum(type(found) is dict and found.get("uid") == "uid-of-a" for found in gc.get_objects())

    world.add(cluster("a"), cluster("b"))
    before = held()  # by the server itself

    found, _counts = inventory.clusters(client, "default", lambda raw: str(raw["metadata"]["name"]))

    assert found == ["a", "b"]
    assert held() == before
