"""A tunnel: how it begins, what it tells where it cannot, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.errors import NotAllowed, NotFound, NotLoggedIn, NotReady, ServerError, TimedOut, Unreachable
from kubectl_ray.flows import tunnel as tunnels
from kubectl_ray.flows.head import Target
from kubectl_ray.flows.tunnel import (
    Absent,
    Port,
    Started,
    Tunnel,
    Waiting,
)
from tests.kuberay import cluster
from tests.unit.flows.open_tunnels import A, Session, named

if TYPE_CHECKING:
    from kubectl_ray.kube.client import Client
    from tests.kuberay import World
    from tests.unit.flows.relays import FakeRelay


def test_the_start(world: World, client: Client, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each port is told in the order asked for, with where it listens; what is there soon takes no word of waiting."""
    monkeypatch.setattr(tunnels, "QUIET", 60)
    world.add(cluster("a"), named("a-head-1"))
    session = Session(client, relay, A, Port("client"), Port("dashboard", 9000), addresses=["127.0.0.1"])

    first, second = session.until(Started), session.until(Started)

    assert first == Started("client", 10001, 10001, wanted=10001, addresses=["127.0.0.1"])
    assert second == Started("dashboard", 9000, 8265, wanted=9000, addresses=["127.0.0.1"])
    assert session.seen == [first, second]
    assert session.tunnel.cluster is not None
    assert session.tunnel.cluster.name == "a"
    session.close()


def test_where_it_listens(world: World, client: Client, relay: FakeRelay) -> None:
    """An address that this machine does not have is not told."""
    relay.missing = {"::1"}
    world.add(cluster("a"), named("a-head-1"))
    session = Session(client, relay, A, Port("dashboard"), addresses=["::1", "127.0.0.1"])

    assert session.until(Started).addresses == ["127.0.0.1"]
    session.close()


def test_requests(world: World, client: Client, relay: FakeRelay) -> None:
    """It takes to get the cluster and to list pods, once each, and to watch pods."""
    world.add(cluster("a"), named("a-head-1"))

    session = Session(client, relay).opened()

    asked = sorted(f"{each.method} {each.path}" for each in world.api.requests if "watch" not in each.query)
    assert asked == [
        "GET /api/v1/namespaces/default/pods",
        "GET /apis/ray.io/v1/namespaces/default/rayclusters/a",
    ]
    session.close()


@pytest.mark.parametrize("with_head", [True, False])
def test_meanwhile(world: World, client: Client, relay: FakeRelay, *, with_head: bool) -> None:
    """Called once, before the first change: when the head is gone to; without one, before that is said."""
    world.add(cluster("a"), *([named("a-head-1")] if with_head else []))
    gone_to = []
    tunnel = Tunnel(client, A, relay=relay.made)
    changes = tunnel.changes(lambda: gone_to.append(tunnel._pod is not None))
    for _ in range(2 if with_head else 1):
        next(changes)
        assert gone_to == [with_head]
    changes.close()


def test_usual_ports(client: Client) -> None:
    """A RayService has its serve port opened too."""
    assert [port.name for port in Tunnel(client, A).ports] == ["client", "dashboard"]
    assert [port.name for port in Tunnel(client, Target("rayservice", "s", "default")).ports] == [
        "client",
        "dashboard",
        "serve",
    ]


def test_a_taken_port(world: World, client: Client, relay: FakeRelay) -> None:
    """Another local port than wanted is told as what it is."""
    world.add(cluster("a"), named("a-head-1"))
    relay.taken = {8265}
    session = Session(client, relay, A, Port("dashboard"))

    started = session.until(Started)

    assert (started.local, started.wanted, started.remote) == (8266, 8265, 8265)
    session.close()


def test_ports_by_name(world: World, client: Client, relay: FakeRelay) -> None:
    """The head's container says which number a port has."""
    pod = named("a-head-1")
    pod["spec"]["containers"][0]["ports"] = [{"name": "dashboard", "containerPort": 9999}]
    world.add(cluster("a"), pod)
    relay.answers[9999] = b"HTTP/1.1 401 Unauthorized\r\n"
    session = Session(client, relay, A, Port("dashboard"))

    started = session.until(Started)

    assert (started.local, started.remote) == (8265, 9999)
    session.close()


def test_no_such_cluster(world: World, client: Client, relay: FakeRelay) -> None:
    """A cluster that does not exist is told at once, with the near names."""
    world.add(cluster("abc"))
    session = Session(client, relay, Target("raycluster", "abd", "default"))

    with pytest.raises(NotFound, match="There is no Ray cluster abd") as caught:
        session.until(Started)

    assert caught.value.hint == "Did you mean abc?"
    assert relay.closed


def test_suspended_at_the_start(world: World, client: Client, relay: FakeRelay) -> None:
    """A suspended cluster is not waited for; how to resume it is said."""
    world.add(cluster("a", suspend=True))

    with pytest.raises(NotReady, match="is suspended") as caught:
        Session(client, relay).until(Started)

    assert "kubectl patch raycluster a -n default" in caught.value.hint


@pytest.mark.parametrize(("verb", "plural"), [("get", "rayclusters"), ("list", "pods")])
def test_no_right(world: World, client: Client, relay: FakeRelay, verb: str, plural: str) -> None:
    """A right that is missing at the start ends it."""
    world.add(cluster("a"))
    world.api.deny(verb, plural)

    with pytest.raises(NotAllowed, match=plural.removesuffix("s")):
        Session(client, relay).until(Started)


@pytest.mark.parametrize("error", [NotAllowed("may not"), NotLoggedIn("who?"), Unreachable("gone")])
def test_no_way_at_the_start(world: World, client: Client, relay: FakeRelay, error: Exception) -> None:
    """What forbids port-forwarding at the start ends it."""
    world.add(cluster("a"), named("a-head-1"))
    relay.failures = [error]  # type: ignore[list-item]

    with pytest.raises(type(error)):
        Session(client, relay).until(Started)


def test_no_way_yet(world: World, client: Client, relay: FakeRelay) -> None:
    """A node that does not answer yet is tried again."""
    world.add(cluster("a"), named("a-head-1"))
    relay.failures = [ServerError("the node sleeps"), ServerError("the node sleeps")]

    session = Session(client, relay).opened()

    assert relay.pods == ["a-head-1"] * 3
    session.close()


def test_waiting_for_the_head(world: World, client: Client, relay: FakeRelay) -> None:
    """While there is no head that runs, what it lacks is said; it is used as soon as it runs."""
    why: Any = {
        "conditions": [
            {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 Insufficient cpu."}
        ]
    }
    world.add(cluster("a", status={"state": ""}), named("a-head-1", ready=False, **why))
    session = Session(client, relay)

    waiting = session.until(Waiting)
    assert waiting.why == "the head (no room: of 1 machine, 1 lacks CPU)"
    assert relay.pods == []
    world.add(named("a-head-1"))
    session.opened()
    session.close()


def test_waiting_for_ray(world: World, client: Client, relay: FakeRelay) -> None:
    """A head that runs is asked until Ray answers."""
    world.add(cluster("a"), named("a-head-1"))
    relay.answers = {}
    session = Session(client, relay)

    assert session.until(Waiting) == Waiting("Ray to answer on the head")
    relay.answers = {10001: b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", 8265: b"HTTP/1.1 403 Forbidden\r\n"}
    session.opened()
    session.close()


def test_time_is_over(world: World, client: Client, relay: FakeRelay) -> None:
    """Without an answer within the timeout it ends, and says what was waited for."""
    world.add(cluster("a"), named("a-head-1"))
    relay.answers = {}

    with pytest.raises(TimedOut, match=r"does not answer after .*: waiting for Ray to answer on the head"):
        Session(client, relay, timeout=0.2).until(Started)


def test_absent(world: World, client: Client, relay: FakeRelay) -> None:
    """A port behind which nobody listens though Ray answers is told once; should somebody come, it starts."""
    world.add(cluster("a"), named("a-head-1"))
    del relay.answers[10001]
    session = Session(client, relay)

    assert session.until(Absent) == Absent("client", 10001, "nothing listens on port 10001 of the head")
    assert [type(change) for change in session.seen if not isinstance(change, Waiting)] == [Started, Absent]
    relay.answers[10001] = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    assert session.until(Started).name == "client"
    session.close()


def test_the_end(session: Session, relay: FakeRelay) -> None:
    """Closing the stream closes the relay."""
    session.close()

    assert relay.closed


def test_a_remark_of_another_thread(session: Session) -> None:
    """What another thread tells comes with the changes."""
    session.tunnel.tell(Waiting("a remark"))

    assert session.until(Waiting) == Waiting("a remark")
