"""What a cluster with KubeRay has before anybody creates anything: namespaces, roles, definitions, the operator.

Made again at every start where it is missing; definitions are brought up to what this version of the plugin has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import default_roles, kinds, schemas
from kubectl_ray.sandbox.controllers import namespaces
from kubectl_ray.sandbox.operator.naming import VERSION

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object

OPERATOR_NAMESPACE, OPERATOR = "ray-system", "kuberay-operator"
API_ADDRESS = "10.96.0.1"
_DEFINED = (kinds.RAY_CLUSTERS, kinds.RAY_JOBS, kinds.RAY_SERVICES)


def seed(objects: Objects) -> None:
    """Make what is missing; what a user changed stays, but for the definitions.

    Raises:
        Refused: the disk does not take it.
    """
    namespaces.begin(objects)
    default_roles.seed(objects)
    for kind in _DEFINED:
        _define(objects, kind)
    if objects.find(kinds.NAMESPACES, "", OPERATOR_NAMESPACE) is None:
        objects.create(kinds.NAMESPACES, {"metadata": {"name": OPERATOR_NAMESPACE}})
    _show_operator(objects)
    if objects.find(kinds.SERVICES, "default", "kubernetes") is None:
        objects.create(kinds.SERVICES, _api_service(), "default")


def _define(objects: Objects, kind: Kind) -> None:
    wanted = schemas.custom_definition(kind)
    name = wanted["metadata"]["name"]
    if objects.find(kinds.CRDS, "", name) is None:
        objects.create(kinds.CRDS, wanted)
    objects.edit(kinds.CRDS, "", name, lambda body: body.update(spec=wanted["spec"]))
    found = objects.get(kinds.CRDS, "", name)
    if not found.get("status", {}).get("conditions"):
        objects.edit(
            kinds.CRDS, "", name, lambda body: body.update(status=_accepted(wanted, objects.now())), status=True
        )


def _accepted(definition: Object, now: str) -> Object:
    """As the API server says that a kind is served."""
    texts = (
        ("NamesAccepted", "NoConflicts", "no conflicts found"),
        ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    )
    conditions = [
        {"lastTransitionTime": now, "message": message, "reason": reason, "status": "True", "type": type_}
        for type_, reason, message in texts
    ]
    stored = [each["name"] for each in definition["spec"]["versions"] if each.get("storage")]
    return {"acceptedNames": definition["spec"]["names"], "conditions": conditions, "storedVersions": stored}


def _show_operator(objects: Objects) -> None:
    """A Deployment that says which operator the sandbox does as; who looks for one finds it. It has no pods."""
    labels = {"app.kubernetes.io/name": OPERATOR, "app.kubernetes.io/component": OPERATOR}
    image = f"quay.io/kuberay/operator:{VERSION}"
    meta = {
        "name": OPERATOR,
        "labels": labels,
        "annotations": {"kubernetes.io/description": "What this operator does is a part of the sandbox's own process."},
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": OPERATOR, "image": image}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    if objects.find(kinds.DEPLOYMENTS, OPERATOR_NAMESPACE, OPERATOR) is None:
        objects.create(kinds.DEPLOYMENTS, {"metadata": meta, "spec": spec}, OPERATOR_NAMESPACE)
    counts = dict.fromkeys(("availableReplicas", "readyReplicas", "replicas", "updatedReplicas"), 1)

    def current(body: Object) -> None:
        body["spec"]["template"]["spec"]["containers"][0]["image"] = image
        body["status"] = {**body.get("status", {}), **counts, "observedGeneration": body["metadata"]["generation"]}

    objects.edit(kinds.DEPLOYMENTS, OPERATOR_NAMESPACE, OPERATOR, current)


def _api_service() -> Object:
    return {
        "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {"clusterIP": API_ADDRESS, "ports": [{"name": "https", "port": 443, "targetPort": 6443}]},
    }
