"""The head of a target, as lists, watches and questions tell it."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.errors import NotAllowed, NotFound, NotReady, Unreachable
from kubectl_ray.flows import head_follower, wait
from kubectl_ray.flows.head import Target
from kubectl_ray.flows.head_follower import Follower
from tests.kuberay import cluster, event, group, head
from tests.wire import client_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kubectl_ray.kube.client import Client
    from tests.kuberay import World


class Follow:
    """A follower whose inbox is emptied until something holds."""

    def __init__(self, client: Client, target: Target) -> None:
        self.inbox: SimpleQueue[Any] = SimpleQueue()
        self.time = 0.0
        self.follower = Follower(client, target, self.inbox.put, clock=lambda: self.time)
        self.follower.start()

    def until(self, condition: Callable[[Follower], object], *, seconds: float = 10.0) -> Follower:
        """Take in what comes until this holds; with each quiet moment the clock is a second further."""
        for _ in range(int(seconds / 0.05)):
            self.follower.tick()
            if condition(self.follower):
                return self.follower
            try:
                assert self.follower.take(self.inbox.get(timeout=0.05))
            except Empty:
                self.time += 1.0
        raise AssertionError(vars(self.follower))


@pytest.fixture
def follow(client: Client) -> Iterator[Callable[..., Follow]]:
    """Follow what is named; ended with the test."""
    made: list[Follow] = []

    def begin(name: str = "a", kind: str = "raycluster") -> Follow:
        made.append(Follow(client, Target(kind, name, "default")))
        return made[-1]

    yield begin
    for each in made:
        each.follower.close()


def head_of(follower: Follower) -> str:
    """The name of the head's pod."""
    return "" if follower.pod is None else follower.pod.name


def job(name: str = "j", **status: Any) -> dict[str, Any]:
    """A RayJob with this status."""
    about = {"name": name, "namespace": "default", "uid": f"uid-of-{name}"}
    return {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": about, "spec": {}, "status": status}


def test_comes_and_goes(world: World, follow: Callable[..., Follow]) -> None:
    """A head that comes, runs and goes is seen by the watch."""
    world.add(cluster("a"))
    following = follow()
    assert not following.until(lambda found: found.looked_at).usable

    world.add(head("a", ready=False))
    following.until(lambda found: head_of(found) == "a-head")
    world.add(head("a"))
    following.until(lambda found: found.usable)
    world.store.remove("pods", "a-head")
    following.until(lambda found: found.pod is None)


def test_not_while_all_is_well(world: World, follow: Callable[..., Follow]) -> None:
    """A cluster whose head runs is asked for once, however long that lasts."""
    world.add(cluster("a"), head("a"))
    following = follow()
    following.until(lambda found: found.looked_at)

    following.until(lambda _: following.time > 20)

    assert len(world.api.asked("GET", "/rayclusters/a")) == 1


def test_an_answer_from_before(
    world: World, client: Client, follow: Callable[..., Follow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cluster whose head begins to stop while the cluster is asked for is asked for once more: it was suspended."""
    world.add(cluster("a"), head("a"))
    get, held, ask = threading.Event(), threading.Event(), client.get

    def slow(*asked: Any) -> Any:
        answer = ask(*asked)
        get.set()
        assert held.wait(10)
        return answer

    monkeypatch.setattr(client, "get", slow)
    following = follow()
    following.until(lambda found: found.settled and get.is_set())
    world.store.edit("rayclusters", "a", lambda found: found["spec"].update(suspend=True))
    world.store.edit("pods", "a-head", lambda pod: pod["metadata"].update(deletionTimestamp="2026-01-02T00:00:00Z"))
    following.until(lambda found: found.pod is not None and found.pod.deleting)
    held.set()

    following.until(lambda found: found.suspended)


def test_while_there_is_no_head(world: World, follow: Callable[..., Follow]) -> None:
    """Without a head the cluster is asked for now and then, so that its deletion is noticed."""
    world.add(cluster("a"))
    following = follow()
    following.until(lambda found: found.looked_at)
    world.store.remove("rayclusters", "a")

    with pytest.raises(NotFound, match="Ray cluster a was deleted") as caught:
        following.until(lambda _: False)

    assert caught.value.hint == "See which there are:  kubectl ray cluster list -n default"


def test_a_cluster_that_a_finalizer_keeps(world: World, follow: Callable[..., Follow]) -> None:
    """A cluster that is being deleted and has no head any more is gone for our purposes."""
    world.add(cluster("a", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x"]}))

    with pytest.raises(NotFound, match="was deleted"):
        follow().until(lambda _: False)


def test_heads_of_others(world: World, follow: Callable[..., Follow]) -> None:
    """Only pods that carry the labels of this cluster's head are asked for."""
    world.add(cluster("a"), cluster("b"), head("b"), head("a"))

    assert head_of(follow().until(lambda found: found.looked_at)) == "a-head"


@pytest.mark.parametrize(("verb", "plural"), [("get", "rayclusters"), ("list", "pods")])
def test_no_rights(world: World, follow: Callable[..., Follow], verb: str, plural: str) -> None:
    """What may not be read at all is an error."""
    world.add(cluster("a"))
    world.api.deny(verb, plural)

    with pytest.raises(NotAllowed, match=plural.removesuffix("s")):
        follow().until(lambda _: False)


@pytest.mark.parametrize(("there", "message"), [(True, "list pods"), (False, "There is no Ray cluster a in")])
def test_pods_are_refused_before_the_cluster_is_known(
    world: World, follow: Callable[..., Follow], monkeypatch: pytest.MonkeyPatch, there: bool, message: str
) -> None:
    """Which of the two answers comes first does not decide what is said."""
    get, answered = Follower._get, threading.Event()

    def late(*args: Any) -> None:
        answered.wait(10)
        get(*args)

    monkeypatch.setattr(Follower, "_get", late)
    world.api.deny("list", "pods")
    if there:
        world.add(cluster("a"))
    following = follow()
    assert following.follower.take(following.inbox.get(timeout=10))  # the refusal
    answered.set()

    with pytest.raises((NotAllowed, NotFound), match=message):
        following.until(lambda _: False)


def test_pods_that_may_not_be_watched(
    world: World, follow: Callable[..., Follow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the right to list pods alone they are listed now and then."""
    monkeypatch.setattr(head_follower, "LOOKED", 0.01)
    world.api.deny("watch", "pods")
    world.add(cluster("a"), head("a"))
    following = follow()
    following.until(lambda found: found.usable)

    world.store.remove("pods", "a-head")

    following.until(lambda found: found.pod is None)


def test_near_names(world: World, follow: Callable[..., Follow]) -> None:
    """A name that does not exist meets the near ones; without the right to list them that is no other error."""
    world.add(cluster("abc"))
    world.api.deny("list", "rayclusters")

    with pytest.raises(NotFound, match="There is no Ray cluster abd in namespace default"):
        follow("abd").until(lambda _: False)


def test_the_server_goes_and_comes(world: World, follow: Callable[..., Follow]) -> None:
    """A server that is away for a while is asked again until it answers; what was known stays known."""
    world.add(cluster("a"), head("a"))
    following = follow()
    following.until(lambda found: found.usable)

    world.api.stop()
    following.follower.again()
    following.until(lambda _: following.time > 3)
    assert following.follower.usable
    world.store.remove("pods", "a-head")
    world.api.start()

    following.until(lambda found: found.pod is None)


def test_no_server(world: World) -> None:
    """A server that does not answer at the start is an error."""
    client = client_for(world.api)
    world.api.stop()
    following = Follow(client, Target("raycluster", "a", "default"))

    with pytest.raises(Unreachable):
        following.until(lambda _: False)
    world.api.start()


def test_again_over_new_connections(world: World, follow: Callable[..., Follow]) -> None:
    """After a loss nothing is asked over connections that may be dead."""
    world.add(cluster("a"), head("a"))
    following = follow()
    following.until(lambda found: found.looked_at)
    before = world.api.connections

    following.follower.again()

    following.until(lambda _: world.api.connections > before)


def test_refused_by_the_operator(world: World, follow: Callable[..., Follow], monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster whose spec the operator refuses will never have a head."""
    monkeypatch.setattr(wait, "QUIET", 1.0)
    world.add(cluster("a", group(least=3, most=1)), event("a", "InvalidRayClusterSpec", "minReplicas 3 greater than 1"))

    with pytest.raises(NotReady, match="minReplicas 3 greater than 1"):
        follow().until(lambda _: False)


@pytest.mark.parametrize(
    ("owner", "command"),
    [
        (None, """patch raycluster a -n default --type=merge -p '{"spec":{"suspend":false}}'"""),
        (("RayJob", "j"), """patch rayjob j -n default --type=merge -p '{"spec":{"suspend":false}}'"""),
        (
            ("RayService", "s"),
            """patch rayservice s -n default --type=merge -p '{"spec":{"rayClusterConfig":{"suspend":false}}}'""",
        ),
    ],
)
def test_how_to_resume(
    world: World, follow: Callable[..., Follow], owner: tuple[str, str] | None, command: str
) -> None:
    """What is suspended is resumed where it is owned."""
    world.add(cluster("a", owner=owner, suspend=True))

    found = follow().until(lambda found: found.looked_at)

    assert found.suspended
    assert found.how_to_resume == f"Resume it:  kubectl {command}"


def test_a_queue_resumes(world: World, follow: Callable[..., Follow]) -> None:
    """What Kueue suspends, a person does not resume."""
    world.add(cluster("a", labels={"kueue.x-k8s.io/queue-name": "team"}, suspend=True))

    assert (
        follow().until(lambda found: found.looked_at).how_to_resume == "The queue team resumes it when there is room."
    )


def test_why(world: World, follow: Callable[..., Follow]) -> None:
    """What is waited for, from the operator that has not seen it to Ray that does not answer."""
    world.add(cluster("a"))
    following = follow()
    assert following.until(lambda found: found.looked_at).why == "the KubeRay operator to notice it"

    world.add(head("a", ready=False))
    assert following.until(lambda found: found.pod).why == "the head"
    world.add(head("a"))
    assert following.until(lambda found: found.usable).why == "Ray to answer on the head"


def test_why_a_head_crashes(world: World, follow: Callable[..., Follow]) -> None:
    """A head whose container stops again and again is said to."""
    state = {"name": "ray", "ready": False, "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    world.add(cluster("a"), head("a", containerStatuses=[state]))

    found = follow().until(lambda found: found.looked_at)

    assert found.why == "Ray to answer on the head (stops again and again)"


def test_a_job_that_is_tried_again(world: World, follow: Callable[..., Follow]) -> None:
    """A RayJob's next cluster is followed; between the two there is none, which is no end."""
    world.add(job(rayClusterName="a", jobDeploymentStatus="Running"), cluster("a"), head("a"))
    following = follow("j", "rayjob")
    following.until(lambda found: head_of(found) == "a-head")

    world.store.remove("rayclusters", "a")
    world.store.remove("pods", "a-head")
    world.add(job(failed=1))
    following.until(lambda found: found.pod is None)
    world.add(cluster("b"), head("b"), job(rayClusterName="b", jobDeploymentStatus="Initializing"))

    following.until(lambda found: found.looked_at and head_of(found) == "b-head")


def test_a_job_that_is_refused(world: World, follow: Callable[..., Follow]) -> None:
    """A RayJob that the operator refuses is told with its words."""
    world.add(job(jobDeploymentStatus="ValidationFailed", message="The RayJob spec is invalid"))

    with pytest.raises(NotReady, match="The KubeRay operator refuses RayJob j: The RayJob spec is invalid"):
        follow("j", "rayjob").until(lambda _: False)


def test_a_job_without_a_cluster(world: World, follow: Callable[..., Follow]) -> None:
    """A RayJob that has no cluster yet is said to wait for one."""
    world.add(job(jobDeploymentStatus="Waiting"))

    found = follow("j", "rayjob").until(lambda found: found.why != "the KubeRay operator to notice it")

    assert found.why == "RayJob j to get a Ray cluster"


def test_the_end(world: World, client: Client) -> None:
    """Its threads end soon after it is closed."""
    before = set(threading.enumerate())
    world.add(cluster("a"), head("a"))
    following = Follow(client, Target("raycluster", "a", "default"))
    following.until(lambda found: found.usable)
    started = [thread for thread in set(threading.enumerate()) - before if type(thread).__name__ == "Watcher"]
    assert started

    following.follower.close()

    for thread in started:
        thread.join(timeout=10)
        assert not thread.is_alive()


def test_a_question_without_an_answer(
    world: World, follow: Callable[..., Follow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While an answer is out nothing is due: whoever waits for what is due does not spin."""
    monkeypatch.setattr(Follower, "_get", lambda *_: None)
    world.add(cluster("b"))
    following = follow("a")
    following.until(lambda found: found.settled)
    following.time = head_follower.LOOKED + 1

    following.follower.tick()

    assert following.follower.due > following.time


def test_a_job_that_may_not_be_watched_and_is_not_answered(
    world: World, follow: Callable[..., Follow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same for what is asked for now and then."""
    monkeypatch.setattr(Follower, "_get", lambda *_: None)
    world.api.deny("list", "rayjobs")
    following = follow("j", "rayjob")
    following.until(lambda found: found.due < float("inf"))
    following.time = following.follower.due + 1

    following.follower.tick()

    assert following.follower.due > following.time
