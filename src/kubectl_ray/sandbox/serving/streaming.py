"""The subresources that are streams: exec, attach and port-forward of pods, and the proxies of pods and services.

The one place that joins `streams` and `proxy` to the server; what runs pods hands in how to start and where to reach.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api.kinds import PODS, SERVICES
from kubectl_ray.sandbox.serving.proxy import Proxy
from kubectl_ray.sandbox.streams.execs import handle_attach, handle_exec
from kubectl_ray.sandbox.streams.liveness import ended
from kubectl_ray.sandbox.streams.portforward import handle_portforward

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from aiohttp import web

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.serving.proxy_target import Address
    from kubectl_ray.sandbox.serving.verbs import Stream
    from kubectl_ray.sandbox.streams.process import Start


class Streaming:
    """Answers them; `answers` is what the server takes.

    Args:
        objects: where pods and services are.
        start: runs a command in a container.
        attach: joins a container's own process; called without a command.
        address: where a pod's port is on this machine; None when nothing can listen there.
    """

    def __init__(self, objects: Objects, *, start: Start, attach: Start, address: Address) -> None:
        self._objects = objects
        self._start = start
        self._attach = attach
        self._address = address
        self._proxy = Proxy(objects, address)
        self._open: set[asyncio.Task[Any]] = set()

    @property
    def answers(self) -> dict[tuple[Kind, str], Stream]:
        """Who answers which subresource."""
        return {
            (PODS, "exec"): self._exec,
            (PODS, "attach"): self._join,
            (PODS, "portforward"): self._forward,
            (PODS, "proxy"): self._pod,
            (SERVICES, "proxy"): self._service,
        }

    async def stop(self) -> None:
        """End every stream, with the processes that were started for them; before the server is stopped."""
        await ended(*self._open)
        await self._proxy.stop()

    async def _until_end(self, work: Coroutine[Any, Any, web.StreamResponse]) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self._open.add(task)
        try:
            return await work
        finally:
            self._open.discard(task)

    async def _exec(self, request: web.Request, namespace: str, name: str, rest: str) -> web.StreamResponse:
        del rest
        return await self._until_end(handle_exec(request, namespace, name, objects=self._objects, start=self._start))

    async def _join(self, request: web.Request, namespace: str, name: str, rest: str) -> web.StreamResponse:
        del rest
        return await self._until_end(handle_attach(request, namespace, name, objects=self._objects, start=self._attach))

    async def _forward(self, request: web.Request, namespace: str, name: str, rest: str) -> web.StreamResponse:
        del rest
        return await self._until_end(
            handle_portforward(request, namespace, name, objects=self._objects, address=self._address)
        )

    async def _pod(self, request: web.Request, namespace: str, name: str, rest: str) -> web.StreamResponse:
        return await self._until_end(self._proxy.handle(request, PODS, namespace, name, rest))

    async def _service(self, request: web.Request, namespace: str, name: str, rest: str) -> web.StreamResponse:
        return await self._until_end(self._proxy.handle(request, SERVICES, namespace, name, rest))
