"""Waits: what is missing, when it is enough, and when it cannot come any more."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.errors import NotFound, NotReady, TimedOut
from kubectl_ray.flows import wait
from tests.kuberay import cluster, event, group, head, worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kubectl_ray.kube.client import Client
    from kubectl_ray.results import Progress
    from tests.kuberay import World
    from tests.wire import Request

STATUS = {
    "readyWorkerReplicas": 1,
    "desiredWorkerReplicas": 1,
    "conditions": [{"type": "HeadPodReady", "status": "True"}],
}


class Clock:
    """A clock that is `step` seconds further at each look; it never moves by itself."""

    def __init__(self, step: float = 0) -> None:
        self._ticks = itertools.count()
        self._step = step

    def __call__(self) -> float:
        """Seconds."""
        return next(self._ticks) * self._step


def followed(stream: Iterator[Progress], *acts: Callable[[], object]) -> list[str]:
    """What a wait said until it ended; after each word the next thing happens."""
    said = []
    doing = iter(acts)
    for progress in stream:
        said.append(progress.text.removeprefix("Waiting for "))
        next(doing, lambda: None)()
    return said


def ready(client: Client, *, timeout: float = 0, step: float = 0, generation: int = 1) -> Iterator[Progress]:
    """The wait for cluster a."""
    return wait.until_ready(client, "a", "default", generation=generation, timeout=timeout, clock=Clock(step))


def sized(client: Client, *, name: str = "workers", generation: int = 1) -> Iterator[Progress]:
    """The wait for a group of cluster a."""
    return wait.until_group_sized(client, "a", "default", name, generation=generation, timeout=0, clock=Clock())


def gone(client: Client, *, timeout: float = 0, step: float = 0) -> Iterator[Progress]:
    """The wait for the end of cluster a."""
    return wait.until_gone(client, "a", "default", uid="uid-of-a", timeout=timeout, clock=Clock(step))


def test_ready_at_once(world: World, client: Client) -> None:
    """What is whole is not waited for."""
    world.add(cluster("a"), head("a"), worker("a"))

    assert followed(ready(client)) == []


def test_one_after_the_other(world: World, client: Client) -> None:
    """It says what is missing, each time something else is, and ends when nothing is."""
    world.add(cluster("a"))

    said = followed(
        ready(client),
        lambda: world.add(head("a", ready=False)),
        lambda: world.add(head("a")),
        lambda: world.add(worker("a")),
    )

    assert said[0].startswith("the KubeRay operator to notice it")
    assert said[1:] == ["the head; workers 0/1 ready", "workers 0/1 ready"]


def test_why(world: World, client: Client) -> None:
    """The reason that Kubernetes gives stands beside what is missing."""
    waiting = {"state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}, "ready": False}
    world.add(cluster("a"), head("a", ready=False, containerStatuses=[{"name": "ray", **waiting}]))

    said = followed(ready(client), lambda: world.add(head("a"), worker("a")))

    assert said[0] == "the head (the image cannot be pulled: no such image); workers 0/1 ready"


def test_foreign_text_moves_no_cursor(world: World, client: Client) -> None:
    """What a registry wrote reaches the terminal without what a terminal would obey."""
    waiting = {"state": {"waiting": {"reason": "ErrImagePull", "message": "\x1b[2Jboo"}}, "ready": False}
    world.add(cluster("a"), head("a", ready=False, containerStatuses=[{"name": "ray", **waiting}]))

    said = followed(ready(client), lambda: world.add(head("a"), worker("a")))

    assert "\x1b" not in said[0]
    assert "boo" in said[0]


def test_an_older_object_does_not_count(world: World, client: Client) -> None:
    """A watch may lag behind our own write: until its generation is seen nothing is judged."""
    world.add(cluster("a"), head("a"), worker("a"))

    def catch_up() -> None:
        world.store.edit("rayclusters", "a", lambda found: found["metadata"].update(generation=2))

    assert followed(ready(client, generation=2), catch_up) == ["the change to be seen"]


def test_ray_has_to_answer(world: World, client: Client) -> None:
    """Pods that are ready are not enough: Ray itself has to answer."""
    world.add(cluster("a"), head("a"), worker("a"))
    world.ray["/api/version"] = 503, {"kind": "Status"}

    def come_up() -> None:
        world.ray["/api/version"] = 200, {}
        world.add(cluster("a", status=STATUS))

    said = followed(ready(client), come_up)

    assert said == ["Ray to answer on the head"]


def test_ray_cannot_be_asked(world: World, client: Client) -> None:
    """A login that may not ask Ray takes the pods' word."""
    world.add(cluster("a"), head("a"), worker("a"))
    world.ray["/api/version"] = 403, {"kind": "Status"}

    assert followed(ready(client)) == []


def test_the_way_to_ray_is_closed(world: World, client: Client) -> None:
    """Where nothing ever comes back, it is given up after three tries, and the pods' word is taken."""
    world.add(cluster("a"), head("a"), worker("a"))
    claims = itertools.count()

    def change(_request: Request) -> bool:
        world.add(cluster("a", status={"maxWorkerReplicas": next(claims)}))
        return True

    world.api.fault("/proxy/", drop=True, times=None, when=change)

    assert followed(ready(client)) == ["Ray to answer on the head"]
    assert len(world.api.asked("GET", "/proxy/api/version")) == wait.SILENCES


def test_no_right_to_pods(world: World, client: Client) -> None:
    """Without the right to see pods the status has to do, and the words say so."""
    world.add(cluster("a", status={"conditions": []}))
    world.api.deny("list", "pods")

    said = followed(ready(client), lambda: world.add(cluster("a", status=STATUS)))

    assert said == ["the head and workers 0/1 ready (why: <no permission> to list pods)"]


def test_ray_has_to_answer_without_the_right_to_pods_too(world: World, client: Client) -> None:
    """A status is set before Ray answers; whoever may not see pods may still ask Ray."""
    world.add(cluster("a", status=STATUS))
    world.api.deny("list", "pods")
    world.ray["/api/version"] = 503, {"kind": "Status"}

    def come_up() -> None:
        world.ray["/api/version"] = 200, {}
        world.add(cluster("a", status={**STATUS, "maxWorkerReplicas": 1}))

    assert followed(ready(client), come_up) == ["Ray to answer on the head"]


def test_deleted(world: World, client: Client) -> None:
    """A cluster that goes ends the wait."""
    world.add(cluster("a"))

    with pytest.raises(NotFound, match="was deleted while it was waited for"):
        followed(ready(client), lambda: world.store.remove("rayclusters", "a"))


@pytest.mark.parametrize("reason", ["InvalidRayClusterSpec", "InvalidRayClusterMetadata"])
def test_refused_by_the_operator(world: World, client: Client, reason: str) -> None:
    """A spec that the operator refuses, which only an event tells, ends the wait with the operator's words."""
    world.add(cluster("a"), event("a", reason, "workerGroupSpecs has two groups\x1b[2J"))

    with pytest.raises(NotReady) as caught:
        followed(ready(client, step=wait.QUIET))

    assert "refuses Ray cluster a: workerGroupSpecs has two groups" in caught.value.message
    assert "\x1b" not in caught.value.message
    assert "kubectl ray cluster delete a -n default" in caught.value.hint
    assert caught.value.exit_code == 3


def test_events_of_another_of_that_name(world: World, client: Client) -> None:
    """Events of a cluster that had this name before are not about this one."""
    old = event("a", "InvalidRayClusterSpec", "bad")
    old["involvedObject"]["uid"] = "another"
    world.add(cluster("a"), old)

    said = followed(ready(client, step=wait.QUIET), lambda: world.add(head("a"), worker("a")))

    assert said[0].startswith("the KubeRay operator to notice it")
    assert world.api.asked("GET", "/events")


def test_events_are_not_asked_at_once(world: World, client: Client) -> None:
    """A cluster that is only new is given some seconds."""
    world.add(cluster("a"))

    followed(ready(client), lambda: world.add(head("a"), worker("a")))

    assert not world.api.asked("GET", "/events")


def test_events_are_not_asked_behind_a_status(world: World, client: Client) -> None:
    """A status tells that the operator took it."""
    world.add(cluster("a", status={"conditions": []}))

    followed(ready(client, step=wait.QUIET), lambda: world.add(head("a"), worker("a")))

    assert not world.api.asked("GET", "/events")


def test_no_right_to_events(world: World, client: Client) -> None:
    """Without the right to see events the wait goes on."""
    world.add(cluster("a"))
    world.api.deny("list", "events")

    said = followed(ready(client, step=wait.QUIET), lambda: world.add(head("a"), worker("a")))

    assert said[0].startswith("the KubeRay operator to notice it")


def test_time_is_over(world: World, client: Client) -> None:
    """When the time is over, it says what was missing, and how to look at it."""
    world.add(cluster("a"), head("a"))

    with pytest.raises(TimedOut) as caught:
        followed(ready(client, timeout=60, step=60))

    assert caught.value.message == "Ray cluster a is not ready after 60s: waiting for workers 0/1 ready."
    assert caught.value.hint == "Nothing was deleted. Look at it:  kubectl ray cluster describe a -n default"
    assert caught.value.exit_code == 3


def test_no_limit(world: World, client: Client) -> None:
    """A timeout of 0 is no limit, however late it is."""
    world.add(cluster("a"), head("a"))

    assert followed(ready(client, timeout=0, step=1e9), lambda: world.add(worker("a"))) == ["workers 0/1 ready"]


def test_ready_when_the_time_is_over(world: World, client: Client) -> None:
    """What is there is there, however late."""
    world.add(cluster("a"), head("a"), worker("a"))

    assert followed(ready(client, timeout=1, step=1e9)) == []


def test_a_group_grows(world: World, client: Client) -> None:
    """A group is waited for alone: another group's workers do not matter."""
    world.add(cluster("a", group("workers", 2), group("others", 5)), head("a"), worker("a"))

    assert followed(sized(client), lambda: world.add(worker("a", "2"))) == ["workers 1/2 ready"]


def test_a_group_shrinks(world: World, client: Client) -> None:
    """Surplus workers are waited for until they are gone."""
    world.add(cluster("a"), head("a"), worker("a"), worker("a", "2"), worker("a", "3"))

    said = followed(
        sized(client),
        lambda: world.store.remove("pods", "a-workers-worker-2"),
        lambda: world.store.remove("pods", "a-workers-worker-3"),
    )

    assert said == ["2 workers of workers to stop", "1 worker of workers to stop"]


def test_a_group_of_a_lagging_object(world: World, client: Client) -> None:
    """A group's change has to be seen before it is judged."""
    world.add(cluster("a"), worker("a"))

    def catch_up() -> None:
        world.store.edit("rayclusters", "a", lambda found: found["metadata"].update(generation=2))

    assert followed(sized(client, generation=2), catch_up) == ["the change to be seen"]


def test_a_group_without_the_right_to_pods(world: World, client: Client) -> None:
    """Without the right to see pods the status has to do."""
    world.add(cluster("a", status={"conditions": []}))
    world.api.deny("list", "pods")

    said = followed(sized(client), lambda: world.add(cluster("a", status=STATUS)))

    assert "<no permission>" in said[0]


def test_a_group_that_goes(world: World, client: Client) -> None:
    """A group that somebody removes ends the wait."""
    world.add(cluster("a", group("workers", 2), group("others")))

    def remove(found: dict[str, Any]) -> None:
        del found["spec"]["workerGroupSpecs"][0]

    with pytest.raises(NotFound, match="has no worker group workers"):
        followed(sized(client), lambda: world.store.edit("rayclusters", "a", remove))


def test_a_group_of_a_cluster_that_goes(world: World, client: Client) -> None:
    """So does a cluster that somebody deletes."""
    world.add(cluster("a"))

    with pytest.raises(NotFound):
        followed(sized(client), lambda: world.store.remove("rayclusters", "a"))


def test_gone(world: World, client: Client) -> None:
    """Gone means the pods too."""
    world.add(cluster("a"), head("a"), worker("a"))

    def go() -> None:
        world.store.remove("rayclusters", "a")
        world.store.remove("pods", "a-workers-worker-1")

    said = followed(
        gone(client),
        go,
        lambda: world.store.remove("pods", "a-head"),
    )

    # Cluster and pods are two watches: the last word on the cluster may come after that on the head.
    assert said[:2] == ["2 nodes to stop", "the head to stop"]
    assert said[2:] in ([], ["a to go"])


def test_gone_already(client: Client) -> None:
    """What is not there is not waited for."""
    assert followed(gone(client)) == []


def test_gone_and_made_anew(world: World, client: Client) -> None:
    """Another cluster of that name is not the one."""
    world.add(cluster("a", metadata={"uid": "another"}), head("a"))

    assert followed(gone(client)) == []


def test_gone_by_what_can_be_seen(world: World, client: Client) -> None:
    """Without the right to see pods it says that it did not look at them."""
    world.api.deny("list", "pods")

    with pytest.raises(StopIteration) as caught:
        next(gone(client))

    assert caught.value.value is False


def test_not_gone_in_time(world: World, client: Client) -> None:
    """When the time is over, the deletion goes on, and there is a command to see what is left."""
    world.add(head("a"))

    with pytest.raises(TimedOut) as caught:
        followed(gone(client, timeout=60, step=60))

    assert caught.value.message == "Ray cluster a is not gone after 60s: waiting for the head to stop."
    assert caught.value.hint.endswith("kubectl get pods -l ray.io/cluster=a -n default")
