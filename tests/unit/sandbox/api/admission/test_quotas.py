"""What objects count for, and which of them a quota is about."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.admission import quotas
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.api.store import Store

NOW = 1_000_000_000.0


def pod(**spec: Any) -> dict[str, Any]:
    """A pod with one container."""
    return {"metadata": {"name": "p", "namespace": "n"}, "spec": {"containers": [{"name": "a", **spec}]}}


def amounts(kind: kinds.Kind, held: dict[str, Any]) -> dict[str, str]:
    """What it counts for, as text."""
    return {name: str(each) for name, each in quotas.usage(kind, held, NOW).items()}


def test_what_a_pod_counts_for() -> None:
    """Requests by both names, limits by one; a device by its requests only."""
    resources = {"requests": {"cpu": "1", "nvidia.com/gpu": "2"}, "limits": {"memory": "1Gi"}}
    assert amounts(kinds.PODS, pod(resources=resources)) == {
        "count/pods": "1",
        "pods": "1",
        "cpu": "1",
        "requests.cpu": "1",
        "requests.nvidia.com/gpu": "2",
        "limits.memory": "1Gi",
    }


@pytest.mark.parametrize(
    "over",
    [
        {"status": {"phase": "Succeeded"}},
        {"metadata": {"deletionTimestamp": "2001-09-09T01:46:00Z", "deletionGracePeriodSeconds": 30}},
    ],
)
def test_a_pod_that_is_over(over: dict[str, Any]) -> None:
    """It is an object still, and nothing else."""
    assert amounts(kinds.PODS, {**pod(), **over}) == {"count/pods": "1"}


def test_a_service_that_is_reached_from_outside() -> None:
    """It takes node ports, and perhaps a load balancer."""
    service = {"spec": {"type": "LoadBalancer", "ports": [{}, {}]}}
    assert amounts(kinds.SERVICES, service) == {
        "count/services": "1",
        "services": "1",
        "services.nodeports": "2",
        "services.loadbalancers": "1",
    }


def test_a_claim() -> None:
    """Counted in all, and by its class."""
    claim = {"spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "5Gi"}}}}
    assert amounts(kinds.CLAIMS, claim) == {
        "count/persistentvolumeclaims": "1",
        "persistentvolumeclaims": "1",
        "requests.storage": "5Gi",
        "fast.storageclass.storage.k8s.io/requests.storage": "5Gi",
        "fast.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
    }


@pytest.mark.parametrize(
    ("scope", "spec", "about"),
    [
        ({"scopes": ["BestEffort"]}, {}, True),
        ({"scopes": ["NotBestEffort"]}, {}, False),
        ({"scopes": ["Terminating"]}, {"activeDeadlineSeconds": 5}, True),
        ({"scopes": ["NotTerminating"]}, {"activeDeadlineSeconds": 5}, False),
        ({"scopes": ["PriorityClass"]}, {"priorityClassName": "high"}, True),
        ({"scopes": ["PriorityClass"]}, {}, False),
        (
            {
                "scopeSelector": {
                    "matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["a"]}]
                }
            },
            {"priorityClassName": "high"},
            False,
        ),
        ({}, {}, True),
    ],
)
def test_scopes(scope: dict[str, Any], spec: dict[str, Any], about: bool) -> None:
    """A quota can be about some pods only."""
    held = pod()
    held["spec"] |= spec
    assert quotas.in_scope({"spec": scope}, kinds.PODS, held) is about


def test_ray_clusters_can_be_counted() -> None:
    """By `count/`, with the words of the real server."""
    objects = Objects(Store())
    objects.create(kinds.NAMESPACES, {"metadata": {"name": "n"}})
    hard = {"count/rayclusters.ray.io": "1"}
    objects.create(kinds.RESOURCE_QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": hard}}, "n")
    objects.create(kinds.RAY_CLUSTERS, {"metadata": {"name": "a"}, "spec": {}}, "n")
    with pytest.raises(Refused) as caught:
        objects.create(kinds.RAY_CLUSTERS, {"metadata": {"name": "b"}, "spec": {}}, "n")
    told = ", ".join(f"{word}: count/rayclusters.ray.io=1" for word in ("requested", "used", "limited"))
    assert caught.value.message == f'rayclusters.ray.io "b" is forbidden: exceeded quota: q, {told}'
