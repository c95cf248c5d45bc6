"""What a user may do, as roles give it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import access
from kubectl_ray.sandbox.api.users import ADMINS, User

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object

ALL_OBJECTS = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
FIELDS = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
ALL_PATHS = {"verbs": ["*"], "nonResourceURLs": ["*"]}


class Rights:
    """Asks the roles that there are."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def now(self) -> str:
        """The server's time."""
        return self._objects.now()

    def may(self, user: User, verb: str, group: str, resource: str, namespace: str, name: str) -> bool:
        """Whether a role gives this right; a resource may name its subresource behind a slash."""
        plural, _, subresource = resource.partition("/")
        return access.allowed(self._objects, user, verb, group, plural, subresource, namespace, name)

    def may_path(self, user: User, verb: str, path: str) -> bool:
        """Whether this user may ask for a path that is no object's."""
        return access.allowed_path(self._objects, user, verb, path)

    def rules(self, user: User, namespace: str) -> tuple[list[Object], list[Object]]:
        """The rules for objects of a namespace, and those for paths, that hold for a user; each once."""
        found = list(access.rules(self._objects, user, namespace))
        if ADMINS in user.groups:
            found = [ALL_OBJECTS, ALL_PATHS, *found]
        resources: list[Object] = []
        paths: list[Object] = []
        for rule in found:
            held = resources if rule.get("resources") else paths
            shown = {key: rule[key] for key in FIELDS if rule.get(key)}
            if shown not in held:
                held.append(shown)
        return resources, paths
