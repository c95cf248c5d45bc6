"""`session stop`: which sessions are meant, and that they end."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.running import run
from tests.unit.flows.session_processes import session

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A home of its own."""
    return {"HOME": str(tmp_path)}


@pytest.mark.parametrize("name", ["a", "raycluster/a", "RayClusters.ray.io/a", ""])
def test_one(env: dict[str, str], name: str) -> None:
    """By its name, with its type; without a name where there is only one."""
    with session(env) as one:
        said = run(["session", "stop", *([name] if name else [])], env)
        assert (said.code, said.err) == (0, "Stopping a\n")
        line = f"The session to a in namespace default of context dev is stopped (process {one.pid}).\n"
        assert said.out == line
        assert one.wait() == 0


def test_by_process(env: dict[str, str]) -> None:
    """The number that `session list` shows; another session to the same cluster stays."""
    with session(env) as one, session(env) as other:
        assert run(["session", "stop", str(one.pid)], env).code == 0
        assert one.wait() == 0
        assert other.poll() is None


def test_both_to_one_cluster(env: dict[str, str]) -> None:
    """A name means all sessions to there; naming it twice changes nothing."""
    with session(env) as one, session(env) as other:
        assert len(run("session stop a a", env).out.splitlines()) == 2
        assert (one.wait(), other.wait()) == (0, 0)


def test_all(env: dict[str, str]) -> None:
    """All of them; with a namespace, all of that one."""
    with session(env) as one, session(env, name="b", kind="rayjob", namespace="x", context="") as other:
        assert "rayjob/b in namespace x is stopped" in run("session stop --all -n x", env).out
        assert other.wait() == 0
        assert one.poll() is None
        assert "a in namespace default" in run("session stop --all", env).out
        assert one.wait() == 0
    said = run("session stop --all", env)
    assert (said.code, said.err) == (0, "No session is open.\n")


def test_killed(env: dict[str, str]) -> None:
    """One that does not react is killed, and that is said."""
    with session(env, deaf=True) as one:
        assert "did not end and was killed" in run("session stop a", env).out
        assert one.wait() == -signal.SIGKILL


def test_unknown(env: dict[str, str]) -> None:
    """Exit code 5, and a near name."""
    assert run("session stop", env).code == 5
    assert run("session stop a", env).code == 5
    with session(env, name="my-cluster"):
        said = run("session stop my-clustr", env)
        assert said.code == 5
        assert 'Did you mean "my-cluster"?' in said.err
        assert run("session stop rayjob/my-cluster", env).code == 5
        assert run("session stop 1", env).code == 5


def test_doubt(env: dict[str, str]) -> None:
    """Exit code 2 where it is not clear which is meant; nothing is ended."""
    with session(env) as one, session(env, namespace="x") as other:
        for line in ("session stop", "session stop a", "session stop --all a", "session stop job/a"):
            assert run(line, env).code == 2
        assert "a in namespace default of context dev, a in namespace x" in run("session stop a", env).err
        assert (one.poll(), other.poll()) == (None, None)
        assert run("session stop a -n x", env).code == 0
        assert other.wait() == 0
        assert one.poll() is None
