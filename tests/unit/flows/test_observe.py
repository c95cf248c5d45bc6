"""A cluster and its pods as one stream of views."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.errors import NotAllowed, NotFound, NotLoggedIn
from kubectl_ray.flows.observe import changes, views
from tests.kuberay import cluster, head, worker
from tests.kuberay.objects import names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kubectl_ray.flows.observe import Seen, View
    from kubectl_ray.kube.client import Client
    from tests.kuberay import World


def until(stream: Iterator[View], condition: Callable[[View], bool]) -> View:
    """The first view of which this holds."""
    return next(view for view in stream if condition(view))


def test_first_view(world: World, client: Client) -> None:
    """The first view comes when both lists are in, and is whole."""
    world.add(cluster("a"), head("a"), worker("a"))

    view = next(views(client, "default"))

    assert names(view.clusters) == ["a"]
    assert names(view.pods) == ["a-head", "a-workers-worker-1"]
    assert not view.no_right_to_pods


def test_changes(world: World, client: Client) -> None:
    """What comes, changes and goes is in the next view."""
    world.add(cluster("a"), head("a", ready=False))
    stream = views(client, "default", every=30)
    next(stream)

    world.add(head("a"))
    assert until(stream, lambda view: view.pods[0]["status"]["phase"] == "Running")
    world.add(cluster("b"))
    assert until(stream, lambda view: names(view.clusters) == ["a", "b"])
    world.store.remove("pods", "a-head")
    assert until(stream, lambda view: not view.pods)


def test_a_view_now_and_then(world: World, client: Client) -> None:
    """Without a change there is a view all the same, so that the caller can look at its clock."""
    world.add(cluster("a"))

    found = list(itertools.islice(views(client, "default", every=0.01), 3))

    assert [names(view.clusters) for view in found] == [["a"]] * 3


def test_selectors(world: World, client: Client) -> None:
    """Clusters and pods are chosen by the server."""
    world.add(cluster("a", labels={"x": "1"}), cluster("b"), head("a"), head("b"))

    view = next(views(client, "default", label_selector="x=1", pod_selector="ray.io/cluster=b"))

    assert (names(view.clusters), names(view.pods)) == (["a"], ["b-head"])


def test_all_namespaces(world: World, client: Client) -> None:
    """Namespace "" is all: two clusters of one name are two."""
    world.add(cluster("a"), cluster("a", namespace="other"))

    assert len(next(views(client, "")).clusters) == 2


def test_no_right_to_pods(world: World, client: Client) -> None:
    """Pods that may not be seen are no error; a view says so."""
    world.add(cluster("a"))
    world.api.deny("list", "pods")

    view = until(views(client, "default"), lambda view: view.no_right_to_pods)

    assert names(view.clusters) == ["a"]


def test_clusters_go_on_without_pods(world: World, client: Client) -> None:
    """Where pods may not be seen, clusters are watched all the same."""
    world.add(cluster("a"))
    world.api.deny("list", "pods")
    stream = views(client, "default")
    next(stream)

    world.add(cluster("b"))

    assert until(stream, lambda view: len(view.clusters) == 2).no_right_to_pods


@pytest.mark.parametrize("plural", ["rayclusters", "pods"])
def test_no_right_to_watch(world: World, client: Client, plural: str) -> None:
    """A login that may list but not watch sees changes all the same."""
    world.add(cluster("a"))
    world.api.deny("watch", plural)
    stream = views(client, "default", every=0.01)
    next(stream)

    world.add(cluster("b"), head("b"))

    view = until(stream, lambda view: len(view.clusters) == 2 and len(view.pods) == 1)
    assert not view.no_right_to_pods


def test_no_right_to_clusters(world: World, client: Client) -> None:
    """Clusters that may not be seen are an error."""
    world.api.deny("list", "rayclusters")

    with pytest.raises(NotAllowed):
        list(views(client, "default"))


def test_no_crd(world: World, client: Client) -> None:
    """So is a definition that is not there."""
    world.api.missing_groups.add("ray.io")

    with pytest.raises(NotFound) as caught:
        list(views(client, "default"))

    assert caught.value.missing_group == "ray.io"


def test_an_expired_login(world: World, client: Client) -> None:
    """A login that expired while pods are listed is an error, not a missing right."""
    world.add(cluster("a"))
    world.api.fail(401, "Unauthorized", path="/pods", times=None)

    with pytest.raises(NotLoggedIn):
        list(views(client, "default"))


def test_history_is_forgotten(world: World, client: Client) -> None:
    """A watch that fell behind lists anew: what went meanwhile is not in the next view."""
    world.add(cluster("a"), cluster("b"))
    stream = views(client, "default")
    next(stream)

    world.store.remove("rayclusters", "a")
    world.store.compact()
    world.api.close_watches()

    assert until(stream, lambda view: names(view.clusters) == ["b"])


def test_connections_that_break(world: World, client: Client) -> None:
    """A lost connection is made anew, and nothing of what happened meanwhile is lost."""
    world.add(cluster("a"))
    stream = views(client, "default")
    next(stream)

    world.api.drop_connections()
    world.add(head("a"))

    assert until(stream, lambda view: names(view.pods) == ["a-head"])


def left(client: Client) -> list[threading.Thread]:
    """The threads of a stream that was listened to once and then left."""
    before = set(threading.enumerate())
    stream = views(client, "default")
    next(stream)
    watchers = [thread for thread in set(threading.enumerate()) - before if type(thread).__name__ == "Watcher"]
    assert len(watchers) == 2
    stream.close()  # type: ignore[attr-defined]
    return watchers


def test_the_end(world: World, client: Client) -> None:
    """With the client closed, no thread of a stream that is left stays."""
    world.add(cluster("a"))
    watchers = left(client)

    client.close()

    for thread in watchers:
        thread.join(timeout=10)
        assert not thread.is_alive()


def test_the_end_of_a_quiet_stream(world: World, client: Client) -> None:
    """Nor does one while the client is open, though nothing happens that would wake it."""
    world.add(cluster("a"))

    for thread in left(client):
        thread.join(timeout=20)
        assert not thread.is_alive()


def seen(stream: Iterator[Seen], condition: Callable[[Seen], bool]) -> Seen:
    """The first of which this holds."""
    return next(view for view in stream if condition(view))


def test_one_cluster(world: World, client: Client) -> None:
    """Of one cluster, it and its own pods are seen."""
    world.add(cluster("a"), head("a"), cluster("ab"), head("ab"))

    found = next(changes(client, "a", "default"))

    assert found.cluster is not None
    assert found.cluster.name == "a"
    assert [pod.name for pod in found.pods] == ["a-head"]


def test_one_cluster_goes(world: World, client: Client) -> None:
    """When it is gone there is none, though its pods are still there."""
    world.add(cluster("a"), head("a"))
    stream = changes(client, "a", "default")
    next(stream)

    world.store.remove("rayclusters", "a")

    assert [pod.name for pod in seen(stream, lambda found: found.cluster is None).pods] == ["a-head"]
