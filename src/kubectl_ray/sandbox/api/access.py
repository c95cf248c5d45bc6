"""What roles let a user do.

Source: Kubernetes' RBAC authorizer, `plugin/pkg/auth/authorizer/rbac` and `pkg/apis/rbac/v1/evaluation_helpers.go`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.selectors import matches
from kubectl_ray.sandbox.api.users import ADMINS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.api.users import User


def allowed(
    objects: Objects,
    user: User,
    verb: str,
    group: str,
    resource: str,
    subresource: str = "",
    namespace: str = "",
    name: str = "",
) -> bool:
    """Whether a role gives this right; without a namespace only what holds in the whole cluster counts."""
    asked = f"{resource}/{subresource}" if subresource else resource
    return ADMINS in user.groups or any(
        _fits(rule, verb, group, asked, subresource, name) for rule in rules(objects, user, namespace)
    )


def allowed_path(objects: Objects, user: User, verb: str, path: str) -> bool:
    """Whether a role lets the user ask for a path that is no object's."""
    return ADMINS in user.groups or any(
        _has(rule, "verbs", verb) and any(_covers(each, path) for each in rule.get("nonResourceURLs") or [])
        for rule in rules(objects, user, "")
    )


def rules(objects: Objects, user: User, namespace: str) -> Iterator[Object]:
    """All rules that hold for the user in the cluster and in this namespace ("" is none), some perhaps twice."""
    for binding in objects.list(kinds.CLUSTER_ROLE_BINDINGS):
        if _binds(binding, user, ""):
            yield from _rules(objects, binding, "")
    if namespace:
        for binding in objects.list(kinds.ROLE_BINDINGS, namespace):
            if _binds(binding, user, namespace):
                yield from _rules(objects, binding, namespace)


def _rules(objects: Objects, binding: Object, namespace: str) -> list[Object]:
    role = binding.get("roleRef") or {}
    kind = kinds.ROLES if role.get("kind") == "Role" else kinds.CLUSTER_ROLES
    if kind is kinds.ROLES and not namespace:
        return []
    found = objects.find(kind, namespace if kind is kinds.ROLES else "", role.get("name") or "")
    if found is None:
        return []
    selectors = (found.get("aggregationRule") or {}).get("clusterRoleSelectors") or []
    return [*(found.get("rules") or []), *(rule for each in selectors for rule in _aggregated(objects, each))]


def _aggregated(objects: Objects, selector: Object) -> Iterator[Object]:
    """The rules of the roles that it chooses; an empty one chooses none here, which gives less than the real one."""
    for role in objects.list(kinds.CLUSTER_ROLES) if selector else ():
        if matches(selector, role["metadata"].get("labels") or {}):
            yield from role.get("rules") or []


def _binds(binding: Object, user: User, namespace: str) -> bool:
    for subject in binding.get("subjects") or []:
        name = subject.get("name")
        match subject.get("kind"):
            case "User":
                found = name == user.name
            case "Group":
                found = name in user.groups
            case "ServiceAccount":
                home = subject.get("namespace") or namespace
                found = bool(home) and user.name == f"system:serviceaccount:{home}:{name}"
            case _:
                found = False
        if found:
            return True
    return False


def _fits(rule: Object, verb: str, group: str, asked: str, subresource: str, name: str) -> bool:
    names = rule.get("resourceNames") or []
    resources = rule.get("resources") or []
    return (
        _has(rule, "verbs", verb)
        and _has(rule, "apiGroups", group)
        and (asked in resources or "*" in resources or bool(subresource and f"*/{subresource}" in resources))
        and (not names or name in names)
    )


def _has(rule: Object, key: str, value: str) -> bool:
    listed = rule.get(key) or []
    return value in listed or "*" in listed


def _covers(pattern: str, path: str) -> bool:
    return path == pattern or (pattern.endswith("*") and path.startswith(pattern[:-1]))
