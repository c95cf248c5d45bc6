"""Parts of the real cluster that stop under a session: it says so once, and heals when they are back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness import heads
from tests.e2e.harness.heads import Received
from tests.e2e.harness.sessions import opened

if TYPE_CHECKING:
    from tests.e2e.harness.faults import Faults
    from tests.e2e.harness.running import Ray
    from tests.e2e.harness.sessions import Session

ANY = "--ports dashboard --port dashboard=0"
MIB = 1 << 20

pytestmark = [
    pytest.mark.full,
    pytest.mark.only("real", why="the sandbox is one process; its end is a case of test_sandbox_faults.py"),
]


def healed(session: Session, before: heads.Download) -> None:
    """One loss was said, and one end of it; what was under way ended, with nothing wrong in it; new ones work."""
    assert before.rest().right
    session.see("reconnected after", within=90)
    assert heads.download(session.port("dashboard"), MIB) == Received(MIB, right=True)
    assert session.running.said.count("is lost") == session.running.said.count("reconnected after")


def test_api_server_killed_and_started(ray: Ray, faults: Faults, stand_in: str) -> None:
    """It refuses connections for a while."""
    with opened(ray, f"{stand_in} {ANY}", "dashboard") as session:
        under_way = heads.Download(session.port("dashboard"), 1 << 34)
        under_way.first()
        with faults.stopped("apiserver"):
            session.see("is lost", within=15)
        healed(session, under_way)


@pytest.mark.parametrize("act", ["paused", "stopped"])
def test_kubelet(ray: Ray, faults: Faults, stand_in: str, act: str) -> None:
    """Frozen, it keeps its connections and carries nothing; killed, it drops them."""
    with opened(ray, f"{stand_in} {ANY}", "dashboard") as session:
        under_way = heads.Download(session.port("dashboard"), 1 << 34)
        under_way.first()
        with getattr(faults, act)("kubelet"):
            session.see("is lost", within=20)
        healed(session, under_way)


def test_api_server_frozen(ray: Ray, faults: Faults, stand_in: str) -> None:
    """It takes connections and says nothing: found dead, and left by Ctrl-C within a second all the same."""
    with opened(ray, f"{stand_in} {ANY}", "dashboard") as session:
        with faults.paused("apiserver"):
            session.see("is lost", within=20)
        session.see("reconnected after", within=90)
        assert heads.download(session.port("dashboard"), MIB).right
        with faults.paused("apiserver"):
            session.end()
