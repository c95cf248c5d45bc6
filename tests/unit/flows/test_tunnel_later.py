"""A tunnel that is open: what it tells when heads come and go and connections break."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.errors import NotFound, NotLoggedIn, Unreachable
from kubectl_ray.flows import tunnel as tunnels
from kubectl_ray.flows.head import Target
from kubectl_ray.flows.tunnel import (
    Absent,
    Lost,
    Moved,
    Port,
    Reconnected,
    Started,
    Suspended,
    Waiting,
)
from kubectl_ray.kube import relay_told
from tests.kuberay import cluster
from tests.unit.flows.open_tunnels import A, Session, named
from tests.unit.flows.relays import FakeRelay

if TYPE_CHECKING:
    from kubectl_ray.kube.client import Client
    from tests.kuberay import World


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


def test_a_new_head_with_other_ports(world: World, session: Session, relay: FakeRelay) -> None:
    """The local ports stay, and lead to the ports that the new head names."""
    world.store.remove("pods", "a-head-1")
    session.until(Lost)
    del relay.answers[8265]
    relay.answers[8266] = b"HTTP/1.1 200 OK\r\n"
    new = named("a-head-2")
    new["spec"]["containers"][0]["ports"] = [{"name": "dashboard", "containerPort": 8266}]
    world.add(new)

    session.until(Reconnected)

    assert {door.port: door.remote for door in relay.doors} == {10001: 10001, 8265: 8266}
    assert len(relay.listening) == 2


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


def test_a_try_that_hangs(session: Session, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """A try to reconnect that hangs, as in a network that was gone, gets a second one beside it."""
    monkeypatch.setattr(tunnels, "ATTEMPT", 0.02)
    relay.hanging = 2
    relay.lose()

    session.until(Reconnected)

    assert relay.pods == ["a-head-1"] * 4


def test_a_late_word(world: World, session: Session, relay: FakeRelay) -> None:
    """What the relay says of a pod that was left already changes nothing: there is nowhere to connect to again."""
    world.store.remove("pods", "a-head-1")
    session.until(Lost)
    assert relay.last_pod is None

    relay.say(relay_told.Lost(relay.attempt - 1, "the pod is gone"))
    session.tunnel.tell(Suspended("a mark"))
    session.until(Suspended)

    assert session.tunnel._redial is None


def test_the_relay_dies(session: Session, relay: FakeRelay) -> None:
    """A mistake in the relay's thread is raised where somebody waits for it."""
    relay.say(relay_told.Died(ValueError("a mistake")))

    with pytest.raises(ValueError, match="a mistake"):
        session.until(Lost)
