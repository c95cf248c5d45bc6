"""What RayJobs and RayServices have in common as parents of a RayCluster: names, labels, owners, stable services.

Source of names, labels and texts: the KubeRay operator v1.6.2, as recorded.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.names import old_label_errors
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.operator import naming, services, spec
from kubectl_ray.sandbox.operator.pod_parts import SERVE_PORT
from kubectl_ray.sandbox.operator.ray_start import DASHBOARD_PORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Change, Object

Key = tuple[str, str]
"""Namespace and name."""

MANAGER = "ray.io/kuberay-operator"
"""What `spec.managedBy` says where this operator is to do the work."""

LONGEST_NAME = 47
"""Characters in the name of a RayJob or RayService: a cluster's 53 less the dash and five letters it adds."""


def empty_cluster_status() -> Object:
    """How the operator writes the status of a cluster that it knows nothing of."""
    return {"desiredCPU": "0", "desiredGPU": "0", "desiredMemory": "0", "desiredTPU": "0", "head": {}}


def cluster_status(cluster: Object | None) -> Object:
    """A copy of the cluster's status, as it stands in its parent's."""
    seen = (cluster or {}).get("status") or {}
    return {**empty_cluster_status(), **copy.deepcopy(seen)}


def differs(before: Object, after: Object) -> bool:
    """Whether a copied cluster status is worth a write: neither times nor resources nor generations are."""
    ignored = {"lastUpdateTime", "observedGeneration", "desiredCPU", "desiredGPU", "desiredMemory", "desiredTPU"}
    ignored.add("stateTransitionTimes")
    return {k: v for k, v in before.items() if k not in ignored} != {k: v for k, v in after.items() if k not in ignored}


def name_fault(kind: str, name: str) -> str | None:
    """Why the name cannot be that of a RayJob or RayService; None when it can."""
    if len(name) > LONGEST_NAME:
        return f"The {kind} metadata is invalid: {kind} name should be no more than {LONGEST_NAME} characters"
    wrong = old_label_errors(name)
    if wrong:
        return f"The {kind} metadata is invalid: {kind} name should be a valid DNS1035 label: [{' '.join(wrong)}]"
    return None


def with_letters(name: str) -> str:
    """The name, a dash and five letters."""
    return f"{name}-{naming.random_suffix()}"


def key_of(held: Object) -> Key:
    """Namespace and name of an object."""
    return held["metadata"]["namespace"], held["metadata"]["name"]


def owner_key(change: Change, kind: str) -> Key | None:
    """The owner of that kind which controls the changed object; None when there is none."""
    meta = change.object["metadata"]
    for reference in meta.get("ownerReferences", ()):
        if reference.get("controller") and reference.get("kind") == kind:
            return meta["namespace"], reference["name"]
    return None


def managed_elsewhere(held: Object) -> bool:
    """Somebody else's controller takes care of it (spec.managedBy)."""
    manager = held["spec"].get("managedBy")
    return manager is not None and manager != MANAGER


def submission_mode(wanted: Object) -> str:
    """How the entrypoint comes to Ray, of a RayJob's spec."""
    return str(wanted.get("submissionMode") or "K8sJobMode")


def origin_labels(parent: Object) -> dict[str, str]:
    """The labels that name where an object comes from."""
    return {naming.FROM_NAME: parent["metadata"]["name"], naming.FROM_KIND: parent["kind"]}


def port_of(cluster: Object, name: str) -> int:
    """The head's port of that name, Ray's own where its container does not name it."""
    named = {port.get("name"): port["containerPort"] for port in ray_container(cluster).get("ports") or []}
    found: int = named.get(name, {"dashboard": DASHBOARD_PORT, "serve": SERVE_PORT}[name])
    return found


def ray_container(cluster: Object) -> Object:
    """The head's container of Ray: always the first."""
    return spec.containers(cluster["spec"]["headGroupSpec"])[0]


def stable_head_service(parent: Object, cluster: Object) -> Object:
    """`<parent>-head-svc`: leads to the head of whichever cluster the parent uses now."""
    name = parent["metadata"]["name"]
    made = services.head_service(cluster)
    made["metadata"] |= {
        "name": f"{name}-head-svc",
        "namespace": parent["metadata"]["namespace"],
        "labels": {
            naming.IDENTIFIER: naming.identifier(name, naming.HEAD),
            naming.NODE_TYPE: naming.HEAD,
            **origin_labels(parent),
        },
        "ownerReferences": naming.owned_by(parent),
    }
    # spec.headServiceAnnotations is for the cluster's service only.
    made["metadata"].pop("annotations", None)
    own = (cluster["spec"]["headGroupSpec"].get("headService") or {}).get("metadata") or {}
    if own.get("annotations"):
        made["metadata"]["annotations"] = dict(own["annotations"])
    return made


def keep_service(objects: Objects, wanted: Object, tell: Callable[[str, str, str], None]) -> Object:
    """Make the service, or lead it to another cluster; left alone where it leads to the right one.

    Raises:
        Refused: it can be neither made nor changed; `tell` (type, reason, message) has heard of it.
    """
    namespace, name = key_of(wanted)
    found = objects.find(kinds.SERVICES, namespace, name)
    verb = "create" if found is None else "update"
    try:
        if found is None:
            made = objects.create(kinds.SERVICES, wanted, namespace)
        elif found["spec"].get("selector", {}).get(naming.CLUSTER) == wanted["spec"]["selector"][naming.CLUSTER]:
            return found
        else:
            made = objects.edit(kinds.SERVICES, namespace, name, lambda held: _lead(held, wanted))
    except Refused as refused:
        tell(
            "Warning",
            f"FailedTo{verb.capitalize()}Service",
            f"Failed to {verb} the service {namespace}/{name}, {refused}",
        )
        raise
    tell("Normal", f"{verb.capitalize()}dService", f"{verb.capitalize()}d the service {namespace}/{name}")
    return made


def _lead(held: Object, wanted: Object) -> None:
    kept = {k: held["spec"][k] for k in ("clusterIP", "clusterIPs") if k in held["spec"]}
    held["spec"] = {**held["spec"], **copy.deepcopy(wanted["spec"]), **kept}


def dashboard_address(objects: Objects, cluster: Object) -> str | None:
    """`<service>.<namespace>.svc.cluster.local:<port>` of the dashboard; None while there is no such service."""
    name, namespace = naming.head_service_name(cluster), cluster["metadata"]["namespace"]
    service = objects.find(kinds.SERVICES, namespace, name)
    for port in (service or {}).get("spec", {}).get("ports", ()):
        if port.get("name") == "dashboard":
            return f"{name}.{namespace}.svc.cluster.local:{port['port']}"
    return None


def head_pod(objects: Objects, cluster: Object) -> Object | None:
    """The cluster's head; None when there is none."""
    namespace, name = key_of(cluster)
    found = objects.list(kinds.PODS, namespace, {naming.CLUSTER: name, naming.NODE_TYPE: naming.HEAD})
    return found[0] if found else None


def as_written(given: Object) -> Object:
    """A RayCluster's spec after the operator wrote it once.

    It reads objects into structures and writes those: empty lists and maps vanish, `metadata`, `resources` and
    `scaleStrategy` appear. That is why the generation of a new RayJob or RayService counts up at once.
    """
    written = {k: v for k, v in copy.deepcopy(given).items() if v not in ([], {})}
    _write_template(written["headGroupSpec"])
    for group in written.get("workerGroupSpecs", ()):
        _write_template(group)
        group.setdefault("scaleStrategy", {})
    return written


def _write_template(group: Object) -> None:
    template = group["template"]
    template.setdefault("metadata", {})
    pod = {k: v for k, v in template.get("spec", {}).items() if v != [] and (k, v) != ("nodeSelector", {})}
    template["spec"] = pod
    for each in ("initContainers", "containers"):
        if each in pod:
            pod[each] = [_written_container(one) for one in pod[each]]


def _written_container(one: Object) -> Object:
    written = {k: v for k, v in one.items() if v != []}
    written.setdefault("resources", {})
    if "env" in written:
        written["env"] = [{k: v for k, v in each.items() if (k, v) != ("value", "")} for each in written["env"]]
    return written


def drop_finalizer(held: Object, finalizer: str) -> None:
    """Take it off; the list goes with its last one."""
    meta = held["metadata"]
    meta["finalizers"] = [each for each in meta.get("finalizers", ()) if each != finalizer]
    if not meta["finalizers"]:
        del meta["finalizers"]
