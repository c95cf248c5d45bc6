"""The parts of a sandbox, what each is given of the others, and the order in which they begin and end."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from kubectl_ray.sandbox import first_objects
from kubectl_ray.sandbox.api import tokens
from kubectl_ray.sandbox.api.kinds import PODS
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.controllers.claims import Claims
from kubectl_ray.sandbox.controllers.endpoints import Endpoints
from kubectl_ray.sandbox.controllers.expiry import Expiry
from kubectl_ray.sandbox.controllers.garbage import Garbage
from kubectl_ray.sandbox.controllers.jobs import Jobs
from kubectl_ray.sandbox.controllers.namespaces import Namespaces
from kubectl_ray.sandbox.controllers.quotas import Quotas
from kubectl_ray.sandbox.loop import Loop
from kubectl_ray.sandbox.node.machine import Node
from kubectl_ray.sandbox.operator.operator import Operator
from kubectl_ray.sandbox.serving import certificates
from kubectl_ray.sandbox.serving.pod_logs import PodLogs
from kubectl_ray.sandbox.serving.server import HOST, Server
from kubectl_ray.sandbox.serving.streaming import Streaming

if TYPE_CHECKING:
    from kubectl_ray.sandbox.home import Home
    from kubectl_ray.sandbox.loop import Controller
    from kubectl_ray.sandbox.node.settings import Settings

log = logging.getLogger(__name__)


class Sandbox:
    """From `start` to `stop`; what was begun is ended in reverse, also where a later part cannot begin."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self._home = home
        self._settings = settings
        self._begun = AsyncExitStack()

    async def start(self, port: int) -> Server:
        """Let all of it run; the server is the last to begin; it ends first, right after its streams.

        Raises:
            sqlite3.Error: the objects cannot be read.
            OSError: the port is taken, or the disk does not take what has to be written.
        """
        begun = self._begun
        certificates.context(self._home.serving)
        authority = certificates.authority(self._home.serving)
        store = Store(self._home.store)
        begun.callback(store.close)
        objects = Objects(store)
        first_objects.seed(objects)
        settings = replace(
            self._settings,
            api=lambda: f"https://{HOST}:{port}",
            token=lambda namespace, account: str(tokens.issue(objects, namespace, account, {})["status"]["token"]),
        )
        node = Node(objects, self._home.node, settings)
        begun.push_async_callback(node.stop)
        await node.start()
        for controller in _controllers(objects, authority, node):
            loop = Loop(store, controller)
            begun.push_async_callback(loop.stop)
            loop.start()
        operator = Operator(objects, node.address)
        begun.push_async_callback(operator.stop)
        operator.start()
        streaming = Streaming(objects, start=node.exec, attach=node.exec, address=node.address)
        answers = {**streaming.answers, (PODS, "log"): PodLogs(objects, node.log).answer}
        server = Server(objects, self._home.serving, answers)
        begun.push_async_callback(server.stop)
        begun.push_async_callback(streaming.stop)  # before the server, which waits for open streams
        await server.start(port)
        return server

    async def stop(self) -> None:
        """End all of it; pods come back with the next start."""
        await self._begun.aclose()


def _controllers(objects: Objects, authority: str, node: Node) -> list[Controller]:
    """What Kubernetes itself does with objects."""
    return [
        Namespaces(objects, authority),
        Quotas(objects),
        Endpoints(objects, node.address),
        Jobs(objects),
        Claims(objects),
        Garbage(objects),
        Expiry(objects),
    ]
