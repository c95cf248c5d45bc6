"""The one node of the sandbox: scheduler and kubelet together, and what the API server asks a kubelet for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from typing import TYPE_CHECKING, NamedTuple

import psutil

from kubectl_ray.sandbox.api.kinds import PODS
from kubectl_ray.sandbox.api.refusals import Refused, bad_request
from kubectl_ray.sandbox.loop import Loop
from kubectl_ray.sandbox.node import ports, processes, registration
from kubectl_ray.sandbox.node.archives import named_as_inside
from kubectl_ray.sandbox.node.execution import Joined, Piped, Terminal, execute
from kubectl_ray.sandbox.node.head_ports import HeadPorts
from kubectl_ray.sandbox.node.kubelet import Kubelet, memory_by_session
from kubectl_ray.sandbox.node.log_access import chosen, log_of
from kubectl_ray.sandbox.node.logs import LogFile
from kubectl_ray.sandbox.node.places import Places
from kubectl_ray.sandbox.node.plain_path import plain, remove
from kubectl_ray.sandbox.node.registration import ADDRESS
from kubectl_ray.sandbox.node.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.node.containers import ContainerLife
    from kubectl_ray.sandbox.node.pods import PodLife
    from kubectl_ray.sandbox.node.settings import Settings

log = logging.getLogger(__name__)


class Shown(NamedTuple):
    """One container's process, for `sandbox status`; memory in bytes, with all that it started."""

    pid: int
    namespace: str
    pod: str
    container: str
    memory: int


class Node:
    """Places pods and runs them.

    Args:
        objects: the API.
        folder: the sandbox's own, for logs; it need not exist.
        settings: what the machine offers, and where Python is.

    Raises:
        OSError: no safe place for the files of pods.
    """

    def __init__(self, objects: Objects, folder: Path, settings: Settings) -> None:
        self._objects = objects
        self._places = Places(folder, settings)
        settings = self._settings = plain(self._places, settings)
        self._given = ports.Ports()
        self._kubelet = Kubelet(objects, settings, self._places, self._given)
        controllers = (Scheduler(objects), self._kubelet, HeadPorts(objects, self._given))
        self._loops = [Loop(objects.store, each) for each in controllers]

    async def start(self) -> None:
        """End what a run before left behind, then run what is bound to this machine."""
        ended = await processes.end_leftovers(self._places.home)
        if ended:
            log.info("ended %d processes that an earlier run had left", ended)
        self._places.prepare()
        await asyncio.to_thread(self._places.sweep, self._objects.list(PODS))
        registration.register(self._objects, self._settings)
        for loop in self._loops:
            loop.start()

    async def stop(self) -> None:
        """End every process that was started here; returns when none is left."""
        for loop in self._loops:
            await loop.stop()
        await self._kubelet.stop()
        await processes.end_leftovers(self._places.home)
        remove(self._places)

    async def settle(self) -> None:
        """Wait until scheduler and kubelet have nothing to look at; for tests."""
        for loop in self._loops:
            await loop.settle()

    def address(self, namespace: str, pod: str, port: int) -> tuple[str, int] | None:
        """Where a port of a pod is on this machine; None when the pod does not run or has nothing there.

        A port that the pod has not moved is only given when one of its own processes listens on it.
        """
        life = self._kubelet.find(namespace, pod)
        if life is None or not (life.sessions or life.terminal is False):
            return None
        if port in ports.moved(life.pod):
            return ADDRESS, self._given.of(ports.key(life.pod), [port])[port]
        return (ADDRESS, port) if port in self._listening(life) else None

    def log(self, namespace: str, pod: str, container: str = "", *, previous: bool = False) -> LogFile:
        """A container's log; `LogFile.read` gives its text.

        Raises:
            Refused: 404 no such pod; 400 no such container, or it has not run.
        """
        found = self._objects.get(PODS, namespace, pod)
        name = chosen(found, container)
        life = self._kubelet.find(namespace, pod)
        known = life.find(name) if life is not None else None
        if known is None:
            if found["spec"].get("nodeName"):
                raise bad_request(f'container "{name}" in pod "{pod}" is not available')
            return LogFile(self._places.logs(found, name) / "0.log")
        return log_of(pod, known, previous=previous)

    async def exec(
        self, namespace: str, pod: str, container: str, command: Sequence[str], *, stdin: bool, tty: bool
    ) -> Piped | Terminal | Joined:
        """Start a command in a container, or join its own process where there is no command (attach).

        Raises:
            Refused: no such pod or container, or it does not run.
            OSError: the program cannot be started.
        """
        found = self._objects.get(PODS, namespace, pod)
        if not found["spec"].get("nodeName"):
            raise bad_request(f"pod {pod} does not have a host assigned")
        if not container and len(found["spec"]["containers"]) > 1:
            container = found["spec"]["containers"][0]["name"]
        name = chosen(found, container)
        life = self._kubelet.find(namespace, pod)
        known = life.find(name) if life is not None else None
        if life is None or known is None or not known.running or known.process is None:
            raise Refused(404, "NotFound", f'container not found ("{name}")')
        if not command:
            return Joined(known.log, known.process)
        asked = named_as_inside(command, life.meaning(known.spec), life.place.path / "view")
        return await execute(life.command(known, asked), secrets.token_hex(16), stdin=stdin, tty=tty)

    def processes(self) -> list[Shown]:
        """What runs now."""
        running = self._kubelet.running()
        used = memory_by_session() if running else {}
        return [_shown(life, each, used) for life, each in running]

    def _listening(self, life: PodLife) -> set[int]:
        """Ports on which processes of a pod listen."""
        found = set()
        for process in processes.Belonging(processes.POD, life.uid, life.sessions).find():
            with contextlib.suppress(psutil.Error, OSError):
                found |= {
                    each.laddr.port
                    for each in process.net_connections(kind="tcp")
                    if each.status == psutil.CONN_LISTEN and each.laddr
                }
        return found


def _shown(life: PodLife, container: ContainerLife, used: dict[int, int]) -> Shown:
    pid = container.process.pid if container.process is not None else 0
    return Shown(pid, life.namespace, life.name, container.name, used.get(pid, 0))
