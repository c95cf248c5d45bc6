"""Where SPDY's bytes come from and go to: a connection of its own, or the messages of a WebSocket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aiohttp import WSMsgType

if TYPE_CHECKING:
    from aiohttp import web


class Wire(Protocol):
    """Bytes in both directions."""

    async def read(self) -> bytes:
        """Some bytes; b"" when the client has gone."""

    async def write(self, data: bytes) -> None:
        """Send; returns when there is room for more.

        Raises:
            ConnectionError: the client has gone.
        """

    async def close(self) -> None:
        """Let the client read to the end, then close."""


class Tunnel:
    """Bytes in the binary messages of a WebSocket (Kubernetes KEP-4006)."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket

    async def read(self) -> bytes:
        """The next message that is not empty."""
        while True:
            message = await self._socket.receive()
            if message.type is WSMsgType.BINARY:
                if message.data:
                    return bytes(message.data)
            elif message.type is not WSMsgType.TEXT:
                return b""

    async def write(self, data: bytes) -> None:
        """One message."""
        await self._socket.send_bytes(data)

    async def close(self) -> None:
        """The closing handshake."""
        await self._socket.close()
