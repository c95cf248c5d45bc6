"""What a pod's life does when something in the sandbox itself goes wrong: it says so, and never stays silent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api.kinds import PODS
from kubectl_ray.sandbox.node import pods, volumes
from kubectl_ray.sandbox.node.pods import PodLife
from tests.unit.sandbox.node.machine import pod, running, shell

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

FOREVER = "trap 'exit 0' TERM; while true; do sleep 0.05; done"


def twice_wrong(real: Callable[..., Any]) -> Callable[..., Any]:
    """It has a defect that shows twice."""
    left = [KeyError("odd"), KeyError("odd")]

    def wrong(*given: Any, **named: Any) -> Any:
        if left:
            raise left.pop()
        return real(*given, **named)

    return wrong


def test_a_defect_with_volumes_is_told_and_tried_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a volume is that is missing."""
    monkeypatch.setattr(pods, "mount", twice_wrong(volumes.mount))

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell(FOREVER)))
            await machine.until(lambda: machine.phase() == "Running")
            assert set(machine.events("FailedMount")) == {"KeyError: 'odd'"}

    asyncio.run(live())


def test_a_defect_before_a_container_runs_is_told_and_tried_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a container is that cannot be created; it is no restart."""
    monkeypatch.setattr(PodLife, "command", twice_wrong(PodLife.command))

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell(FOREVER)))
            await machine.until(lambda: machine.waiting() == "CreateContainerError")
            await machine.until(lambda: machine.phase() == "Running")
            assert set(machine.events("Failed")) == {"Error: KeyError: 'odd'"}
            assert machine.container()["restartCount"] == 0

    asyncio.run(live())


def test_a_pod_with_a_container_that_cannot_be_made_can_be_deleted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its container waits for the next try, and is not waited for."""

    def wrong(*_given: Any) -> None:
        raise KeyError("odd")

    monkeypatch.setattr(PodLife, "command", wrong)

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell(FOREVER)))
            await machine.until(lambda: machine.waiting() == "CreateContainerError")
            machine.objects.delete(PODS, "ns", "p")
            await machine.until(lambda: not machine.phase())

    asyncio.run(live())


def test_any_other_defect_fails_the_pod(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an event and nothing that runs on."""

    async def wrong(_life: PodLife) -> None:
        raise KeyError("odd")

    monkeypatch.setattr(PodLife, "_containers", wrong)

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell(FOREVER)))
            await machine.until(lambda: machine.phase() == "Failed")
            assert machine.pod()["status"]["reason"] == "FailedSync"
            assert machine.events("FailedSync") == ["Error syncing pod: KeyError: 'odd'"]

    asyncio.run(live())
