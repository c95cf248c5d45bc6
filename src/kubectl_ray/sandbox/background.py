"""The sandbox's process seen from outside: started and made sure of, ended, and what a killed one left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from kubectl_ray.sandbox.home import Trouble
from kubectl_ray.sandbox.node import places
from kubectl_ray.sandbox.node.plain_path import remove
from kubectl_ray.sandbox.node.processes import SANDBOX, Belonging, end_leftovers
from kubectl_ray.sandbox.node.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from kubectl_ray.sandbox.home import Home, Run

START = 60.0
"""Seconds in which it has to answer; it takes two on a machine with nothing else to do."""
STOP = 60.0
"""Seconds in which its pods have to be ended before they are killed."""
_PAUSE = 0.05
_LAST = 5.0


@dataclass(frozen=True)
class Options:
    """What `sandbox start` was given; 0 and "" are the defaults. `memory` is bytes.

    `programs` is the folder with the Python that has Ray; `ray` is the version there.
    """

    programs: Path
    ray: str
    cpus: int = 0
    memory: int = 0
    port: int = 0
    missing_images: tuple[str, ...] = ()

    def argv(self) -> list[str]:
        """As flags of the process."""
        flags = {
            "--programs": self.programs,
            "--ray": self.ray,
            "--cpus": self.cpus,
            "--memory": self.memory,
            "--port": self.port,
        }
        given = [f"{flag}={value}" for flag, value in flags.items()]
        return [*given, *(f"--missing-image={pattern}" for pattern in self.missing_images)]


def start(home: Home, options: Options, env: Mapping[str, str], patience: float = START) -> Run:
    """Start the process, away from this terminal, and wait until it answers. The folder's lock is the caller's.

    Raises:
        Trouble: it cannot be started, with its own words for why; nothing of it is left then.
    """
    try:
        with home.crash.open("wb") as errors:
            process = subprocess.Popen(
                [
                    sys.executable,
                    *("-P", "-X", "faulthandler", "-m", "kubectl_ray.sandbox.daemon"),
                    f"--home={home.folder}",
                    *options.argv(),
                ],
                env=dict(env),
                cwd=home.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
    except OSError as error:
        raise Trouble(f"The sandbox cannot be started: {error.strerror or error}") from error
    try:
        run = _answered(home, process, patience)
    except BaseException:
        _end(process)
        clean(home)
        raise
    process.returncode = 0  # it is to live on: no warning about that when this object goes
    return run


def running(home: Home, patience: float = START) -> Run | None:
    """The sandbox that runs; one whose starter or stopper was killed is waited for until it answers, or has ended.

    Raises:
        Trouble: it does neither.
    """
    until = time.monotonic() + patience
    while home.alive():
        found = home.run()
        if found is not None:
            return found
        if time.monotonic() > until:
            raise Trouble("A sandbox runs here, but does not answer", "End it:  kubectl ray sandbox stop")
        time.sleep(_PAUSE)
    return None


def _answered(home: Home, process: subprocess.Popen[bytes], patience: float) -> Run:
    """Wait for the one line in which it says that it answers, or why it does not."""
    lines: list[bytes] = []
    out = process.stdout
    assert out is not None  # noqa: S101 -- it was asked for
    reader = threading.Thread(target=lambda: lines.append(out.readline()), daemon=True)
    reader.start()
    reader.join(patience)
    if reader.is_alive():
        raise Trouble(f"The sandbox did not answer within {patience:.0f} seconds", _see(home))
    out.close()
    if not lines or not lines[0]:
        code = process.wait()
        last = home.crash.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
        raise Trouble(f"The sandbox ended while it started (exit code {code})" + (f": {last}" * bool(last)), _see(home))
    said = json.loads(lines[0])
    if "trouble" in said:
        process.wait()
        raise Trouble(said["trouble"], said["hint"])
    run = home.run()
    if run is None:
        raise Trouble("The sandbox ended right after its start", _see(home))
    return run


def _see(home: Home) -> str:
    return f"Its log:  {home.log}"


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        try:
            process.wait(STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


def stop(home: Home, patience: float = STOP, clock: Callable[[], float] = time.monotonic) -> Iterator[int]:
    """Ask it to end, and yield how many of its processes are left until there are none; after `patience`, kill them.

    Raises:
        Trouble: it will not die.
    """
    main = process(home)
    if main is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            main.send_signal(signal.SIGTERM)
    until = clock() + patience
    while (home.alive() or _lives(main)) and clock() < until:
        yield len(pods(home))
        time.sleep(_PAUSE)
    if main is not None and _lives(main):
        with contextlib.suppress(psutil.Error):
            main.kill()
            main.wait(_LAST)
    if home.alive():
        raise Trouble("The sandbox does not end", _see(home))
    clean(home)


def _lives(process: psutil.Process | None) -> bool:
    try:
        return process is not None and process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def process(home: Home) -> psutil.Process | None:
    """The sandbox's own process, made sure of by its start time; None when it is gone."""
    run = home.run()
    known = (run.pid, run.created) if run else home.signature()
    if known is None:
        return None
    pid, created = known
    try:
        found = psutil.Process(pid)
        return found if abs(found.create_time() - created) < 1 else None
    except psutil.NoSuchProcess:
        return None


def pods(home: Home) -> list[psutil.Process]:
    """The processes of its pods, those of a run that was killed too."""
    return Belonging(SANDBOX, mark(home)).find()


def mark(home: Home) -> str:
    """What every process of its pods carries in the variable KUBECTL_RAY_SANDBOX."""
    return places.mark(home.node)


def clean(home: Home) -> int:
    """End what a run that died left running, and forget that it ran; how many processes were ended."""
    ended = asyncio.run(end_leftovers(mark(home)))
    home.unsay()
    return ended


def forget(home: Home) -> None:
    """Remove all that was created in it; it runs no more.

    Raises:
        Trouble: something cannot be removed.
    """
    try:
        found = places.Places(home.node, Settings(cpus=0, memory=0, ray_bin=home.node))
        found.sweep(())
        remove(found)
    except OSError as error:
        raise Trouble(f"What its pods wrote cannot be removed: {error.strerror or error}") from error
    with contextlib.suppress(OSError):  # another sandbox of this user has files there too
        found.short.rmdir()
    home.forget()


@dataclass(frozen=True)
class Size:
    """How many processes its pods are, and the bytes of memory that they and the sandbox itself take together."""

    processes: int
    memory: int


def size(home: Home) -> Size:
    """What it costs just now."""
    found = pods(home)
    main = process(home)
    return Size(len(found), sum(_memory(each) for each in [*found, *([main] if main else [])]))


def _memory(process: psutil.Process) -> int:
    """Its own memory and its share of what it shares, where the system tells that; bytes."""
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", 0) or full.uss)
    except psutil.Error:
        return 0
