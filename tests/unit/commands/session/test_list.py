"""`session list`: what is open, for a person and for a script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubectl_ray.cli.complete import complete
from kubectl_ray.flows.sessions import Registry, Session
from tests.unit.cli.running import run

PORTS = {"client": 10001, "dashboard": 8266}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A home of its own."""
    return {"HOME": str(tmp_path)}


def made(name: str = "a", **fields: object) -> Session:
    """A session, opened at a time long ago."""
    given = {"kind": "raycluster", "namespace": "team", "context": "dev", "server": "https://x", "since": 1e9, **fields}
    return Session(name=name, **given)  # type: ignore[arg-type]


def test_nothing(env: dict[str, str]) -> None:
    """An answer, no error; no folder comes of it."""
    said = run("session list", env)
    assert (said.code, said.out) == (0, "")
    assert said.err == "No session is open.\nOpen one:  kubectl ray cluster session NAME\n"
    assert list(Path(env["HOME"]).iterdir()) == []


@pytest.mark.parametrize("output", ["", " -o json"])
def test_nowhere_to_look(tmp_path: Path, output: str) -> None:
    """Where no session can be written down it does not say that none is open."""
    (tmp_path / "file").touch()
    (tmp_path / "shared" / "kubectl-ray" / "sessions").mkdir(parents=True)
    shared = tmp_path / "shared" / "kubectl-ray" / "sessions"
    for env, why in (
        ({"HOME": "/nonexistent"}, "HOME is not the path of a folder"),
        ({"XDG_STATE_HOME": str(tmp_path / "file")}, f"{tmp_path}/file/kubectl-ray/sessions cannot be made"),
    ):
        said = run(f"session list{output}", env)
        assert said.code == 0
        assert said.err == f"Sessions of this environment are in no list: {why}.\n"
    assert run("session list", {"XDG_STATE_HOME": str(tmp_path / "shared")}).err.startswith("No session is open.")
    assert shared.stat().st_mode & 0o077 == 0


def test_rows(env: dict[str, str]) -> None:
    """Name, namespace, context, ports, dashboard, age, process; the oldest first."""
    registry = Registry(env)
    with (
        registry.enter(made("b", kind="rayservice", since=1e9 + 1, context="")) as second,
        registry.enter(made(ports=PORTS, addresses=["127.0.0.1", "::1"])) as first,
    ):
        lines = run("session list", env).out.splitlines()
    assert lines[0].split() == ["NAME", "NAMESPACE", "CONTEXT", "PORTS", "DASHBOARD", "SINCE", "PID"]
    cells = [line.split() for line in lines[1:]]
    assert cells[0][:5] == ["a", "team", "dev", "client=10001,dashboard=8266", "http://127.0.0.1:8266"]
    assert cells[0][-1] == str(first.session.pid)
    assert cells[1][:5] == ["rayservice/b", "team", "<none>", "<connecting>", "<none>"]
    assert cells[1][-1] == str(second.session.pid)
    assert cells[0][5].endswith("y")


def test_wide(env: dict[str, str]) -> None:
    """Also the Ray cluster that it leads to, the server and the log."""
    with Registry(env).enter(made(cluster="a-7", log="/x.log")):
        titles, cells = map(str.split, run("session list -o wide", env).out.splitlines())
        assert titles[-3:] == ["CLUSTER", "SERVER", "LOG"]
        assert cells[-3:] == ["a-7", "https://x", "/x.log"]
        assert run("session list --no-headers", env).out.startswith("a ")


def test_json(env: dict[str, str]) -> None:
    """All that is known, under names that a script can rely on; a List also when there is nothing."""
    assert json.loads(run("session list -o json", env).out)["items"] == []
    with Registry(env).enter(made(ports=PORTS, cluster="a", background=True, log="/x.log")) as entry:
        found = json.loads(run("session list -o json", env).out)
        assert found["kind"] == "List"
        assert found["items"] == [
            {
                "type": "raycluster",
                "name": "a",
                "namespace": "team",
                "context": "dev",
                "server": "https://x",
                "cluster": "a",
                "ports": PORTS,
                "urls": {"client": "ray://127.0.0.1:10001", "dashboard": "http://127.0.0.1:8266"},
                "addresses": [],
                "since": "2001-09-09T01:46:40Z",
                "pid": entry.session.pid,
                "host": entry.session.host,
                "background": True,
                "log": "/x.log",
            }
        ]


def test_names(env: dict[str, str]) -> None:
    """TYPE/NAME, which `session stop` takes, each once."""
    registry = Registry(env)
    with registry.enter(made()), registry.enter(made()), registry.enter(made("b", kind="rayservice", since=2e9)):
        assert run("session list -o name", env).out == "raycluster/a\nrayservice/b\n"


def test_namespace_and_context(env: dict[str, str]) -> None:
    """Where they are given, only sessions to there."""
    registry = Registry(env)
    with registry.enter(made()), registry.enter(made("b", namespace="other")), registry.enter(made("c", context="p")):
        assert run("session list -o name -n other", env).out == "raycluster/b\n"
        assert run("session list -o name --context p", env).out == "raycluster/c\n"


def test_on_another_machine(env: dict[str, str]) -> None:
    """A home that two machines share: its process is one of that machine."""
    with Registry(env).enter(made()) as entry:
        entry.update(host="login-2", machine="x/1")
        assert run("session list", env).out.split()[-1] == f"{entry.session.pid}@login-2"
        assert json.loads(run("session list -o json", env).out)["items"][0]["otherHost"] == "login-2"


def test_completion_of_names(env: dict[str, str]) -> None:
    """What `session stop` takes, as far as it leads where the flags typed so far say."""
    registry = Registry(env)
    with registry.enter(made()), registry.enter(made()), registry.enter(made("b", kind="rayjob", namespace="other")):
        assert complete(["session", "stop", ""], env) == "a\nrayjob/b\n:4\n"
        assert complete(["session", "stop", "a", ""], env) == "rayjob/b\n:4\n"
        assert complete(["session", "stop", "-n", "other", ""], env) == "rayjob/b\n:4\n"
