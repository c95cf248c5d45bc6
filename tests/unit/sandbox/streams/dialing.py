"""Clients of the tests: WebSockets by the `websockets` library, SPDY by hand, plain requests by aiohttp."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

import aiohttp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.unit.sandbox.streams import spdy_client
from tests.unit.sandbox.streams.world import NAMESPACE, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.unit.sandbox.streams.world import World

V4, V5 = "v4.channel.k8s.io", "v5.channel.k8s.io"
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
SPDY = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}


def path(what: str, name: str = "web", **query: Any) -> str:
    """With the query as kubectl writes it."""
    return f"/api/v1/namespaces/{NAMESPACE}/pods/{name}/{what}?{urlencode(query, doseq=True)}"


def dial(world: World, where: str, *protocols: Any) -> connect:
    """A WebSocket."""
    url = f"wss://127.0.0.1:{world.port}{where}"
    return connect(url, ssl=world.client_tls, subprotocols=protocols, compression=None, proxy=None)


async def everything(socket: ClientConnection) -> tuple[dict[int, bytes], int]:
    """What came on each channel until the server closed, and its closing code."""
    pieces: dict[int, list[bytes]] = {}
    try:
        while True:
            message = await socket.recv()
            assert isinstance(message, bytes)
            pieces.setdefault(message[0], []).append(message[1:])
    except ConnectionClosed:
        return {channel: b"".join(each) for channel, each in pieces.items()}, socket.close_code or 0


def ask(method: str, where: str, headers: dict[str, str], **changes: Any) -> tuple[int, str, str]:
    """An answer's code, type and text."""

    async def inner() -> tuple[int, str, str]:
        async with serving(**changes) as world, aiohttp.ClientSession() as session:
            url = f"https://127.0.0.1:{world.port}{where}"
            async with session.request(method, url, headers=headers, ssl=world.client_tls) as answer:
                return answer.status, answer.content_type, await answer.text()

    return asyncio.run(inner())


def message(answer: tuple[int, str, str]) -> tuple[int, str]:
    """A Status' code and words."""
    code, kind, text = answer
    assert kind == "application/json"
    return code, json.loads(text)["message"]


class Spdy:
    """A client that speaks SPDY over TLS, by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.client = spdy_client.Client()

    @classmethod
    async def dial(cls, world: World, where: str, version: str = V4) -> Self:
        """After the upgrade."""
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port, ssl=world.client_tls)
        writer.write(
            f"POST {where} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
            f"X-Stream-Protocol-Version: v5.channel.k8s.io\r\nX-Stream-Protocol-Version: {version}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head == (
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
            b"X-Stream-Protocol-Version: " + version.encode() + b"\r\n\r\n"
        )
        return cls(reader, writer)

    def send(self, *frames: bytes) -> None:
        """Frames."""
        self.writer.write(b"".join(frames))

    async def data(self) -> dict[int, tuple[bytes, bool]]:
        """Data by stream, and whether it was finished, until the server says that it goes."""
        got: dict[int, tuple[bytes, bool]] = {}
        while received := await self.reader.read(65536):
            for frame in self.client.feed(received):
                if frame.kind == 0:
                    before, _ = got.get(frame.stream, (b"", False))
                    got[frame.stream] = before + frame.payload, frame.flags == 1
                if frame.kind == 7:
                    self.writer.close()
                    return got
        return got


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends back what it gets; a word more when the input has ended."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write(b" and goodbye")
    writer.close()


@contextlib.asynccontextmanager
async def forwarding(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] = echo,
) -> AsyncIterator[World]:
    """A world whose pod answers at port 7000 (and 7001)."""
    async with serving() as world, await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        world.ports[7000] = world.ports[7001] = server.sockets[0].getsockname()[1]
        yield world
