"""A command in a running container: `kubectl exec`, `cp`, probes and hooks; and the container's own process (attach).

The classes are what `streams.process.Process` asks for; that protocol is structural.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import struct
import subprocess
import termios
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.node.processes import Belonging, Command, end_all, exit_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_ray.sandbox.node.logs import LogFile
    from kubectl_ray.sandbox.node.processes import Running

MARK = "KUBECTL_RAY_EXEC"
"""The mark of one command, so that it can be ended with all that it started."""

_CHUNK = 64 * 1024


class _Ends(asyncio.subprocess.SubprocessStreamProtocol):
    """Tells when the process itself has ended.

    `Process.wait` of some Pythons (3.11.7 is one) also waits for its pipes, which children that live on keep open.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(limit=_CHUNK, loop=loop)
        self.ended: asyncio.Future[None] = loop.create_future()

    def process_exited(self) -> None:
        """Its exit code is known now."""
        super().process_exited()
        if not self.ended.done():
            self.ended.set_result(None)


class Piped:
    """A command with pipes."""

    def __init__(self, transport: asyncio.SubprocessTransport, ends: _Ends, mark: str) -> None:
        self._process = asyncio.subprocess.Process(transport, ends, asyncio.get_running_loop())
        self._transport = transport
        self._ended = ends.ended
        self._mark = mark

    async def read_stdout(self, size: int) -> bytes:
        """At most `size` bytes as soon as there are some; b"" at the end."""
        return await self._process.stdout.read(size) if self._process.stdout else b""

    async def read_stderr(self, size: int) -> bytes:
        """The same of stderr."""
        return await self._process.stderr.read(size) if self._process.stderr else b""

    async def write_stdin(self, data: bytes) -> None:
        """Give it input; nothing when it no longer reads."""
        pipe = self._process.stdin
        if pipe is not None and not pipe.is_closing():
            with contextlib.suppress(ConnectionError):
                pipe.write(data)
                await pipe.drain()

    async def close_stdin(self) -> None:
        """The input ends."""
        pipe = self._process.stdin
        if pipe is not None and not pipe.is_closing():
            pipe.close()
            with contextlib.suppress(ConnectionError):
                await pipe.wait_closed()

    async def resize(self, columns: int, rows: int) -> None:
        """There is no terminal."""

    async def wait(self) -> int:
        """Its exit code, 0 to 255."""
        await asyncio.shield(self._ended)
        return exit_code(self._transport.get_returncode() or 0)

    async def kill(self) -> None:
        """End it and what it started; what is left of one that has ended lives on with its container."""
        if not self._ended.done():
            await end_all(Belonging(MARK, self._mark, [self._process.pid]))
        await asyncio.shield(self._ended)
        self._transport.close()


class Terminal:
    """A command with a terminal of its own."""

    def __init__(self, process: asyncio.subprocess.Process, master: int, mark: str) -> None:
        self._process = process
        self._master = master
        self._mark = mark
        self._open = True
        os.set_blocking(master, False)

    async def read_stdout(self, size: int) -> bytes:
        """What it shows; b"" when the last program has left the terminal."""
        while self._open:
            try:
                data = os.read(self._master, size)
            except BlockingIOError:
                await self._ready(asyncio.get_running_loop().add_reader, asyncio.get_running_loop().remove_reader)
                continue
            except OSError:
                data = b""
            if not data:
                self._close()
            return data
        return b""

    async def read_stderr(self, size: int) -> bytes:
        """A terminal has one stream only."""
        del size
        return b""

    async def write_stdin(self, data: bytes) -> None:
        """Type."""
        while data and self._open:
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:
                await self._ready(asyncio.get_running_loop().add_writer, asyncio.get_running_loop().remove_writer)
            except OSError:
                return

    async def close_stdin(self) -> None:
        """Ctrl-D is the client's to send."""

    async def resize(self, columns: int, rows: int) -> None:
        """The window has another size."""
        if self._open:
            with contextlib.suppress(OSError, struct.error):
                fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def wait(self) -> int:
        """Its exit code, 0 to 255."""
        return exit_code(await self._process.wait())

    async def kill(self) -> None:
        """As without a terminal, but what has one for itself sees it go."""
        if self._process.returncode is None:
            await end_all(Belonging(MARK, self._mark, [self._process.pid]))
        await self._process.wait()
        self._close()

    async def _ready(self, add: Callable[..., object], remove: Callable[[int], object]) -> None:
        ready = asyncio.Event()
        add(self._master, ready.set)
        try:
            await ready.wait()
        finally:
            remove(self._master)

    def _close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._master)


async def execute(command: Command, mark: str, *, stdin: bool, tty: bool) -> Piped | Terminal:
    """Start a command.

    Raises:
        OSError: it cannot be started.
    """
    environment = {**command.environment, MARK: mark}
    if tty:
        return await _with_terminal(command, environment, mark)
    transport, ends = await asyncio.get_running_loop().subprocess_exec(
        _Ends,
        *command.argv,
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=str(command.folder),
        start_new_session=True,
    )
    return Piped(transport, ends, mark)


async def _with_terminal(command: Command, environment: dict[str, str], mark: str) -> Terminal:
    master, slave = os.openpty()
    try:
        process = await asyncio.create_subprocess_exec(  # preexec_fn: the session leader takes its terminal
            *command.argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={"TERM": "xterm", **environment},
            cwd=str(command.folder),
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
    except BaseException:
        os.close(master)
        raise
    finally:
        os.close(slave)
    return Terminal(process, master, mark)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Joined:
    """The container's own process: what it prints from now on, and its input where it has one."""

    def __init__(self, log: LogFile, running: Running) -> None:
        self._running = running
        self._streams = {name: log.read(follow=True, tail_lines=0, stream=name) for name in ("Stdout", "Stderr")}
        self._rest = {"Stdout": b"", "Stderr": b""}

    async def read_stdout(self, size: int) -> bytes:
        """What it prints; b"" when it has ended."""
        return await self._read("Stdout", size)

    async def read_stderr(self, size: int) -> bytes:
        """The same of stderr."""
        return await self._read("Stderr", size)

    async def _read(self, name: str, size: int) -> bytes:
        if not self._rest[name]:
            self._rest[name] = await anext(self._streams[name], b"")
        data, self._rest[name] = self._rest[name][:size], self._rest[name][size:]
        return data

    async def write_stdin(self, data: bytes) -> None:
        """Give it input, where its container has one."""
        await self._running.write(data)

    async def close_stdin(self) -> None:
        """Its input goes on: others may join later."""

    async def resize(self, columns: int, rows: int) -> None:
        """There is no terminal."""

    async def wait(self) -> int:
        """Its exit code, 0 to 255."""
        return await self._running.wait()

    async def kill(self) -> None:
        """Let go of it; it runs on."""
        for each in self._streams.values():
            await each.aclose()
