"""A tunnel: what it tells when heads come and go, connections break, and nothing answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.errors import NotAllowed, NotFound, NotLoggedIn, NotReady, ServerError, TimedOut, Unreachable
from kubectl_ray.flows import tunnel as tunnels
from kubectl_ray.flows import tunnel_doors
from kubectl_ray.flows.head import Target
from kubectl_ray.flows.tunnel import (
    Absent,
    Change,
    Lost,
    Moved,
    Port,
    Reconnected,
    Started,
    Suspended,
    Tunnel,
    Waiting,
)
from tests.kuberay import cluster, head
from tests.unit.flows.relays import FakeRelay

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from kubectl_ray.kube.client import Client
    from tests.kuberay import World

A = Target("raycluster", "a", "default")


@pytest.fixture
def relay() -> FakeRelay:
    """A relay that moves nothing."""
    return FakeRelay()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds takes hundredths of them."""
    for name in ("QUIET", "LOST_QUIET", "LOGIN_PAUSE"):
        monkeypatch.setattr(tunnels, name, 0.05)
    monkeypatch.setattr(tunnels, "PAUSES", (0.0, 0.01))
    for name in ("PROBED", "ABSENT_AFTER"):
        monkeypatch.setattr(tunnel_doors, name, 0.02)


class Session:
    """A tunnel whose changes are asked for by their kind; what comes in between is kept in `seen`."""

    def __init__(self, client: Client, relay: FakeRelay, target: Target = A, *ports: Port, **options: Any) -> None:
        self.tunnel = Tunnel(client, target, ports, relay=relay.made, **options)
        self.stream: Generator[Change, None, None] = self.tunnel.changes()
        self.seen: list[Change] = []

    def until(self, kind: type[Change]) -> Any:
        """The next change of this kind."""
        for change in self.stream:
            self.seen.append(change)
            if isinstance(change, kind):
                return change
        raise AssertionError(self.seen)

    def opened(self) -> Session:
        """All its ports were told to have started."""
        for _ in self.tunnel.ports:
            self.until(Started)
        self.seen.clear()
        return self

    def close(self) -> None:
        """End it."""
        self.stream.close()


@pytest.fixture
def session(world: World, client: Client, relay: FakeRelay) -> Iterator[Session]:
    """An open session to cluster a."""
    world.add(cluster("a"), named("a-head-1"))
    made = Session(client, relay).opened()
    yield made
    made.close()


def named(name: str, *, ready: bool = True, of: str = "a", created: str = "2026-01-01T00:00:00Z", **more: Any) -> Any:
    """A head's pod with a name of its own."""
    pod = head(of, ready=ready, **more)
    pod["metadata"].update(name=name, uid=f"uid-of-{name}", creationTimestamp=created)
    return pod


# the start


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


# losses


def test_lost(session: Session, relay: FakeRelay) -> None:
    """A connection that breaks is told once, made anew at once, and told to be back."""
    relay.failures = [Unreachable("nobody answers")] * 3
    relay.lose()

    assert session.until(Lost) == Lost("the network is gone")
    back = session.until(Reconnected)

    assert back.cluster == "a"
    assert back.after > 0
    assert [type(change) for change in session.seen if not isinstance(change, Waiting)] == [Lost, Reconnected]
    assert relay.pods == ["a-head-1"] * 5


def test_each_loss(session: Session, relay: FakeRelay) -> None:
    """A second loss is told like the first."""
    for _ in range(2):
        relay.lose()
        session.until(Lost)
        session.until(Reconnected)


def test_the_login_expired(session: Session, relay: FakeRelay) -> None:
    """A login that is not accepted any more does not end it."""
    relay.failures = [NotLoggedIn("The token is too old", "Log in again.")]
    relay.lose()

    session.until(Reconnected)

    assert Waiting("a way to the head (The token is too old. Log in again)") in session.seen


def test_a_new_head(world: World, session: Session, relay: FakeRelay) -> None:
    """A head pod that is replaced: the new one is gone to as soon as it runs."""
    world.store.remove("pods", "a-head-1")
    assert session.until(Lost) == Lost("the head stopped")
    assert relay.last_pod is None

    world.add(named("a-head-2", ready=False))
    world.add(named("a-head-2"))

    assert session.until(Reconnected).cluster == "a"
    assert relay.last_pod == "a-head-2"


def test_a_head_that_stops(world: World, session: Session, relay: FakeRelay) -> None:
    """A head that is being stopped is kept until it goes, or until there is a newer one."""
    world.store.edit("pods", "a-head-1", lambda pod: pod["metadata"].update(deletionTimestamp="2026-01-02T00:00:00Z"))
    relay.refuse(10001)
    world.add(named("a-head-2", created="2026-01-02T00:00:01Z"))

    assert session.until(Lost) == Lost("the head was replaced")
    session.until(Reconnected)
    assert relay.pods == ["a-head-1", "a-head-2"]


def test_the_container_begins_anew(world: World, session: Session, relay: FakeRelay) -> None:
    """Ray that begins anew in the same pod: told by the watch, though the tunnel stands."""
    relay.answers = {}

    def restarted(pod: dict[str, Any]) -> None:
        pod["status"]["containerStatuses"][0].update(restartCount=1, ready=False)

    world.store.edit("pods", "a-head-1", restarted)
    assert session.until(Lost) == Lost("Ray on the head stopped")
    relay.answers = dict(FakeRelay().answers)
    session.until(Reconnected)

    assert relay.pods == ["a-head-1"]


def test_refused(session: Session, relay: FakeRelay) -> None:
    """A refused connection has Ray asked: a loss if it does not answer."""
    relay.answers = {}
    relay.refuse(8265)

    assert session.until(Lost) == Lost("Ray on the head does not answer")
    relay.answers = dict(FakeRelay().answers)
    session.until(Reconnected)


def test_refused_beside(world: World, client: Client, relay: FakeRelay) -> None:
    """A port that refuses while Ray answers is no loss: that port is absent until it answers again."""
    world.add(cluster("a"), named("a-head-1"))
    session = Session(client, relay, A, Port("dashboard"), Port("serve")).opened()
    del relay.answers[8000]
    relay.refuse(8000)

    assert session.until(Absent).name == "serve"
    relay.answers[8000] = b"HTTP/1.1 200 OK\r\n"
    assert session.until(Started).name == "serve"
    assert not any(isinstance(change, Lost) for change in session.seen)
    session.close()


def test_deleted(world: World, session: Session, relay: FakeRelay) -> None:
    """A cluster that is deleted meanwhile ends it, though its pod still stops."""
    world.store.remove("rayclusters", "a")
    world.store.edit("pods", "a-head-1", lambda pod: pod["metadata"].update(deletionTimestamp="2026-01-02T00:00:00Z"))

    with pytest.raises(NotFound, match="Ray cluster a was deleted"):
        session.until(Started)

    assert relay.closed


def test_made_anew(world: World, session: Session) -> None:
    """Another cluster of the same name is another cluster."""
    world.store.remove("rayclusters", "a")
    world.add(cluster("a", metadata={"uid": "other"}))
    world.store.remove("pods", "a-head-1")

    with pytest.raises(NotFound, match="was deleted"):
        session.until(Started)


def test_suspended_meanwhile(world: World, session: Session) -> None:
    """A cluster that is suspended while it is used: how to resume it is said, and it goes on when it is back."""
    world.store.edit("rayclusters", "a", lambda found: found["spec"].update(suspend=True))
    world.store.edit("pods", "a-head-1", lambda pod: pod["metadata"].update(deletionTimestamp="2026-01-02T00:00:00Z"))

    assert "kubectl patch raycluster a" in session.until(Suspended).hint
    # Its head stops slowly, and answers until then.
    session.tunnel.tell(Absent("marker", 1, "so far nothing else was told"))
    session.until(Absent)
    assert [type(change) for change in session.seen if not isinstance(change, Waiting)] == [Suspended, Absent]
    session.seen.clear()
    world.store.remove("pods", "a-head-1")
    world.store.edit("rayclusters", "a", lambda found: found["spec"].update(suspend=False))
    world.add(named("a-head-2"))
    session.until(Reconnected)

    assert [type(change) for change in session.seen if not isinstance(change, Waiting)] == [Reconnected]


# RayServices and RayJobs


def service(*, active: str = "", pending: str = "") -> dict[str, Any]:
    """A RayService with these clusters."""
    status = {}
    if active:
        status["activeServiceStatus"] = {"rayClusterName": active}
    if pending:
        status["pendingServiceStatus"] = {"rayClusterName": pending}
    about = {"name": "s", "namespace": "default", "uid": "uid-of-s"}
    return {"apiVersion": "ray.io/v1", "kind": "RayService", "metadata": about, "spec": {}, "status": status}


def test_an_upgrade(world: World, client: Client, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """A RayService that changes to its new cluster is followed there, without a word of loss."""
    monkeypatch.setattr(tunnels, "LOST_QUIET", 60)
    world.add(service(active="a"), cluster("a"), cluster("b"), named("a-head-1"), named("b-head-1", of="b"))
    session = Session(client, relay, Target("rayservice", "s", "default")).opened()

    world.add(service(active="a", pending="b"))
    world.add(service(active="b"))

    assert session.until(Moved) == Moved("b")
    assert relay.pods == ["a-head-1", "b-head-1"]
    assert session.seen == [Moved("b")]
    session.close()


def test_a_service_that_starts(world: World, client: Client, relay: FakeRelay) -> None:
    """The first cluster of a RayService is waited for, and used before it serves."""
    world.add(service())
    session = Session(client, relay, Target("rayservice", "s", "default"), Port("dashboard"))

    assert session.until(Waiting) == Waiting("the KubeRay operator to notice it")
    world.add(cluster("a"), named("a-head-1"), service(pending="a"))
    session.opened()
    session.close()


def test_a_service_that_is_deleted(world: World, client: Client, relay: FakeRelay) -> None:
    """A RayService that is deleted meanwhile ends it."""
    world.add(service(active="a"), cluster("a"), named("a-head-1"))
    session = Session(client, relay, Target("rayservice", "s", "default")).opened()

    world.store.remove("rayservices", "s")

    with pytest.raises(NotFound, match="RayService s was deleted"):
        session.until(Lost)


def test_no_such_job(client: Client, relay: FakeRelay) -> None:
    """A RayJob that does not exist is told at once."""
    with pytest.raises(NotFound, match="There is no RayJob j in namespace default"):
        Session(client, relay, Target("rayjob", "j", "default")).until(Started)


def test_a_job_whose_cluster_is_gone(world: World, client: Client, relay: FakeRelay) -> None:
    """The cluster of a job that has ended may be gone: nothing is waited for."""
    about = {"name": "j", "namespace": "default", "uid": "uid-of-j"}
    status = {"rayClusterName": "a", "jobDeploymentStatus": "Complete"}
    world.add({"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": about, "spec": {}, "status": status})

    with pytest.raises(NotFound, match=r"the job has ended \(Complete\)"):
        Session(client, relay, Target("rayjob", "j", "default")).until(Started)


def test_a_service_that_may_not_be_watched(
    world: World, client: Client, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the right to get a RayService alone, it is asked for now and then."""
    monkeypatch.setattr("kubectl_ray.flows.head_follower.OWNER_LOOKED", 0.05)
    world.api.deny("list", "rayservices")
    world.api.deny("watch", "rayservices")
    world.add(service(active="a"), cluster("a"), cluster("b"), named("a-head-1"), named("b-head-1", of="b"))
    session = Session(client, relay, Target("rayservice", "s", "default")).opened()

    world.add(service(active="b"))

    assert session.until(Moved) == Moved("b")
    session.close()


# the end


def test_the_end(session: Session, relay: FakeRelay) -> None:
    """Closing the stream closes the relay."""
    session.close()

    assert relay.closed


def test_a_remark_of_another_thread(session: Session) -> None:
    """What another thread tells comes with the changes."""
    session.tunnel.tell(Waiting("a remark"))

    assert session.until(Waiting) == Waiting("a remark")
