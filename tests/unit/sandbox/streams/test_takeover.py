"""A connection that is taken over from aiohttp: its bytes, its end, and that the server counts it out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Any, cast

import pytest
from aiohttp import web

from kubectl_ray.sandbox.streams import takeover
from kubectl_ray.sandbox.streams.takeover import Left, TakenOver, switching, take_over

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n"
AGREED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n"
PATIENCE = 10.0
LINGER = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
"""Closing is a reset then."""


class Client:
    """The other end, and what the server knows of it."""

    def __init__(self, server: web.Server, reader: asyncio.StreamReader, writer: Any) -> None:
        self.server = server
        self.reader = reader
        self.writer: asyncio.StreamWriter = writer


@contextlib.asynccontextmanager
async def serving(handler: Callable[[TakenOver], Awaitable[None]]) -> AsyncIterator[Client]:
    """A server whose every request is taken over, and a client that has connected."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        wire = take_over(request)
        await wire.write(switching("shout"))
        await handler(wire)
        return Left()

    low = web.Server(answer, handler_cancellation=False)
    listening = await asyncio.get_running_loop().create_server(low, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
    try:
        async with asyncio.timeout(PATIENCE):
            yield Client(low, reader, writer)
    finally:
        writer.close()
        listening.close()
        await low.shutdown(1)
        await listening.wait_closed()


def play(handler: Callable[[TakenOver], Awaitable[None]], story: Callable[[Client], Awaitable[None]]) -> None:
    """A story with a server of its own."""

    async def run() -> None:
        async with serving(handler) as client:
            await story(client)

    asyncio.run(run())


async def shout(wire: TakenOver) -> None:
    """Say everything again, louder, until the client has gone."""
    while data := await wire.read():
        await wire.write(data.upper())
    await wire.close()


async def gone(client: Client) -> None:
    """Until the server counts no connection any more."""
    while client.server.connections:  # noqa: ASYNC110 - it tells nobody of this
        await asyncio.sleep(0)


def test_bytes_right_behind_the_head_are_not_lost() -> None:
    """They were read together with the request, before the connection was taken over.

    So it is where aiohttp knows what is asked for; behind others, SPDY among them, it looks for another request, and
    clients wait for the answer before they go on.
    """

    async def story(client: Client) -> None:
        client.writer.write(HEAD.replace(b"Upgrade: shout", b"Upgrade: websocket") + b"early")
        assert await client.reader.readexactly(len(AGREED) + 5) == AGREED + b"EARLY"
        client.writer.write(b" late")
        assert await client.reader.readexactly(5) == b" LATE"

    play(shout, story)


def test_the_server_counts_the_connection_out() -> None:
    """Both ends close, the client gets nothing behind the last byte."""

    async def story(client: Client) -> None:
        client.writer.write(HEAD)
        assert await client.reader.readexactly(len(AGREED)) == AGREED
        client.writer.write(b"bye")
        client.writer.write_eof()
        assert await client.reader.read() == b"BYE"
        await gone(client)

    play(shout, story)


def test_closing_lets_the_client_read_to_the_end() -> None:
    """What it still sends is read and dropped, so that no reset takes away what was sent to it."""
    last = b"x" * 1_000_000

    async def farewell(wire: TakenOver) -> None:
        await wire.write(last)
        await wire.close()

    async def story(client: Client) -> None:
        client.writer.write(HEAD)
        assert await client.reader.readexactly(len(AGREED)) == AGREED
        client.writer.write(b"y" * 500_000)
        assert await client.reader.readexactly(len(last)) == last
        client.writer.close()
        await gone(client)

    play(farewell, story)


def test_a_client_that_never_closes_is_closed_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has its time, and no longer."""
    monkeypatch.setattr(takeover, "CLOSING_TIME", 0.01)

    async def story(client: Client) -> None:
        client.writer.write(HEAD)
        assert await client.reader.read() == AGREED
        await gone(client)

    play(TakenOver.close, story)


def test_writing_after_the_end() -> None:
    """It is the error that every front expects of a client that has gone; closing again does nothing."""
    told: list[str] = []

    async def late(wire: TakenOver) -> None:
        wire.abort()
        wire.abort()
        try:
            await wire.write(b"more")
        except ConnectionResetError as error:
            told.append(str(error))

    async def story(client: Client) -> None:
        client.writer.write(HEAD)
        await client.reader.read()
        await gone(client)

    play(late, story)
    assert told == ["the client has gone"]


def test_a_reset_is_an_end() -> None:
    """Whoever reads is told no more than that nothing comes."""
    reads: list[bytes] = []

    async def reading(wire: TakenOver) -> None:
        reads.append(await wire.read())

    async def story(client: Client) -> None:
        client.writer.write(HEAD)
        await client.reader.readexactly(len(AGREED))
        client.writer.get_extra_info("socket").setsockopt(*LINGER)
        client.writer.transport.abort()
        await gone(client)

    play(reading, story)
    assert reads == [b""]


def test_a_client_that_has_gone_before() -> None:
    """There is nothing to take over."""

    class Gone:
        transport = None

    with pytest.raises(ConnectionResetError, match="the client has gone"):
        take_over(cast("web.BaseRequest", Gone()))
