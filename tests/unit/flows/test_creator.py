"""Who is logged in, and which clusters are theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.errors import WrongUse
from kubectl_ray.flows import creator
from tests.kuberay.world import WHO_AM_I

if TYPE_CHECKING:
    from kubectl_ray.kube.client import Client
    from tests.kuberay import World


def test_name(world: World, client: Client) -> None:
    """The name is what the API server's SelfSubjectReview says."""
    world.api.user = "system:serviceaccount:team:bot"

    assert creator.name_of(client) == "system:serviceaccount:team:bot"
    assert world.api.requests[0].json["kind"] == "SelfSubjectReview"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[" * 100_000,
        b"\xff",
        [],
        None,
        {},
        {"status": None},
        {"status": {"userInfo": []}},
        {"status": {"userInfo": {"username": 7}}},
    ],
)
def test_odd_answers(world: World, client: Client, body: Any) -> None:
    """An answer without a name is an empty name, never an error."""
    world.api.fault(WHO_AM_I, status=201, body=body)

    assert creator.name_of(client) == ""


def test_no_answer(world: World, client: Client) -> None:
    """Nor is no answer at all."""
    world.api.stop()

    assert creator.name_of(client) == ""


def test_mine(world: World, client: Client) -> None:
    """A name that is no label value is found by what the label then holds."""
    world.api.user = "jane@example.com"

    selector = creator.mine(client)

    assert selector.startswith("kubectl-ray/creator=jane-example.com-")


def test_mine_without_a_name(world: World, client: Client) -> None:
    """Without a name nothing is anybody's."""
    world.api.fail(403, "Forbidden", path=WHO_AM_I)

    with pytest.raises(WrongUse, match="does not tell who you are"):
        creator.mine(client)
