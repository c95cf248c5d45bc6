"""`sandbox status`: what runs, and what it costs."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_ray.commands.sandbox import local
from tests.unit.cli.running import run

if TYPE_CHECKING:
    import pytest


def test_it_does_not_run(env: dict[str, str]) -> None:
    """An answer, no error; and how to start it."""
    said = run("sandbox status", env)
    assert (said.code, said.out) == (0, "The sandbox does not run.\n")
    assert said.err == "Start it:  kubectl ray sandbox start\n"
    assert not Path(env["KUBECTL_RAY_SANDBOX_HOME"]).exists()


def test_it_does_not_run_for_a_script(env: dict[str, str]) -> None:
    """The same as an object."""
    found = json.loads(run("sandbox status -o json", env).out)
    assert found["running"] is False
    assert found["processes"] == 0
    assert found["home"] == env["KUBECTL_RAY_SANDBOX_HOME"]


def test_it_runs(env: dict[str, str]) -> None:
    """Address, age, context, room, clusters, processes and memory; for a person and for a script."""
    said = run("sandbox start --cpus 3 --memory 64Gi", env)
    address = said.out.splitlines()[0].removeprefix("The sandbox runs: ")
    page = run("sandbox status", env).out
    assert f"Address:    {address}\n" in page
    assert "Context:    kubectl-ray-sandbox, the current one\n" in page
    assert "Room:       3 CPU and 64Gi memory on paper\n" in page
    assert "Clusters:   0\n" in page
    assert "Processes:  0, " in page
    found = json.loads(run("sandbox status -o json", env).out)
    assert found["running"] is True
    assert found["server"] == address
    assert found["context"] == {
        "name": "kubectl-ray-sandbox",
        "current": True,
        "files": [str(Path(env["HOME"]) / ".kube" / "config")],
    }
    assert found["capacity"] == {"cpu": "3", "memory": "64Gi"}
    assert found["clusters"] == []
    assert found["memoryBytes"] > 2**20


def test_it_does_not_answer(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that swaps, a process that was suspended: what is known is told after a while, and nobody waits on."""
    run("sandbox start", env)
    pid = json.loads(run("sandbox status -o json", env).out)["pid"]
    monkeypatch.setattr(local, "PATIENCE", 0.5)
    os.kill(pid, signal.SIGSTOP)
    try:
        said = run("sandbox status", env)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert said.code == 0
    assert "Clusters:   <no answer>\n" in said.out


def test_its_clusters(env: dict[str, str]) -> None:
    """By namespace and name, whatever the current context is."""
    run("sandbox start --missing-image *", env)
    assert run("cluster create mine --no-wait", env).code == 0
    other = {**env, "KUBECONFIG": str(Path(env["HOME"]) / "other")}
    said = run("sandbox status", other).out
    assert "Clusters:   1: default/mine\n" in said
    assert "not the current one" in said
    assert "Ray clusters that ran: default/mine" in run("sandbox stop", env).err
