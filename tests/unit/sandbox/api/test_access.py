"""What roles let a user do."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_ray.sandbox.api import access, default_roles, kinds
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.api.users import ADMIN, ANONYMOUS, User

MARY = User("mary", ("dev", "system:authenticated"))
ACCOUNT = User("system:serviceaccount:n:sa", ("system:serviceaccounts", "system:authenticated"))


@pytest.fixture
def objects() -> Objects:
    """The namespaces n and m, and the roles that every cluster has."""
    made = Objects(Store())
    for name in ("n", "m"):
        made.create(kinds.NAMESPACES, {"metadata": {"name": name}})
    default_roles.seed(made)
    return made


def give(objects: Objects, rule: dict[str, Any], *, to: dict[str, Any], namespace: str = "n") -> None:
    """A role with one rule, in a namespace or ("") in the whole cluster."""
    role, binding = (
        (kinds.ROLES, kinds.ROLE_BINDINGS) if namespace else (kinds.CLUSTER_ROLES, kinds.CLUSTER_ROLE_BINDINGS)
    )
    objects.create(role, {"metadata": {"name": "r"}, "rules": [rule]}, namespace)
    body = {"metadata": {"name": "b"}, "subjects": [to], "roleRef": {"kind": role.name, "name": "r"}}
    objects.create(binding, body, namespace)


READ_CLUSTERS = {"apiGroups": ["ray.io"], "resources": ["rayclusters"], "verbs": ["get", "list"]}
TO_MARY = {"kind": "User", "name": "mary"}


def test_nothing_is_allowed_without_a_role(objects: Objects) -> None:
    """Only what every user may do is left."""
    assert not access.allowed(objects, MARY, "get", "", "pods", "", "n", "p")
    assert access.allowed(objects, MARY, "create", "authorization.k8s.io", "selfsubjectaccessreviews")


def test_the_admin_needs_no_role() -> None:
    """The group system:masters may do everything."""
    assert access.allowed(Objects(Store()), ADMIN, "delete", "x", "y", "z", "n", "a")


def test_a_role_holds_in_its_namespace_only(objects: Objects) -> None:
    """Verb, group and resource have to fit, and the namespace."""
    give(objects, READ_CLUSTERS, to=TO_MARY)
    assert access.allowed(objects, MARY, "list", "ray.io", "rayclusters", "", "n")
    for wrong in (
        ("delete", "ray.io", "rayclusters", "", "n"),
        ("list", "", "rayclusters", "", "n"),
        ("list", "ray.io", "rayjobs", "", "n"),
        ("list", "ray.io", "rayclusters", "", "m"),
        ("list", "ray.io", "rayclusters", "", ""),
        ("get", "ray.io", "rayclusters", "status", "n"),
    ):
        assert not access.allowed(objects, MARY, *wrong)


def test_a_cluster_role_holds_everywhere(objects: Objects) -> None:
    """Bound in the whole cluster it counts in each namespace and across them."""
    give(objects, READ_CLUSTERS, to={"kind": "Group", "name": "dev"}, namespace="")
    assert access.allowed(objects, MARY, "list", "ray.io", "rayclusters", "", "m")
    assert access.allowed(objects, MARY, "list", "ray.io", "rayclusters")
    assert not access.allowed(objects, ACCOUNT, "list", "ray.io", "rayclusters")


def test_a_cluster_role_can_be_bound_in_one_namespace(objects: Objects) -> None:
    """As `kubectl create rolebinding --clusterrole=view` does; services accounts of the binding's own namespace."""
    subject = {"kind": "ServiceAccount", "name": "sa"}
    body = {"metadata": {"name": "b"}, "subjects": [subject], "roleRef": {"kind": "ClusterRole", "name": "view"}}
    objects.create(kinds.ROLE_BINDINGS, body, "n")
    assert access.allowed(objects, ACCOUNT, "get", "", "pods", "log", "n", "p")
    assert not access.allowed(objects, ACCOUNT, "get", "", "secrets", "", "n", "s")
    assert not access.allowed(objects, ACCOUNT, "get", "", "pods", "log", "m", "p")


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, True),
        ({"apiGroups": [""], "resources": ["pods/*"], "verbs": ["create"]}, False),
        ({"apiGroups": [""], "resources": ["*/exec"], "verbs": ["create"]}, True),
        ({"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"], "resourceNames": ["p"]}, True),
        ({"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"], "resourceNames": ["q"]}, False),
        ({"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]}, False),
    ],
)
def test_wildcards_subresources_and_names(objects: Objects, rule: dict[str, Any], allowed: bool) -> None:
    """A subresource is a resource of its own; `*/exec` means that of any kind, `pods/*` means nothing."""
    give(objects, rule, to=TO_MARY)
    assert access.allowed(objects, MARY, "create", "", "pods", "exec", "n", "p") is allowed


def test_aggregated_roles(objects: Objects) -> None:
    """A role that collects others by their labels gives what they give."""
    selector = {"clusterRoleSelectors": [{"matchLabels": {"to": "all"}}]}
    objects.create(
        kinds.CLUSTER_ROLES, {"metadata": {"name": "part", "labels": {"to": "all"}}, "rules": [READ_CLUSTERS]}
    )
    objects.create(kinds.CLUSTER_ROLES, {"metadata": {"name": "whole"}, "aggregationRule": selector})
    body = {"metadata": {"name": "b"}, "subjects": [TO_MARY], "roleRef": {"kind": "ClusterRole", "name": "whole"}}
    objects.create(kinds.CLUSTER_ROLE_BINDINGS, body)
    assert access.allowed(objects, MARY, "get", "ray.io", "rayclusters", "", "n", "c")


@pytest.mark.parametrize(
    ("expression", "gives"),
    [
        ({"key": "team", "operator": "In", "values": ["a"]}, True),
        ({"key": "team", "operator": "Exists"}, True),
        ({"key": "team", "operator": "NotIn", "values": ["a"]}, False),
    ],
)
def test_aggregated_roles_are_chosen_by_expressions_too(
    objects: Objects, expression: dict[str, Any], gives: bool
) -> None:
    """A role that fits the labels but not the expressions gives nothing."""
    selector = {"clusterRoleSelectors": [{"matchLabels": {"to": "all"}, "matchExpressions": [expression]}]}
    labels = {"to": "all", "team": "a"}
    objects.create(kinds.CLUSTER_ROLES, {"metadata": {"name": "part", "labels": labels}, "rules": [READ_CLUSTERS]})
    objects.create(kinds.CLUSTER_ROLES, {"metadata": {"name": "whole"}, "aggregationRule": selector})
    body = {"metadata": {"name": "b"}, "subjects": [TO_MARY], "roleRef": {"kind": "ClusterRole", "name": "whole"}}
    objects.create(kinds.CLUSTER_ROLE_BINDINGS, body)
    assert access.allowed(objects, MARY, "get", "ray.io", "rayclusters", "", "n", "c") is gives


def test_a_binding_to_a_missing_role_gives_nothing(objects: Objects) -> None:
    """And is no error."""
    body = {"metadata": {"name": "b"}, "subjects": [TO_MARY], "roleRef": {"kind": "Role", "name": "nosuch"}}
    objects.create(kinds.ROLE_BINDINGS, body, "n")
    assert not access.allowed(objects, MARY, "get", "", "pods", "", "n")


def test_paths(objects: Objects) -> None:
    """Everybody reads the version, users also discovery, nobody but the admin the rest."""
    assert access.allowed_path(objects, ANONYMOUS, "get", "/version")
    assert not access.allowed_path(objects, ANONYMOUS, "get", "/apis/ray.io/v1")
    assert access.allowed_path(objects, MARY, "get", "/apis/ray.io/v1")
    assert not access.allowed_path(objects, MARY, "get", "/metrics")
    assert access.allowed_path(objects, ADMIN, "get", "/metrics")


def test_seeding_leaves_what_was_changed(objects: Objects) -> None:
    """A role that a user narrowed stays narrow after a restart."""
    objects.edit(kinds.CLUSTER_ROLES, "", "view", lambda role: role.update(rules=[]))
    default_roles.seed(objects)
    assert objects.get(kinds.CLUSTER_ROLES, "", "view")["rules"] == []
