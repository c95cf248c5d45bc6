"""Port-forward over WebSocket channels."""

from __future__ import annotations

import asyncio

from tests.unit.sandbox.streams.dialing import V4, dial, everything, forwarding, path


def test_each_channel_begins_with_its_port() -> None:
    """Two bytes, little-endian; then data both ways."""

    async def inner() -> None:
        async with forwarding() as world, dial(world, path("portforward", ports="7000,7001"), V4) as socket:
            got = [await socket.recv() for _ in range(4)]
            assert got == [b"\0\x58\x1b", b"\1\x58\x1b", b"\2\x59\x1b", b"\3\x59\x1b"]
            await socket.send(b"\2for the second")
            assert await socket.recv() == b"\2for the second"
            await socket.send(b"\0for the first")
            assert await socket.recv() == b"\0for the first"
            await socket.send(b"\7for nobody")
            await socket.send(b"\1on an error channel")

    asyncio.run(inner())


def test_an_error_has_its_channel() -> None:
    """The other port goes on; when none is left the WebSocket ends in order."""

    async def inner() -> None:
        async with forwarding() as world:
            async with dial(world, path("portforward", ports=[1, 7000]), V4) as socket:
                for _ in range(4):
                    await socket.recv()
                told = await socket.recv()
                assert isinstance(told, bytes)
                assert told.startswith(b"\1error forwarding port 1 to pod ")
                await socket.send(b"\2still here")
                assert await socket.recv() == b"\2still here"
            async with dial(world, path("portforward", ports=1), V4) as socket:
                assert (await everything(socket))[1] == 1000

    asyncio.run(inner())


def test_a_pod_that_closes_ends_its_channel() -> None:
    """What it sent before arrives."""

    async def saying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"x" * 300_000)
        writer.close()

    async def inner() -> int:
        async with forwarding(saying) as world, dial(world, path("portforward", ports=7000), V4) as socket:
            await socket.send(b"\0go")
            return len((await everything(socket))[0][0]) - 2

    assert asyncio.run(inner()) == 300_000
