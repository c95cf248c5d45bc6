"""What each command asks of the API server: no request more, and all over one connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kuberay import World, cluster, event, group, head, worker

if TYPE_CHECKING:
    from collections.abc import Iterator

CLUSTERS = "/apis/ray.io/v1/namespaces/default/rayclusters"
PODS = "/api/v1/namespaces/default/pods"
EVENTS = "/api/v1/namespaces/default/events"
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
JOBS = "/api/v1/namespaces/default/services/a-head-svc:dashboard/proxy/api/jobs/"


@pytest.fixture
def world() -> Iterator[World]:
    """Two clusters; `a` has two groups."""
    with World() as made:
        status = {"conditions": [{"type": "HeadPodReady", "status": "True"}]}
        made.add(cluster("a", group("one"), group("two"), status=status), head("a"), worker("a", group="one"))
        made.add(cluster("b"), head("b"), event("a", "CreatedHeadPod", "Created head Pod", kind="Normal"))
        yield made


BUDGETS = {
    # reading
    "cluster list": [f"GET {CLUSTERS}", f"GET {PODS}"],
    "cluster list -A": ["GET /apis/ray.io/v1/rayclusters", "GET /api/v1/pods"],
    "cluster list --mine": [f"POST {WHO}", f"GET {CLUSTERS}", "GET /api/v1/namespaces/default"],
    "cluster list -o json": [f"GET {CLUSTERS}"],
    "cluster list -o name": [f"GET {CLUSTERS}"],
    "cluster list -o wide": [f"GET {CLUSTERS}", f"GET {PODS}"],
    "cluster get a": [f"GET {CLUSTERS}/a", f"GET {PODS}"],
    "cluster get a b": [f"GET {CLUSTERS}/a", f"GET {CLUSTERS}/b", f"GET {PODS}"],
    "cluster get a -o yaml": [f"GET {CLUSTERS}/a"],
    "cluster get nowhere": [f"GET {CLUSTERS}/nowhere", f"GET {CLUSTERS}"],
    "cluster describe a": [f"GET {CLUSTERS}/a", f"GET {PODS}", f"GET {EVENTS}"],
    "cluster nodes": [f"GET {PODS}"],
    "cluster nodes a": [f"GET {PODS}"],
    "cluster worker-group list": [f"GET {CLUSTERS}", f"GET {PODS}"],
    "cluster worker-group list --cluster a": [f"GET {CLUSTERS}/a", f"GET {PODS}"],
    "cluster worker-group list -o json": [f"GET {CLUSTERS}"],
    "get cluster": [f"GET {CLUSTERS}"],
    "get cluster a": [f"GET {CLUSTERS}"],
    "get workergroup": [f"GET {CLUSTERS}", f"GET {PODS}"],
    "get workergroup -c a": [f"GET {CLUSTERS}", f"GET {PODS}"],
    "get node": [f"GET {PODS}"],
    "version --client": [],
    "version": ["GET /apis/apps/v1/deployments", "GET /version"],
    # writing
    "cluster create c --dry-run=client": [],
    "cluster create c --dry-run=server": [f"POST {WHO}", f"POST {CLUSTERS}"],
    "cluster create c --no-wait": [f"POST {WHO}", f"POST {CLUSTERS}"],
    "cluster scale one --cluster a --replicas=3 --no-wait": [f"GET {CLUSTERS}/a", f"PATCH {CLUSTERS}/a"],
    "cluster scale one --cluster a --replicas=1 --no-wait": [f"GET {CLUSTERS}/a"],
    "cluster scale one --cluster a --replicas=3 --dry-run=client": [f"GET {CLUSTERS}/a"],
    "cluster scale one --cluster a --replicas=3 --dry-run=server": [f"GET {CLUSTERS}/a", f"PATCH {CLUSTERS}/a"],
    "cluster worker-group create new --cluster a --no-wait": [f"GET {CLUSTERS}/a", f"PATCH {CLUSTERS}/a"],
    "cluster worker-group create new --cluster a --dry-run=client": [f"GET {CLUSTERS}/a"],
    "cluster delete a --yes --no-wait": [
        f"GET {CLUSTERS}/a",
        f"POST {WHO}",
        f"GET {JOBS}",
        f"DELETE {CLUSTERS}/a",
    ],
    "cluster delete b --yes --no-wait": [f"GET {CLUSTERS}/b", f"POST {WHO}", f"DELETE {CLUSTERS}/b"],
    "cluster delete b --dry-run=client": [f"GET {CLUSTERS}/b", f"POST {WHO}"],
    "cluster delete --mine --dry-run=client": [f"POST {WHO}", f"GET {CLUSTERS}", "GET /api/v1/namespaces/default"],
    "cluster delete --all --dry-run=client": [f"GET {CLUSTERS}", f"POST {WHO}", f"GET {JOBS}"],
}


@pytest.mark.parametrize("line", BUDGETS)
def test_budget(world: World, line: str) -> None:
    """These requests, in this order: nothing is discovered, and nothing asked twice."""
    assert world.run(line).asked == BUDGETS[line]


@pytest.mark.parametrize("line", [line for line in BUDGETS if BUDGETS[line]])
def test_one_connection(world: World, line: str) -> None:
    """However many requests, they share one connection: a TLS handshake costs more than a request."""
    ran = world.run(line)

    assert {request.connection for request in ran.requests} == {1}, ran


@pytest.mark.parametrize("line", ["cluster list", "cluster worker-group list", "get workergroup"])
def test_requests_do_not_grow_with_clusters(world: World, line: str) -> None:
    """A hundred clusters more are not one request more."""
    before = len(world.run(line).requests)
    world.add(*(cluster(f"c{number}") for number in range(100)))

    assert len(world.run(line).requests) == before


@pytest.mark.parametrize("line", ["cluster list", "cluster get a", "cluster nodes"])
def test_only_rays_pods(world: World, line: str) -> None:
    """Pods are chosen by the server: those of others are never sent."""
    asked = next(request for request in world.run(line).requests if request.path == PODS)

    assert asked.query["labelSelector"].startswith("ray.io/")


def test_a_wait_watches(world: World) -> None:
    """A wait lists and watches the cluster and its pods once each, and never polls them."""
    world.with_operator()

    ran = world.run("cluster scale one --cluster a --replicas=3")
    lists = [r for r in ran.requests if r.method == "GET" and r.path in {CLUSTERS, PODS} and "watch" not in r.query]
    watches = [r for r in ran.requests if "watch" in r.query]

    assert ran.code == 0, ran
    assert sorted(r.path for r in lists) == [PODS, CLUSTERS]
    assert len(watches) <= 2
    assert {r.query.get("fieldSelector") or r.query.get("labelSelector") for r in lists} == {
        "metadata.name=a",
        "ray.io/cluster=a",
    }
