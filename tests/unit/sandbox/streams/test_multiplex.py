"""Streams of one SPDY connection."""

from __future__ import annotations

import asyncio
from typing import Self

import pytest

from kubectl_ray.sandbox.streams.multiplex import MAX_UNREAD, Stream, Streams
from tests.unit.sandbox.streams.spdy_client import Client, Frame, control, data


class Wire:
    """Bytes in memory; counts what was read."""

    def __init__(self) -> None:
        self.sent = b""
        self.taken = 0
        self.closed = False
        self._coming: asyncio.Queue[bytes] = asyncio.Queue()

    def give(self, *pieces: bytes) -> None:
        """To be read."""
        for piece in pieces:
            self._coming.put_nowait(piece)

    async def read(self) -> bytes:
        """The next piece."""
        piece = await self._coming.get()
        self.taken += 1
        return piece

    async def write(self, data: bytes) -> None:
        """Kept."""
        if self.closed:
            raise ConnectionResetError
        self.sent += data

    async def close(self) -> None:
        """From now on nothing can be written."""
        self.closed = True


class Peer:
    """A connection with one stream open, and what accepts more of them."""

    def __init__(self) -> None:
        self.wire, self.client = Wire(), Client()
        self.connection = Streams(self.wire)
        self.accepted: list[Stream] = []

    async def __aenter__(self) -> Self:
        self.wire.give(self.client.open(1, streamtype="data"))
        self.task = asyncio.ensure_future(self._accept())
        await settled()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def _accept(self) -> None:
        async for stream in self.connection.opened():
            self.accepted.append(stream)

    def frames(self) -> list[Frame]:
        """Those sent since the last time."""
        sent, self.wire.sent = self.wire.sent, b""
        return list(self.client.feed(sent))


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_an_opened_stream_is_accepted() -> None:
    """The client sees a SYN_REPLY before anything else of the stream."""

    async def run() -> None:
        async with Peer() as peer:
            await peer.accepted[0].write(b"hello")
            assert [(frame.kind, frame.payload) for frame in peer.frames()] == [(2, b"\0\0\0\0"), (0, b"hello")]

    asyncio.run(run())


def test_what_was_sent_is_read_to_its_end() -> None:
    """Also in smaller pieces than it came; b"" is the end, and stays it."""

    async def run() -> None:
        async with Peer() as peer:
            peer.wire.give(data(1, b"abc"), data(1, b"de", last=True))
            await settled()
            stream = peer.accepted[0]
            assert [await stream.read(4) for _ in range(4)] == [b"abcd", b"e", b"", b""]

    asyncio.run(run())


def test_a_stream_that_nobody_reads_holds_up_the_client() -> None:
    """Memory stays bounded; reading lets the client go on."""

    async def run() -> None:
        async with Peer() as peer:
            piece = data(1, b"x" * (MAX_UNREAD // 4))
            peer.wire.give(*[piece] * 20)
            await settled()
            assert peer.wire.taken == 1 + 4
            await peer.accepted[0].read(MAX_UNREAD)
            await settled()
            assert peer.wire.taken == 1 + 8

    asyncio.run(run())


def test_a_stream_that_is_forgotten_does_not_hold_up_others() -> None:
    """What came for it is of no interest any more."""

    async def run() -> None:
        async with Peer() as peer:
            peer.wire.give(data(1, b"x" * MAX_UNREAD), peer.client.open(3))
            await settled()
            assert len(peer.accepted) == 1
            peer.connection.forget(peer.accepted[0])
            await settled()
            assert len(peer.accepted) == 2

    asyncio.run(run())


def test_a_stream_that_the_client_gave_up_is_an_error() -> None:
    """Both for reading and for writing: its end was not the sender's."""

    async def run() -> None:
        async with Peer() as peer:
            peer.wire.give(data(1, b"x"), control(3, b"\0\0\0\1\0\0\0\5"))
            await settled()
            with pytest.raises(ConnectionError):
                await peer.accepted[0].read(10)
            with pytest.raises(ConnectionError):
                await peer.accepted[0].write(b"x")

    asyncio.run(run())


def test_the_connections_end_is_the_streams_end() -> None:
    """Who reads from one does not wait for ever."""

    async def run() -> None:
        async with Peer() as peer:
            peer.wire.give(b"")
            assert await peer.accepted[0].read(10) == b""
            await peer.task

    asyncio.run(run())


def test_rubbish_ends_the_connection_with_a_word() -> None:
    """GOAWAY with PROTOCOL_ERROR."""

    async def run() -> None:
        async with Peer() as peer:
            peer.frames()
            peer.wire.give(b"\xff" * 64)
            await peer.task
            peer.wire.give(b"")
            await peer.connection.close()
            assert next((frame.kind, frame.payload[4:]) for frame in peer.frames()) == (7, b"\0\0\0\1")

    asyncio.run(run())


def test_finishing_after_the_client_has_gone_is_no_error() -> None:
    """There is nobody left to tell."""

    async def run() -> None:
        async with Peer() as peer:
            peer.wire.closed = True
            await peer.accepted[0].finish()
            await peer.accepted[0].reset()

    asyncio.run(run())
