"""The token of a pod's service account, from its beginning to the pod's end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.unit.sandbox.node.machine import HURRY, Machine, pod, running, shell

if TYPE_CHECKING:
    from pathlib import Path


OFTEN = replace(HURRY, token=0.02)
FOREVER = "trap 'exit 0' TERM; while true; do sleep 0.05; done"


class Tokens:
    """Counts those that were asked for; a disk may be full for some of them."""

    def __init__(self, full: range = range(0)) -> None:
        self.made = 0
        self._full = full
        self.more = asyncio.Event()

    def __call__(self, namespace: str, name: str) -> str:
        """One of them."""
        self.made += 1
        self.more.set()
        if self.made in self._full:
            raise OSError(28, "No space left on device")
        return f"{namespace} {name} {self.made}"

    async def until(self, number: int) -> None:
        """Wait until so many were asked for."""
        async with asyncio.timeout(20):
            while self.made < number:
                self.more.clear()
                await self.more.wait()


def account(machine: Machine) -> Path:
    """Where the pod finds it."""
    return machine.node._places.pod(machine.pod()["metadata"]["uid"]).account / "token"


def test_a_full_disk_does_not_end_the_tokens(folder: Path) -> None:
    """There is room again before the last one is too old."""

    async def live() -> None:
        tokens = Tokens(full=range(3, 5))
        async with running(folder, pace=OFTEN, token=tokens) as machine:
            machine.make(pod(shell(FOREVER)))
            await machine.until(lambda: machine.phase() == "Running")
            await tokens.until(6)
            assert int(account(machine).read_text().split()[-1]) >= 5

    asyncio.run(live())


def test_a_pod_that_ended_gets_no_more_tokens(folder: Path) -> None:
    """Though its object is still there; a mount that was tried several times leaves one renewal, not several."""

    async def live() -> None:
        tokens = Tokens(full=range(1, 3))
        async with running(folder, pace=OFTEN, token=tokens) as machine:
            machine.make(pod(shell("sleep 0.3"), restartPolicy="Never"))
            await machine.until(lambda: machine.phase() == "Succeeded")
            loop, life = asyncio.get_running_loop(), machine.node._kubelet.find("ns", "p")
            assert life is not None
            await machine.node.settle()
            pending = [each for each in loop._scheduled if not each.cancelled() and "_renew" in repr(each)]  # type: ignore[attr-defined]
            assert pending == []
            assert len(machine.events("FailedMount")) >= 1

    asyncio.run(live())
