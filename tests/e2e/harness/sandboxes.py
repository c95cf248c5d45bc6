"""Sandboxes of a case's own, which it may kill, starve and insult."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from typing import TYPE_CHECKING, Any

import psutil

from kubectl_ray.sandbox import background
from kubectl_ray.sandbox.home import Home
from kubectl_ray.sandbox.node import processes
from tests.e2e.harness.oracle import Kubectl
from tests.e2e.harness.running import PROGRAMS, Ray, environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.harness.live import Outcome

POD = "KUBECTL_RAY_POD"
"""The mark that every process of a pod carries: the pod's uid."""


class Sandbox:
    """One with a folder of its own; nothing starts before `start`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "sandbox home"
        self.kubeconfig = folder / "kubeconfig"
        self.env = {**environment(self.kubeconfig, folder), "KUBECTL_RAY_SANDBOX_HOME": str(self.home)}
        self.kubectl = Kubectl(self.env, folder)
        self.ray = Ray(self.env, folder)

    def __call__(self, line: str, code: int = 0) -> Outcome:
        """`kubectl-ray sandbox …`."""
        return run(f"kubectl-ray sandbox {line}", self.env, self.folder).expect(code)

    def begin(self, line: str) -> subprocess.Popen[bytes]:
        """The same, not waited for."""
        argv = [str(PROGRAMS / "kubectl-ray"), "sandbox", *line.split()]
        return subprocess.Popen(argv, env=self.env, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    @property
    def status(self) -> dict[str, Any]:
        """What it tells of itself."""
        found: dict[str, Any] = json.loads(self("status -o json").out)
        return found

    @property
    def main(self) -> psutil.Process:
        """Its own process."""
        return psutil.Process(self.status["pid"])

    def processes(self, pod: str) -> list[psutil.Process]:
        """Those of a pod."""
        uid = self.kubectl.get("pod", pod)["metadata"]["uid"]
        return [each for each in psutil.process_iter() if marked(each, uid)]

    def starve(self) -> None:
        """From now on no file of it may grow: the disk is full."""
        resource.prlimit(self.main.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def feed(self) -> None:
        """There is room again."""
        resource.prlimit(self.main.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def marked(process: psutil.Process, uid: str) -> bool:
    """Whether a process was started for the pod of this uid."""
    try:
        return process.environ().get(POD) == uid
    except (psutil.Error, OSError):
        return False


def left_of(home: Path) -> list[psutil.Process]:
    """Every process that a sandbox in this folder, or a pod of it, still is."""
    mark = background.mark(Home(home))
    return [each for each in psutil.process_iter() if each.pid != os.getpid() and _of(each, home, mark)]


def _of(process: psutil.Process, home: Path, mark: str) -> bool:
    try:
        named = any(str(home) in word for word in process.cmdline())
        return named or process.environ().get(processes.SANDBOX) == mark
    except (psutil.Error, OSError):
        return False
