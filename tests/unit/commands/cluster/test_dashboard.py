"""`cluster dashboard`: the browser, or where the page is; the token that it asks for."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.errors import WrongUse
from kubectl_ray.flows.sessions import Registry
from kubectl_ray.flows.tunnel_changes import Absent, Lost, Reconnected, Waiting
from tests.kuberay import cluster
from tests.unit.commands.cluster.tunnels import run, started

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kuberay import World

LINE = "Opening browser session to Ray dashboard ...\n"
# Nothing listens there: whether a token is asked for, the cluster's spec tells.
OPEN = started("dashboard", 9, wanted=9)
ASKING = cluster("my-cluster", authOptions={"mode": "token"})
PRINT_IT = "kubectl ray cluster token my-cluster -n default"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """A registry of its own."""
    return {"XDG_STATE_HOME": str(tmp_path)}


def secret() -> dict[str, Any]:
    """Of that cluster."""
    about = {"name": "my-cluster", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": about, "data": {"auth_token": "czNjcmV0"}}


def test_the_promised_line(world: World, home: dict[str, str]) -> None:
    """The browser is opened once the page answers, once, and the way stays open."""
    ran = run(
        world, "cluster dashboard my-cluster", Waiting("the head"), OPEN, Lost("x"), Reconnected(1, "x"), env=home
    )

    assert ran.out == LINE
    assert ran.ctx.pages == ["http://127.0.0.1:9"]
    assert ran.err == (
        "Waiting for the head\n"
        "If no page opens:  http://127.0.0.1:9\n"
        "Press Ctrl-C to end.\n"
        "The connection to my-cluster is lost: x; connecting again ...\n"
        "my-cluster: reconnected after 1 s.\n"
    )
    assert ran.ctx.copied == []
    assert ran.if_interrupted == "The way to the dashboard is closed; Ray cluster my-cluster goes on."
    assert ran.ctx.made.closed


def test_only_this_port(world: World, home: dict[str, str]) -> None:
    """The dashboard's, at its usual number, another, or any."""
    assert run(world, "cluster dashboard x", OPEN, env=home).ports == [("dashboard", 8265)]
    assert run(world, "cluster dashboard x --port 9000", OPEN, env=home).ports == [("dashboard", 9000)]
    assert run(world, "cluster dashboard rayservice/x --port 0", OPEN, env=home).ports == [("dashboard", 0)]


def test_port_that_is_none(world: World) -> None:
    """Refused, before anything is asked."""
    with pytest.raises(WrongUse, match="from 1 to 65535"):
        run(world, "cluster dashboard x --port 70000")


def test_taken_port(world: World, home: dict[str, str]) -> None:
    """Another is used, and said."""
    ran = run(world, "cluster dashboard x", started("dashboard", 9, wanted=8265), env=home)

    assert ran.err.startswith("Port 8265 is taken on this machine; 9 is used instead.\n")


@pytest.mark.parametrize("flag", ["--print-url", "--no-open"])
def test_only_its_address(world: World, home: dict[str, str], flag: str) -> None:
    """One line for a script; no browser, no clipboard."""
    world.add(secret())

    ran = run(world, f"cluster dashboard my-cluster {flag}", OPEN, env=home, raw=ASKING)

    assert ran.out == "http://127.0.0.1:9\n"
    assert ran.err == f"The dashboard asks for a token. Print it:\n  {PRINT_IT}\nPress Ctrl-C to end.\n"
    assert (ran.ctx.pages, ran.ctx.copied) == ([], [])


def test_without_a_browser(world: World, home: dict[str, str]) -> None:
    """The address, and how to reach it from where the person sits: by the name that ssh knows."""
    env = {**home, "SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22", "USER": "jane"}

    ran = run(world, "cluster dashboard x", OPEN, env=env, browser=False)

    assert ran.out == f"{LINE}http://127.0.0.1:9\n"
    assert ran.err == (
        "No browser can be opened here. Bring the port to the machine that you sit at:\n"
        "  ssh -L 9:127.0.0.1:9 jane@10.0.0.2\n"
        "Press Ctrl-C to end.\n"
    )


def test_without_a_browser_in_a_container(world: World, home: dict[str, str]) -> None:
    """Without ssh the machine's own name must do."""
    ran = run(world, "cluster dashboard x", OPEN, env=home, browser=False)

    assert ran.err.splitlines()[1] == f"  ssh -L 9:127.0.0.1:9 {socket.gethostname()}"


def test_token_on_the_clipboard(world: World, home: dict[str, str]) -> None:
    """The page asks for it, so it can be pasted; it is not shown."""
    world.add(secret())

    ran = run(world, "cluster dashboard my-cluster", OPEN, env=home, raw=ASKING)

    assert ran.ctx.copied == ["s3cret"]
    assert ran.err.startswith(
        "The dashboard asks for a token: paste it, it is on the clipboard.\nTo see it:  " + PRINT_IT
    )
    assert "s3cret" not in ran.out + ran.err


def test_token_without_a_clipboard(world: World, home: dict[str, str]) -> None:
    """The command that prints it is named."""
    world.add(secret())

    ran = run(world, "cluster dashboard my-cluster", OPEN, env=home, raw=ASKING, clipboard=False)

    assert ran.err.startswith(f"The dashboard asks for a token. Print it:\n  {PRINT_IT}\n")


def test_token_that_may_not_be_read(world: World, home: dict[str, str]) -> None:
    """Whom to ask; the page opens all the same."""
    world.add(secret())
    world.api.deny("get", "secrets")

    ran = run(world, "cluster dashboard my-cluster", OPEN, env=home, raw=ASKING)

    assert ran.err.startswith("The dashboard asks for a token. Your login may not read the token")
    assert "Ask whoever gives out rights in namespace default" in ran.err
    assert ran.ctx.pages


def test_no_dashboard(world: World, home: dict[str, str]) -> None:
    """Said; it may come."""
    ran = run(world, "cluster dashboard x", Absent("dashboard", 8265, "nobody listens"), env=home)

    assert ran.err == "The cluster has no dashboard: nobody listens.\n"


def test_it_is_in_the_list(world: World, home: dict[str, str]) -> None:
    """As a session that has the dashboard's port only."""
    seen: list[Any] = []

    run(world, "cluster dashboard x", OPEN, lambda: seen.extend(Registry(home).open()), env=home)

    assert [(each.name, each.ports) for each in seen] == [("x", {"dashboard": 9})]
