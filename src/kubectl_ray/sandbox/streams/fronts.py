"""The client's side of exec and attach, in the two ways it can come: WebSocket channels, or SPDY streams."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, NamedTuple, Protocol

from aiohttp import WSMsgType

from kubectl_ray.sandbox.streams import channels
from kubectl_ray.sandbox.streams.liveness import ended
from kubectl_ray.sandbox.streams.multiplex import Streams

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web

    from kubectl_ray.sandbox.streams.multiplex import Stream
    from kubectl_ray.sandbox.streams.wire import Wire

PIECE = 32 * 1024
CREATION_TIME = 30.0
"""Seconds that a SPDY client has for opening its streams, as at the kubelet."""


class Wanted(NamedTuple):
    """Which streams the request asks for."""

    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool


class Front(Protocol):
    """What a session needs of its client. Writing raises ConnectionError when the client has gone."""

    protocol: str

    def inputs(self) -> AsyncIterator[tuple[int, bytes]]:
        """Pieces on STDIN (b"" is its end) and RESIZE, until the client has gone."""

    async def send(self, channel: int, data: bytes) -> None:
        """Output on a channel; returns when there is room for more."""

    async def finish(self, channel: int) -> None:
        """No more output on this channel."""

    async def ping(self) -> None:
        """Ask whether the client is there; it need not answer."""

    async def close(self) -> None:
        """Let the client read to the end, then close."""


class ChannelFront:
    """Channels in the messages of a WebSocket."""

    def __init__(self, socket: web.WebSocketResponse, protocol: str) -> None:
        self.protocol = protocol
        self._socket = socket

    async def inputs(self) -> AsyncIterator[tuple[int, bytes]]:
        """Text messages count as well."""
        while True:
            message = await self._socket.receive()
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
                return
            data = message.data.encode() if message.type is WSMsgType.TEXT else message.data
            parts = channels.split(data, self.protocol)
            if parts is None:
                continue
            channel, text = parts
            if channel == channels.CLOSE:
                if text[:1] == bytes([channels.STDIN]):
                    yield channels.STDIN, b""
            elif channel in (channels.STDIN, channels.RESIZE) and text:
                yield channel, text

    async def send(self, channel: int, data: bytes) -> None:
        """One message."""
        await self._socket.send_bytes(bytes([channel]) + data)

    async def finish(self, channel: int) -> None:
        """The server says nothing of single channels."""

    async def ping(self) -> None:
        """A ping frame."""
        await self._socket.ping()

    async def close(self) -> None:
        """The closing handshake."""
        await self._socket.close()


class SpdyFront:
    """A SPDY stream for each of stdin, stdout, stderr, error and resize."""

    NAMES = ("stdin", "stdout", "stderr", "error", "resize")

    def __init__(self, wire: Wire, wanted: Wanted) -> None:
        self.protocol = channels.V4
        self._connection = Streams(wire)
        self._streams: dict[int, Stream] = {}
        self._complete = asyncio.Event()
        self._missing = {channels.ERROR}
        self._missing |= {channel for channel, asked in enumerate(wanted[:3]) if asked}
        self._missing |= {channels.RESIZE} if wanted.tty else set()
        self._accepting = asyncio.ensure_future(self._accept())

    async def _accept(self) -> None:
        async for stream in self._connection.opened():
            name = stream.headers.get("streamtype", "")
            if name in self.NAMES:
                channel = self.NAMES.index(name)
                self._streams.setdefault(channel, stream)
                self._missing.discard(channel)
            if not self._missing:
                self._complete.set()
        self._complete.set()

    async def ready(self) -> bool:
        """Wait until the client has opened all streams that it asked for; False when it does not."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._complete.wait(), CREATION_TIME)
        return not self._missing

    async def inputs(self) -> AsyncIterator[tuple[int, bytes]]:
        """Both streams at once: a terminal changes its size while nothing is typed."""
        pieces: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue(1)

        async def read(channel: int) -> None:
            stream = self._streams.get(channel)
            while stream is not None:
                try:
                    data = await stream.read(PIECE)
                except ConnectionError:  # given up: nothing more will come
                    data = b""
                for piece in data.splitlines() if channel == channels.RESIZE else [data]:
                    await pieces.put((channel, piece))
                if not data:
                    return

        async def wait() -> None:
            await asyncio.wait([self._accepting])
            await pieces.put(None)

        tasks = [asyncio.ensure_future(each) for each in (read(channels.STDIN), read(channels.RESIZE), wait())]
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
        finally:
            await ended(*tasks)

    async def send(self, channel: int, data: bytes) -> None:
        """On its stream."""
        if channel in self._streams:
            await self._streams[channel].write(data)

    async def finish(self, channel: int) -> None:
        """FIN on its stream."""
        if channel in self._streams:
            await self._streams[channel].finish()

    async def ping(self) -> None:
        """A PING frame."""
        self._connection.session.ping()
        await self._connection.flush()

    async def close(self) -> None:
        """GOAWAY, and the end of the connection."""
        await ended(self._accepting)
        await self._connection.close()
