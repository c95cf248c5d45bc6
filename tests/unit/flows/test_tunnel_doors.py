"""What is known of a tunnel's ports, and what is told of them when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubectl_ray.flows.tunnel_changes import Absent, Change, Started
from kubectl_ray.flows.tunnel_doors import ABSENT_AFTER, IN_ORDER, LONG, PATIENT, PROBED, Doors
from kubectl_ray.flows.tunnel_ports import Port
from kubectl_ray.kube.relay_door import Listening
from kubectl_ray.kube.relay_told import NOBODY
from kubectl_ray.models.pod import Pod
from tests.kuberay import head

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_ray.flows.tunnel_doors import Door


@pytest.fixture
def doors() -> Doors:
    """Client and dashboard, open."""
    return opened("client", "dashboard")


def listen(addresses: Sequence[str], wanted: int, remote: int) -> Listening:
    """As a relay does."""
    return Listening(wanted, remote, addresses)


def opened(*names: str) -> Doors:
    """Doors to these ports, open."""
    made = Doors(Port(name) for name in names)
    made.open(Pod(head("a")), listen, ["127.0.0.1"])
    return made


def named(doors: Doors, name: str) -> Door:
    """The one of this name."""
    return next(door for door in doors if door.name == name)


def news(doors: Doors, now: float, *, lost: bool = False, ready: bool = False) -> list[str]:
    """What is told now: `+name` has started, `-name` is absent."""

    def short(change: Change) -> str:
        assert isinstance(change, Started | Absent)
        return f"{'+' if isinstance(change, Started) else '-'}{change.name}"

    return [short(change) for change in doors.news(now, lost=lost, ready=ready)]


def test_in_order(doors: Doors) -> None:
    """A port's word waits for those before it, but not for long."""
    named(doors, "dashboard").welcomed(1.0)

    assert news(doors, 1.0) == []
    assert doors.due(linked=False, tell=True) == 1.0 + IN_ORDER
    assert news(doors, 1.0 + IN_ORDER) == ["+dashboard"]


def test_both(doors: Doors) -> None:
    """Told once, in the order asked for."""
    named(doors, "dashboard").welcomed(1.0)
    named(doors, "client").welcomed(1.1)

    assert news(doors, 1.1) == ["+client", "+dashboard"]
    assert news(doors, 1.2) == []


def test_a_refusal_decides(doors: Doors) -> None:
    """A port before it that refuses is not waited for."""
    named(doors, "client").heard(NOBODY, 1.0)
    named(doors, "dashboard").welcomed(1.0)

    assert news(doors, 1.0) == ["+dashboard"]


def test_absent_is_told_after_what_answers(doors: Doors) -> None:
    """However late news may be told, the port that shows that Ray answers comes before one that does not."""
    named(doors, "client").heard(NOBODY, 1.0)
    named(doors, "dashboard").welcomed(1.0)
    late = 2.0 + ABSENT_AFTER

    assert news(doors, late) == ["+dashboard"]
    assert news(doors, late) == ["-client"]


def test_absent(doors: Doors) -> None:
    """A port that refuses for a while though Ray answers is absent, and told so once."""
    named(doors, "client").heard(NOBODY, 1.0)
    named(doors, "dashboard").welcomed(2.0)

    assert news(doors, 1.9 + ABSENT_AFTER) == ["+dashboard"]
    assert news(doors, 2.0 + ABSENT_AFTER) == ["-client"]
    assert news(doors, 9.0 + ABSENT_AFTER) == []


def test_nothing_answers(doors: Doors) -> None:
    """While nothing answers, the head is on its way; unless Kubernetes holds it for ready."""
    for door in doors:
        door.heard(NOBODY, 1.0)

    assert news(doors, 99.0) == []
    assert news(doors, 99.0, ready=True) == ["-dashboard", "-client"][:1]


def test_no_absence_in_a_loss(doors: Doors) -> None:
    """While the connection is lost, nothing is told to be absent."""
    named(doors, "client").heard(NOBODY, 1.0)
    named(doors, "dashboard").welcomed(1.0)

    assert news(doors, 99.0, lost=True) == ["+dashboard"]


def test_why_absent(doors: Doors) -> None:
    """Nobody listens, somebody is silent, and somebody else is there: three things."""
    door = named(doors, "client")

    door.heard(f"{NOBODY} 10001 of the pod", 1.0)
    assert door.why_absent == "nothing listens on port 10001 of the head"
    door.heard("no answer", 1.0)
    assert door.why_absent == "port 10001 of the head does not answer as it should (no answer)"
    door.heard("", 1.0)
    assert door.why_absent == "port 10001 of the head does not answer as it should (something else is there)"


def test_main() -> None:
    """The dashboard stands for Ray, else the first port; not one that is absent."""
    assert opened("client", "dashboard").main.name == "dashboard"
    assert opened("client", "serve").main.name == "client"
    doors = opened("client", "dashboard")
    doors.main.absent = True
    assert doors.main.name == "client"


def test_to_ask(doors: Doors) -> None:
    """Asked are those that do not answer, one question at a time, with a pause."""
    assert [door.name for door in doors.to_ask(1.0)] == ["client", "dashboard"]
    client, dashboard = doors
    client.asked = object()
    dashboard.welcomed(1.0)
    assert list(doors.to_ask(1.0)) == []

    client.asked = None
    client.heard(NOBODY, 1.0)
    doors.plan(client, 1.0)
    assert list(doors.to_ask(1.0)) == []
    assert [door.name for door in doors.to_ask(1.0 + PROBED)] == ["client"]
    assert doors.due(linked=True, tell=False) == 1.0 + PROBED
    assert doors.due(linked=False, tell=False) == float("inf")


def test_patience(doors: Doors) -> None:
    """One that refused for long is asked less often."""
    door = doors.main
    door.heard(NOBODY, 1.0)

    doors.plan(door, 1.0 + LONG)

    assert door.next == 1.0 + LONG + PATIENT


def test_doubt() -> None:
    """A connection that came to nothing has its port and the main one asked, however often that happens not at once."""
    doors = opened("client", "dashboard", "serve")
    for door in doors:
        door.welcomed(1.0)

    doors.doubt(8000)

    assert list(doors.to_ask(1.0)) == []
    assert [door.name for door in doors.to_ask(1.0 + PROBED)] == ["dashboard", "serve"]


def test_forget(doors: Doors) -> None:
    """After a loss all are asked anew, at once; what was told stays told."""
    for door in doors:
        door.welcomed(1.0)
    news(doors, 1.0)

    doors.forget()

    assert [door.name for door in doors.to_ask(1.0)] == ["client", "dashboard"]
    for door in doors:
        door.welcomed(2.0)
    assert news(doors, 2.0) == []
