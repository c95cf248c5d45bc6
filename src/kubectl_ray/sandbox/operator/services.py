"""Services of a cluster, what its autoscaler may do, and the secret of its token: the bodies that the operator creates.

Source: KubeRay v1.6.2, `controllers/ray/common` (service.go, rbac.go) and `raycluster_controller.go`. An Ingress is not
made: nothing here would serve it.
"""

from __future__ import annotations

import base64
import secrets
from copy import deepcopy
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.operator import naming, ray_start, spec
from kubectl_ray.sandbox.operator.pod_parts import SERVE_PORT, TOKEN_KEY

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object

_RBAC = "rbac.authorization.k8s.io"
_DEFAULT_PORTS = {
    "client": 10001,
    "gcs-server": int(ray_start.GCS_PORT),
    "dashboard": ray_start.DASHBOARD_PORT,
    "metrics": ray_start.METRICS_PORT,
    "serve": SERVE_PORT,
}
_TOKEN_BYTES = 32


class NoServePortError(ValueError):
    """The head's container names no port to serve on."""


def head_labels(cluster: Object) -> dict[str, str]:
    """Labels of the head service, and what it selects by."""
    name = cluster["metadata"]["name"]
    return {
        naming.CLUSTER: name,
        naming.NODE_TYPE: naming.HEAD,
        naming.IDENTIFIER: naming.identifier(name, naming.HEAD),
        **naming.BY_US,
    }


def head_service(cluster: Object) -> Object:
    """The service of the head pod: headless, unless the user wants another type or brings a service of their own."""
    group = cluster["spec"]["headGroupSpec"]
    labels = head_labels(cluster)
    template = (group.get("template") or {}).get("metadata") or {}
    if naming.APP_NAME in (template.get("labels") or {}):
        labels[naming.APP_NAME] = template["labels"][naming.APP_NAME]
    annotations = dict(cluster["spec"].get("headServiceAnnotations") or {})
    ports: list[Object] = [
        {"name": name, "port": port, "appProtocol": "tcp"} for name, port in sorted(head_ports(cluster).items())
    ]
    wanted = group.get("serviceType") or ""
    if group.get("headService") is not None:
        return _users_own(cluster, annotations, labels, ports)
    body: Object = {"selector": dict(labels), "ports": ports}
    if wanted:
        body["type"] = wanted
    if wanted in {"", "ClusterIP"}:
        body |= {"clusterIP": "None", "publishNotReadyAddresses": True}
    metadata: Object = {"name": naming.head_service_name(cluster), "labels": labels}
    if annotations:
        metadata["annotations"] = annotations
    return _owned(cluster, "v1", "Service", metadata, spec=body)


def headless_service(cluster: Object) -> Object:
    """The service by which the workers of a replica of several hosts find each other."""
    name = cluster["metadata"]["name"]
    body = {
        "clusterIP": "None",
        "selector": {naming.CLUSTER: name, naming.NODE_TYPE: naming.WORKER},
        "type": "ClusterIP",
        "publishNotReadyAddresses": True,
    }
    return _owned(cluster, "v1", "Service", {"name": f"{name}-headless", "labels": {naming.HEADLESS: name}}, spec=body)


def serve_service(cluster: Object) -> Object:
    """The service of a cluster that serves without a RayService (annotation ray.io/enable-serve-service).

    Raises:
        NoServePortError: the head's container names ports, and none for serving.
    """
    name = cluster["metadata"]["name"]
    ports = [
        {"name": port_name, "port": port}
        for port_name, port in sorted(head_ports(cluster).items())
        if port_name == "serve" or port_name.startswith("serve-")
    ]
    if not ports:
        raise NoServePortError(
            "Please specify a port named 'serve' (or with the prefix 'serve-', e.g. 'serve-grpc') in the Ray head "
            "container; otherwise, the Kubernetes service for Ray Serve will not be created."
        )
    labels = {naming.FROM_NAME: name, naming.FROM_KIND: "RayCluster", naming.SERVE: f"{name}-serve"}
    body: Object = {"selector": {naming.CLUSTER: name}, "ports": ports}
    if cluster["spec"]["headGroupSpec"].get("serviceType"):
        body["type"] = cluster["spec"]["headGroupSpec"]["serviceType"]
    return _owned(cluster, "v1", "Service", {"name": f"{name}-serve-svc", "labels": labels}, spec=body)


def head_ports(cluster: Object) -> dict[str, int]:
    """Ports of the head service by name: those that the head's container names, else all of Ray's; always metrics."""
    named = {
        port.get("name") or f"{port['containerPort']}-port": port["containerPort"]
        for port in spec.containers(cluster["spec"]["headGroupSpec"])[0].get("ports") or []
    }
    return {"metrics": ray_start.METRICS_PORT, **(named or _DEFAULT_PORTS)}


def service_account(cluster: Object) -> Object:
    """The autoscaler's own account."""
    metadata = {"name": naming.short_name(naming.service_account(cluster)), "labels": _autoscaler_labels(cluster)}
    return _owned(cluster, "v1", "ServiceAccount", metadata)


def role(cluster: Object) -> Object:
    """What the autoscaler may do in the namespace."""
    rules = [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch", "patch"]},
        {"apiGroups": [""], "resources": ["pods/resize"], "verbs": ["patch"]},
        {"apiGroups": ["ray.io"], "resources": ["rayclusters"], "verbs": ["get", "patch"]},
    ]
    metadata = {"name": _role_name(cluster), "labels": _autoscaler_labels(cluster)}
    return _owned(cluster, f"{_RBAC}/v1", "Role", metadata, rules=rules)


def role_binding(cluster: Object) -> Object:
    """Gives that role to that account."""
    subject = {
        "kind": "ServiceAccount",
        "name": naming.short_name(naming.service_account(cluster)),
        "namespace": cluster["metadata"]["namespace"],
    }
    role_ref = {"apiGroup": _RBAC, "kind": "Role", "name": _role_name(cluster)}
    metadata = {"name": _role_name(cluster), "labels": _autoscaler_labels(cluster)}
    return _owned(cluster, f"{_RBAC}/v1", "RoleBinding", metadata, subjects=[subject], roleRef=role_ref)


def token_secret(cluster: Object) -> Object:
    """A new random token."""
    token = base64.b64encode(secrets.token_bytes(_TOKEN_BYTES))
    name = cluster["metadata"]["name"]
    metadata = {"name": naming.short_name(name), "labels": {naming.CLUSTER: name}}
    return _owned(cluster, "v1", "Secret", metadata, data={TOKEN_KEY: base64.b64encode(token).decode()}, type="Opaque")


def _users_own(cluster: Object, annotations: dict[str, str], labels: dict[str, str], ports: list[Object]) -> Object:
    """`headGroupSpec.headService`, with the operator's labels, selector, annotations and ports put in."""
    own = deepcopy(cluster["spec"]["headGroupSpec"]["headService"])
    own_meta = own.get("metadata") or {}
    own_spec: Object = own.get("spec") or {}
    own_spec["selector"] = dict(labels)
    own_spec["ports"] = [*(own_spec.get("ports") or []), *ports]
    kind = own_spec.get("type") or cluster["spec"]["headGroupSpec"].get("serviceType")
    if kind:
        own_spec["type"] = kind
    merged = {**(own_meta.get("annotations") or {}), **annotations}
    metadata = {
        **own_meta,
        "name": naming.head_service_name(cluster),
        "labels": {**(own_meta.get("labels") or {}), **labels},
    }
    if merged:
        metadata["annotations"] = merged
    return _owned(cluster, "v1", "Service", metadata, spec=own_spec)


def _autoscaler_labels(cluster: Object) -> dict[str, str]:
    return {naming.CLUSTER: cluster["metadata"]["name"], **naming.BY_US}


def _role_name(cluster: Object) -> str:
    return naming.short_name(cluster["metadata"]["name"])


def _owned(cluster: Object, api_version: str, kind: str, metadata: Object, **rest: object) -> Object:
    namespace = cluster["metadata"]["namespace"]
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {**metadata, "namespace": namespace, "ownerReferences": naming.owned_by(cluster)},
        **rest,
    }
