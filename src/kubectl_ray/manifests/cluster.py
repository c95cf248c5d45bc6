"""From a shape to the RayCluster object that means it; keys come in the order a reader wants them.

Two choices that a reader may question:

- Requests carry everything, limits everything but CPU. Memory and devices cannot be shared, so limit and request are
  equal; idle CPU can. Ray counts `--num-cpus` from the CPU limit, else from the request rounded up.
- `rayVersion` and `rayStartParams` are always sent: authentication and probes depend on the first, and operators before
  1.4 refuse an object without the second.
"""

from __future__ import annotations

from kubectl_ray.manifests import defaults
from kubectl_ray.manifests.gcsfuse import mount
from kubectl_ray.manifests.shape import GroupShape, HeadShape, Shape, Surroundings
from kubectl_ray.models.cluster import CREATOR_ANNOTATION, CREATOR_LABEL
from kubectl_ray.models.resources import RAYCLUSTERS
from kubectl_ray.models.sizes import TPU

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TPU_TYPE_SELECTOR = "cloud.google.com/gke-tpu-accelerator"
TPU_TOPOLOGY_SELECTOR = "cloud.google.com/gke-tpu-topology"

# Named ports of the head's container become ports of its service; the operator adds `metrics`.
HEAD_PORTS = (("gcs-server", 6379), ("dashboard", 8265), ("client", 10001), ("serve", 8000))

_LABEL_LENGTH = 63
_LABEL_INNER = "-_."


def raycluster(shape: Shape) -> dict[str, Any]:
    """The RayCluster object for a shape, defaults put in."""
    surroundings = _surroundings(shape)
    metadata: dict[str, Any] = {"name": shape.name or ""}
    if shape.namespace:
        metadata["namespace"] = shape.namespace
    labels, annotations = dict(shape.labels), dict(shape.annotations)
    if shape.creator:
        labels.setdefault(CREATOR_LABEL, label_value(shape.creator))
        annotations.setdefault(CREATOR_ANNOTATION, shape.creator)
    if labels:
        metadata["labels"] = labels
    if annotations:
        metadata["annotations"] = annotations
    spec: dict[str, Any] = {"rayVersion": shape.ray_version or defaults.RAY_VERSION}
    if shape.autoscaling:
        spec["enableInTreeAutoscaling"] = True
        options: dict[str, Any] = {}
        if shape.autoscaler in {"v1", "v2"}:
            options["version"] = shape.autoscaler
        if shape.idle_timeout is not None:
            options["idleTimeoutSeconds"] = shape.idle_timeout
        if options:
            spec["autoscalerOptions"] = options
    groups = [_in_cluster(group, at, shape, surroundings) for at, group in enumerate(shape.groups or [GroupShape()])]
    workers = [worker_group(group) for group in groups]
    has_workers = shape.autoscaling or any(group["replicas"] for group in workers)
    spec["headGroupSpec"] = _head(shape.head, surroundings, has_workers=has_workers)
    spec["workerGroupSpecs"] = workers
    return {"apiVersion": RAYCLUSTERS.api_version, "kind": RAYCLUSTERS.kind, "metadata": metadata, "spec": spec}


def worker_group(shape: GroupShape) -> dict[str, Any]:
    """An item of `workerGroupSpecs`. Without an autoscaler limits are sent only when they were asked for."""
    replicas = defaults.WORKER_REPLICAS if shape.replicas is None else shape.replicas
    if shape.replicas is None and shape.minimum is not None:
        replicas = max(replicas, shape.minimum)
    if shape.replicas is None and shape.maximum is not None:
        replicas = min(replicas, shape.maximum)
    group: dict[str, Any] = {"groupName": shape.name or defaults.GROUP_NAME, "replicas": replicas}
    minimum, maximum = shape.minimum, shape.maximum
    if shape.autoscaling:
        minimum = defaults.AUTOSCALER_MIN_REPLICAS if minimum is None else minimum
        maximum = max(defaults.AUTOSCALER_MAX_REPLICAS, replicas, minimum) if maximum is None else maximum
    if minimum is not None:
        group["minReplicas"] = minimum
    if maximum is not None:
        group["maxReplicas"] = maximum
    if shape.hosts is not None and shape.hosts != defaults.NUM_OF_HOSTS:
        group["numOfHosts"] = shape.hosts
    if shape.idle_timeout is not None:
        group["idleTimeoutSeconds"] = shape.idle_timeout
    group["rayStartParams"] = dict(shape.ray_start_params)
    requests = _requests(shape, defaults.WORKER_CPUS, defaults.WORKER_MEMORY)
    if shape.tpu:
        requests[TPU] = str(shape.tpu)
    surroundings = shape.surroundings or Surroundings()
    container = _container("ray-worker", surroundings, requests)
    group["template"] = _template(container, shape, surroundings)
    return group


def label_value(name: str) -> str:
    """A login's name as the value of a label.

    Where letters have to go or the end is cut, a checksum keeps two names apart.
    """
    kept = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in _LABEL_INNER) else "-" for letter in name
    ).strip(_LABEL_INNER)
    if kept == name and len(kept) <= _LABEL_LENGTH:
        return kept
    import zlib

    checksum = f"{zlib.crc32(name.encode('utf-8', 'surrogatepass')):08x}"
    kept = kept[: _LABEL_LENGTH - len(checksum) - 1].rstrip(_LABEL_INNER)
    return f"{kept}-{checksum}" if kept else checksum


def creator_label(name: str) -> str:
    """The label selector for what this login created."""
    return f"{CREATOR_LABEL}={label_value(name)}"


def _surroundings(shape: Shape) -> Surroundings:
    surroundings = Surroundings()
    surroundings.image = shape.image or defaults.image_of(shape.ray_version or defaults.RAY_VERSION)
    surroundings.service_account = shape.service_account
    surroundings.image_pull_secrets = shape.image_pull_secrets
    surroundings.env = shape.env
    surroundings.gcsfuse = shape.gcsfuse
    return surroundings


def _in_cluster(group: GroupShape, at: int, shape: Shape, surroundings: Surroundings) -> GroupShape:
    """The group with what its cluster gives to it; the shape handed in stays as it is."""
    placed = GroupShape()
    placed.override(group)
    placed.name = group.name or (defaults.GROUP_NAME if at == 0 else f"{defaults.GROUP_NAME}-{at + 1}")
    placed.autoscaling = shape.autoscaling
    placed.surroundings = surroundings
    return placed


def _head(shape: HeadShape, surroundings: Surroundings, *, has_workers: bool) -> dict[str, Any]:
    params = dict(shape.ray_start_params)
    if has_workers and not shape.gpu:  # a head with GPUs is meant to compute
        params.setdefault("num-cpus", "0")
    container = _container("ray-head", surroundings, _requests(shape, defaults.HEAD_CPUS, defaults.HEAD_MEMORY))
    container["ports"] = [{"name": name, "containerPort": port} for name, port in HEAD_PORTS]
    return {"rayStartParams": params, "template": _template(container, shape, surroundings)}


def _requests(shape: HeadShape | GroupShape, cpu: str, memory: str) -> dict[str, str]:
    """What a pod asks for; a zero asks for nothing."""
    wanted = {
        "cpu": cpu if shape.cpu is None else shape.cpu,
        "memory": memory if shape.memory is None else shape.memory,
        "ephemeral-storage": shape.ephemeral_storage or "0",
        defaults.GPU_RESOURCE: str(shape.gpu or 0),
    }
    return {name: value for name, value in wanted.items() if value != "0"}


def _container(name: str, surroundings: Surroundings, requests: dict[str, str]) -> dict[str, Any]:
    container: dict[str, Any] = {"name": name, "image": surroundings.image or defaults.image_of(defaults.RAY_VERSION)}
    if surroundings.env:
        container["env"] = [{"name": key, "value": value} for key, value in surroundings.env.items()]
    limits = {key: value for key, value in requests.items() if key != "cpu"}
    container["resources"] = {key: value for key, value in (("requests", requests), ("limits", limits)) if value}
    return container


def _template(container: dict[str, Any], shape: HeadShape | GroupShape, surroundings: Surroundings) -> dict[str, Any]:
    spec: dict[str, Any] = {"containers": [container]}
    if surroundings.service_account:
        spec["serviceAccountName"] = surroundings.service_account
    if surroundings.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in surroundings.image_pull_secrets]
    if shape.node_selectors:
        spec["nodeSelector"] = dict(shape.node_selectors)
    if shape.tolerations:
        spec["tolerations"] = [dict(toleration) for toleration in shape.tolerations]
    template: dict[str, Any] = {"spec": spec}
    return mount(surroundings.gcsfuse, template) if surroundings.gcsfuse is not None else template
