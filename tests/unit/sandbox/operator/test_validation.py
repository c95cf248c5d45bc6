"""What the operator refuses, in its words."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_ray.sandbox.operator import validation
from tests.unit.sandbox.operator.clusters import cluster, container, group, with_metadata

Object = dict[str, Any]

V2 = "RAY_enable_autoscaler_v2"
V2_SET = [{"name": V2, "value": "true"}]
TOKEN = {"mode": "token"}
REDIS = {"redisAddress": "redis:6379"}


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("a" * 53, ""),
        ("a" * 54, "RayCluster name should be no more than 53 characters"),
        ("1abc", "RayCluster name should be a valid DNS1035 label: [a DNS-1035 label must consist of lower case "),
        ("a.b", "RayCluster name should be a valid DNS1035 label: [a DNS-1035 label must consist of lower case "),
    ],
)
def test_names(name: str, fault: str) -> None:
    """At most 53 letters, and fit for a service."""
    found = validation.metadata_fault({"name": name})
    assert found.startswith(fault)
    assert bool(found) == bool(fault)


def head(**fields: Any) -> Object:
    """The spec of a cluster with such a container of the head."""
    found: Object = cluster(pod={"containers": [container(**fields)]})["spec"]
    return found


FAULTS: list[tuple[Object, str]] = [
    (cluster(pod={"containers": []})["spec"], "headGroupSpec should have at least one container"),
    (cluster(group(pod={"x": 1}))["spec"], "workerGroupSpec should have at least one container"),
    (cluster(group(minReplicas=3, maxReplicas=1))["spec"], "has minReplicas 3 greater than maxReplicas 1"),
    (cluster(group(minReplicas=-1))["spec"], "worker group wg has negative minReplicas -1"),
    (cluster(group(maxReplicas=-2))["spec"], "worker group wg has negative maxReplicas -2"),
    (cluster(group(minReplicas=None))["spec"], "must set both minReplicas and maxReplicas when autoscaling is disab"),
    (
        cluster(group(resources={"CPU": "1"}, rayStartParams={"num-cpus": "1"}))["spec"],
        "resource fields should not be set in both rayStartParams and Resources for wg group; please use only one",
    ),
    (
        cluster(head={"rayStartParams": {"labels": "a=b"}})["spec"],
        "rayStartParams['labels'] is not supported for Head group; please use the top-level Labels field instead",
    ),
    (cluster(group(labels={"a b": "c"}))["spec"], "invalid label key for wg group: 'a b', error: name part must con"),
    (cluster(group(labels={"a": "c d"}))["spec"], "invalid label value for key 'a' in wg group: 'c d', error: a vali"),
    (cluster(group(idleTimeoutSeconds=-1))["spec"], "worker group wg: idleTimeoutSeconds must be non-negative, got -1"),
    (cluster(group(idleTimeoutSeconds=1))["spec"], "worker group wg: idleTimeoutSeconds is set, but autoscaler v2 is"),
    (
        cluster(autoscalerOptions={"idleTimeoutSeconds": -5})["spec"],
        "autoscalerOptions.idleTimeoutSeconds must be non-negative, got -5",
    ),
    (
        cluster(group(suspend=True), enableInTreeAutoscaling=True)["spec"],
        "worker group wg cannot be suspended with Autoscaler enabled",
    ),
    (head(env=V2_SET), f"environment variable {V2} cannot be set to 'true' when enableInTreeAutoscaling is false."),
    (
        {**head(env=V2_SET), "enableInTreeAutoscaling": True, "autoscalerOptions": {"version": "v1"}},
        f"both .spec.autoscalerOptions.version and head Pod env var {V2} are set, please only use the former",
    ),
    (
        cluster(
            pod={"containers": [container()], "restartPolicy": "Always"},
            enableInTreeAutoscaling=True,
            autoscalerOptions={"version": "v2"},
        )["spec"],
        "restartPolicy for head Pod should be Never or unset when using autoscaler V2",
    ),
    (
        cluster(
            group(pod={"containers": [container()], "restartPolicy": "OnFailure"}),
            enableInTreeAutoscaling=True,
            autoscalerOptions={"version": "v2"},
        )["spec"],
        "restartPolicy for worker group wg should be Never or unset when using autoscaler V2",
    ),
    (
        head(env=[{"name": "RAY_REDIS_ADDRESS", "value": "r"}]),
        "RAY_REDIS_ADDRESS is set which implicitly enables GCS fault tolerance",
    ),
    (
        {**head(env=[{"name": "REDIS_PASSWORD", "value": "r"}]), "gcsFaultToleranceOptions": REDIS},
        "cannot set `REDIS_PASSWORD` env var in head Pod when GcsFaultToleranceOptions is enabled",
    ),
    (
        cluster(head={"rayStartParams": {"redis-password": "x"}}, gcsFaultToleranceOptions=REDIS)["spec"],
        "cannot set `redis-password` in rayStartParams when GcsFaultToleranceOptions is enabled",
    ),
    (cluster(head={"rayStartParams": {"redis-username": "x"}})["spec"], "cannot set redis username in rayStartParams"),
    (
        cluster(authOptions=TOKEN)["spec"],
        "authOptions.mode is 'token' but RayVersion was not specified. Ray version 2.52.0 or later is required",
    ),
    (
        cluster(authOptions=TOKEN, rayVersion="2.51.0")["spec"],
        "authOptions.mode is 'token' but minimum Ray version is 2.52.0, got 2.51.0",
    ),
    (
        cluster(authOptions=TOKEN, rayVersion="nightly")["spec"],
        "authOptions.mode is 'token' but RayVersion format is invalid: nightly, could not parse \"nightly\" as version",
    ),
    (
        cluster(authOptions={**TOKEN, "enableK8sTokenAuth": True}, rayVersion="2.54.0")["spec"],
        "authOptions.enableK8sTokenAuth is enabled but minimum Ray version is 2.55.0, got 2.54.0",
    ),
    (
        cluster(authOptions={**TOKEN, "enableK8sTokenAuth": True, "secretName": "s"}, rayVersion="2.55.0")["spec"],
        "authOptions.enableK8sTokenAuth is enabled and authOptions.secretName is also set",
    ),
    (
        cluster(authOptions={"enableK8sTokenAuth": True})["spec"],
        "authOptions.enableK8sTokenAuth is enabled but authOptions.mode not set to 'token'",
    ),
]


@pytest.mark.parametrize(("of", "fault"), FAULTS)
def test_specs(of: Object, fault: str) -> None:
    """The first fault is told."""
    assert fault in validation.spec_fault(of, {})


@pytest.mark.parametrize(
    "of",
    [
        cluster()["spec"],
        cluster(group(), group("other", labels={"example.com/a": "b"}))["spec"],
        cluster(group(idleTimeoutSeconds=30), enableInTreeAutoscaling=True, autoscalerOptions={"version": "v2"})[
            "spec"
        ],
        cluster(group(minReplicas=None, maxReplicas=None), enableInTreeAutoscaling=True)["spec"],
        cluster(authOptions=TOKEN, rayVersion="2.52.0")["spec"],
        cluster(authOptions={"mode": "disabled"})["spec"],
    ],
)
def test_specs_that_can_be(of: Object) -> None:
    """Nothing is said."""
    assert not validation.spec_fault(of, {})


def test_fault_tolerance_is_asked_for_in_one_way() -> None:
    """By annotation or by field."""
    of = cluster(gcsFaultToleranceOptions=REDIS)["spec"]
    assert "annotation and GcsFaultToleranceOptions are both set" in validation.spec_fault(
        of, {"ray.io/ft-enabled": "x"}
    )
    namespace = {"ray.io/external-storage-namespace": "x"}
    assert "cannot set `ray.io/external-storage-namespace`" in validation.spec_fault(of, namespace)


@pytest.mark.parametrize(
    ("kind", "maker", "fault"),
    [
        ("Recreate", None, ""),
        ("None", None, ""),
        ("Rolling", None, "value Rolling is invalid, valid options are Recreate or None"),
        ("Recreate", "RayJob", "upgradeStrategy cannot be set when RayCluster is created by RayJob"),
    ],
)
def test_upgrade_strategies(kind: str, maker: str | None, fault: str) -> None:
    """Only for clusters that a person made."""
    labels = {"ray.io/originated-from-crd": maker} if maker else {}
    found = validation.upgrade_fault(with_metadata(cluster(upgradeStrategy={"type": kind}), labels=labels))
    assert fault in found
    assert bool(found) == bool(fault)
