"""Starts the life of each pod that is bound to this machine, and ends it with its object."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

import psutil

from kubectl_ray.sandbox.api.kinds import PODS
from kubectl_ray.sandbox.api.resources import asked
from kubectl_ray.sandbox.node import ports, processes
from kubectl_ray.sandbox.node.pods import PodLife
from kubectl_ray.sandbox.node.settings import NODE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Change, Object
    from kubectl_ray.sandbox.node.containers import ContainerLife
    from kubectl_ray.sandbox.node.places import Places
    from kubectl_ray.sandbox.node.settings import Settings

log = logging.getLogger(__name__)

FAR_ABOVE = 1.25
"""A container is killed when it uses this much of its memory limit: sums over processes are not as exact as cgroups."""


class Kubelet:
    """A controller; its keys are (namespace, name) of pods that are bound here."""

    def __init__(self, objects: Objects, settings: Settings, places: Places, given: ports.Ports) -> None:
        self._objects = objects
        self._settings = settings
        self._places = places
        self._given = given
        self._memory: asyncio.Task[None] | None = None
        self.lives: dict[tuple[str, str], PodLife] = {}

    def keys(self, change: Change) -> Iterable[tuple[str, str]]:
        """Pods of this machine whose spec, labels or deletion changed; what it wrote itself is no news."""
        if change.kind is not PODS:
            return ()
        if all((each or {}).get("spec", {}).get("nodeName") != NODE_NAME for each in (change.object, change.before)):
            return ()
        if change.what == "MODIFIED" and change.before and _wishes(change.before) == _wishes(change.object):
            return ()
        meta = change.object["metadata"]
        return ((meta["namespace"], meta["name"]),)

    async def reconcile(self, key: tuple[str, str]) -> float | None:
        """Begin, end or go on."""
        pod, life = self._objects.find(PODS, *key), self.lives.get(key)
        if life is not None and (pod is None or pod["metadata"]["uid"] != life.uid):
            await self._forget(key, life)
            life = None
        if pod is None or pod["spec"].get("nodeName") != NODE_NAME:
            return None
        if life is None:
            life = self.lives[key] = PodLife(self._objects, self._settings, self._places, self._given, pod)
            life.start()
            self._watch_memory()
        life.pod = pod
        if pod["metadata"].get("deletionTimestamp"):
            life.stop(float(pod["metadata"].get("deletionGracePeriodSeconds") or 0))
        return None

    async def _forget(self, key: tuple[str, str], life: PodLife) -> None:
        del self.lives[key]
        await life.abandon()
        await self._places.forget(life.pod)
        self._given.release(life.uid)

    async def stop(self) -> None:
        """End all processes, the sandbox is going down; their pods stay in the store as they are."""
        if self._memory is not None:
            self._memory.cancel()
        lives = list(self.lives.values())
        running = [each.process for life in lives for each in (*life.inits, *life.containers) if each.process]
        for life in lives:
            life.let_go()
        for each in running:
            each.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(each.wait() for each in running)), self._settings.pace.stop)
        await asyncio.gather(*(life.abandon() for life in lives))
        self.lives.clear()

    # Memory limits ---------------------------------------------------------------------------------------------

    def _watch_memory(self) -> None:
        """Look after limits, as long as there are pods."""
        if self._memory is None or self._memory.done():
            self._memory = asyncio.get_running_loop().create_task(self._memory_limits())

    async def _memory_limits(self) -> None:
        while self.lives:
            await asyncio.sleep(self._settings.pace.memory)
            limited = [
                (each, limit)
                for life in self.lives.values()
                for each in (*life.inits, *life.containers)
                if each.running and (limit := memory_limit(each.spec))
            ]
            if limited:
                used = memory_by_session()
                for each, limit in limited:
                    if each.process is not None and used.get(each.process.pid, 0) > limit * FAR_ABOVE:
                        log.info("container %s of pod %s used too much memory", each.name, each.pod.name)
                        each.kill_for_memory()

    def find(self, namespace: str, name: str) -> PodLife | None:
        """The life of a pod that runs here."""
        return self.lives.get((namespace, name))

    def running(self) -> list[tuple[PodLife, ContainerLife]]:
        """Containers with a process."""
        return [
            (life, each) for life in self.lives.values() for each in (*life.inits, *life.containers) if each.running
        ]


def memory_limit(container: Object) -> int:
    """Bytes; 0 where none is set."""
    limit = asked({"spec": {"containers": [container]}}, "limits").get("memory")
    return limit.whole if limit else 0


def memory_by_session() -> dict[int, int]:
    """Bytes that are not shared, by the session's leader."""
    used: dict[int, int] = {}
    for process in processes.own_processes():
        with contextlib.suppress(psutil.Error, OSError):
            session = processes.session_of(process.pid)
            memory = process.memory_info()
            used[session] = used.get(session, 0) + memory.rss - getattr(memory, "shared", 0)
    return used


def _wishes(pod: Object) -> object:
    meta = pod["metadata"]
    return pod.get("spec"), meta["uid"], meta.get("labels"), meta.get("annotations"), meta.get("deletionTimestamp")
