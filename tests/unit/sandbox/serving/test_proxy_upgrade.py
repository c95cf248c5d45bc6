"""WebSockets through the proxy."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.unit.sandbox.serving.proxied import ROOT, Front, front

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

WEB = "/services/web:http/proxy"


def with_front(work: Callable[[Front], Awaitable[Any]]) -> Any:
    """What `work` finds."""

    async def run() -> Any:
        async with front() as made:
            return await work(made)

    return asyncio.run(run())


def dial(it: Front, path: str, **more: Any) -> connect:
    """A WebSocket."""
    return connect(f"ws://127.0.0.1:{it.port}{ROOT}{path}", proxy=None, max_size=None, **more)


def refusal(path: str) -> tuple[int, Any]:
    """The code and the body with which a WebSocket is refused."""

    async def work(it: Front) -> tuple[int, Any]:
        with pytest.raises(InvalidStatus) as refused:
            await dial(it, path)
        return refused.value.response.status_code, bytes(refused.value.response.body)

    code, body = with_front(work)
    return code, body


def status(path: str) -> tuple[int, str, str]:
    """Code, reason and words of a Status."""
    code, body = refusal(path)
    told = json.loads(body)
    assert told["code"] == code
    return code, told.get("reason", ""), told["message"]


@pytest.mark.parametrize("target", ["/services/web:http", "/pods/web:8000"])
def test_messages_go_both_ways(target: str) -> None:
    """Text and binary, long and short, and the agreed subprotocol and compression are the pod's."""

    async def work(it: Front) -> None:
        headers = {"X-Ray-Authorization": "Bearer ray", "Authorization": "Bearer secret"}
        async with dial(it, f"{target}/proxy/ws?x=1", subprotocols=["chat"], additional_headers=headers) as socket:
            assert socket.subprotocol == "chat"
            seen = json.loads(await socket.recv())
            assert seen["X-Ray-Authorization"] == "Bearer ray"
            assert "Authorization" not in seen
            for message in ("text", b"binary", "x" * 500_000, b""):
                await socket.send(message)
                assert await socket.recv() == message

    with_front(work)


def test_the_end_goes_through() -> None:
    """With the pod's own code."""

    async def work(it: Front) -> int | None:
        async with dial(it, f"{WEB}/ws") as socket:
            await socket.send("bye")
            await socket.wait_closed()
            return socket.close_code

    assert with_front(work) == 4001


def test_a_client_that_is_cut_off_cuts_off_the_pod() -> None:
    """Nothing stays open behind it."""

    async def work(it: Front) -> None:
        gone = asyncio.Event()

        async def upgrading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nhello")
            with contextlib.suppress(ConnectionError):
                assert await reader.read(-1) == b"early"
            gone.set()
            writer.close()

        async with await asyncio.start_server(upgrading, "127.0.0.1", 0) as server:
            it.ports[7000] = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
            path = f"{ROOT}/services/web:raw/proxy/x"
            head = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
            writer.write(head.encode() + b"early")
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 101 ")
            writer.close()
            await gone.wait()

    with_front(work)


def test_a_refusal_of_the_pod_reaches_the_client() -> None:
    """As it came."""
    assert refusal(f"{WEB}/refuse") == (403, b"Forbidden: Invalid authentication token")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (f"{WEB}/x", (500, "", "invalid upgrade response: status code 200")),
        (WEB, (500, "", "invalid upgrade response: status code 200")),
        (f"{WEB}/drop", (500, "", "unexpected EOF")),
        (
            "/services/web:closed/proxy/x",
            (500, "", "error dialing backend: dial tcp 127.0.0.1:8001: connect: connection refused"),
        ),
        (
            "/services/empty:http/proxy/x",
            (503, "ServiceUnavailable", 'no endpoints available for service "empty"'),
        ),
        ("/services/nope:http/proxy/x", (404, "NotFound", 'services "nope" not found')),
    ],
)
def test_what_cannot_be_upgraded_is_told(path: str, told: tuple[int, str, str]) -> None:
    """In the real server's words: they differ from those for plain requests."""
    assert status(path) == told


@pytest.mark.parametrize("said", [b"who are you?\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"SSH-2.0-x", b"x" * 100_000])
def test_something_that_speaks_no_http_is_told(said: bytes) -> None:
    """It is an answer of the proxy, not a broken connection."""

    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    async def work(it: Front) -> int:
        async with await asyncio.start_server(rude, "127.0.0.1", 0) as server:
            it.ports[7000] = server.sockets[0].getsockname()[1]
            with pytest.raises(InvalidStatus) as refused:
                await dial(it, "/services/web:raw/proxy/x")
            return refused.value.response.status_code

    assert with_front(work) == 500
