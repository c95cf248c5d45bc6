"""What is refused in a RayJob, in the operator's words."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.operator.rayjobs_validation import fault
from tests.unit.sandbox.operator.world import SPEC

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object

BAD = "The RayJob spec is invalid: "
SELECTED = {"rayClusterSpec": None, "clusterSelector": {"ray.io/cluster": "c"}}


def job(name: str = "ok", **spec: Any) -> Object:
    """A RayJob that is fine but for what is given."""
    wanted = {"entrypoint": "true", "rayClusterSpec": copy.deepcopy(SPEC), **spec}
    return {"metadata": {"name": name}, "spec": {k: v for k, v in wanted.items() if v is not None}}


def rule(policy: str, seconds: int = 0, **condition: str) -> Object:
    """A deletion rule."""
    return {"policy": policy, "condition": {**(condition or {"jobStatus": "SUCCEEDED"}), "ttlSeconds": seconds}}


def autoscaled() -> Object:
    """A cluster with an autoscaler."""
    return {**copy.deepcopy(SPEC), "enableInTreeAutoscaling": True}


def test_a_good_one() -> None:
    """Nothing is wrong with the one that the others vary."""
    assert fault(job()) is None


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (
            {"suspend": True},
            BAD + "a RayJob with shutdownAfterJobFinishes set to false is not allowed to be suspended",
        ),
        ({"ttlSecondsAfterFinished": -1}, BAD + "TTLSecondsAfterFinished must be a non-negative integer"),
        (
            {"ttlSecondsAfterFinished": 1},
            BAD + "a RayJob with shutdownAfterJobFinishes set to false cannot have TTLSecondsAfterFinished",
        ),
        ({"rayClusterSpec": None}, BAD + "one of RayClusterSpec or ClusterSelector must be set"),
        (
            {**SELECTED, "suspend": True, "shutdownAfterJobFinishes": True},
            BAD + "the ClusterSelector mode doesn't support the suspend operation",
        ),
        ({"clusterSelector": {"x": "y"}}, "cluster name in ClusterSelector should not be empty"),
        ({**SELECTED, "submissionMode": "SidecarMode"}, "ClusterSelector is not supported in SidecarMode"),
        ({**SELECTED, "backoffLimit": 1}, BAD + "BackoffLimit is incompatible with ClusterSelector mode"),
        (
            {"submissionMode": "InteractiveMode", "backoffLimit": 1},
            BAD + "BackoffLimit is incompatible with InteractiveMode",
        ),
        (
            {"submissionMode": "SidecarMode", "submitterPodTemplate": {}},
            "Currently, SidecarMode doesn't support SubmitterPodTemplate",
        ),
        (
            {"submissionMode": "SidecarMode", "submitterConfig": {}},
            "Currently, SidecarMode doesn't support SubmitterConfig",
        ),
        ({"activeDeadlineSeconds": 0}, BAD + "activeDeadlineSeconds must be a positive integer"),
        ({"preRunningDeadlineSeconds": -1}, BAD + "preRunningDeadlineSeconds must be a positive integer"),
        ({"backoffLimit": -1}, BAD + "backoffLimit must be a positive integer"),
        (
            {"rayClusterSpec": {"headGroupSpec": {"template": {"spec": {"containers": []}}}}},
            BAD + "headGroupSpec should have at least one container",
        ),
        (
            {"rayClusterSpec": {**SPEC, "authOptions": {"enableK8sTokenAuth": True}}},
            BAD + "K8s token auth mode is currently not supported for RayJob",
        ),
    ],
)
def test_specs(spec: Object, text: str) -> None:
    """Each rule has its words."""
    found = fault(job(**spec))
    assert found is not None
    assert (found.reason, found.text) == ("InvalidRayJobSpec", text)


@pytest.mark.parametrize(
    ("strategy", "more", "text"),
    [
        (
            {},
            {},
            BAD + "DeletionStrategy requires either BOTH onSuccess and onFailure, OR the deletionRules field"
            " (cannot be empty)",
        ),
        (
            {"deletionRules": [rule("DeleteSelf")]},
            {"shutdownAfterJobFinishes": True},
            BAD + "spec.shutdownAfterJobFinishes and spec.deletionStrategy.deletionRules are mutually exclusive",
        ),
        (
            {"deletionRules": [rule("DeleteSelf")], "onSuccess": {"policy": "DeleteSelf"}},
            {},
            BAD + "Cannot use both legacy onSuccess/onFailure fields and deletionRules simultaneously",
        ),
        (
            {"onSuccess": {"policy": "DeleteSelf"}},
            {},
            (
                "both DeletionStrategy.OnSuccess and DeletionStrategy.OnFailure must be set when using the legacy"
                " deletion policy fields of DeletionStrategy"
            ),
        ),
        (
            {"onSuccess": {}, "onFailure": {"policy": "DeleteSelf"}},
            {},
            (
                "the DeletionPolicyType field of DeletionStrategy.OnSuccess cannot be unset when DeletionStrategy is"
                " enabled"
            ),
        ),
        (
            {"onSuccess": {"policy": "DeleteCluster"}, "onFailure": {"policy": "DeleteSelf"}},
            SELECTED,
            "the ClusterSelector mode doesn't support DeletionStrategy=DeleteCluster on success",
        ),
        (
            {"onSuccess": {"policy": "DeleteWorkers"}, "onFailure": {"policy": "DeleteSelf"}},
            {"rayClusterSpec": autoscaled()},
            "DeletionStrategy=DeleteWorkers currently does not support RayCluster with autoscaling enabled",
        ),
        (
            {"onSuccess": {"policy": "DeleteNone"}, "onFailure": {"policy": "DeleteSelf"}},
            {"shutdownAfterJobFinishes": True},
            BAD + "shutdownAfterJobFinshes is set to 'true' while deletion policy is 'DeleteNone'",
        ),
        (
            {"deletionRules": [rule("DeleteSelf", jobStatus="FAILED", jobDeploymentStatus="Failed")]},
            {},
            "deletionRules[0]: cannot set both JobStatus and JobDeploymentStatus at the same time",
        ),
        (
            {"deletionRules": [{"policy": "DeleteSelf", "condition": {}}]},
            {},
            "deletionRules[0]: exactly one of JobStatus and JobDeploymentStatus must be set",
        ),
        (
            {"deletionRules": [rule("DeleteSelf", -1)]},
            {},
            "deletionRules[0]: TTLSeconds must be non-negative",
        ),
        (
            {"deletionRules": [rule("DeleteCluster")]},
            SELECTED,
            "deletionRules[0]: DeletionPolicyType 'DeleteCluster' not supported when ClusterSelector is set",
        ),
        (
            {"deletionRules": [rule("DeleteWorkers")]},
            {"rayClusterSpec": autoscaled()},
            "deletionRules[0]: DeletionPolicyType 'DeleteWorkers' not supported with autoscaling enabled",
        ),
        (
            {"deletionRules": [rule("DeleteSelf"), rule("DeleteSelf", 5)]},
            {},
            "deletionRules[1]: duplicate rule for DeletionPolicyType 'DeleteSelf' and JobStatus 'SUCCEEDED'",
        ),
        (
            {
                "deletionRules": [
                    rule("DeleteSelf", 1, jobDeploymentStatus="Failed"),
                    rule("DeleteCluster", 9, jobDeploymentStatus="Failed"),
                    rule("DeleteCluster", 5),
                    rule("DeleteWorkers", 6),
                ]
            },
            {},
            (
                "for JobStatus 'SUCCEEDED': DeleteCluster TTL (5) must be >= DeleteWorkers TTL (6)\n"
                "for JobDeploymentStatus 'Failed': DeleteSelf TTL (1) must be >= DeleteCluster TTL (9)"
            ),
        ),
    ],
)
def test_deletion_strategies(strategy: Object, more: Object, text: str) -> None:
    """Each rule about what is deleted when has its words."""
    found = fault(job(deletionStrategy=strategy, **more))
    assert found is not None
    assert found.text == text


def test_a_head_that_would_be_restarted() -> None:
    """A submitter inside the head's pod ends: the pod may not be restarted for it."""
    spec = copy.deepcopy(SPEC)
    spec["headGroupSpec"]["template"]["spec"]["restartPolicy"] = "Always"
    found = fault(job(submissionMode="SidecarMode", rayClusterSpec=spec))
    assert found is not None
    assert found.text == "restartPolicy for head Pod should be Never or unset when using SidecarMode"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x" * 48, "The RayJob metadata is invalid: RayJob name should be no more than 47 characters"),
        ("1a", "The RayJob metadata is invalid: RayJob name should be a valid DNS1035 label: [a DNS-1035 label must"),
    ],
)
def test_names(name: str, text: str) -> None:
    """The cluster's name is made of it."""
    found = fault(job(name))
    assert found is not None
    assert found.reason == "InvalidRayJobMetadata"
    assert found.text.startswith(text)


def test_waiting_needs_a_mode_that_waits() -> None:
    """A submissionMode that is changed while the job waits is refused."""
    waiting = {**job(), "status": {"jobDeploymentStatus": "Waiting"}}
    found = fault(waiting)
    assert found is not None
    assert found.reason == "InvalidRayJobStatus"


@pytest.mark.parametrize("text", ["a: [", "- 1", "just words", "a: b: c"])
def test_a_runtime_env_that_is_none(text: str) -> None:
    """It has to be a map in YAML; what is in it is Ray's business."""
    found = fault(job(runtimeEnvYAML=text))
    assert found is not None
    assert found.text.startswith(f"failed to unmarshal RuntimeEnvYAML: {text}: error ")


@given(st.text())
def test_any_runtime_env(text: str) -> None:
    """Whatever it is, it is fine or refused in words."""
    found = fault(job(runtimeEnvYAML=text))
    assert found is None or found.text.startswith("failed to unmarshal RuntimeEnvYAML: ")
