"""What the operator refuses in a RayJob; texts are those of the KubeRay operator v1.6.2."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import yaml

from kubectl_ray.sandbox.operator.naming import CLUSTER
from kubectl_ray.sandbox.operator.parents import name_fault, submission_mode
from kubectl_ray.sandbox.operator.validation import spec_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kubectl_ray.sandbox.api.store import Object

_BAD = "The RayJob spec is invalid: "
_ORDER = ("DeleteWorkers", "DeleteCluster", "DeleteSelf")
"""Policies by how much they take away: a later one may not come earlier in time."""


class Fault(NamedTuple):
    """Why a RayJob is not worked on: the event's reason and the words."""

    reason: str
    text: str


def fault(job: Object) -> Fault | None:
    """The first thing that is wrong with the RayJob; None when nothing is."""
    wrong = name_fault("RayJob", job["metadata"]["name"])
    if wrong:
        return Fault("InvalidRayJobMetadata", wrong)
    spec = job["spec"]
    for check in (_life, _deletion, _cluster, _selector, _mode, _sidecar):
        wrong = check(spec)
        if wrong:
            return Fault("InvalidRayJobSpec", wrong)
    wrong = _inside(job) or _runtime_env(spec) or _numbers(spec)
    if wrong:
        return Fault("InvalidRayJobSpec", wrong)
    if (job.get("status") or {}).get("jobDeploymentStatus") == "Waiting" and submission_mode(spec) != "InteractiveMode":
        text = "JobDeploymentStatus cannot be `Waiting` when SubmissionMode is not InteractiveMode"
        return Fault("InvalidRayJobStatus", f"The RayJob status is invalid: {text}")
    return None


def _life(spec: Object) -> str | None:
    if spec.get("suspend") and not spec.get("shutdownAfterJobFinishes"):
        return _BAD + "a RayJob with shutdownAfterJobFinishes set to false is not allowed to be suspended"
    ttl = spec.get("ttlSecondsAfterFinished", 0)
    if ttl < 0:
        return _BAD + "TTLSecondsAfterFinished must be a non-negative integer"
    if ttl > 0 and not spec.get("shutdownAfterJobFinishes"):
        return _BAD + "a RayJob with shutdownAfterJobFinishes set to false cannot have TTLSecondsAfterFinished"
    return None


def _cluster(spec: Object) -> str | None:
    if spec.get("suspend") and spec.get("clusterSelector"):
        return _BAD + "the ClusterSelector mode doesn't support the suspend operation"
    if spec.get("rayClusterSpec") is None and not spec.get("clusterSelector"):
        return _BAD + "one of RayClusterSpec or ClusterSelector must be set"
    return None


def _selector(spec: Object) -> str | None:
    if not spec.get("clusterSelector"):
        return None
    if not spec["clusterSelector"].get(CLUSTER):
        return "cluster name in ClusterSelector should not be empty"
    if submission_mode(spec) == "SidecarMode":
        return "ClusterSelector is not supported in SidecarMode"
    if spec.get("backoffLimit", 0) > 0:
        return _BAD + "BackoffLimit is incompatible with ClusterSelector mode"
    return None


def _mode(spec: Object) -> str | None:
    if submission_mode(spec) == "InteractiveMode" and spec.get("backoffLimit", 0) > 0:
        return _BAD + "BackoffLimit is incompatible with InteractiveMode"
    return None


def _sidecar(spec: Object) -> str | None:
    if submission_mode(spec) != "SidecarMode":
        return None
    for field, shown in (("submitterPodTemplate", "SubmitterPodTemplate"), ("submitterConfig", "SubmitterConfig")):
        if spec.get(field) is not None:
            return f"Currently, SidecarMode doesn't support {shown}"
    pod = spec["rayClusterSpec"]["headGroupSpec"]["template"].get("spec", {})
    if pod.get("restartPolicy", "Never") != "Never":
        return "restartPolicy for head Pod should be Never or unset when using SidecarMode"
    return None


def _inside(job: Object) -> str | None:
    cluster = job["spec"].get("rayClusterSpec")
    if cluster is None:
        return None
    if cluster.get("authOptions", {}).get("enableK8sTokenAuth"):
        return _BAD + "K8s token auth mode is currently not supported for RayJob"
    wrong = spec_fault(cluster, job["metadata"].get("annotations", {}))
    return _BAD + wrong if wrong else None


def _runtime_env(spec: Object) -> str | None:
    given = spec.get("runtimeEnvYAML", "")
    try:
        read = yaml.safe_load(given)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return f"failed to unmarshal RuntimeEnvYAML: {given}: error converting YAML to JSON: yaml: {_told(error)}"
    if read is not None and not isinstance(read, dict):
        kind = "string" if isinstance(read, str) else type(read).__name__
        why = f"json: cannot unmarshal {kind} into Go value of type types.RuntimeEnvType"
        return f"failed to unmarshal RuntimeEnvYAML: {given}: error unmarshaling JSON: while decoding JSON: {why}"
    return None


def _told(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}: {problem}" if mark is not None else str(problem)


def _numbers(spec: Object) -> str | None:
    for field in ("activeDeadlineSeconds", "preRunningDeadlineSeconds"):
        if field in spec and spec[field] <= 0:
            return f"{_BAD}{field} must be a positive integer"
    if spec.get("backoffLimit", 0) < 0:
        return _BAD + "backoffLimit must be a positive integer"
    return None


def _deletion(spec: Object) -> str | None:
    strategy = spec.get("deletionStrategy")
    if strategy is None:
        return None
    old = "onSuccess" in strategy or "onFailure" in strategy
    rules = strategy.get("deletionRules") or []
    if rules and spec.get("shutdownAfterJobFinishes"):
        return _BAD + ("spec.shutdownAfterJobFinishes and spec.deletionStrategy.deletionRules are mutually exclusive")
    if rules and old:
        return _BAD + "Cannot use both legacy onSuccess/onFailure fields and deletionRules simultaneously"
    if old:
        return _old_policies(spec, strategy)
    if rules:
        return "\n".join(_rules(spec, rules)) or None
    return _BAD + (
        "DeletionStrategy requires either BOTH onSuccess and onFailure, OR the deletionRules field (cannot be empty)"
    )


def _old_policies(spec: Object, strategy: Object) -> str | None:
    if "onSuccess" not in strategy or "onFailure" not in strategy:
        return (
            "both DeletionStrategy.OnSuccess and DeletionStrategy.OnFailure must be set when using the legacy deletion"
            " policy fields of DeletionStrategy"
        )
    policies = {}
    for field, shown in (("onSuccess", "OnSuccess"), ("onFailure", "OnFailure")):
        policies[field] = strategy[field].get("policy")
        if policies[field] is None:
            return (
                f"the DeletionPolicyType field of DeletionStrategy.{shown} cannot be unset when DeletionStrategy is"
                " enabled"
            )
    if spec.get("clusterSelector"):
        for field, shown in (("onSuccess", "success"), ("onFailure", "failure")):
            if policies[field] in {"DeleteCluster", "DeleteWorkers"}:
                return f"the ClusterSelector mode doesn't support DeletionStrategy={policies[field]} on {shown}"
    if "DeleteWorkers" in policies.values() and _autoscaled(spec):
        return "DeletionStrategy=DeleteWorkers currently does not support RayCluster with autoscaling enabled"
    if spec.get("shutdownAfterJobFinishes") and "DeleteNone" in policies.values():
        return _BAD + "shutdownAfterJobFinshes is set to 'true' while deletion policy is 'DeleteNone'"
    return None


def _autoscaled(spec: Object) -> bool:
    return bool((spec.get("rayClusterSpec") or {}).get("enableInTreeAutoscaling"))


def _rules(spec: Object, rules: Sequence[Object]) -> Iterator[str]:
    told: dict[tuple[str, str], dict[str, int]] = {}
    for number, rule in enumerate(rules):
        condition, policy = rule.get("condition") or {}, rule["policy"]
        wrong = _condition(condition) or _policy(spec, policy)
        if wrong:
            yield f"deletionRules[{number}]: {wrong}"
            continue
        about = "JobStatus" if "jobStatus" in condition else "JobDeploymentStatus"
        value = condition[about[0].lower() + about[1:]]
        held = told.setdefault((about, value), {})
        if policy in held:
            yield f"deletionRules[{number}]: duplicate rule for DeletionPolicyType '{policy}' and {about} '{value}'"
            continue
        held[policy] = condition.get("ttlSeconds", 0)
    # Of all values of jobStatus first, then of jobDeploymentStatus.
    for (about, value), held in sorted(told.items(), key=lambda item: item[0][0] != "JobStatus"):
        yield from _in_order(about, value, held)


def _condition(condition: Object) -> str | None:
    both = [field for field in ("jobStatus", "jobDeploymentStatus") if field in condition]
    if len(both) > 1:
        return "cannot set both JobStatus and JobDeploymentStatus at the same time"
    if not both:
        return "exactly one of JobStatus and JobDeploymentStatus must be set"
    return "TTLSeconds must be non-negative" if condition.get("ttlSeconds", 0) < 0 else None


def _policy(spec: Object, policy: str) -> str | None:
    if spec.get("clusterSelector") and policy in {"DeleteCluster", "DeleteWorkers"}:
        return f"DeletionPolicyType '{policy}' not supported when ClusterSelector is set"
    if policy == "DeleteWorkers" and _autoscaled(spec):
        return "DeletionPolicyType 'DeleteWorkers' not supported with autoscaling enabled"
    return None


def _in_order(about: str, value: str, held: Mapping[str, int]) -> Iterator[str]:
    present = [policy for policy in _ORDER if policy in held]
    for before, after in pairwise(present):
        if held[after] < held[before]:
            yield (f"for {about} '{value}': {after} TTL ({held[after]}) must be >= {before} TTL ({held[before]})")
