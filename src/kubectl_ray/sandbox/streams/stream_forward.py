"""Port-forward over SPDY streams: a pair of streams is a connection, any number of them at a time."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.streams.forwarding import Broken, forward
from kubectl_ray.sandbox.streams.liveness import ended, first_of, until_gone
from kubectl_ray.sandbox.streams.multiplex import Streams

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.streams.multiplex import Stream
    from kubectl_ray.sandbox.streams.wire import Wire

log = logging.getLogger(__name__)

PAIR_TIME = 30.0
"""Seconds that the second stream of a pair may take, as at the kubelet."""
MAX_PORT = 65_535


async def serve_streams(wire: Wire, pod: Object, where: Callable[[int], tuple[str, int] | None]) -> None:
    """Forward each connection that the client asks for, until it has gone."""
    connection = Streams(wire)
    pairs = _Pairs(connection, pod, where)

    async def ping() -> None:
        connection.session.ping()
        await connection.flush()

    try:
        await first_of(pairs.accept(), until_gone(ping))
    finally:
        await pairs.stop()
        await connection.close()


class _Pairs:
    def __init__(self, connection: Streams, pod: Object, where: Callable[[int], tuple[str, int] | None]) -> None:
        self._connection = connection
        self._pod = pod
        self._where = where
        self._waiting: dict[tuple[str, str], Stream] = {}
        self._timers: dict[tuple[str, str], asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def accept(self) -> None:
        """Take streams as they come, and start what is complete."""
        async for stream in self._connection.opened():
            kind = stream.headers.get("streamtype", "")
            if kind not in ("error", "data") or _port(stream) is None:
                await stream.reset()
                continue
            self._add(kind, _request(stream, kind), stream)

    def _add(self, kind: str, request: str, stream: Stream) -> None:
        other = ("data" if kind == "error" else "error", request)
        if (kind, request) in self._waiting:
            self._run(stream.reset())
            return
        found = self._waiting.pop(other, None)
        if found is None:
            self._waiting[kind, request] = stream
            loop = asyncio.get_running_loop()
            self._timers[kind, request] = loop.call_later(PAIR_TIME, self._give_up, (kind, request))
            return
        self._timers.pop(other).cancel()
        data, error = (stream, found) if kind == "data" else (found, stream)
        self._run(self._forward(data, error))

    def _give_up(self, key: tuple[str, str]) -> None:
        self._timers.pop(key, None)
        stream = self._waiting.pop(key, None)
        if stream is not None:
            self._run(stream.reset())

    def _run(self, work: asyncio._CoroutineLike[None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forward(self, data: Stream, error: Stream) -> None:
        port = _port(data) or 0
        try:
            await forward(data, self._pod, port, self._where(port))
            await data.finish()
            await error.finish()
        except Broken as broken:
            log.debug("%s", broken)
            try:
                await error.write(str(broken).encode())
            except ConnectionError:
                log.debug("the client has gone before it could be told")
            await error.finish()
            await data.reset()
        finally:
            self._connection.forget(data)
            self._connection.forget(error)

    async def stop(self) -> None:
        """End all connections."""
        for timer in self._timers.values():
            timer.cancel()
        await ended(*self._tasks)


def _port(stream: Stream) -> int | None:
    text = stream.headers.get("port", "")
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:6]) <= MAX_PORT:
        return None
    return int(text[:6])


def _request(stream: Stream, kind: str) -> str:
    """Clients of before Kubernetes 1.2 name no request; their pair has neighbouring stream numbers, error first."""
    return stream.headers.get("requestid", "") or f"#{stream.number - (2 if kind == 'data' else 0)}"
