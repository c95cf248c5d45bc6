"""The end of an exec'd command."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import psutil
import pytest

from kubectl_ray.sandbox.node.execution import execute
from kubectl_ray.sandbox.node.processes import Command

if TYPE_CHECKING:
    from pathlib import Path


def test_a_command_has_ended_though_its_child_keeps_its_output_open(tmp_path: Path) -> None:
    """As `sh -c 'server &'` does; nothing more of what the child says is read after `kill`."""

    async def run() -> tuple[int, bytes, bytes]:
        command = Command(["sh", "-c", "sleep 100 & read line; echo $line; exit 4"], dict(os.environ), tmp_path)
        process = await execute(command, "mark", stdin=True, tty=False)
        waiting = asyncio.ensure_future(process.wait())
        await asyncio.sleep(0)
        await process.write_stdin(b"out\n")
        code = await asyncio.wait_for(waiting, 10)
        first = await process.read_stdout(100)
        await process.kill()
        return code, first, await process.read_stdout(100)

    assert asyncio.run(run()) == (4, b"out\n", b"")


@pytest.mark.parametrize("tty", [False, True])
def test_what_a_command_leaves_in_the_background_lives_on(tmp_path: Path, *, tty: bool) -> None:
    """As in a real container: `nohup server &` is the container's from then on, and ends with it."""

    async def run() -> int:
        text = "trap '' HUP; setsid sleep 100 >/dev/null 2>&1 & echo $! >child"
        process = await execute(Command(["sh", "-c", text], dict(os.environ), tmp_path), "mark", stdin=False, tty=tty)
        assert await asyncio.wait_for(process.wait(), 10) == 0
        await process.kill()
        return int((tmp_path / "child").read_text())

    child = psutil.Process(asyncio.run(run()))
    lives = child.status() != psutil.STATUS_ZOMBIE
    child.kill()
    assert lives


@pytest.mark.parametrize("tty", [False, True])
def test_what_a_command_started_goes_with_it_when_it_is_cut_off(tmp_path: Path, *, tty: bool) -> None:
    """Its client has gone before it ended: nobody would ever look after what it started."""

    async def run() -> int:
        text = "setsid sleep 100 >/dev/null 2>&1 & echo $! >child.new; mv child.new child; wait"
        process = await execute(Command(["sh", "-c", text], dict(os.environ), tmp_path), "mark2", stdin=False, tty=tty)
        async with asyncio.timeout(10):
            while not (tmp_path / "child").exists():  # noqa: ASYNC110 -- written by another process
                await asyncio.sleep(0.01)
        await process.kill()
        return int((tmp_path / "child").read_text())

    child = asyncio.run(run())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
