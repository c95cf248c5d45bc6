"""Objects in memory with the manners of an API server: versions, history for watches, selectors, patches, finalizers.

There are no schemas: what a real server checks against a CRD is scripted as a fault where a test needs it.
"""

from __future__ import annotations

import copy
import threading
import time
import uuid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Object = dict[str, Any]
    Key = tuple[str, str, str, str]

PLURALS = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses", "EndpointSlice": "endpointslices"}


class Refused(Exception):  # an answer, not an error of ours
    """A `Status` that says Failure."""

    def __init__(self, code: int, reason: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = failure(code, reason, message, **details)
        self.code = code


def failure(code: int, reason: str, message: str, **details: Any) -> Object:
    """A `metav1.Status` as an API server words it."""
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    return {**status, "reason": reason, "details": details, "code": code}


def plural_of(kind: str) -> str:
    """`RayCluster` → `rayclusters`."""
    return PLURALS.get(kind) or kind.lower() + "s"


def group_of(api_version: str) -> str:
    """`ray.io/v1` → `ray.io`; `v1` → ``."""
    return api_version.rpartition("/")[0]


class Store:
    """All objects, by group, plural, namespace and name, and every change since `oldest`."""

    def __init__(self) -> None:
        self.objects: dict[Key, Object] = {}
        self.namespaces = {"default", "kube-system"}
        self.version = 1000
        self.oldest = 1000
        self.history: list[tuple[int, str, Key, Object]] = []
        self.changed = threading.Condition()

    def add(self, *objects: Object) -> None:
        """Put objects there as they are (status too), as if they had been there; they get what a server adds."""
        for given in objects:
            key = self.key(given)
            with self.changed:
                if key[2]:
                    self.namespaces.add(key[2])
                item = copy.deepcopy(given)
                metadata = item.setdefault("metadata", {})
                if key[2]:
                    metadata.setdefault("namespace", key[2])
                self._stamp(metadata)
                self._record("MODIFIED" if key in self.objects else "ADDED", key, item)

    def key(self, item: Object) -> Key:
        """Where an object stands; one without a namespace stands in `default`, unless it is a Namespace or Node."""
        metadata = item.get("metadata", {})
        kind = item["kind"]
        scoped = kind not in {"Namespace", "Node", "CustomResourceDefinition"}
        namespace = metadata.get("namespace", "default") if scoped else ""
        return group_of(item["apiVersion"]), plural_of(kind), namespace, metadata.get("name", "")

    def get(self, plural: str, name: str, namespace: str = "default") -> Object:
        """An object for a test to look at; KeyError where there is none."""
        with self.changed:
            for key, item in self.objects.items():
                if key[1:] == (plural, namespace, name):
                    return copy.deepcopy(item)
        raise KeyError(f"{plural}/{namespace}/{name}")

    def has(self, plural: str, name: str, namespace: str = "default") -> bool:
        """Whether it is there."""
        with self.changed:
            return any(key[1:] == (plural, namespace, name) for key in self.objects)

    def edit(self, plural: str, name: str, change: Callable[[Object], object], namespace: str = "default") -> None:
        """Change an object in place, as a controller does, and tell the watches."""
        with self.changed:
            key = next(key for key in self.objects if key[1:] == (plural, namespace, name))
            item = copy.deepcopy(self.objects[key])
            change(item)
            self._record("MODIFIED", key, item)

    def remove(self, plural: str, name: str, namespace: str = "default") -> None:
        """Take an object away, finalizers or not, and tell the watches."""
        with self.changed:
            key = next(key for key in self.objects if key[1:] == (plural, namespace, name))
            self._record("DELETED", key, copy.deepcopy(self.objects[key]))

    def compact(self) -> None:
        """Forget all history: older resource versions and continue tokens are gone (410)."""
        with self.changed:
            self.version += 1
            self.oldest = self.version
            self.history.clear()

    # What the server calls; each raises Refused.

    def read(self, key: Key) -> Object:
        """One object."""
        with self.changed:
            item = self.objects.get(key)
            if item is None:
                raise self._absent(key)
            return copy.deepcopy(item)

    def select(self, group: str, plural: str, namespace: str, matches: Callable[[Object], bool]) -> list[Object]:
        """Objects of one kind, sorted by namespace and name."""
        with self.changed:
            keys = sorted(key for key in self.objects if key[:2] == (group, plural) and namespace in {"", key[2]})
            return [self.objects[key] for key in keys if matches(self.objects[key])]

    def create(self, key: Key, item: Object, *, dry_run: bool) -> Object:
        """A new object."""
        group, plural, namespace, name = key
        with self.changed:
            if namespace and namespace not in self.namespaces:
                raise Refused(404, "NotFound", f'namespaces "{namespace}" not found', name=namespace, kind="namespaces")
            metadata = item.setdefault("metadata", {})
            if not name and metadata.get("generateName"):
                name = metadata["generateName"] + uuid.uuid4().hex[:5]
            full = f"{plural}.{group}" if group else plural
            if (group, plural, namespace, name) in self.objects:
                message = f'{full} "{name}" already exists'
                raise Refused(409, "AlreadyExists", message, name=name, group=group, kind=plural)
            metadata["name"] = name
            if namespace:
                metadata["namespace"] = namespace
            self._stamp(metadata)
            if not dry_run:
                self._record("ADDED", (group, plural, namespace, name), item)
                if plural == "namespaces":
                    self.namespaces.add(name)
            return copy.deepcopy(item)

    def replace(self, key: Key, item: Object, *, dry_run: bool, subresource: str = "") -> Object:
        """An object's new content; without a subresource its status stays, with one only that changes."""
        with self.changed:
            old = self.objects.get(key)
            if old is None:
                raise self._absent(key)
            version = item.get("metadata", {}).get("resourceVersion")
            if version and version != old["metadata"]["resourceVersion"]:
                message = f'Operation cannot be fulfilled on {key[1]} "{key[3]}": the object has been modified'
                raise Refused(409, "Conflict", message, name=key[3], group=key[0], kind=key[1])
            if subresource:
                item = {**copy.deepcopy(old), subresource: item.get(subresource)}
            elif key[0]:
                item.pop("status", None)
                if "status" in old:
                    item["status"] = copy.deepcopy(old["status"])
            if item.get("spec") != old.get("spec"):
                item["metadata"]["generation"] = old["metadata"].get("generation", 1) + 1
            if not dry_run and item != old:
                self._record("MODIFIED", key, item)
            return copy.deepcopy(item)

    def delete(self, key: Key, options: Object) -> Object:
        """Delete as asked; with finalizers or foreground the object stays and is given back."""
        with self.changed:
            old = self.objects.get(key)
            if old is None:
                raise self._absent(key)
            uid = (options.get("preconditions") or {}).get("uid")
            if uid and uid != old["metadata"]["uid"]:
                message = f"the UID in the precondition ({uid}) does not match the UID in record"
                raise Refused(409, "Conflict", message, name=key[3], group=key[0], kind=key[1])
            item = copy.deepcopy(old)
            if options.get("propagationPolicy") == "Foreground":
                item["metadata"].setdefault("finalizers", []).append("foregroundDeletion")
            staying = bool(item["metadata"].get("finalizers"))
            if not options.get("dryRun"):
                if staying:
                    item["metadata"].setdefault("deletionTimestamp", now())
                self._record("MODIFIED" if staying else "DELETED", key, item)
            if staying:
                return item
            details = {"name": key[3], "group": key[0], "kind": key[1], "uid": item["metadata"]["uid"]}
            return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}

    def since(self, version: int, stop: Callable[[], bool]) -> Iterator[tuple[int, str, Key, Object]]:
        """Changes after `version`, as they happen, until `stop` says so; the store calls it at each change."""
        while True:
            with self.changed:
                news = [change for change in self.history if change[0] > version]
                while not news:
                    if stop():
                        return
                    self.changed.wait(0.05)
                    news = [change for change in self.history if change[0] > version]
            for change in news:
                if stop():
                    return
                version = change[0]
                yield change

    def _record(self, event: str, key: Key, item: Object) -> None:
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        if event == "DELETED":
            self.objects.pop(key, None)
        else:
            self.objects[key] = item
        self.history.append((self.version, event, key, copy.deepcopy(item)))
        self.changed.notify_all()

    def _stamp(self, metadata: Object) -> None:
        metadata.setdefault("uid", str(uuid.uuid4()))
        metadata.setdefault("creationTimestamp", now())
        metadata.setdefault("generation", 1)

    def _absent(self, key: Key) -> Refused:
        full = f"{key[1]}.{key[0]}" if key[0] else key[1]
        return Refused(404, "NotFound", f'{full} "{key[3]}" not found', name=key[3], group=key[0], kind=key[1])


def now() -> str:
    """This second, as Kubernetes writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
