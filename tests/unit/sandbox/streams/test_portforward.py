"""Port-forward over SPDY, by itself and inside a WebSocket; and what is refused."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from kubectl_ray.sandbox.api.kinds import PODS
from tests.unit.sandbox.streams import spdy_client
from tests.unit.sandbox.streams.dialing import V4, Spdy, forwarding, path
from tests.unit.sandbox.streams.world import NAMESPACE, pod

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.sandbox.streams.world import World

TUNNEL = "SPDY/3.1+portforward.k8s.io"
PROTOCOL = "portforward.k8s.io"
ENDLESS = 100_000_000
"""Bytes, of which far less fits between the pod and a client that does not read."""
PASSES = 2_000


def pair(spdy: Spdy, number: int, port: int = 7000, request: str = "0") -> None:
    """Open the two streams of a connection: `number` is the error's, the next odd one the data's."""
    spdy.send(
        spdy.client.open(number, streamtype="error", port=str(port), requestid=request),
        spdy.client.open(number + 2, streamtype="data", port=str(port), requestid=request),
    )


async def frames(spdy: Spdy, until: Callable[[list[spdy_client.Frame]], bool]) -> list[spdy_client.Frame]:
    """What comes until it is enough; pings left out."""
    got: list[spdy_client.Frame] = []
    while not until(got):
        received = await spdy.reader.read(65536)
        if not received:
            return got
        got += [frame for frame in spdy.client.feed(received) if frame.kind != 6]
    return got


def finished(stream: int) -> Callable[[list[spdy_client.Frame]], bool]:
    """The server has sent the last of this stream."""
    return lambda got: any(frame.stream == stream and frame.kind == 0 and frame.flags for frame in got)


def text(got: list[spdy_client.Frame], stream: int) -> bytes:
    """The data of one stream."""
    return b"".join(frame.payload for frame in got if (frame.kind, frame.stream) == (0, stream))


def test_a_pair_of_streams_is_a_connection() -> None:
    """Half-close goes through, and the error stream ends without a word."""

    async def inner() -> None:
        async with forwarding() as world:
            spdy = await Spdy.dial(world, path("portforward"), PROTOCOL)
            pair(spdy, 1)
            spdy.send(spdy_client.data(3, b"hello", last=True))
            got = await frames(spdy, finished(1))
            assert (text(got, 3), text(got, 1)) == (b"hello and goodbye", b"")
            assert [frame.stream for frame in got if frame.kind == 2] == [1, 3]
            spdy.writer.close()

    asyncio.run(inner())


def test_pairs_may_be_mixed() -> None:
    """The request's number tells which two belong together; without one, neighbours do."""

    async def inner() -> None:
        async with forwarding() as world:
            spdy = await Spdy.dial(world, path("portforward"), PROTOCOL)
            common = {"port": "7000"}
            spdy.send(
                spdy.client.open(1, streamtype="data", requestid="a", **common),
                spdy.client.open(3, streamtype="error", requestid="b", **common),
                spdy.client.open(5, streamtype="data", requestid="b", **common),
                spdy.client.open(7, streamtype="error", requestid="a", **common),
                spdy.client.open(9, streamtype="error", **common),
                spdy.client.open(11, streamtype="data", **common),
            )
            for stream in (1, 5, 11):
                spdy.send(spdy_client.data(stream, str(stream).encode(), last=True))
            got = await frames(spdy, lambda got: all(finished(stream)(got) for stream in (1, 5, 11)))
            assert [text(got, stream) for stream in (1, 5, 11)] == [
                b"1 and goodbye",
                b"5 and goodbye",
                b"11 and goodbye",
            ]
            spdy.writer.close()

    asyncio.run(inner())


def test_a_refused_connection_is_told_on_the_error_stream() -> None:
    """And the data stream is reset; the SPDY connection goes on."""

    async def inner() -> None:
        async with forwarding() as world:
            spdy = await Spdy.dial(world, path("portforward"), PROTOCOL)
            pair(spdy, 1, port=1)
            got = await frames(spdy, lambda got: any(frame.kind == 3 for frame in got))
            told = text(got, 1).decode()
            assert told.startswith("error forwarding port 1 to pod ")
            assert ": failed to connect to localhost:1 inside namespace " in told
            assert told.endswith(
                "IPv4: dial tcp4 127.0.0.1:1: connect: connection refused"
                " IPv6 dial tcp6: address localhost: no suitable address found "
            )
            assert finished(1)(got)
            assert [frame.stream for frame in got if frame.kind == 3] == [3]
            pair(spdy, 5)
            spdy.send(spdy_client.data(7, b"x", last=True))
            assert text(await frames(spdy, finished(7)), 7) == b"x and goodbye"
            spdy.writer.close()

    asyncio.run(inner())


def test_a_port_without_a_listener_is_refused_in_the_same_words() -> None:
    """The pod has the port, but its process has gone."""

    async def inner() -> bytes:
        async with forwarding() as world:
            with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as closed:
                world.ports[8000] = closed.getsockname()[1]
            spdy = await Spdy.dial(world, path("portforward"), PROTOCOL)
            pair(spdy, 1, port=8000)
            got = await frames(spdy, finished(1))
            spdy.writer.close()
            return text(got, 1)

    assert b"dial tcp4 127.0.0.1:8000: connect: connection refused" in asyncio.run(inner())


def test_a_pod_that_breaks_off_is_told() -> None:
    """A reset is not an orderly end."""

    async def breaking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async def inner() -> bytes:
        async with forwarding(breaking) as world:
            spdy = await Spdy.dial(world, path("portforward"), PROTOCOL)
            pair(spdy, 1)
            spdy.send(spdy_client.data(3, b"x"))
            got = await frames(spdy, finished(1))
            spdy.writer.close()
            return text(got, 1)

    assert b"connection reset by peer" in asyncio.run(inner())


def test_a_client_that_gives_a_stream_up_ends_the_pods_connection() -> None:
    """And the error stream is finished, which kubectl waits for."""
    ended: list[bytes] = []

    async def listening(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            ended.append(await reader.read(-1))
        writer.close()

    async def inner() -> None:
        async with forwarding(listening) as world:
            spdy = await Spdy.dial(world, path("portforward"), PROTOCOL)
            pair(spdy, 1)
            spdy.send(spdy_client.data(3, b"x"), spdy_client.control(3, struct.pack(">II", 3, 5)))
            await frames(spdy, finished(1))
            spdy.writer.close()
        assert ended in ([b"x"], [b""])

    asyncio.run(inner())


@pytest.mark.parametrize(
    "headers",
    [
        {"streamtype": "data"},
        {"streamtype": "data", "port": "0"},
        {"streamtype": "data", "port": "65536"},
        {"streamtype": "data", "port": "+1"},
        {"streamtype": "data", "port": "9" * 5000},
        {"streamtype": "foo", "port": "7000"},
        {"port": "7000"},
    ],
)
def test_a_stream_with_wrong_headers_is_reset(headers: dict[str, str]) -> None:
    """It alone."""

    async def inner() -> None:
        async with forwarding() as world:
            spdy = await Spdy.dial(world, path("portforward"), PROTOCOL)
            spdy.send(spdy.client.open(1, **headers))
            got = await frames(spdy, lambda got: any(frame.kind == 3 for frame in got))
            assert got[-1].stream == 1
            spdy.writer.close()

    asyncio.run(inner())


def test_half_a_pair_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while."""
    monkeypatch.setattr("kubectl_ray.sandbox.streams.stream_forward.PAIR_TIME", 0.05)

    async def inner() -> None:
        async with forwarding() as world:
            spdy = await Spdy.dial(world, path("portforward"), PROTOCOL)
            spdy.send(spdy.client.open(1, streamtype="data", port="7000", requestid="0"))
            got = await frames(spdy, lambda got: any(frame.kind == 3 for frame in got))
            assert got[-1].stream == 1
            spdy.writer.close()

    asyncio.run(inner())


def test_a_client_that_does_not_read_stops_the_pod() -> None:
    """What the pod sends is not kept in memory without end."""
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        del reader
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(bytes(65536))
                await writer.drain()
                sent += 65536

    async def inner() -> None:
        async with forwarding(endless) as world:
            spdy = await Spdy.dial(world, path("portforward"), PROTOCOL)
            pair(spdy, 1)
            # All sides share one loop: what has not moved in many passes of it waits for the client.
            before, still = 0, 0
            while sent < ENDLESS and (not sent or still < PASSES):
                still = still + 1 if sent == before else 0
                before = sent
                await asyncio.sleep(0)
            assert 0 < sent < ENDLESS
            spdy.writer.transport.abort()

    asyncio.run(inner())


@pytest.mark.parametrize("leave", ["close", "abort"])
def test_the_pods_connections_end_with_the_client(leave: str) -> None:
    """Nothing stays open behind it."""

    async def inner() -> None:
        over = asyncio.Event()

        async def listening(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                await reader.read(-1)
            over.set()
            writer.close()

        async with forwarding(listening) as world:
            spdy = await Spdy.dial(world, path("portforward"), PROTOCOL)
            pair(spdy, 1)
            await frames(spdy, lambda got: len(got) == 2)
            getattr(spdy.writer.transport, leave)()
            await over.wait()

    asyncio.run(inner())


async def tunneled(world: World, *protocols: str) -> tuple[aiohttp.ClientSession, aiohttp.ClientWebSocketResponse]:
    """A WebSocket by aiohttp: `websockets` takes this protocol's name for none."""
    session = aiohttp.ClientSession()
    url = f"wss://127.0.0.1:{world.port}{path('portforward')}"
    return session, await session.ws_connect(url, protocols=protocols, ssl=world.client_tls)


@pytest.mark.parametrize("offered", [[TUNNEL], [V4, TUNNEL], ["SPDY/3.1+foo.k8s.io", TUNNEL]])
def test_spdy_goes_through_a_websocket(offered: list[str]) -> None:
    """In binary messages, cut anywhere; the tunnel goes before the older protocols."""

    async def inner() -> bytes:
        async with forwarding() as world:
            session, tunnel = await tunneled(world, *offered)
            assert tunnel.protocol == TUNNEL
            client, got = spdy_client.Client(), b""
            raw = client.open(1, streamtype="error", port="7000", requestid="0")
            raw += client.open(3, streamtype="data", port="7000", requestid="0")
            raw += spdy_client.data(3, b"hello", last=True)
            for at in range(0, len(raw), 7):
                await tunnel.send_bytes(raw[at : at + 7])
            while not got.endswith(b"goodbye"):
                got += b"".join(frame.payload for frame in client.feed(await tunnel.receive_bytes()) if not frame.kind)
            await tunnel.close()
            await session.close()
            return got

    assert asyncio.run(inner()) == b"hello and goodbye"


@pytest.mark.parametrize("ending", ["deleted", "Succeeded"])
def test_a_tunnel_ends_with_its_pod(ending: str) -> None:
    """Deleted, or over for good."""

    async def inner() -> Any:
        async with forwarding() as world:
            session, tunnel = await tunneled(world, TUNNEL)
            if ending == "deleted":
                world.objects.store.drop(PODS, world.objects.get(PODS, NAMESPACE, "web"))
            else:
                world.objects.store.put(PODS, {**pod(), "status": {"phase": ending}})
            kinds = [(await tunnel.receive()).type for _ in range(2)]
            await session.close()
            return kinds

    assert asyncio.run(inner()) == [aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.CLOSE]
