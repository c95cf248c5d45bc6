"""A container while it runs: its probes, and its end by them or with its pod."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.node.probes import LIVENESS, READINESS, STARTUP, Prober

if TYPE_CHECKING:
    from kubectl_ray.sandbox.node.containers import ContainerLife
    from kubectl_ray.sandbox.node.processes import Running

_LEAST_AFTER_HOOK = 2.0
"""Seconds that a process gets at least after its preStop hook."""


async def probed(life: ContainerLife, running: Running) -> int:
    """Probe a container while it runs; its exit code."""
    work = _Probes(life)
    try:
        return await running.wait()
    finally:
        await work.stop()


class _Probes:
    """All probes of one run; a startup probe goes before the others."""

    def __init__(self, life: ContainerLife) -> None:
        self._life = life
        self._tasks: list[asyncio.Task[None]] = []
        if life.spec.get("startupProbe"):
            self._start(STARTUP)
        else:
            self._start(READINESS)
            self._start(LIVENESS)

    def _start(self, kind: str) -> None:
        probe = self._life.spec.get(f"{kind.lower()}Probe")
        if probe:
            prober = Prober(
                kind,
                probe,
                self._life.pod.target(self._life),
                eager=self._life.pod.settings.pace.eager,
                told=lambda passed: self._told(kind, passed=passed),
                event=lambda text: self._life.event("Warning", "Unhealthy", text),
            )
            self._tasks.append(asyncio.create_task(prober.run()))

    def _told(self, kind: str, *, passed: bool) -> None:
        life = self._life
        if kind == READINESS:
            life.ready = passed
            life.pod.changed()
        elif kind == STARTUP and passed:
            life.started = True
            life.ready = not life.spec.get("readinessProbe")
            life.settled.set()
            life.pod.changed()
            self._start(READINESS)
            self._start(LIVENESS)
        elif not passed:
            text = f"Container {life.name} failed {kind.lower()} probe, will be restarted"
            life.event("Normal", "Killing", text)
            grace = life.spec[f"{kind.lower()}Probe"].get("terminationGracePeriodSeconds")
            self._tasks.append(asyncio.create_task(end(life, life.pod.grace if grace is None else grace)))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def end(life: ContainerLife, grace: float, *, hook: bool = False) -> None:
    """SIGTERM to its process, as a container runtime does, and after `grace` seconds SIGKILL."""
    running, until = life.process, time.monotonic() + grace
    if running is None:
        return
    before = (life.spec.get("lifecycle") or {}).get("preStop") if hook else None
    if before:
        try:
            fine = await asyncio.wait_for(life.pod.hook(life, before), max(grace, 0.1))
        except TimeoutError:
            fine = False
        if not fine:
            life.event("Warning", "FailedPreStopHook", "PreStopHook failed")
        until = max(until, time.monotonic() + _LEAST_AFTER_HOOK)
    if grace > 0:
        running.send(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(running.wait(), max(0.0, until - time.monotonic()))
    running.send(signal.SIGKILL)
    await running.wait()
