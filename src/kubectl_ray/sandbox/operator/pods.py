"""The pods of a cluster, as the operator asks the API server for them.

Source: KubeRay v1.6.2, `controllers/ray/common/pod.go`; golden tests compare with recorded pods. Nothing here reads or
writes objects of the store: a cluster goes in, the body of a new pod comes out.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.operator import naming, pod_parts, ray_start, spec
from kubectl_ray.sandbox.operator.canonical import canonical_pod

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object

_FIXED_LABELS = (naming.NODE_TYPE, naming.GROUP, naming.CLUSTER)
"""Labels that a template cannot change."""


def head_pod(cluster: Object) -> Object:
    """The head pod; its annotation of the spec's hash tells later whether pods have to be made anew."""
    group = cluster["spec"]["headGroupSpec"]
    metadata, body = _template(cluster, group)
    metadata["generateName"] = naming.pod_prefix(cluster["metadata"]["name"], naming.HEAD)
    metadata["labels"] = _labels(cluster, group, naming.HEAD, naming.HEAD_GROUP)
    annotations = metadata["annotations"]
    maker = pod_parts.Maker(cluster, naming.HEAD, ray_start.params(cluster, group, naming.HEAD))
    ray = body["containers"][0]
    if spec.autoscaling(cluster["spec"]):
        body["serviceAccountName"] = naming.short_name(naming.service_account(cluster))
        body["containers"].append(pod_parts.autoscaler_container(cluster, ray.get("image", "")))
        if spec.autoscaler_v2(cluster["spec"]):
            pod_parts.add_variable(ray, spec.AUTOSCALER_V2, "true", over=True)
            body["restartPolicy"] = "Never"
    annotations[naming.FT_ENABLED] = "true" if spec.fault_tolerant(cluster) else "false"
    if spec.fault_tolerant(cluster):
        _keep_state(cluster, annotations, ray)
    pod = _finished(maker, metadata, body)
    annotations[naming.RECREATE_HASH] = spec.recreate_hash(cluster["spec"])
    annotations[naming.KUBERAY_VERSION] = naming.VERSION
    return pod


def worker_pod(cluster: Object, group: Object, *, index: int, replica: str = "", host: int = 0) -> Object:
    """A worker pod: the `host`-th of the replica number `index`, which has a name where it has several hosts."""
    metadata, body = _template(cluster, group)
    metadata.pop("name", None)
    owner = f"{cluster['metadata']['name']}-{group['groupName']}"
    metadata["generateName"] = naming.pod_prefix(owner, naming.WORKER)
    labels = metadata["labels"] = _labels(cluster, group, naming.WORKER, group["groupName"])
    labels[naming.REPLICA_INDEX] = str(index)
    if spec.hosts(group) > 1:
        labels[naming.REPLICA_NAME] = replica
        labels[naming.HOST_INDEX] = str(host)
    maker = pod_parts.Maker(cluster, naming.WORKER, ray_start.params(cluster, group, naming.WORKER))
    ray = body["containers"][0]
    body.setdefault("initContainers", []).append(pod_parts.waiting_container(maker, ray))
    if spec.fault_tolerant(cluster):
        pod_parts.add_variable(ray, "RAY_gcs_rpc_server_reconnect_timeout_s", "600")
    if spec.autoscaling(cluster["spec"]) and spec.autoscaler_v2(cluster["spec"]):
        body["restartPolicy"] = "Never"
    return _finished(maker, metadata, body)


def _template(cluster: Object, group: Object) -> tuple[Object, Object]:
    """Metadata and spec of the group's template, to be changed."""
    template = deepcopy(group.get("template") or {})
    metadata: Object = template.get("metadata") or {}
    metadata["namespace"] = cluster["metadata"]["namespace"]
    metadata["annotations"] = metadata.get("annotations") or {}
    if _overwrites(cluster["metadata"].get("annotations") or {}):
        metadata["annotations"][naming.OVERWRITE_COMMAND] = "true"
    body: Object = template.get("spec") or {}
    return metadata, body


def _labels(cluster: Object, group: Object, node_type: str, group_name: str) -> dict[str, str]:
    name = cluster["metadata"]["name"]
    labels = {
        **naming.BY_US,
        naming.IS_NODE: "yes",
        naming.CLUSTER: name,
        naming.NODE_TYPE: node_type,
        naming.GROUP: group_name,
        naming.IDENTIFIER: naming.identifier(name, node_type),
    }
    metadata = (group.get("template") or {}).get("metadata") or {}
    own = {**(metadata.get("labels") or {}), **(group.get("labels") or {})}
    return labels | {key: value for key, value in own.items() if key not in _FIXED_LABELS}


def _overwrites(annotations: dict[str, str]) -> bool:
    return annotations.get(naming.OVERWRITE_COMMAND, "").lower() == "true"


def _keep_state(cluster: Object, annotations: dict[str, str], ray: Object) -> None:
    """Where a fault tolerant head keeps its state, and how it logs in there."""
    options = cluster["spec"].get("gcsFaultToleranceOptions")
    metadata = cluster["metadata"]
    namespace = (metadata.get("annotations") or {}).get(naming.STORAGE_NAMESPACE, metadata["uid"])
    if options is not None:
        namespace = options.get("externalStorageNamespace") or namespace
    annotations[naming.STORAGE_NAMESPACE] = namespace
    pod_parts.add_variable(ray, "RAY_external_storage_namespace", namespace)
    if options is None:
        given = cluster["spec"]["headGroupSpec"].get("rayStartParams") or {}
        if "redis-password" in given:
            pod_parts.add_variable(ray, "REDIS_PASSWORD", given["redis-password"])
        return
    pod_parts.add_variable(ray, "RAY_REDIS_ADDRESS", options.get("redisAddress", ""), over=True)
    for field, name in (("redisUsername", "REDIS_USERNAME"), ("redisPassword", "REDIS_PASSWORD")):
        login = options.get(field)
        if login is not None:
            pod_parts.add_variable(ray, name, login.get("valueFrom") or login.get("value", ""), over=True)


def _finished(maker: pod_parts.Maker, metadata: Object, body: Object) -> Object:
    """What head and worker have in common: ports, token, volumes, command, environment, probes, owner."""
    cluster, ray = maker.cluster, body["containers"][0]
    ports = ray.setdefault("ports", [])
    if not any(port.get("name") == "metrics" for port in ports):
        ports.append({"name": "metrics", "containerPort": ray_start.METRICS_PORT})
    if spec.token_auth(cluster["spec"]):
        pod_parts.add_tokens(cluster, body)
    if maker.for_service:
        metadata["labels"][naming.SERVE] = "false" if maker.head else "true"
    if "plasma-directory" not in maker.params:
        pod_parts.add_empty_folder(body, ray, pod_parts.SHARED_MEMORY, memory=True)
    if maker.head and spec.autoscaling(cluster["spec"]):
        autoscaler = next(each for each in body["containers"] if each["name"] == pod_parts.AUTOSCALER)
        for container in (ray, autoscaler):
            pod_parts.add_empty_folder(body, container, pod_parts.RAY_LOGS, memory=False)
    ray_command = ray_start.command(maker.params, maker.node_type)
    _set_command(ray, ray_command, own=_overwrites(metadata["annotations"]))
    address = naming.head_address(cluster)
    for container in body.get("initContainers", []):
        pod_parts.add_variable(container, "FQ_RAY_IP", address, over=True)
        pod_parts.add_variable(container, "RAY_IP", address.partition(".")[0], over=True)
    pod_parts.add_environment(maker, ray, ray_command)
    pod_parts.add_probes(maker, ray)
    metadata["ownerReferences"] = naming.owned_by(cluster)
    return canonical_pod({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": body})


def _set_command(ray: Object, ray_command: str, *, own: bool) -> None:
    """The user's command runs before `ray start`, unless it is to run instead or has `ray start` in it."""
    before = "".join(f" {word} " for word in [*(ray.get("command") or []), *(ray.get("args") or [])])
    if own or "ray start" in before:
        return
    start = f"ulimit -n 65536; {ray_command}"
    ray["command"] = list(pod_parts.SHELL)
    ray["args"] = [f"{before} && {start}" if before else start]
