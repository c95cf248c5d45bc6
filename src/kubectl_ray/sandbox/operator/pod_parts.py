"""Parts of a pod: probes, environment, the waiting init container, the autoscaler, the token, volumes.

Source: KubeRay v1.6.2, `controllers/ray/common/pod.go`, and recorded pods. Functions change the container or the pod
spec that they are given.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, NamedTuple

from kubectl_ray.sandbox.operator import naming, ray_start, spec
from kubectl_ray.sandbox.operator.versions import at_least

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object

SHELL = ["/bin/bash", "-c", "--"]
SHARED_MEMORY = ("shared-mem", "/dev/shm")  # noqa: S108 - where Ray's object store lies
RAY_LOGS = ("ray-logs", "/tmp/ray")  # noqa: S108 - inside the pod
TOKEN_VOLUME, TOKEN_FOLDER = "ray-token", "/var/run/secrets/ray.io/serviceaccount"
TOKEN_KEY = "auth_token"  # noqa: S105 - the name of a secret's key
WAITING = "wait-gcs-ready"
AUTOSCALER = "autoscaler"
SERVE_PORT = 8000

_ADVICE = (
    "For troubleshooting, refer to the FAQ at https://docs.ray.io/en/master/cluster/kubernetes/troubleshooting.html."
)
_SMALL = {"cpu": "200m", "memory": "256Mi"}
_AUTOSCALER_SIZE = {"cpu": "500m", "memory": "512Mi"}


class Maker(NamedTuple):
    """What every part of a pod depends on."""

    cluster: Object
    node_type: str
    params: dict[str, str]

    @property
    def head(self) -> bool:
        """A head pod is made."""
        return self.node_type == naming.HEAD

    @property
    def for_service(self) -> bool:
        """The cluster serves a RayService."""
        return naming.maker(self.cluster) == "RayService"


def add_variable(container: Object, name: str, value: object, *, over: bool = False) -> None:
    """Append an environment variable: a text, or a dict of valueFrom. `over` appends it where it is set already, too.

    An empty text has no `value` at all, as in any object that Kubernetes writes.
    """
    if not over and spec.environment(container, name) is not None:
        return
    body = {"valueFrom": value} if isinstance(value, dict) else {"value": value} if value else {}
    container.setdefault("env", []).append({"name": name, **body})


def from_field(path: str) -> Object:
    """A variable's value out of the pod's own metadata."""
    return {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}


def waiting_container(maker: Maker, ray: Object) -> Object:
    """The init container that lets a worker begin only once the head answers."""
    address = f"{naming.head_address(maker.cluster)}:{ray_start.gcs_port(maker.cluster)}"
    # The script is the operator's, letter for letter: objects are compared with recorded ones.
    lines = (
        (5, "SECONDS=0"),
        (5, "while true; do"),
        (6, "if (( SECONDS <= 120 )); then"),
        (7, f"if ray health-check --address {address} > /dev/null 2>&1; then"),
        (8, 'echo "GCS is ready."'),
        (8, "break"),
        (7, "fi"),
        (7, 'echo "$SECONDS seconds elapsed: Waiting for GCS to be ready."'),
        (6, "else"),
        (7, f"if ray health-check --address {address}; then"),
        (8, 'echo "GCS is ready. Any error messages above can be safely ignored."'),
        (8, "break"),
        (7, "fi"),
        (7, f'echo "$SECONDS seconds elapsed: Still waiting for GCS to be ready. {_ADVICE}"'),
        (6, "fi"),
        (6, "sleep 5"),
        (5, "done"),
    )
    script = "\n" + "".join("\t" * depth + line + "\n" for depth, line in lines) + "\t" * 4
    kept = {field: deepcopy(ray[field]) for field in ("env", "volumeMounts", "securityContext") if ray.get(field)}
    if ray.get("imagePullPolicy"):
        kept["imagePullPolicy"] = ray["imagePullPolicy"]
    return {
        "name": WAITING,
        "image": ray.get("image", ""),
        "command": list(SHELL),
        "args": [script],
        "resources": {"limits": dict(_SMALL), "requests": dict(_SMALL)},
        **kept,
    }


def autoscaler_container(cluster: Object, image: str) -> Object:
    """The sidecar of an autoscaling head, with the user's wishes merged in."""
    container: Object = {
        "name": AUTOSCALER,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "env": [
            {"name": "RAY_CLUSTER_NAME", "valueFrom": from_field(f"metadata.labels['{naming.CLUSTER}']")},
            {"name": "RAY_CLUSTER_NAMESPACE", "valueFrom": from_field("metadata.namespace")},
            {"name": "RAY_HEAD_POD_NAME", "valueFrom": from_field("metadata.name")},
            {"name": "KUBERAY_CRD_VER", "value": "v1"},
        ],
        "command": list(SHELL),
        "args": [
            "ray kuberay-autoscaler --cluster-name $(RAY_CLUSTER_NAME) --cluster-namespace $(RAY_CLUSTER_NAMESPACE)"
        ],
        "resources": {"limits": dict(_AUTOSCALER_SIZE), "requests": dict(_AUTOSCALER_SIZE)},
    }
    if spec.token_auth(cluster["spec"]):
        add_token(cluster, container)
    options = cluster["spec"].get("autoscalerOptions") or {}
    for field in ("resources", "image", "imagePullPolicy", "securityContext"):
        if options.get(field) is not None:
            container[field] = deepcopy(options[field])
    for field in ("env", "envFrom", "volumeMounts"):
        if options.get(field):
            container[field] = [*container.get(field, []), *deepcopy(options[field])]
    return container


def add_token(cluster: Object, container: Object) -> None:
    """Variables by which a container of Ray knows and gives the token."""
    options = cluster["spec"].get("authOptions") or {}
    add_variable(container, "RAY_AUTH_MODE", "token")
    if spec.kubernetes_auth(cluster["spec"]):
        add_variable(container, "RAY_ENABLE_K8S_TOKEN_AUTH", "true")
        mounts = container.setdefault("volumeMounts", [])
        if not any(mount.get("name") == TOKEN_VOLUME for mount in mounts):
            mounts.append({"name": TOKEN_VOLUME, "mountPath": TOKEN_FOLDER, "readOnly": True})
        return
    secret = options.get("secretName") or naming.short_name(cluster["metadata"]["name"])
    add_variable(container, "RAY_AUTH_TOKEN", {"secretKeyRef": {"name": secret, "key": TOKEN_KEY}})


def add_tokens(cluster: Object, pod: Object) -> None:
    """The token for Ray's container and for the one that waits for the head."""
    add_token(cluster, pod["containers"][0])
    if spec.kubernetes_auth(cluster["spec"]):
        volumes = pod.setdefault("volumes", [])
        if not any(volume.get("name") == TOKEN_VOLUME for volume in volumes):
            source = {"sources": [{"serviceAccountToken": {"path": "token"}}]}
            volumes.append({"name": TOKEN_VOLUME, "projected": source})
    for container in pod.get("initContainers", []):
        if container.get("name") == WAITING:
            add_token(cluster, container)


def add_empty_folder(pod: Object, container: Object, volume: tuple[str, str], *, memory: bool) -> None:
    """An emptyDir at the path, unless something is mounted there; in memory as big as the container may be."""
    name, path = volume
    if any(mount.get("mountPath") == path for mount in container.get("volumeMounts") or []):
        return
    volumes = pod.setdefault("volumes", [])
    if not any(each.get("name") == name for each in volumes):
        folder: Object = {"medium": "Memory"} if memory else {}
        resources = container.get("resources") or {}
        for part in ("requests", "limits"):
            size = (resources.get(part) or {}).get("memory")
            if memory and size is not None:
                folder["sizeLimit"] = size
        volumes.append({"name": name, "emptyDir": folder})
    container.setdefault("volumeMounts", []).append({"name": name, "mountPath": path})


def add_environment(maker: Maker, container: Object, ray_command: str) -> None:
    """The variables of Ray's container, in the operator's order; what the user set stays, but for the names."""
    address = naming.head_address(maker.cluster)
    port = ray_start.gcs_port(maker.cluster)
    if not maker.head:
        add_variable(container, "FQ_RAY_IP", address, over=True)
        add_variable(container, "RAY_IP", address.partition(".")[0], over=True)
    for name, path in (
        ("RAY_CLUSTER_NAME", f"metadata.labels['{naming.CLUSTER}']"),
        ("RAY_CLUSTER_NAMESPACE", "metadata.namespace"),
        ("RAY_CLOUD_INSTANCE_ID", "metadata.name"),
        ("RAY_NODE_TYPE_NAME", f"metadata.labels['{naming.GROUP}']"),
    ):
        add_variable(container, name, from_field(path), over=True)
    add_variable(container, "KUBERAY_GEN_RAY_START_CMD", ray_command, over=True)
    add_variable(container, "RAY_PORT", port)
    if maker.for_service:
        add_variable(container, "RAY_timeout_ms_task_wait_for_death_info", "0")
        add_variable(container, "RAY_gcs_server_request_timeout_seconds", "5")
        add_variable(container, "RAY_SERVE_KV_TIMEOUT_S", "5")
    add_variable(container, "RAY_ADDRESS", f"{'127.0.0.1' if maker.head else address}:{port}")
    add_variable(container, "RAY_USAGE_STATS_KUBERAY_IN_USE", "1")
    if maker.head:
        tags = f"kuberay_version={naming.VERSION};kuberay_crd={naming.maker(maker.cluster)}"
        add_variable(container, "RAY_USAGE_STATS_EXTRA_TAGS", tags, over=True)
    add_variable(container, "RAY_DASHBOARD_ENABLE_K8S_DISK_USAGE", "1")


def add_probes(maker: Maker, container: Object) -> None:
    """Probes, where the user gave none: one HTTP path from Ray 2.53 on, wget before."""
    agent = ray_start.port(maker.params, "dashboard-agent-listen-port", ray_start.AGENT_PORT)
    dashboard = ray_start.port(maker.params, "dashboard-port", ray_start.DASHBOARD_PORT)
    checks = [_wget(2, agent, "api/local_raylet_healthz")]
    if maker.head:
        checks.append(_wget(10, dashboard, "api/gcs_healthz"))
    over_http = at_least(maker.cluster["spec"].get("rayVersion", ""), (2, 53, 0))
    action = {"httpGet": {"path": "/api/healthz", "port": agent}} if over_http else _shell(checks)
    common = {"timeoutSeconds": 5 if maker.head else 2, "periodSeconds": 5, "successThreshold": 1}
    if container.get("livenessProbe") is None:
        container["livenessProbe"] = {**action, "initialDelaySeconds": 30, **common, "failureThreshold": 120}
    if container.get("readinessProbe") is None:
        failures = 10
        if maker.for_service and not maker.head:
            ports = container.get("ports") or []
            serve = next((each["containerPort"] for each in ports if each.get("name") == "serve"), SERVE_PORT)
            action, failures = _shell([*checks, _wget(10, serve, "-/healthz")]), 1
        container["readinessProbe"] = {**action, "initialDelaySeconds": 10, **common, "failureThreshold": failures}


def _wget(seconds: int, port: int, path: str) -> str:
    return f"wget --tries 1 -T {seconds} -q -O- http://localhost:{port}/{path} | grep success"


def _shell(checks: list[str]) -> Object:
    return {"exec": {"command": ["bash", "-c", " && ".join(checks)]}}
