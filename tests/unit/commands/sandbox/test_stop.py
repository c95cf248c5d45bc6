"""`sandbox stop`: it ends what it started and nothing else, and takes its context back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from kubectl_ray.sandbox import background
from kubectl_ray.sandbox.home import Home
from kubectl_ray.sandbox.node.processes import SANDBOX
from tests.unit.cli.running import run

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize("flags", ["", "--forget"])
def test_it_does_not_run(env: dict[str, str], flags: str) -> None:
    """Said, no error, and nothing is made for it."""
    said = run(f"sandbox stop {flags}", env)
    assert (said.code, said.out) == (0, "The sandbox does not run.\n")
    assert not Path(env["KUBECTL_RAY_SANDBOX_HOME"]).exists()


def test_stop(env: dict[str, str], kubeconfig: Path) -> None:
    """Process and context are gone, and the kubeconfig that was made for it; what was created is kept."""
    run("sandbox start", env)
    main = psutil.Process(json.loads(run("sandbox status -o json", env).out)["pid"])
    said = run("sandbox stop", env)
    assert said.code == 0
    assert said.out.startswith("The sandbox is stopped")
    assert f"context kubectl-ray-sandbox is taken out of {kubeconfig}" in said.out
    assert not main.is_running() or main.status() == psutil.STATUS_ZOMBIE
    assert not kubeconfig.exists()
    assert (Path(env["KUBECTL_RAY_SANDBOX_HOME"]) / "objects.db").exists()
    assert run("sandbox stop", env).out == "The sandbox does not run.\n"


def test_forget(env: dict[str, str]) -> None:
    """Nothing is left, whether it runs or not."""
    for stop in ("", "sandbox stop"):
        run("sandbox start", env)
        if stop:
            run(stop, env)
        assert run("sandbox stop --forget", env).out.endswith("What was created in it is removed.\n")
        assert not Path(env["KUBECTL_RAY_SANDBOX_HOME"]).exists()


def test_killed(env: dict[str, str], kubeconfig: Path) -> None:
    """After kill -9 there is a context to take back, and processes of pods to end; others' are not touched."""
    run("sandbox start", env)
    main = psutil.Process(json.loads(run("sandbox status -o json", env).out)["pid"])
    main.kill()
    main.wait(10)
    home = Home(Path(env["KUBECTL_RAY_SANDBOX_HOME"]))
    with orphan(background.mark(home)) as ours, orphan("another one") as other:
        assert "1 process of its pods is left" in run("sandbox status", env).err
        assert "had been killed; 1 process of its pods ended" in run("sandbox stop", env).out
        assert ours.wait(10) == -signal.SIGKILL
        assert other.poll() is None
    assert not kubeconfig.exists()


@contextmanager
def orphan(mark: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process as a pod of a sandbox leaves it behind."""
    env = {**os.environ, SANDBOX: mark}
    with subprocess.Popen(["sleep", "100"], env=env, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_one_that_does_not_end(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is killed after a while."""
    run("sandbox start", env)
    main = psutil.Process(json.loads(run("sandbox status -o json", env).out)["pid"])
    main.suspend()
    monkeypatch.setattr(background.stop, "__defaults__", (0.3, time.monotonic))
    monkeypatch.setattr("kubectl_ray.commands.sandbox.local.clusters", lambda *_: [])
    assert run("sandbox stop", env).out.startswith("The sandbox is stopped")
    assert not main.is_running() or main.status() == psutil.STATUS_ZOMBIE
