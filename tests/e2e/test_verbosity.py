"""-v: what the same would be with kubectl, which requests were sent, with which headers; never on stdout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness.objects import suspended

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("cluster list", "kubectl get rayclusters"),
        ("cluster get {}", "kubectl get raycluster talk"),
        ("cluster scale --cluster {} --replicas=3", "kubectl patch raycluster"),
        ("cluster delete {} --yes", "kubectl delete raycluster"),
    ],
)
def test_the_same_with_kubectl(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], line: str, told: str) -> None:
    """-v and -v=1 name the equivalent kubectl command on stderr."""
    name = fresh("talk")
    kubectl.create(suspended(name))
    assert told in ray(f"{line.format(name)} -v").err


def test_requests(ray: Ray, namespace: str) -> None:
    """-v=2 names each request with its answer."""
    said = ray("cluster list -v=2").err
    assert f"/apis/ray.io/v1/namespaces/{namespace}/rayclusters 200" in said
    assert "User-Agent" not in said


def test_headers(ray: Ray) -> None:
    """-v=3 shows headers too."""
    assert "User-Agent: kubectl-ray" in ray("cluster list -v=3").err


def test_stdout_stays_the_answer(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """The loudest talk leaves JSON on stdout as it is."""
    name = fresh("talk")
    kubectl.create(suspended(name))
    assert json.loads(ray(f"cluster get {name} -o json -v=9").out)["metadata"]["name"] == name


def test_tracebacks_only_on_demand(ray: Ray) -> None:
    """An error shows where in the program it came from only with KUBECTL_RAY_DEBUG."""
    ray("cluster get no-such-cluster", code=5)
    assert "Traceback" in ray.having(KUBECTL_RAY_DEBUG="1").outcome("cluster get no-such-cluster").err
