"""Input of processes: what they do not read is not held without end."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.sandbox.node.execution import Joined
from kubectl_ray.sandbox.node.logs import LogFile
from kubectl_ray.sandbox.node.processes import Command, launch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from kubectl_ray.sandbox.node.processes import Running

MUCH = 8 * 2**20
"""Bytes."""
HELD = 2**20
"""Bytes that may be held."""
PATIENCE = 10.0
WAITS = f"read go <gate; head -c {MUCH} | wc -c"
"""Reads no input until something is written to the pipe `gate` in its folder."""


def held(running: Running) -> int:
    """Bytes of its input that wait in this process."""
    assert running._transport is not None
    pipe = running._transport.get_pipe_transport(0)
    assert isinstance(pipe, asyncio.WriteTransport)
    return pipe.get_write_buffer_size()


def play(
    folder: Path, story: Callable[[Running, asyncio.Task[None]], Awaitable[None]], writers: int = 1
) -> tuple[list[int], bytes]:
    """A story with a process whose input is full; what was held of it on the way, and what it printed."""
    printed: list[bytes] = []
    seen: list[int] = []

    os.mkfifo(folder / "gate")

    async def run() -> None:
        command = Command(["sh", "-c", WAITS], dict(os.environ), folder)
        running = await launch(command, lambda _stream, data: printed.append(data), stdin=True)
        joined = Joined(LogFile(folder / "log"), running)

        async def write() -> None:
            await asyncio.gather(*(joined.write_stdin(bytes(MUCH // writers)) for _ in range(writers)))

        writing = asyncio.create_task(write())
        async with asyncio.timeout(PATIENCE):
            while not held(running):  # noqa: ASYNC110 - a transport tells nobody of this
                await asyncio.sleep(0)
            for _ in range(100):  # passes of the loop, in which a writer that does not wait goes on
                seen.append(held(running))
                await asyncio.sleep(0)
            assert not writing.done()
            await story(running, writing)
            await running.wait()
        await running.quiet(PATIENCE)
        await joined.kill()

    asyncio.run(run())
    return seen, b"".join(printed)


@pytest.mark.parametrize("writers", [1, 4])
def test_input_that_is_not_read_holds_up_the_client(tmp_path: Path, writers: int) -> None:
    """At most a mebibyte is held, also of several clients; all of it arrives when the process reads again."""

    async def story(running: Running, writing: asyncio.Task[None]) -> None:
        del running
        (tmp_path / "gate").write_text("go\n")
        await writing

    seen, printed = play(tmp_path, story, writers)
    assert max(seen) <= HELD
    assert int(printed) == MUCH


def test_the_end_of_a_process_lets_its_writers_go(tmp_path: Path) -> None:
    """They do not wait for one that never reads again."""

    async def story(running: Running, writing: asyncio.Task[None]) -> None:
        running.send(signal.SIGKILL)
        await writing

    _, printed = play(tmp_path, story)
    assert not printed


def test_a_process_without_input(tmp_path: Path) -> None:
    """What it is given is dropped."""

    async def run() -> int:
        running = await launch(Command(["true"], dict(os.environ), tmp_path), lambda _stream, _data: None)
        await running.write(bytes(MUCH))
        code = await running.wait()
        await running.quiet(PATIENCE)
        return code

    assert asyncio.run(run()) == 0
