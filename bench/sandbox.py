"""`python -m bench.sandbox`: what the sandbox costs, beside Ray started by hand in the same run.

Prints three things with their limits: seconds from `sandbox start` until it answers; seconds until a cluster with one
worker is usable, as a multiple of `ray start --head` and one `ray start --address`; CPU and memory of an idle sandbox.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROGRAMS = Path(sys.executable).parent
START, USABLE, IDLE_CPU, IDLE_MEMORY = 3.0, 1.5, 0.01, 120e6
"""Seconds; a ratio; cores; bytes."""
IDLE = 30.0
"""Seconds over which the idle sandbox is watched."""


def timed(argv: Sequence[str], env: Mapping[str, str]) -> float:
    """Seconds that a command takes; its words are shown only when it fails."""
    began = time.monotonic()
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)}\n{done.stdout}{done.stderr}")
    return time.monotonic() - began


def by_hand() -> float:
    """Seconds of `ray start --head` and then `ray start --address`, in a place of their own."""
    place = tempfile.mkdtemp(prefix="kr-", dir="/tmp")  # not $TMPDIR: sockets need a short path
    env = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    sizes = ["--num-cpus=1", "--memory=2000000000", "--object-store-memory=100000000"]
    ports = ["--port=36379", "--dashboard-port=38265", "--ray-client-server-port=31001", f"--temp-dir={place}"]
    agent = ["--dashboard-agent-listen-port"]
    began = time.time()
    try:
        head = timed(["ray", "start", "--head", *ports, *sizes, f"{agent[0]}=35365"], env)
        worker = timed(["ray", "start", "--address=127.0.0.1:36379", *sizes, f"{agent[0]}=35366"], env)
    finally:
        for process in psutil.process_iter():
            if _of(process, place, began):
                process.send_signal(signal.SIGKILL)
        shutil.rmtree(place, ignore_errors=True)
    return head + worker


def _of(process: psutil.Process, place: str, began: float) -> bool:
    """Whether a process belongs to the Ray that was started in this folder after this moment."""
    try:
        return process.create_time() >= began - 1 and any(place in word for word in process.cmdline())
    except psutil.Error:
        return False


class Sandbox:
    """One with a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._env = {
            **os.environ,
            "KUBECTL_RAY_SANDBOX_HOME": str(folder / "home"),
            "KUBECONFIG": str(folder / "kubeconfig"),
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        }
        self._env.pop("PYTHONDONTWRITEBYTECODE", None)

    def run(self, *words: str) -> float:
        """Seconds of `kubectl-ray …`."""
        return timed([str(PROGRAMS / "kubectl-ray"), *words], self._env)

    @property
    def process(self) -> psutil.Process:
        """The sandbox's own."""
        import json

        argv = [str(PROGRAMS / "kubectl-ray"), "sandbox", "status", "-o", "json"]
        said = subprocess.run(argv, env=self._env, capture_output=True, text=True, check=True).stdout
        return psutil.Process(json.loads(said)["pid"])


def line(what: str, seen: str, limit: str, *, holds: bool) -> None:
    """One row of the answer."""
    print(f"{what:<34}{seen:>14}   {'≤ ' + limit:<12}{'' if holds else 'NOT HELD'}", flush=True)


def measure(sandbox: Sandbox, runs: int) -> None:
    """All three, and their limits."""
    starts = []
    for _ in range(runs):
        starts.append(sandbox.run("sandbox", "start"))
        sandbox.run("sandbox", "stop")
    start = statistics.median(starts)
    line("start, seconds", f"{start:.2f}", f"{START:.1f}", holds=start <= START)
    sandbox.run("sandbox", "start")
    process = sandbox.process
    before = sum(process.cpu_times()[:2])
    time.sleep(IDLE)
    share = (sum(process.cpu_times()[:2]) - before) / IDLE
    memory = process.memory_full_info().pss
    line("idle, share of a core", f"{share:.2%}", f"{IDLE_CPU:.0%}", holds=share <= IDLE_CPU)
    line("idle, memory", f"{memory / 1e6:.0f} MB", f"{IDLE_MEMORY / 1e6:.0f} MB", holds=memory <= IDLE_MEMORY)
    ratios = []
    for number in range(runs):
        hand = by_hand()
        ours = sandbox.run("cluster", "create", f"c{number}", "--worker-replicas=1")
        sandbox.run("cluster", "delete", f"c{number}", "--yes")
        ratios.append(ours / hand)
        print(f"  by hand {hand:.1f} s, cluster create {ours:.1f} s", flush=True)
    ratio = statistics.median(ratios)
    line("usable, as a multiple of by hand", f"{ratio:.2f} x", f"{USABLE:.1f} x", holds=ratio <= USABLE)


def main() -> int:
    """Measure, in a folder that goes afterwards."""
    parser = argparse.ArgumentParser(prog="python -m bench.sandbox", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each that varies")
    runs = parser.parse_args().runs
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it cleans up, then
    folder = Path(tempfile.mkdtemp(prefix="kubectl-ray-bench-"))
    sandbox = Sandbox(folder)
    try:
        measure(sandbox, runs)
    finally:
        sandbox.run("sandbox", "stop", "--forget")
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
