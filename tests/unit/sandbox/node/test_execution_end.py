"""The end of an exec'd command."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.node.execution import execute
from kubectl_ray.sandbox.node.processes import Command

if TYPE_CHECKING:
    from pathlib import Path


def test_a_command_has_ended_though_its_child_keeps_its_output_open(tmp_path: Path) -> None:
    """As `sh -c 'server &'` does; the child goes with `kill`."""

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
