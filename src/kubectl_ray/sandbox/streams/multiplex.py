"""The streams of one SPDY connection, each to be read and written on its own.

SPDY as Kubernetes speaks it has no flow control. A stream that is not read holds up the whole connection once its
buffer is full, as at the kubelet: memory stays bounded, and the client's sending stops by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.streams.spdy import PROTOCOL_ERROR, GoneAway, Opened, Received, Reset, Session, SpdyError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kubectl_ray.sandbox.streams.spdy import Event
    from kubectl_ray.sandbox.streams.wire import Wire

MAX_UNREAD = 1024 * 1024
"""Bytes of one stream that may wait before the connection is read no further."""


class Stream:
    """One stream that the client opened."""

    def __init__(self, connection: Streams, number: int, headers: dict[str, str]) -> None:
        self.number = number
        self.headers = headers
        self.reset_by_peer = False
        self._connection = connection
        self._unread = bytearray()
        self._ended = False
        self._readable = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()

    async def read(self, size: int) -> bytes:
        """At most `size` bytes; b"" when the client has ended the stream, or the connection.

        Raises:
            ConnectionError: the client gave the stream up.
        """
        await self._readable.wait()
        if self.reset_by_peer:
            raise ConnectionResetError("the client gave the stream up")
        piece = bytes(self._unread[:size])
        del self._unread[:size]
        if not self._unread and not self._ended:
            self._readable.clear()
        if len(self._unread) < MAX_UNREAD:
            self._roomy.set()
        return piece

    async def write(self, data: bytes) -> None:
        """Send; returns when there is room for more.

        Raises:
            ConnectionError: the client gave the stream up, or has gone.
        """
        if self.reset_by_peer:
            raise ConnectionResetError("the client gave the stream up")
        self._connection.session.send(self.number, data)
        await self._connection.flush()

    async def finish(self) -> None:
        """Nothing more comes from us. Nothing happens when the client has gone."""
        self._connection.session.send(self.number, b"", finish=True)
        with contextlib.suppress(ConnectionError):
            await self._connection.flush()

    async def reset(self) -> None:
        """Give it up in both directions. Nothing happens when the client has gone."""
        self._connection.session.reset(self.number)
        self._connection.forget(self)
        with contextlib.suppress(ConnectionError):
            await self._connection.flush()

    def feed(self, data: bytes) -> None:
        """For the connection: the client sent this."""
        self._unread += data
        if self._unread:
            self._readable.set()
        if len(self._unread) >= MAX_UNREAD and not self._ended:
            self._roomy.clear()

    def end(self) -> None:
        """For the connection: no more of it will come."""
        self._ended = True
        self._readable.set()
        self._roomy.set()

    async def room(self) -> None:
        """For the connection: wait until its buffer may be filled further."""
        await self._roomy.wait()


class Streams:
    """A connection's streams, over the wire that is handed in."""

    def __init__(self, wire: Wire) -> None:
        self.session = Session()
        self._wire = wire
        self._streams: dict[int, Stream] = {}
        self._sending = asyncio.Lock()

    async def opened(self) -> AsyncIterator[Stream]:
        """Each stream as the client opens it, already accepted; ends when the client has gone or sent rubbish."""
        try:
            while data := await self._wire.read():
                try:
                    events = self.session.receive(data)
                except SpdyError:
                    self.session.go_away(PROTOCOL_ERROR)
                    break
                for event in events:
                    if (stream := self._apply(event)) is not None:
                        yield stream
                await self.flush()
                for stream in list(self._streams.values()):
                    await stream.room()
        except ConnectionError:
            pass
        finally:
            for stream in self._streams.values():
                stream.end()

    def _apply(self, event: Event) -> Stream | None:
        if isinstance(event, Opened):
            stream = self._streams[event.stream] = Stream(self, event.stream, event.headers)
            if event.finished:
                stream.end()
            self.session.reply(event.stream)
            return stream
        if isinstance(event, GoneAway):
            return None
        known = self._streams.get(event.stream)
        if known is not None and isinstance(event, Received):
            known.feed(event.data)
            if event.finished:
                known.end()
        elif known is not None and isinstance(event, Reset):
            known.reset_by_peer = True
            self.forget(known)
        return None

    def forget(self, stream: Stream) -> None:
        """It is of no interest any more; what still comes of it is dropped."""
        stream.end()
        self._streams.pop(stream.number, None)

    async def flush(self) -> None:
        """Send what has gathered; one at a time, so that frames keep their order.

        Raises:
            ConnectionError: the client has gone.
        """
        async with self._sending:
            if out := self.session.take():
                await self._wire.write(out)

    async def close(self) -> None:
        """Say that the connection ends, and close it."""
        self.session.go_away()
        with contextlib.suppress(ConnectionError):
            await self.flush()
        await self._wire.close()
