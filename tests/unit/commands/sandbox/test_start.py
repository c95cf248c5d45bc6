"""`sandbox start`: it answers, its context is there, and a start that fails leaves nothing."""

from __future__ import annotations

import json
import os
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from kubectl_ray.kube import kubefile
from tests.unit.cli.running import run

OTHER = """\
apiVersion: v1
clusters:
- cluster:
    server: https://other
  name: other
contexts:
- context:
    cluster: other
    user: ""
  name: other
current-context: other
kind: Config
users: []
"""


def left(env: dict[str, str]) -> list[int]:
    """Processes of this sandbox."""
    home = env["KUBECTL_RAY_SANDBOX_HOME"]
    return [each.pid for each in psutil.process_iter() if f"--home={home}" in _argv(each)]


def _argv(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--cpus=0", "from 1 to"),
        ("--cpus=x", "not a whole number"),
        ("--port=70000", "from 1 to 65535"),
        ("--port=0", "from 1 to 65535"),
        ("--memory=32", "--memory"),
        ("--memory=512MB", "needs more"),
    ],
)
def test_flags_that_cannot_be_meant(env: dict[str, str], flags: str, words: str) -> None:
    """Wrong use, before anything is touched."""
    said = run(f"sandbox start {flags}", env)
    assert said.code == 2
    assert words in said.err


def test_start(env: dict[str, str], kubeconfig: Path) -> None:
    """It answers, and its context is the current one where none was; what to do next is said."""
    said = run("sandbox start", env)
    assert said.code == 0
    address = said.out.splitlines()[0].removeprefix("The sandbox runs: ")
    assert address.startswith("https://127.0.0.1:")
    assert f"context kubectl-ray-sandbox in {kubeconfig}, the current one" in said.out
    assert "not for work that matters: its pods are processes of yours" in said.err
    assert "kubectl ray cluster create my-cluster" in said.err
    found = kubefile.read(None, env)
    assert found.current == "kubectl-ray-sandbox"
    assert found.clusters["kubectl-ray-sandbox"]["server"] == address
    assert stat.S_IMODE(kubeconfig.stat().st_mode) == 0o600
    assert "Kubernetes version: v1." in run("version", env).out


def test_another_context_is_current(env: dict[str, str], kubeconfig: Path) -> None:
    """It stays current, and how to name ours is said; --switch makes ours current, also on one that runs."""
    kubeconfig.parent.mkdir()
    kubeconfig.write_text(OTHER)
    said = run("sandbox start", env)
    assert kubefile.read(None, env).current == "other"
    assert "--context kubectl-ray-sandbox" in said.err
    said = run("sandbox start --switch", env)
    assert "runs already" in said.out
    assert kubefile.read(None, env).current == "kubectl-ray-sandbox"
    run("sandbox stop", env)
    assert kubeconfig.read_text() == OTHER


def test_twice(env: dict[str, str]) -> None:
    """The second says that it runs; flags that it was not started with are not taken over, and that is said."""
    first = run("sandbox start --cpus 3", env)
    again = run("sandbox start --cpus 4", env)
    assert again.out.splitlines()[0] == first.out.splitlines()[0].replace("runs:", "runs already:")
    assert "room for 3 CPU" in again.out
    assert "It keeps what it was started with" in again.err


def test_two_at_once(env: dict[str, str]) -> None:
    """One sandbox, and both succeed: one of them says that it runs already."""
    with ThreadPoolExecutor() as pool:
        said = list(pool.map(lambda _: run("sandbox start", env), range(2)))
    assert [each.code for each in said] == [0, 0], said
    assert sorted("already" in each.out for each in said) == [False, True]


def test_a_port(env: dict[str, str]) -> None:
    """The one that is wanted; afterwards the same one, so that logins stay good."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert f"https://127.0.0.1:{port}\n" in run(f"sandbox start --port {port}", env).out
    run("sandbox stop", env)
    assert f"https://127.0.0.1:{port}\n" in run("sandbox start", env).out
    run("sandbox stop", env)
    with socket.create_server(("127.0.0.1", port)):
        assert f":{port}\n" not in run("sandbox start", env).out


def test_a_port_that_is_taken(env: dict[str, str], kubeconfig: Path) -> None:
    """One clear error; neither process nor context is left."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = run(f"sandbox start --port {taken.getsockname()[1]}", env)
    assert said.code == 1
    assert "in use" in said.err
    assert not kubeconfig.exists()
    assert left(env) == []


def test_a_kubeconfig_that_cannot_be_changed(env: dict[str, str], kubeconfig: Path) -> None:
    """The error names it; the sandbox is not left running for nobody."""
    kubeconfig.parent.mkdir()
    kubeconfig.write_text("clusters: [")
    said = run("sandbox start", env)
    assert said.code == 1
    assert str(kubeconfig) in said.err
    assert left(env) == []
    assert kubeconfig.read_text() == "clusters: ["


def test_a_folder_of_a_file(env: dict[str, str]) -> None:
    """A folder that cannot be used is said by name."""
    home = Path(env["KUBECTL_RAY_SANDBOX_HOME"])
    home.touch()
    said = run("sandbox start", env)
    assert said.code == 1
    assert str(home) in said.err
    home.unlink()


def test_objects_that_cannot_be_read(env: dict[str, str]) -> None:
    """What was created is not thrown away unasked; the way out is said."""
    home = Path(env["KUBECTL_RAY_SANDBOX_HOME"])
    home.mkdir()
    (home / "objects.db").write_text("no database " * 100)
    said = run("sandbox start", env)
    assert said.code == 1
    assert said.err.endswith("Begin with an empty one:  kubectl ray sandbox stop --forget\n")
    assert left(env) == []


def test_killed(env: dict[str, str]) -> None:
    """Kill -9: the next start says so and begins anew; the context is written once only."""
    run("sandbox start", env)
    found = json.loads(run("sandbox status -o json", env).out)
    main = psutil.Process(found["pid"])
    main.kill()
    main.wait(10)
    assert run("sandbox status", env).out == "The sandbox does not run.\n"
    said = run("sandbox start", env)
    assert said.code == 0
    assert "was killed" in said.err
    assert list(kubefile.read(None, env).contexts) == ["kubectl-ray-sandbox"]


def test_what_it_holds_open(env: dict[str, str]) -> None:
    """It is away from the terminal: a session of its own, no terminal, no file of whoever started it."""
    folder = Path(env["HOME"])
    with (folder / "mine").open("w") as mine:
        os.set_inheritable(mine.fileno(), True)  # noqa: FBT003 -- the library's own signature
        run("sandbox start", env)
    main = psutil.Process(json.loads(run("sandbox status -o json", env).out)["pid"])
    assert os.getsid(main.pid) == main.pid
    assert main.terminal() is None
    home = env["KUBECTL_RAY_SANDBOX_HOME"]
    assert [each.path for each in main.open_files() if not each.path.startswith(home)] == []
