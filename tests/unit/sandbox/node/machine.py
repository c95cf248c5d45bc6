"""A machine that is in a hurry, on an API in memory, whose containers are one-liners of a shell."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api.kinds import EVENTS, NAMESPACES, PODS, SERVICE_ACCOUNTS
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.node.machine import Node
from kubectl_ray.sandbox.node.settings import Pace, Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

Object = dict[str, Any]
NAMESPACE = "ns"
HURRY = Pace(
    first_restart=0.3, settle=0.02, again=0.05, first_mount=0.05, first_pull=0.2, eager=0.05, memory=0.2, stop=1.0
)
PATIENCE = 20.0
"""Seconds after which what a test waits for does not come any more."""


class Machine:
    """A node, its API, and eyes on both."""

    def __init__(self, folder: Path, pace: Pace = HURRY, **settings: Any) -> None:
        self.folder = folder
        self.objects = Objects(Store())
        self.objects.create(NAMESPACES, {"metadata": {"name": NAMESPACE}})
        self.objects.create(SERVICE_ACCOUNTS, {"metadata": {"name": "default"}}, NAMESPACE)
        given = {"cpus": 4, "memory": 8 << 30, "ray_bin": Path(sys.executable).parent, "pace": pace, **settings}
        self.settings = Settings(**given)
        self.node = Node(self.objects, folder, self.settings)
        self.seen: dict[str, list[Object]] = {}
        self._news = asyncio.Event()
        self.objects.store.listen(self._look)

    def _look(self, change: Any) -> None:
        if change.kind is PODS and change.what != "DELETED":
            self.seen.setdefault(change.object["metadata"]["name"], []).append(change.object)
        self._news.set()

    def make(self, pod: Object) -> Object:
        """Create it."""
        return self.objects.create(PODS, pod, NAMESPACE)

    def pod(self, name: str = "p") -> Object:
        """As it is now."""
        return self.objects.get(PODS, NAMESPACE, name)

    def container(self, pod: str = "p", name: str = "a") -> Object:
        """Its status; empty where there is none."""
        status = self.pod(pod).get("status", {})
        every = [*status.get("containerStatuses", []), *status.get("initContainerStatuses", [])]
        return next((each for each in every if each["name"] == name), {})

    def phase(self, name: str = "p") -> str:
        """Of a pod; "" when it is gone."""
        found = self.objects.find(PODS, NAMESPACE, name)
        return found.get("status", {}).get("phase", "") if found else ""

    def waiting(self, pod: str = "p", name: str = "a") -> str:
        """Why a container waits; "" when it does not."""
        reason: str = self.container(pod, name).get("state", {}).get("waiting", {}).get("reason", "")
        return reason

    def events(self, reason: str = "") -> list[str]:
        """Messages."""
        return [each["message"] for each in self.objects.list(EVENTS) if reason in {"", each["reason"]}]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for it."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def run(self, *command: str, container: str = "a", stdin: bytes | None = None) -> tuple[int, bytes, bytes]:
        """Exit code, stdout and stderr of a command in a container."""
        process = await self.node.exec(NAMESPACE, "p", container, command, stdin=stdin is not None, tty=False)
        if stdin is not None:
            await process.write_stdin(stdin)
            await process.close_stdin()
        out, err = b"", b""
        while data := await process.read_stdout(1024):
            out += data
        while data := await process.read_stderr(1024):
            err += data
        return await process.wait(), out, err

    async def text(self, container: str = "", *, pod: str = "p", **options: Any) -> str:
        """A log."""
        previous = options.pop("previous", False)
        log = self.node.log(NAMESPACE, pod, container, previous=previous)
        return b"".join([piece async for piece in log.read(**options)]).decode()


@asynccontextmanager
async def running(folder: Path, **settings: Any) -> AsyncIterator[Machine]:
    """A machine from start to stop."""
    machine = Machine(folder, **settings)
    await machine.node.start()
    try:
        yield machine
    finally:
        await machine.node.stop()
        machine.node._places.sweep([])


def shell(script: str, name: str = "a", **more: Any) -> Object:
    """A container that runs a line of shell."""
    return {"name": name, "image": "ray:1", "command": ["sh", "-c", script], **more}


def pod(*containers: Object, name: str = "p", **spec: Any) -> Object:
    """A pod of them, that ends quickly."""
    return {
        "metadata": {"name": name},
        "spec": {"terminationGracePeriodSeconds": 3, "containers": list(containers), **spec},
    }


def story(machine: Machine, name: str = "p", container: str = "a") -> list[str]:
    """The container's states in their order, each once in a row."""
    told: list[str] = []
    for each in machine.seen[name]:
        statuses = [
            *each.get("status", {}).get("initContainerStatuses", []),
            *each.get("status", {}).get("containerStatuses", []),
        ]
        for status in statuses:
            if status["name"] == container:
                (kind, state), *_ = status["state"].items()
                text = f"{kind} {state.get('reason', '')}".strip()
                if not told or told[-1] != text:
                    told.append(text)
    return told
