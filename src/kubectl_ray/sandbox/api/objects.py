"""What may be done with objects: create, change, delete; names, versions and generations as the real server has them.

Both the HTTP server and the controllers go through here, so that a rule exists once.
"""

from __future__ import annotations

import copy
import secrets
import time
import uuid
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.refusals import already_exists, bad_request, conflict, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.store import Object, Store

LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""What generated names end with: Kubernetes' rand.String."""


class Objects:
    """The store with the rules of Kubernetes; `clock` gives seconds since 1970."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.clock = clock
        self.shape: Callable[[Kind, Object], Object] = _as_it_is
        """What fits an object to its kind's schema (defaults, unknown fields, wrong types) before it is kept."""

    def now(self) -> str:
        """The time as objects have it: whole seconds, UTC."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock()))

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """The object, not to be changed.

        Raises:
            Refused: 404.
        """
        found = self.store.get(kind, namespace, name)
        if found is None:
            raise not_found(kind, name)
        return found

    def find(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """The object, not to be changed; None when there is none."""
        return self.store.get(kind, namespace, name)

    def list(self, kind: Kind, namespace: str = "", labels: Mapping[str, str] | None = None) -> list[Object]:
        """Objects of a namespace ("" is all) that have all these labels."""
        wanted = (labels or {}).items()
        return [
            each for each in self.store.list(kind, namespace) if wanted <= each["metadata"].get("labels", {}).items()
        ]

    def create(self, kind: Kind, body: Object, namespace: str = "", *, dry_run: bool = False) -> Object:
        """A new object.

        Raises:
            Refused: 409 the name is taken; 422 a field is wrong; 403 a quota; 404 no such namespace.
        """
        made = copy.deepcopy(body)
        meta = made.setdefault("metadata", {})
        made.setdefault("apiVersion", kind.api_version)
        made.setdefault("kind", kind.name)
        if kind.namespaced:
            meta["namespace"] = namespace or meta.get("namespace") or "default"
            if kind is not kinds.NAMESPACES and self.store.get(kinds.NAMESPACES, "", meta["namespace"]) is None:
                raise not_found(kinds.NAMESPACES, meta["namespace"])
        if not meta.get("name"):
            if not meta.get("generateName"):
                raise bad_request("name or generateName is required")
            meta["name"] = meta["generateName"] + "".join(secrets.choice(LETTERS) for _ in range(5))
        if self.store.get(kind, meta.get("namespace", ""), meta["name"]) is not None:
            raise already_exists(kind, meta["name"])
        meta["uid"] = str(uuid.uuid4())
        meta["creationTimestamp"] = self.now()
        meta["generation"] = 1
        return made if dry_run else self.store.put(kind, made)

    def edit(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        change: Callable[[Object], None],
        *,
        status: bool = False,
        version: str = "",
        dry_run: bool = False,
    ) -> Object:
        """Change a copy of the object in place and keep it; nothing is written when nothing changed.

        `status` keeps changes of `.status` only (the status subresource); without it `.status` stays as it was where
        the kind has that subresource. A changed spec counts the generation up. `version` is the resourceVersion that
        the caller saw.

        Raises:
            Refused: 404; 409 it has another version; 422.
        """
        before = self.get(kind, namespace, name)
        if version and version != before["metadata"]["resourceVersion"]:
            raise conflict(
                kind,
                name,
                "the object has been modified; please apply your changes to the latest version and try again",
            )
        after = copy.deepcopy(before)
        change(after)
        if status:
            after = {**copy.deepcopy(before), "status": after.get("status", {})}
        elif "status" in kind.subresources and before.get("status") != after.get("status"):
            after.pop("status", None)
            if "status" in before:
                after["status"] = copy.deepcopy(before["status"])
        if after == before:
            return before
        if after.get("spec") != before.get("spec"):
            after["metadata"]["generation"] = before["metadata"].get("generation", 1) + 1
        return after if dry_run else self.store.put(kind, after)

    def delete(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        *,
        propagation: str = "Background",
        grace: int | None = None,
        uid: str = "",
        version: str = "",
        dry_run: bool = False,
    ) -> Object | None:
        """Delete, or mark as being deleted where finalizers, a grace period or foreground dependents remain.

        Returns:
            The object where it stays for a while; None where it is gone.

        Raises:
            Refused: 404; 409 the preconditions do not hold.
        """
        found = self.get(kind, namespace, name)
        if (uid and uid != found["metadata"]["uid"]) or (version and version != found["metadata"]["resourceVersion"]):
            raise conflict(kind, name, "Precondition failed")
        del propagation, grace
        if not dry_run:
            self.store.drop(kind, found)
        return None


def _as_it_is(_kind: Kind, body: Object) -> Object:
    return body
