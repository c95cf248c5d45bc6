"""The way to the pod goes bad: cut in the middle of a frame, garbage, silence, resets, nobody there for a while.

Nothing hangs, each byte that comes is right, the session heals by itself, and nothing of what went wrong stays.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness import heads
from tests.e2e.harness.conditions import until
from tests.e2e.harness.heads import Received
from tests.e2e.harness.sessions import opened
from tests.e2e.harness.sockets import answered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.harness.running import Ray
    from tests.e2e.harness.sessions import Session
    from tests.e2e.harness.wire import Wire

ANY = "--ports dashboard --port dashboard=0"
MIB = 1 << 20


@pytest.fixture
def session(ray_by_wire: Ray, stand_in: str) -> Iterator[Session]:
    """One whose way can go bad."""
    with opened(ray_by_wire, f"{stand_in} {ANY}", "dashboard") as made:
        yield made


def well(session: Session) -> bool:
    """A new connection works, and brings what it should."""
    return heads.download(session.port("dashboard"), MIB) == Received(MIB, right=True)


def beside(session: Session, wire: Wire) -> tuple[int, int]:
    """Descriptors and threads that it has, but for those of its connections to the API server, which come and go."""
    descriptors, threads = session.used
    return descriptors - wire.open, threads


def nothing_stays(session: Session, wire: Wire, before: tuple[int, int]) -> None:
    """It has no more than before, once what is being ended has ended; a dial under way has one of each."""

    def settled() -> bool:
        descriptors, threads = beside(session, wire)
        return descriptors <= before[0] + 1 and threads <= before[1] + 1

    until(settled, f"as before: {before}; now {beside(session, wire)}", within=20)


@pytest.mark.parametrize("act", ["cut", "reset", "garbage"])
def test_struck_in_the_middle_of_a_frame(session: Session, wire: Wire, act: str) -> None:
    """The connection under way ends short, with nothing wrong in it; the next one is whole."""
    port = session.port("dashboard")
    assert well(session)
    assert well(session)
    before = beside(session, wire)
    for number in range(3):
        fault = wire.arm(act, 3 * MIB + number * 1001)
        seen = heads.download(port, 40 * MIB)
        assert fault.struck.is_set()
        assert seen.right
        assert seen.length < 40 * MIB
        assert well(session)
    nothing_stays(session, wire, before)
    until(lambda: heads.busy(port) == 0, "the far side is told that nobody reads any more", within=20)


def test_silence(session: Session, wire: Wire) -> None:
    """A peer that says nothing any more is dead within ten seconds; when it is back, so are we."""
    port = session.port("dashboard")
    assert well(session)
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(heads.download, port, 1 << 34)
        until(lambda: heads.busy(port), "it is under way")
        wire.freeze()
        session.see("is lost", within=12)
        assert under_way.result().right
    wire.thaw()
    session.see("reconnected after", within=20)
    assert well(session)
    assert session.running.said.count("is lost") == 1


def test_silence_beside_a_stalled_reader(session: Session, wire: Wire) -> None:
    """A connection that is not read does not hide that the peer is dead."""
    port = session.port("dashboard")
    stalled = heads.Download(port, 1 << 30)
    stalled.first()
    assert well(session)
    wire.freeze()
    session.see("is lost", within=12)
    wire.thaw()
    session.see("reconnected after", within=20)
    assert well(session)
    assert stalled.rest().right


def test_nobody_there_for_a_while(session: Session, wire: Wire) -> None:
    """The API server is gone and comes back, three times: said once each time; what comes meanwhile is held."""
    port = session.port("dashboard")
    for times in range(1, 4):
        wire.cut()
        until(lambda: session.running.said.count("is lost") == times, "the loss is said")  # noqa: B023 - called at once
        early = heads.Download(port, 1000)
        wire.restore()
        assert early.rest() == Received(1000, right=True)
        until(lambda: session.running.said.count("reconnected after") == times, "and its end")  # noqa: B023 - the same
        assert well(session)


def test_one_in_a_hundred_is_reset(session: Session, wire: Wire) -> None:
    """Eight at once, 600 in all, the busiest way reset each hundredth time: only what was on it ends short."""
    port = session.port("dashboard")
    counted = threading.Lock()
    begun = 0

    def one(number: int) -> Received:
        nonlocal begun
        with counted:
            begun += 1
            if begun % 100 == 0:
                wire.reset_one()
        return heads.download(port, 50_000 + number)

    used = []
    for _round in range(2):
        with ThreadPoolExecutor(8) as pool:
            seen = list(pool.map(one, range(300)))
        assert all(each.right for each in seen)
        short = [each for number, each in enumerate(seen) if each.length != 50_000 + number]
        assert len(short) <= 3 * 8
        until(lambda: heads.busy(port) == 0, "the far side has ended all", within=20)
        used.append(beside(session, wire))
    nothing_stays(session, wire, used[0])


@pytest.mark.parametrize(
    ("refused", "way"),
    [
        (rb"GET .*Sec-WebSocket-Protocol: SPDY/3\.1\+portforward", "/portforward?ports=8265 101\n"),
        (rb"GET .*Upgrade: websocket", "/portforward 101\n"),
    ],
    ids=["v4", "post"],
)
def test_older_ways(ray_by_wire: Ray, wire: Wire, stand_in: str, refused: bytes, way: str) -> None:
    """Where the first way is refused the next one is taken, and remembered; many at once, down and up."""
    wire.refuse(refused, 400, "unable to upgrade: unsupported protocol")
    with opened(ray_by_wire, f"{stand_in} {ANY} -v=2", "dashboard") as session:
        port = session.port("dashboard")
        with ThreadPoolExecutor(10) as pool:
            assert all(
                each == Received(MIB, right=True) for each in pool.map(lambda _: heads.download(port, MIB), range(30))
            )
        data = os.urandom(3 * MIB + 17)
        assert heads.upload(port, data) == heads.checksum(data)
        assert answered(port)["ray_version"] == "2.52.0"
        last = session.running.err.rindex("/portforward")
        assert session.running.err[last:].startswith(way)
