"""`cluster session NAME -- COMMAND`: what the command is told, and how its end and the session's go together."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.errors import NotFound
from kubectl_ray.flows.tunnel_changes import Absent
from tests.kuberay import cluster
from tests.unit.commands.cluster.tunnels import run, started

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kuberay import World


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """A registry of its own."""
    return {"XDG_STATE_HOME": str(tmp_path)}


PRINT = "import os,sys;print(*(os.environ.get(n) for n in sys.argv[1:]));sys.exit(7)"
NAMES = "RAY_ADDRESS RAY_API_SERVER_ADDRESS RAY_AUTH_MODE RAY_AUTH_TOKEN"


def around(world: World, home: dict[str, str], capfd: pytest.CaptureFixture[str], *script: Any, **more: Any) -> Any:
    """A session around a program that prints what it is told, and ends with exit code 7; its output, and the run."""
    line = f"cluster session x -- {sys.executable} -c '{PRINT}' {NAMES}"
    ran = run(world, line, *script, env={**home, **more.pop("env", {})}, **more)
    return capfd.readouterr().out, ran


def test_around_a_command(world: World, home: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    """It begins when the ports answer, knows where Ray is, and its exit code is the session's; stdout is its own."""
    answering = (started("client", 7, wanted=0), started("dashboard", 9, wanted=0))  # where nobody listens
    said, ran = around(world, home, capfd, *answering, env={"RAY_ADDRESS": "elsewhere", "RAY_AUTH_TOKEN": "mine"})

    assert said == "ray://127.0.0.1:7 http://127.0.0.1:9 None mine\n"
    assert (ran.code, ran.out) == (7, "")
    assert ran.err == (
        "Connecting...\n"
        "Ray Interactive Client Session started on port 7...\n"
        "Ray Dashboard Session started on port 9...\n"
    )


def test_around_a_command_with_a_token(world: World, home: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    """Where the cluster asks for a token, the command has it."""
    raw = cluster("x", authOptions={"mode": "token"})
    data = {"auth_token": "czNjcmV0"}
    world.add({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x", "namespace": "default"}, "data": data})

    # Nothing listens at the port: the spec tells.
    said, _ran = around(world, home, capfd, started("dashboard", 9), Absent("client", 10001, "no"), raw=raw)

    assert said == "None http://127.0.0.1:9 token s3cret\n"


def test_around_a_command_without_the_token(
    world: World, home: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Where the token cannot be had the command runs all the same, as it may not need it; what is missing is said."""
    raw = cluster("x", authOptions={"mode": "token"})
    said, ran = around(world, home, capfd, started("dashboard", 9), Absent("client", 10001, "no"), raw=raw)

    assert said == "None http://127.0.0.1:9 None None\n"
    assert ran.code == 7
    assert "The cluster asks for a token, and none is known here: RAY_AUTH_TOKEN is not set.\n" in ran.err
    assert "The token of Ray cluster x is not there" in ran.err


def test_the_cluster_goes_while_a_command_runs(world: World, home: dict[str, str], tmp_path: Path) -> None:
    """That is said at once; the command goes on to its own end, and its exit code counts."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    release = threading.Thread(target=lambda: fifo.write_text("\n"))

    class Gone(NotFound):
        """Lets the command go on to its end when it is told of."""

        @property
        def message(self) -> str:
            release.start()
            return "Ray cluster x was deleted."

        @message.setter
        def message(self, _text: str) -> None:
            pass

    script = (started("client", 7, wanted=0), started("dashboard", 9, wanted=0), Gone("x"))  # where nobody listens
    ran = run(world, f"cluster session x -- sh -c 'read x <{fifo}; exit 6'", *script, env=home)
    release.join()

    assert ran.code == 6
    assert ran.err.endswith("The session is over: Ray cluster x was deleted.\nsh goes on without it.\n")
