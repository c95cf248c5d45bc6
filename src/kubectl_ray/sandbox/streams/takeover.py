"""Taking a connection over below aiohttp, which knows of no upgrades but WebSockets.

The HTTP server's protocol object is taken off its transport and put back in the end, so that it can count the
connection out. This is the only module that knows how aiohttp holds a connection.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterable

READ_SIZE = 64 * 1024
CLOSING_TIME = 5.0
"""Seconds that the peer gets to close first, so that what we sent last is not lost by a reset."""


class TakenOver:
    """A plain stream of bytes to the client; reading and writing wait for the other side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        """Some bytes; b"" when the client has gone."""
        try:
            return await self._reader.read(READ_SIZE)
        except ConnectionError:
            return b""

    async def write(self, data: bytes) -> None:
        """Send; returns when there is room for more.

        Raises:
            ConnectionError: the client has gone.
        """
        if self._writer.is_closing():  # the TLS transport fails with an AttributeError where it should say so
            raise ConnectionResetError("the client has gone")
        self._writer.write(data)
        await self._writer.drain()

    async def close(self) -> None:
        """Let the client read to the end, then close."""
        try:
            async with asyncio.timeout(CLOSING_TIME):
                await self._writer.drain()
                while await self.read():
                    pass
        except (TimeoutError, ConnectionError):
            pass
        self.abort()

    def abort(self) -> None:
        """Close at once; what the transport still holds is sent."""
        if not self._writer.is_closing():
            self._writer.close()


class Left(web.StreamResponse):
    """What a handler returns after it took the connection over: aiohttp has nothing to send any more."""

    async def prepare(self, request: web.BaseRequest) -> None:
        """Nothing: the head went out when the connection was taken over."""
        del request
        self.force_close()

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing."""
        del data


def switching(upgrade: str, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """The head of an answer that agrees to the upgrade (RFC 9110 §15.2.2)."""
    lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", f"Upgrade: {upgrade}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def take_over(request: web.BaseRequest) -> TakenOver:
    """The connection of a request that has no answer yet.

    Raises:
        ConnectionError: the client has gone.
    """
    transport = request.transport
    if transport is None:
        raise ConnectionResetError("the client has gone")
    served = request.protocol
    reader = asyncio.StreamReader(limit=READ_SIZE)
    # Bytes that came right behind the request's head wait inside the server's protocol; they go to its parser.
    served.set_parser(cast("Any", _Early(reader)))
    protocol = _Protocol(reader, served)
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    writer = asyncio.StreamWriter(
        cast("asyncio.WriteTransport", transport), protocol, reader, asyncio.get_running_loop()
    )
    return TakenOver(reader, writer)


class _Early:
    """The parser's side that `set_parser` speaks to."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self._reader.feed_data(data)
        return False, b""

    def feed_eof(self) -> None:
        """Told by the transport as well."""


class _Protocol(asyncio.StreamReaderProtocol):
    def __init__(self, reader: asyncio.StreamReader, served: asyncio.BaseProtocol) -> None:
        super().__init__(reader)
        self._served = served

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._served.connection_lost(exc)
