"""The cluster roles that every cluster begins with, as far as they are about what the sandbox serves.

Source: `plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go`. Ray's kinds are in none of them, as on a real
cluster with KubeRay: `view`, `edit` and `admin` say nothing of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object

READ = ["get", "list", "watch"]
WRITE = ["create", "delete", "deletecollection", "patch", "update"]
LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
NOTES = {"rbac.authorization.kubernetes.io/autoupdate": "true"}
USERS, OTHERS = "system:authenticated", "system:unauthenticated"
OPEN = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
DISCOVERY = ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", *OPEN[2:]]


def _rule(verbs: list[str], group: str, resources: str) -> Object:
    return {"verbs": verbs, "apiGroups": [group], "resources": resources.split()}


VIEW = [
    _rule(
        READ,
        "",
        "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods serviceaccounts services"
        " services/status",
    ),
    _rule(READ, "", "limitranges namespaces/status pods/log pods/status resourcequotas resourcequotas/status"),
    _rule(READ, "", "namespaces"),
    {"verbs": READ, "apiGroups": ["", "events.k8s.io"], "resources": ["events"]},
    _rule(READ, "discovery.k8s.io", "endpointslices"),
    _rule(READ, "apps", "deployments deployments/status"),
    _rule(READ, "batch", "jobs jobs/status"),
]
EDIT = [
    _rule(READ, "", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
    _rule(["impersonate"], "", "serviceaccounts"),
    _rule(WRITE, "", "pods pods/attach pods/exec pods/portforward pods/proxy"),
    _rule(["create"], "", "pods/eviction"),
    _rule(WRITE, "", "configmaps persistentvolumeclaims secrets serviceaccounts services services/proxy"),
    _rule(["create"], "", "serviceaccounts/token"),
    {"verbs": WRITE, "apiGroups": ["", "events.k8s.io"], "resources": ["events"]},
    _rule(WRITE, "apps", "deployments"),
    _rule(WRITE, "batch", "jobs"),
    *VIEW,
]
ADMIN = [*EDIT, _rule(sorted([*READ, *WRITE]), kinds.RBAC, "rolebindings roles")]

ROLES: dict[str, list[Object]] = {
    "admin": ADMIN,
    "cluster-admin": [_rule(["*"], "*", "*"), {"verbs": ["*"], "nonResourceURLs": ["*"]}],
    "edit": EDIT,
    "system:basic-user": [
        _rule(["create"], "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
        _rule(["create"], "authentication.k8s.io", "selfsubjectreviews"),
    ],
    "system:discovery": [{"verbs": ["get"], "nonResourceURLs": DISCOVERY}],
    "system:public-info-viewer": [{"verbs": ["get"], "nonResourceURLs": OPEN}],
    "view": VIEW,
}
BINDINGS = {
    "cluster-admin": ["system:masters"],
    "system:basic-user": [USERS],
    "system:discovery": [USERS],
    "system:public-info-viewer": [USERS, OTHERS],
}
"""Groups that have such a role in the whole cluster."""


def seed(objects: Objects) -> None:
    """Make those that are missing; what a user changed stays."""
    for name, rules in ROLES.items():
        if objects.find(kinds.CLUSTER_ROLES, "", name) is None:
            meta = {"name": name, "labels": LABELS, "annotations": NOTES}
            objects.create(kinds.CLUSTER_ROLES, {"metadata": meta, "rules": rules})
    for name, groups in BINDINGS.items():
        if objects.find(kinds.CLUSTER_ROLE_BINDINGS, "", name) is None:
            meta = {"name": name, "labels": LABELS, "annotations": NOTES}
            role = {"apiGroup": kinds.RBAC, "kind": "ClusterRole", "name": name}
            subjects = [{"kind": "Group", "apiGroup": kinds.RBAC, "name": each} for each in groups]
            objects.create(kinds.CLUSTER_ROLE_BINDINGS, {"metadata": meta, "subjects": subjects, "roleRef": role})
