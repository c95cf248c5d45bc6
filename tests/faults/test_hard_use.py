"""Programs that use the ports badly: too fast, too slow, too many, gone in the middle; the others do not notice."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness import heads
from tests.e2e.harness.conditions import until
from tests.e2e.harness.heads import Download, Received
from tests.e2e.harness.sessions import opened
from tests.e2e.harness.sockets import answered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.harness.running import Ray
    from tests.e2e.harness.sessions import Session

ANY = "--ports dashboard --port dashboard=0"
MIB = 1 << 20
CARRIERS = 16
"""Connections to the pod that a session may keep ready."""
DEAD_AFTER = 8.0
"""Seconds after which the keep-alive would have called a silent peer dead."""


@pytest.fixture
def session(ray: Ray, stand_in: str) -> Iterator[Session]:
    """One with a port of its own."""
    with opened(ray, f"{stand_in} {ANY}", "dashboard") as made:
        yield made


def nothing_under_way(port: int) -> None:
    """The far side was told of every connection that ended."""
    until(lambda: heads.busy(port) == 0, "the far side has ended all", within=30)


def test_far_side_sends_faster_than_it_is_read(session: Session) -> None:
    """200 MB for a reader that does not read: they stay where they are, not in our memory, and others do not wait."""
    port = session.port("dashboard")
    assert heads.download(port, 20 * MIB).right
    before = session.memory
    stalled = Download(port, 200 * MIB, room=MIB)
    stalled.first()
    for _ in range(5):
        assert heads.download(port, 10 * MIB) == Received(10 * MIB, right=True)
    assert session.memory - before < 24 * MIB
    stalled.vanish()
    nothing_under_way(port)


@pytest.mark.full
def test_stalled_reader_goes_on(session: Session) -> None:
    """A reader that slept for longer than the keep-alive waits gets the rest, each byte of it."""
    port = session.port("dashboard")
    stalled = Download(port, 60 * MIB, room=MIB)
    stalled.first()
    end = time.monotonic() + DEAD_AFTER
    while time.monotonic() < end:  # what has to pass is time itself, as the keep-alive counts it
        assert answered(port)["ray_version"] == "2.52.0"
    assert stalled.rest() == Received(60 * MIB, right=True)
    assert "is lost" not in session.running.said


def test_clients_that_vanish(session: Session) -> None:
    """A hundred programs die in the middle of a download: the far side hears of each, and nothing of them stays.

    Carriers do, for a while: no more than are ever made, and far fewer than a hundred.
    """
    port = session.port("dashboard")
    before = session.used
    for _round in range(2):
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(lambda _: gone_soon(port), range(50)))
        nothing_under_way(port)
        assert heads.download(port, MIB) == Received(MIB, right=True)
    until(lambda: session.used[0] <= before[0] + CARRIERS + 2, f"no descriptor is left of {before}", within=20)
    until(lambda: session.used[1] <= before[1] + 1, f"no thread is left of {before}", within=20)
    assert "is lost" not in session.running.said


def gone_soon(port: int) -> None:
    """Ask for very much, see the beginning of it, and die."""
    client = Download(port, 1 << 30)
    client.first()
    client.vanish()


def test_half_closed(session: Session) -> None:
    """A program that says it will ask for nothing else still gets the whole answer."""
    asked = Download(session.port("dashboard"), MIB)
    asked.no_more()
    assert asked.rest() == Received(MIB, right=True)


def test_up_and_down_at_once(session: Session) -> None:
    """Four connections bring data while four take some: every checksum is right."""
    port = session.port("dashboard")
    data = os.urandom(20 * MIB + 13)
    with ThreadPoolExecutor(8) as pool:
        ups = [pool.submit(heads.upload, port, data) for _ in range(4)]
        downs = [pool.submit(heads.download, port, 20 * MIB + 7) for _ in range(4)]
    assert all(each.result() == heads.checksum(data) for each in ups)
    assert all(each.result() == Received(20 * MIB + 7, right=True) for each in downs)


def test_five_hundred_at_once(session: Session) -> None:
    """All of them open at the same time, twice: none fails, and the second time takes no more than the first."""
    port = session.port("dashboard")
    used = []
    for _round in range(2):
        clients = [Download(port, 100_000 + number) for number in range(500)]
        assert [each.rest() for each in clients] == [Received(100_000 + number, right=True) for number in range(500)]
        used.append((session.used, session.memory))
    until(lambda: session.used[0] <= used[0][0][0] + 2, f"no descriptor is left: {used}, now {session.used}", within=20)
    assert session.memory - used[0][1] < 16 * MIB


@pytest.mark.full
def test_ten_thousand_in_a_row(session: Session) -> None:
    """None fails; afterwards there are the carriers that are kept for a while, and memory as after the first thousand.

    A node may take a second to end a connection, so that some hundreds are always about to end.
    """
    port = session.port("dashboard")
    before = session.used
    memory = []
    for _round in range(10):
        for _ in range(1000):
            assert heads.download(port, 1000) == Received(1000, right=True)
        memory.append(session.memory)
    until(lambda: session.used[0] <= before[0] + CARRIERS, f"no descriptor is left of {before}", within=30)
    until(lambda: session.used[1] <= before[1] + 1, f"no thread is left of {before}", within=30)
    assert memory[-1] - memory[0] < 8 * MIB
