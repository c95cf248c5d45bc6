"""The cluster that is meant, and what is said when there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubectl_ray.errors import NotAllowed, NotFound, WrongUse
from kubectl_ray.flows import find
from tests.kuberay import cluster, namespace

if TYPE_CHECKING:
    from kubectl_ray.kube.client import Client
    from tests.kuberay import World


def test_by_name(world: World, client: Client) -> None:
    """A name is one GET."""
    world.add(cluster("a"))

    assert find.cluster(client, "a", "default")["metadata"]["name"] == "a"
    assert client.requests == 1


def test_the_only_one(world: World, client: Client) -> None:
    """Without a name it is the only one of the namespace."""
    world.add(cluster("a"), cluster("b", namespace="other"))

    assert find.cluster(client, None, "default")["metadata"]["name"] == "a"


@pytest.mark.parametrize(("count", "shown"), [(2, "c0, c1."), (5, "c0, c1, c2, c3, c4."), (6, "c4, ….")])
def test_several(world: World, client: Client, count: int, shown: str) -> None:
    """Of several, at most five are named."""
    world.add(*(cluster(f"c{number}") for number in range(count)))

    with pytest.raises(WrongUse) as caught:
        find.cluster(client, None, "default")

    assert caught.value.message.endswith(shown)


def test_none(client: Client) -> None:
    """Where there is none, creating one is the way out."""
    with pytest.raises(NotFound) as caught:
        find.cluster(client, None, "default")

    assert caught.value.hint == "Create one:  kubectl ray cluster create NAME"


def test_several_near_names(world: World, client: Client) -> None:
    """All near names are proposed."""
    world.add(cluster("train-1"), cluster("train-2"), cluster("other"))

    with pytest.raises(NotFound) as caught:
        find.cluster(client, "train-3", "default")

    assert caught.value.hint == "Did you mean train-1 or train-2?"


def test_no_crd(world: World, client: Client) -> None:
    """A missing definition is left to those who know what it means."""
    world.api.missing_groups.add("ray.io")

    with pytest.raises(NotFound) as caught:
        find.cluster(client, "a", "default")

    assert caught.value.missing_group == "ray.io"
    assert client.requests == 1


def test_no_right(world: World, client: Client) -> None:
    """A missing right is not a missing cluster."""
    world.api.deny("get", "rayclusters")

    with pytest.raises(NotAllowed):
        find.cluster(client, "a", "default")


def test_a_namespace_that_is_there(client: Client) -> None:
    """A namespace that exists is no error."""
    find.check_namespace(client, "default")


def test_all_namespaces(client: Client) -> None:
    """All of them always exist: nothing is asked."""
    find.check_namespace(client, "")

    assert client.requests == 0


def test_near_namespaces(world: World, client: Client) -> None:
    """A namespace that is not there meets the near ones."""
    world.add(namespace("team-a"), namespace("team-b"))

    with pytest.raises(NotFound) as caught:
        find.check_namespace(client, "team-c")

    assert caught.value.hint == "Did you mean -n team-a or -n team-b?"


def test_no_near_namespace(client: Client) -> None:
    """Where none is near, the command that shows them."""
    with pytest.raises(NotFound) as caught:
        find.check_namespace(client, "elsewhere")

    assert caught.value.hint == "See which there are:  kubectl get namespaces"


@pytest.mark.parametrize("code", [401, 403, 500])
def test_a_namespace_that_cannot_be_asked_for(world: World, client: Client, code: int) -> None:
    """What cannot be asked is no error: the answer before it stands."""
    world.api.fail(code, "Whatever", "no", path="/namespaces/elsewhere", times=None)

    find.check_namespace(client, "elsewhere")


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        (["b"], "See the only one there is:  kubectl ray cluster list -A"),
        (["b", "c"], "See the 2 there are:  kubectl ray cluster list -A"),
        ([], "There are no Ray clusters at all. Create one:  kubectl ray cluster create NAME"),
    ],
)
def test_in_no_namespace(world: World, client: Client, names: list[str], hint: str) -> None:
    """Looked for in all namespaces, the hint names none."""
    world.add(*map(cluster, names))

    assert find.missing(client, "quite-another", "").hint == hint
