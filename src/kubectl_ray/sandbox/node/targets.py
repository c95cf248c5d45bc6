"""What probes and hooks need of a container that runs: its ports, and commands in it."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.node.environment import expand
from kubectl_ray.sandbox.node.execution import MARK
from kubectl_ray.sandbox.node.probes import PASSED, Prober
from kubectl_ray.sandbox.node.processes import Belonging, Command, end_all, launch
from kubectl_ray.sandbox.node.registration import ADDRESS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.node.containers import ContainerLife
    from kubectl_ray.sandbox.node.pods import PodLife

_LONGEST = 3600.0
"""Seconds for a hook that has no limit of its own; the grace period ends it sooner."""


class Target:
    """A container, as `probes.Target`."""

    def __init__(self, pod: PodLife, container: ContainerLife) -> None:
        self._pod, self._container = pod, container

    def address(self, port: int) -> tuple[str, int]:
        """Where a port of the pod is on this machine."""
        return ADDRESS, self._pod.meaning(self._container.spec).ports.get(port, port)

    def number(self, port: int | str) -> int | None:
        """The number of a port that may be named."""
        if isinstance(port, int) or port.isdecimal():
            return int(port)
        for each in self._container.spec.get("ports") or []:
            if each.get("name") == port:
                return int(each["containerPort"])
        return None

    async def run(self, command: Sequence[str], seconds: float) -> tuple[int, bytes]:
        """Exit code and output of a command in the container.

        Raises:
            TimeoutError: it takes longer; it has been ended.
            OSError: it cannot be started.
        """
        output, mark = bytearray(), secrets.token_hex(16)
        known = self._container.environment
        made = self._pod.command(self._container, [expand(each, known) for each in command])
        marked = Command(made.argv, {**made.environment, MARK: mark}, made.folder)
        running = await launch(marked, lambda _stream, data: output.extend(data))
        try:
            code = await asyncio.wait_for(running.wait(), seconds)
            await running.quiet(min(seconds, 1.0))
        except BaseException:
            await end_all(Belonging(MARK, mark, [running.pid]))
            await running.quiet(0)
            raise
        return code, bytes(output)


async def run_hook(target: Target, hook: Object) -> bool:
    """Run a postStart or preStop hook; whether it was fine."""
    if hook.get("sleep"):
        await asyncio.sleep(float(hook["sleep"].get("seconds") or 0))
        return True
    if hook.get("exec"):
        try:
            code, _output = await target.run(hook["exec"].get("command") or [], _LONGEST)
        except OSError:
            return False
        return code == 0
    prober = Prober("Hook", hook, target, eager=1, told=_nothing, event=_nothing)
    return (await prober.once()).result == PASSED


def _nothing(_told: object) -> None:
    """A hook is asked once, for its answer."""
