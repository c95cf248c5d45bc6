"""What a user may do: what everybody may, and what roles give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.users import ADMINS, User

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object

OPEN_TO_ALL = ("/healthz", "/livez", "/readyz", "/version", "/version/")
OPEN_TO_USERS = (
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/healthz",
    "/livez",
    "/openapi",
    "/openapi/*",
    "/readyz",
    "/version",
    "/version/",
)
"""The paths of the roles system:public-info-viewer and system:discovery, which every cluster has."""
ABOUT_ONESELF = (
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
)
"""What the role system:basic-user lets every user create."""
_USERS = "system:authenticated"


class Rights:
    """Asks the roles that there are."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def now(self) -> str:
        """The server's time."""
        return self._objects.now()

    def may(self, user: User, verb: str, group: str, resource: str, namespace: str, name: str) -> bool:
        """Whether a role gives this right; a resource may name its subresource behind a slash."""
        if ADMINS in user.groups:
            return True
        plural, _, subresource = resource.partition("/")
        if verb == "create" and _USERS in user.groups and (group, resource) in ABOUT_ONESELF:
            return True
        from kubectl_ray.sandbox.api import access

        return access.allowed(self._objects, user, verb, group, plural, subresource, namespace, name)

    def may_path(self, user: User, verb: str, path: str) -> bool:
        """Whether this user may ask for a path that is no object's."""
        if ADMINS in user.groups:
            return True
        open_paths = OPEN_TO_USERS if _USERS in user.groups else OPEN_TO_ALL
        return verb == "get" and any(_covers(each, path) for each in open_paths)

    def rules(self, user: User, namespace: str) -> tuple[list[Object], list[Object]]:
        """The rules for objects of a namespace, and those for paths, that hold for a user."""
        del namespace
        resources: list[Object] = []
        paths: list[Object] = []
        if ADMINS in user.groups:
            resources.append({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
            paths.append({"verbs": ["*"], "nonResourceURLs": ["*"]})
        if _USERS in user.groups:
            resources += [
                {"verbs": ["create"], "apiGroups": [group], "resources": [plural]} for group, plural in ABOUT_ONESELF
            ]
            paths.append({"verbs": ["get"], "nonResourceURLs": list(OPEN_TO_USERS)})
        paths.append({"verbs": ["get"], "nonResourceURLs": list(OPEN_TO_ALL)})
        return resources, paths


def _covers(pattern: str, path: str) -> bool:
    return path == pattern or (pattern.endswith("*") and path.startswith(pattern[:-1]))
