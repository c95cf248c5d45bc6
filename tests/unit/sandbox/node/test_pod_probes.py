"""Probes of containers that run; the events are those recorded on a real node."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.unit.sandbox.node.machine import Object, pod, running, shell

if TYPE_CHECKING:
    from pathlib import Path

FOREVER = "trap 'exit 0' TERM; while true; do sleep 0.05; done"


def conditions(seen: Object) -> dict[str, tuple[str, str]]:
    """Status and reason of each."""
    return {each["type"]: (each["status"], each.get("reason", "")) for each in seen["status"].get("conditions", [])}


def test_a_readiness_probe_decides_whether_a_container_is_ready(folder: Path) -> None:
    """Unhealthy with the probe's output until it passes."""

    async def live() -> None:
        async with running(folder) as machine:
            probe = {"exec": {"command": ["sh", "-c", 'echo no; test -e "$HOME/ok"']}, "periodSeconds": 1}
            machine.make(pod(shell(FOREVER, readinessProbe=probe)))
            await machine.until(lambda: machine.events("Unhealthy"))
            assert machine.events("Unhealthy") == ["Readiness probe failed: no\n"]
            assert machine.container()["ready"] is False
            await machine.run("sh", "-c", 'touch "$HOME/ok"')
            await machine.until(lambda: machine.container()["ready"])
            assert conditions(machine.pod())["Ready"] == ("True", "")

    asyncio.run(live())


@pytest.mark.parametrize("kind", ["liveness", "startup"])
def test_a_probe_that_fails_restarts_the_container(folder: Path, kind: str) -> None:
    """With the kubelet's words."""

    async def live() -> None:
        async with running(folder) as machine:
            probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 1}
            machine.make(pod({**shell(FOREVER), f"{kind}Probe": probe}))
            await machine.until(lambda: machine.container().get("restartCount") == 1)
            assert machine.events("Killing")[0] == f"Container a failed {kind} probe, will be restarted"
            assert machine.events("Unhealthy") == [f"{kind.capitalize()} probe failed: "]

    asyncio.run(live())


def test_a_container_is_started_when_its_startup_probe_passed(folder: Path) -> None:
    """Not before, and not ready before either."""

    async def live() -> None:
        async with running(folder) as machine:
            probe = {
                "exec": {"command": ["sh", "-c", 'test -e "$HOME/ok"']},
                "periodSeconds": 1,
                "failureThreshold": 99,
            }
            machine.make(pod(shell(FOREVER, startupProbe=probe)))
            await machine.until(lambda: machine.phase() == "Running")
            assert (machine.container()["started"], machine.container()["ready"]) == (False, False)
            await machine.run("sh", "-c", 'touch "$HOME/ok"')
            await machine.until(lambda: machine.container()["ready"])
            assert machine.container()["started"] is True

    asyncio.run(live())
