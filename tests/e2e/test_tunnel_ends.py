"""A session at its end: by Ctrl-C, SIGTERM or a closed terminal, at any moment; no port, thread or child is left."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness import heads
from tests.e2e.harness.conditions import until
from tests.e2e.harness.sessions import SOON, Session, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.harness.front import Front
    from tests.e2e.harness.live import Live
    from tests.e2e.harness.running import Ray
    from tests.e2e.harness.wire import Wire

ANY = "--ports dashboard --port dashboard=0"
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
NOWHERE = "--head-node-selectors=nowhere=here --worker-node-selectors=nowhere=here"


def ends(running: Live, number: int) -> None:
    """It dies of the signal within a second, and leaves nothing."""
    Session(running).end(number)


@pytest.mark.parametrize("number", SIGNALS)
def test_while_open(ray: Ray, stand_in: str, number: int) -> None:
    """With connections under way, one of them stalled."""
    with opened(ray, f"{stand_in} {ANY}", "dashboard") as session:
        stalled = heads.Download(session.port("dashboard"), 1 << 30)
        stalled.first()
        session.end(number)
        assert stalled.rest().right


@pytest.mark.parametrize("number", SIGNALS)
def test_before_the_first_answer(front: Front, ray_by_front: Ray, stand_in: str, number: int) -> None:
    """While the API server has not said a word."""
    held = front.hold(r"GET .*rayclusters")
    with ray_by_front.live(f"cluster session {stand_in} {ANY}") as running:
        assert held.reached.wait(30)
        ends(running, number)


@pytest.mark.parametrize("number", SIGNALS)
def test_while_the_way_is_made(front: Front, ray_by_front: Ray, stand_in: str, number: int) -> None:
    """While the upgrade hangs."""
    held = front.hold(r"\S+ .*/portforward")
    with ray_by_front.live(f"cluster session {stand_in} {ANY}") as running:
        assert held.reached.wait(30)
        ends(running, number)


@pytest.mark.parametrize("number", SIGNALS)
def test_while_the_cluster_is_not_ready(ray: Ray, fresh: Callable[[str], str], number: int) -> None:
    """While it waits for a head."""
    name = fresh("stop")
    ray(f"cluster create {name} --no-wait {NOWHERE}")
    with ray.live(f"cluster session {name} {ANY}") as running:
        running.see("Waiting for", within=30)
        ends(running, number)


@pytest.mark.parametrize("number", SIGNALS)
def test_while_it_reconnects(wire: Wire, ray_by_wire: Ray, stand_in: str, number: int) -> None:
    """While nobody answers, and a connection waits for better times."""
    with opened(ray_by_wire, f"{stand_in} {ANY}", "dashboard") as session:
        wire.cut()
        session.see("is lost")
        held = heads.Download(session.port("dashboard"), 1000)
        session.end(number)
        assert held.rest().length == 0


def test_on_a_terminal(ray: Ray, stand_in: str) -> None:
    """Ctrl-C typed there."""
    with ray.on_terminal(f"cluster session {stand_in} {ANY}") as running:
        running.see("Ray Dashboard Session started on port ")
        ends(running, signal.SIGINT)


def test_terminal_closed(ray: Ray, stand_in: str) -> None:
    """The window is closed: it ends as well."""
    with ray.on_terminal(f"cluster session {stand_in} {ANY}") as running:
        session = Session(running)
        session.port("dashboard")
        assert running.process.poll() is None
        began = time.monotonic()
        running.hang_up()
        until(lambda: running.process.poll() is not None, "its end", within=5)
        assert time.monotonic() - began < SOON
        assert running.process.returncode == -signal.SIGHUP
