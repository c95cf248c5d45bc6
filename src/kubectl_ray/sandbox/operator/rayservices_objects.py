"""The clusters and the service that a RayService makes, and when a changed spec asks for another cluster."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.operator import naming, services, spec
from kubectl_ray.sandbox.operator.parents import as_written, origin_labels

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object

HASH = "ray.io/hash-without-replicas-and-workers-to-delete"
GROUPS = "ray.io/num-worker-groups"


def construct(service: Object, name: str) -> Object:
    """A cluster as the RayService wants it now."""
    meta, wanted = service["metadata"], as_written(service["spec"]["rayClusterConfig"])
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayCluster",
        "metadata": {
            "name": name,
            "namespace": meta["namespace"],
            "labels": {**meta.get("labels", {}), **origin_labels(service)},
            "annotations": {
                **meta.get("annotations", {}),
                HASH: spec.recreate_hash(wanted),
                GROUPS: str(len(spec.groups(wanted))),
                naming.KUBERAY_VERSION: naming.VERSION,
            },
            "ownerReferences": naming.owned_by(service),
        },
        "spec": wanted,
    }


def as_wanted(service: Object, cluster: Object) -> bool:
    """The cluster was made of the spec that the RayService has now; numbers of replicas do not count."""
    wanted = as_written(service["spec"]["rayClusterConfig"])
    return bool(cluster["metadata"].get("annotations", {}).get(HASH) == spec.recreate_hash(wanted))


def only_more_groups(service: Object, cluster: Object) -> bool:
    """The spec differs by nothing but worker groups at its end, which a living cluster can be given."""
    annotations, wanted = cluster["metadata"].get("annotations", {}), as_written(service["spec"]["rayClusterConfig"])
    if not annotations.get(GROUPS, "").isdigit():
        return True
    known, groups = int(annotations[GROUPS]), spec.groups(wanted)
    if len(groups) < known:
        return False
    less = {**wanted, "workerGroupSpecs": groups[:known]} if known else _without_groups(wanted)
    return bool(annotations.get(HASH) == spec.recreate_hash(less))


def _without_groups(wanted: Object) -> Object:
    return {field: value for field, value in wanted.items() if field != "workerGroupSpecs"}


def to_update(service: Object, cluster: Object | None, *, active: bool) -> bool:
    """The living cluster is to be changed in place."""
    if cluster is None:
        return False
    if active:
        conditions = (service.get("status") or {}).get("conditions", ())
        if any(each["type"] == "UpgradeInProgress" and each["status"] == "True" for each in conditions):
            return False
        if cluster["metadata"].get("annotations", {}).get(naming.KUBERAY_VERSION) != naming.VERSION:
            return True
    if spec.suspended(service["spec"]["rayClusterConfig"]) != spec.suspended(cluster["spec"]):
        return True
    return not as_wanted(service, cluster) and only_more_groups(service, cluster)


def to_replace(service: Object, active: Object | None, pending: Object | None) -> bool:
    """A new cluster is to be prepared beside what there is."""
    cluster = pending or active
    if cluster is None:
        return True
    if as_wanted(service, cluster) or only_more_groups(service, cluster):
        return False
    kind = (service["spec"].get("upgradeStrategy") or {}).get("type")
    return kind in {None, "NewCluster"}


def serve_service(service: Object, cluster: Object) -> Object:
    """`<rayservice>-serve-svc`: leads to the pods of the cluster whose Serve proxy answers.

    Raises:
        NoServePortError: the head's container names ports, and none for serving.
    """
    name, own = service["metadata"]["name"], service["spec"].get("serveService")
    metadata = {
        "name": f"{name}-serve-svc",
        "namespace": service["metadata"]["namespace"],
        "labels": {**origin_labels(service), naming.SERVE: f"{name}-serve"},
        "ownerReferences": naming.owned_by(service),
    }
    selector = {naming.CLUSTER: cluster["metadata"]["name"], naming.SERVE: "true"}
    if own is None:
        body = services.serve_service(cluster)["spec"]
    else:
        body = copy.deepcopy(own.get("spec") or {})
        theirs = {port.get("name"): port for port in body.get("ports", ())}
        ports = {name: port for name, port in services.head_ports(cluster).items() if _serving(name)}
        if ports:
            body["ports"] = [theirs.get(name, {"name": name, "port": port}) for name, port in sorted(ports.items())]
        kind = cluster["spec"]["headGroupSpec"].get("serviceType")
        if kind:
            body.setdefault("type", kind)
        theirs = own.get("metadata") or {}
        metadata |= {
            "name": theirs.get("name") or metadata["name"],
            "labels": {**theirs.get("labels", {}), **metadata["labels"]},
        }
        if theirs.get("annotations"):
            metadata["annotations"] = dict(theirs["annotations"])
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {**body, "selector": selector}}


def _serving(name: str) -> bool:
    return name == "serve" or name.startswith("serve-")
