"""Processes of containers: started in a session of their own and marked, found again by that, and ended to the last.

A process belongs to a container when it carries its mark in the environment, lives in its session, or descends from
one that does (programs that write their title, as Ray's workers do, lose the environment that others can read).
Only processes of the own user are ever looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

SANDBOX, POD, CONTAINER = "KUBECTL_RAY_SANDBOX", "KUBECTL_RAY_POD", "KUBECTL_RAY_CONTAINER"
"""The marks: which sandbox, the pod's uid, the container's id."""

SIGNALLED = 128
"""Added to a signal's number, as container runtimes tell it."""

_PIECE = 64 * 1024
"""Bytes of input that are handed over at a time: so much more than the transport's own mark may be held."""

_LOOK_AGAIN = 0.05
_ROUNDS = 100


@dataclass(frozen=True)
class Command:
    """What is to be started."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    folder: Path


class Running(asyncio.SubprocessProtocol):
    """A started process whose output goes to `output(stream, data)`."""

    def __init__(self, output: Callable[[str, bytes], None]) -> None:
        self._output = output
        self._transport: asyncio.SubprocessTransport | None = None
        self._ended = asyncio.get_running_loop().create_future()
        self._pipes = {1, 2}
        self._silent = asyncio.Event()
        self._takes_more = asyncio.Event()
        self._takes_more.set()
        self.pid = 0
        self.started = time.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It runs."""
        if isinstance(transport, asyncio.SubprocessTransport):
            self._transport = transport
            self.pid = transport.get_pid() or 0

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """It wrote something."""
        self._output("stdout" if fd == 1 else "stderr", data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Nobody can write there any more."""
        del exc
        if fd == 0:
            self._takes_more.set()
        self._pipes.discard(fd)
        if not self._pipes - {0}:
            self._silent.set()

    def process_exited(self) -> None:
        """It ended; what it started may still run."""
        code = self._transport.get_returncode() if self._transport else None
        if not self._ended.done():
            self._ended.set_result(exit_code(code or 0))

    async def wait(self) -> int:
        """Its exit code, 0 to 255."""
        return int(await asyncio.shield(self._ended))

    async def quiet(self, seconds: float) -> None:
        """Wait for the last output, at most so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._silent.wait(), seconds)
        if self._transport is not None:
            self._transport.close()

    @property
    def ended(self) -> bool:
        """It has an exit code."""
        return self._ended.done()

    def pause_writing(self) -> None:
        """It does not read: as much of its input is held as may be."""
        self._takes_more.clear()

    def resume_writing(self) -> None:
        """It has read most of that."""
        self._takes_more.set()

    async def write(self, data: bytes) -> None:
        """Give it input, where it was started with one; returns when it may have more, or reads no longer."""
        pipe = self._transport.get_pipe_transport(0) if self._transport else None
        for start in range(0, len(data), _PIECE):
            await self._takes_more.wait()
            if not isinstance(pipe, asyncio.WriteTransport) or pipe.is_closing():
                return
            pipe.write(data[start : start + _PIECE])
        await self._takes_more.wait()

    def terminate(self) -> None:
        """Ask it to end."""
        self.send(signal.SIGTERM)

    def send(self, number: int) -> None:
        """Send it a signal; nothing when it has ended."""
        if not self.ended and self._transport is not None:
            try:
                self._transport.send_signal(number)
            except ProcessLookupError:
                return


async def launch(command: Command, output: Callable[[str, bytes], None], *, stdin: bool = False) -> Running:
    """Start a command as the leader of a session of its own.

    Raises:
        OSError: it cannot be started: no such file (ENOENT), not executable (EACCES).
    """
    loop = asyncio.get_running_loop()
    _transport, running = await loop.subprocess_exec(
        lambda: Running(output),
        *command.argv,
        stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(command.environment),
        cwd=str(command.folder),
        start_new_session=True,
    )
    return running


def exit_code(returned: int) -> int:
    """0 to 255; 128 + n for signal n."""
    return returned if returned >= 0 else SIGNALLED - returned


class Belonging:
    """Who belongs to a container or pod: by mark, by session, by descent."""

    def __init__(self, mark: str, value: str, sessions: Iterable[int] = ()) -> None:
        self._mark, self._value = mark, value
        self._sessions = set(sessions)

    def find(self) -> list[psutil.Process]:
        """Those that live, in no order; zombies do not count."""
        mine: dict[int, psutil.Process] = {}
        parents: dict[int, int] = {}
        others: dict[int, psutil.Process] = {}
        for process in own_processes():
            try:
                parents[process.pid] = process.ppid()
                known = session_of(process.pid) in self._sessions or self._marked(process)
            except (psutil.Error, OSError):
                continue
            (mine if known else others)[process.pid] = process
        while grown := [pid for pid in others if parents[pid] in mine]:
            mine |= {pid: others.pop(pid) for pid in grown}
        return list(mine.values())

    def _marked(self, process: psutil.Process) -> bool:
        return environment_of(process).get(self._mark) == self._value


def session_of(pid: int) -> int:
    """The leader of its session.

    Raises:
        OSError: it is gone.
    """
    return os.getsid(pid)


def own_processes() -> Iterable[psutil.Process]:
    """Living processes of this user, without this one."""
    user = os.getuid()
    for process in psutil.process_iter():
        try:
            foreign = process.uids().real != user or process.pid == os.getpid()
            if not foreign and process.status() != psutil.STATUS_ZOMBIE:
                yield process
        except psutil.Error:
            continue


def environment_of(process: psutil.Process) -> dict[str, str]:
    """Its environment; empty where it cannot be read."""
    try:
        found: dict[str, str] = process.environ()
    except (psutil.Error, OSError):
        return {}
    return found


async def end_all(belonging: Belonging) -> int:
    """Kill them, and whom they started meanwhile, until none is left; how many there were."""
    killed: set[int] = set()
    for _ in range(_ROUNDS):
        found = belonging.find()
        if not found:
            break
        for process in found:
            try:
                process.send_signal(signal.SIGKILL)
                killed.add(process.pid)
            except psutil.Error:
                continue
        await asyncio.sleep(_LOOK_AGAIN)
    return len(killed)


async def end_leftovers(home: str) -> int:
    """End what a sandbox of this home left running when it died; how many there were."""
    return await end_all(Belonging(SANDBOX, home))
