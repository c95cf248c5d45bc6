"""`cluster token` and, behind the Go plugin's words, `get token`."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from tests.kuberay import cluster

if TYPE_CHECKING:
    from tests.kuberay import World


def secret(name: str, token: str) -> dict[str, Any]:
    """The Secret that the operator makes."""
    data = {"auth_token": base64.b64encode(token.encode()).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "default"}, "data": data}


@pytest.mark.parametrize("words", ["cluster token a", "cluster token", "get token a"])
def test_the_token(world: World, words: str) -> None:
    """The token and nothing else, as a script wants it."""
    world.add(cluster("a", authOptions={"mode": "token"}), secret("a", "s3cret"))

    ran = world.run(words)

    assert (ran.code, ran.out, ran.err) == (0, "s3cret\n", "")


def test_talk_never_shows_it(world: World) -> None:
    """However much talk is asked for."""
    world.add(cluster("a", authOptions={"mode": "token"}), secret("a", "s3cret"))

    ran = world.run("cluster token a -v=9")

    assert ran.out == "s3cret\n"
    assert "s3cret" not in ran.err


def test_no_right(world: World) -> None:
    """Whom to ask, and for what."""
    world.add(cluster("a", authOptions={"mode": "token"}), secret("a", "s3cret"))
    world.api.deny("get", "secrets")

    ran = world.run("cluster token a")

    assert (ran.code, ran.out) == (4, "")
    assert ran.err.splitlines()[-1].startswith(
        "Ask whoever gives out rights in namespace default for `get` on Secret a"
    )


def test_no_tokens(world: World) -> None:
    """A cluster without token authentication has none."""
    world.add(cluster("a"))

    assert world.run("cluster token a").code == 5


def test_a_near_name(world: World) -> None:
    """A wrong name meets the near ones."""
    world.add(cluster("training"))

    ran = world.run("cluster token trainig")

    assert ran.code == 5
    assert "Did you mean training?" in ran.err
