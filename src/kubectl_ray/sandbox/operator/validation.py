"""What the operator refuses in a RayCluster, in its words; it then writes one event and no status at all.

Source: KubeRay v1.6.2, `controllers/ray/utils/validation.go`, with the default feature gates. The order matters: only
the first fault is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.names import key_errors, old_label_errors, value_errors
from kubectl_ray.sandbox.operator import naming, spec, versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kubectl_ray.sandbox.api.store import Object

_RESOURCE_PARAMS = ("num-cpus", "num-gpus", "memory", "resources")
_TRUE = ("1", "true")
_REDIS_ADDRESS, _REDIS_PASSWORD, _REDIS_USERNAME = "RAY_REDIS_ADDRESS", "REDIS_PASSWORD", "REDIS_USERNAME"


def metadata_fault(metadata: Object) -> str:
    """Why the name cannot be; empty where it can."""
    if len(metadata["name"]) > naming.LONGEST_CLUSTER_NAME:
        return f"RayCluster name should be no more than {naming.LONGEST_CLUSTER_NAME} characters"
    faults = old_label_errors(metadata["name"])
    return f"RayCluster name should be a valid DNS1035 label: [{' '.join(faults)}]" if faults else ""


def spec_fault(of: Object, annotations: Mapping[str, str]) -> str:
    """Why the operator makes nothing of this RayClusterSpec; empty where it does. RayJob and RayService ask it, too."""
    return next(_spec_faults(of, annotations), "")


def upgrade_fault(cluster: Object) -> str:
    """Why the upgrade strategy cannot be; empty where it can."""
    kind = (cluster["spec"].get("upgradeStrategy") or {}).get("type")
    if kind is None:
        return ""
    if kind not in {"Recreate", "None"}:
        return (
            f"The RayCluster spec is invalid: Spec.UpgradeStrategy.Type value {kind} is invalid, valid options are "
            "Recreate or None"
        )
    maker = naming.maker(cluster)
    return f"upgradeStrategy cannot be set when RayCluster is created by {maker}" if maker != "RayCluster" else ""


def _spec_faults(of: Object, annotations: Mapping[str, str]) -> Iterator[str]:
    head = of.get("headGroupSpec") or {}
    if not spec.containers(head):
        yield "headGroupSpec should have at least one container"
        return
    yield from _group_faults("Head", head)
    for group in spec.groups(of):
        yield from _worker_faults(of, group)
    yield from _fault_tolerance_faults(of, annotations)
    yield from _autoscaler_faults(of)
    idle = (of.get("autoscalerOptions") or {}).get("idleTimeoutSeconds")
    if idle is not None and idle < 0:
        yield f"autoscalerOptions.idleTimeoutSeconds must be non-negative, got {idle}"
    yield from _token_faults(of)


def _group_faults(name: str, group: Object) -> Iterator[str]:
    params = group.get("rayStartParams") or {}
    if group.get("resources") and any(params.get(each) for each in _RESOURCE_PARAMS):
        yield (
            f"resource fields should not be set in both rayStartParams and Resources for {name} group; please use "
            "only one"
        )
    if "labels" in params:
        yield (
            f"rayStartParams['labels'] is not supported for {name} group; please use the top-level Labels field instead"
        )
    faults = []
    for key, value in (group.get("labels") or {}).items():
        faults += [f"invalid label key for {name} group: '{key}', error: {why}" for why in key_errors(key)]
        faults += [
            f"invalid label value for key '{key}' in {name} group: '{value}', error: {why}"
            for why in value_errors(value)
        ]
    if faults:
        yield "; ".join(faults)


def _worker_faults(of: Object, group: Object) -> Iterator[str]:
    name = group["groupName"]
    least, most = group.get("minReplicas"), group.get("maxReplicas")
    if not spec.containers(group):
        yield "workerGroupSpec should have at least one container"
    if not spec.autoscaling(of) and (least is None or most is None):
        yield f"worker group {name} must set both minReplicas and maxReplicas when autoscaling is disabled"
    if least is not None and least < 0:
        yield f"worker group {name} has negative minReplicas {least}"
    if most is not None and most < 0:
        yield f"worker group {name} has negative maxReplicas {most}"
    if least is not None and most is not None and least > most:
        yield f"worker group {name} has minReplicas {least} greater than maxReplicas {most}"
    yield from _group_faults(name, group)
    idle = group.get("idleTimeoutSeconds")
    if idle is not None and idle < 0:
        yield f"worker group {name}: idleTimeoutSeconds must be non-negative, got {idle}"
    if idle is not None and not spec.autoscaler_v2(of) and not _v2_by_environment(of):
        yield (
            f"worker group {name}: idleTimeoutSeconds is set, but autoscaler v2 is not enabled. Please set "
            f".spec.autoscalerOptions.version to 'v2' (or set {spec.AUTOSCALER_V2} environment variable to 'true' in "
            "the head pod if using KubeRay < 1.4.0)"
        )


def _v2_by_environment(of: Object) -> bool:
    found = spec.environment(spec.containers(of["headGroupSpec"])[0], spec.AUTOSCALER_V2)
    return found is not None and found.get("value") in _TRUE


def _fault_tolerance_faults(of: Object, annotations: Mapping[str, str]) -> Iterator[str]:
    head = spec.containers(of["headGroupSpec"])[0]
    params = of["headGroupSpec"].get("rayStartParams") or {}
    options = of.get("gcsFaultToleranceOptions")
    annotated = annotations.get(naming.FT_ENABLED, "")
    address = spec.environment(head, _REDIS_ADDRESS) is not None
    if annotated and options is not None:
        yield (
            f"{naming.FT_ENABLED} annotation and GcsFaultToleranceOptions are both set. Please use only "
            "GcsFaultToleranceOptions to configure GCS fault tolerance"
        )
    if options is None and annotated.lower() != "true" and address:
        yield (
            f"{_REDIS_ADDRESS} is set which implicitly enables GCS fault tolerance, but GcsFaultToleranceOptions is "
            "not set. Please set GcsFaultToleranceOptions to enable GCS fault tolerance"
        )
    if options is not None:
        enabled = "when GcsFaultToleranceOptions is enabled - use GcsFaultToleranceOptions"
        if params.get("redis-password"):
            yield f"cannot set `redis-password` in rayStartParams {enabled}.RedisPassword instead"
        if spec.environment(head, _REDIS_PASSWORD) is not None:
            yield f"cannot set `{_REDIS_PASSWORD}` env var in head Pod {enabled}.RedisPassword instead"
        if address:
            yield f"cannot set `{_REDIS_ADDRESS}` env var in head Pod {enabled}.RedisAddress instead"
        if annotations.get(naming.STORAGE_NAMESPACE):
            yield f"cannot set `{naming.STORAGE_NAMESPACE}` annotation {enabled}.ExternalStorageNamespace instead"
    if params.get("redis-username") or spec.environment(head, _REDIS_USERNAME) is not None:
        yield (
            "cannot set redis username in rayStartParams or environment variables - use "
            "GcsFaultToleranceOptions.RedisUsername instead"
        )


def _autoscaler_faults(of: Object) -> Iterator[str]:
    head = of["headGroupSpec"]
    variable = spec.environment(spec.containers(head)[0], spec.AUTOSCALER_V2)
    if not spec.autoscaling(of):
        if variable is not None and variable.get("value") in _TRUE:
            yield (
                f"environment variable {spec.AUTOSCALER_V2} cannot be set to '{variable['value']}' when "
                "enableInTreeAutoscaling is false. Please set enableInTreeAutoscaling: true to use autoscaler v2"
            )
        return
    for group in spec.groups(of):
        if spec.suspended(group):
            yield f"worker group {group['groupName']} cannot be suspended with Autoscaler enabled"
    if (of.get("autoscalerOptions") or {}).get("version") is not None and variable is not None:
        yield (
            f"both .spec.autoscalerOptions.version and head Pod env var {spec.AUTOSCALER_V2} are set, please only use "
            "the former"
        )
    if spec.autoscaler_v2(of):
        if spec.pod_spec(head).get("restartPolicy", "Never") not in {"", "Never"}:
            yield "restartPolicy for head Pod should be Never or unset when using autoscaler V2"
        for group in spec.groups(of):
            if spec.pod_spec(group).get("restartPolicy", "Never") not in {"", "Never"}:
                name = group["groupName"]
                yield f"restartPolicy for worker group {name} should be Never or unset when using autoscaler V2"


def _token_faults(of: Object) -> Iterator[str]:
    options = of.get("authOptions") or {}
    if not spec.token_auth(of):
        if spec.kubernetes_auth(of):
            yield "authOptions.enableK8sTokenAuth is enabled but authOptions.mode not set to 'token'"
        return
    version = of.get("rayVersion") or ""
    mode = "authOptions.mode is 'token' but"
    if not version:
        yield f"{mode} RayVersion was not specified. Ray version 2.52.0 or later is required"
        return
    try:
        versions.read(version)
    except versions.NoVersionError as error:
        yield f"{mode} RayVersion format is invalid: {version}, {error}"
        return
    if not versions.at_least(version, (2, 52, 0)):
        yield f"{mode} minimum Ray version is 2.52.0, got {version}"
    if spec.kubernetes_auth(of):
        if not versions.at_least(version, (2, 55, 0)):
            yield f"authOptions.enableK8sTokenAuth is enabled but minimum Ray version is 2.55.0, got {version}"
        if options.get("secretName"):
            yield "authOptions.enableK8sTokenAuth is enabled and authOptions.secretName is also set"
