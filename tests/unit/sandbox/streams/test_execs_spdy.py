"""Exec over SPDY, with real processes."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.unit.sandbox.streams import spdy_client
from tests.unit.sandbox.streams.dialing import SPDY, V4, Spdy, ask, path
from tests.unit.sandbox.streams.world import serving

ACCEPTED = "v4.channel.k8s.io v3.channel.k8s.io v2.channel.k8s.io channel.k8s.io"


@pytest.mark.parametrize(
    ("headers", "code", "told"),
    [
        (SPDY, 400, "unable to upgrade: X-Stream-Protocol-Version is required"),
        (
            {**SPDY, "X-Stream-Protocol-Version": "zork"},
            403,
            f"unable to upgrade: unable to negotiate protocol: client supports [zork], server accepts [{ACCEPTED}]",
        ),
        (
            {**SPDY, "Upgrade": "foo", "X-Stream-Protocol-Version": V4},
            400,
            "unable to upgrade: missing upgrade headers in request",
        ),
    ],
)
def test_spdy_is_refused_in_the_kubelets_words(headers: dict[str, str], code: int, told: str) -> None:
    """Plain words."""
    assert ask("POST", path("exec", command="ls", stdout=1), headers) == (code, "text/plain", told)


def test_exec_over_spdy_has_a_stream_for_each_channel() -> None:
    """All of them are finished before the connection ends; the status is v4's."""

    async def inner() -> dict[int, tuple[bytes, bool]]:
        async with serving() as world:
            command = ["sh", "-c", "cat; echo err >&2; exit 3"]
            spdy = await Spdy.dial(world, path("exec", command=command, stdin=1, stdout=1, stderr=1))
            for number, name in ((1, "error"), (3, "stdin"), (5, "stdout"), (7, "stderr"), (9, "unknown")):
                spdy.send(spdy.client.open(number, streamtype=name))
            spdy.send(spdy_client.data(3, b"typed", last=True))
            return await spdy.data()

    got = asyncio.run(inner())
    status, finished = got.pop(1)
    assert got == {5: (b"typed", True), 7: (b"err\n", True)}
    assert finished
    assert json.loads(status)["message"].endswith(
        "error executing command [sh -c cat; echo err >&2; exit 3], exit code 3"
    )


def test_a_terminal_over_spdy_changes_its_size() -> None:
    """On a stream of its own, one line each."""

    async def inner() -> bytes:
        async with serving() as world:
            spdy = await Spdy.dial(world, path("exec", command="sh", stdin=1, stdout=1, tty=1))
            for number, name in ((1, "error"), (3, "stdin"), (5, "stdout"), (7, "resize")):
                spdy.send(spdy.client.open(number, streamtype=name))
            spdy.send(spdy_client.data(7, b'{"Width":10,"Height":5}\n{"Width":101,"Height":33}\n'))
            await world.start.happened.wait()
            assert [await world.start.started[0].sizes.get() for _ in range(2)] == [(10, 5), (101, 33)]
            spdy.send(spdy_client.data(3, b"stty size; exit\n"))
            return (await spdy.data())[5][0]

    assert b"33 101" in asyncio.run(inner())


def test_a_spdy_client_that_leaves_takes_its_process_with_it() -> None:
    """As with a WebSocket."""

    async def inner() -> None:
        async with serving() as world:
            spdy = await Spdy.dial(world, path("exec", command=["sleep", "100"], stdout=1))
            spdy.send(spdy.client.open(1, streamtype="error"), spdy.client.open(3, streamtype="stdout"))
            await world.start.happened.wait()
            spdy.writer.close()
            await world.start.started[0].wait()

    asyncio.run(inner())


def test_a_spdy_client_that_opens_no_streams_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is started for it."""
    monkeypatch.setattr("kubectl_ray.sandbox.streams.fronts.CREATION_TIME", 0.05)

    async def inner() -> None:
        async with serving() as world:
            spdy = await Spdy.dial(world, path("exec", command="ls", stdout=1))
            assert await spdy.data() == {}
            assert world.start.asked == []

    asyncio.run(inner())


def test_rubbish_instead_of_spdy_ends_the_connection() -> None:
    """And nothing is started."""

    async def inner() -> None:
        async with serving() as world:
            spdy = await Spdy.dial(world, path("exec", command="ls", stdout=1))
            spdy.send(b"\xff" * 100)
            assert await spdy.data() == {}
            assert world.start.asked == []

    asyncio.run(inner())
