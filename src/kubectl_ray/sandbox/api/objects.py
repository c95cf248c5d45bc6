"""What may be done with objects: create, change, delete; names, versions and generations as the real server has them.

Both the HTTP server and the controllers go through here, so that a rule exists once.
"""

from __future__ import annotations

import copy
import secrets
import time
import uuid
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import deletion, kinds, metadata
from kubectl_ray.sandbox.api.admission import rules
from kubectl_ray.sandbox.api.events import core_form, new_form
from kubectl_ray.sandbox.api.refusals import Refused, already_exists, conflict, invalid, not_found, terminating

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.store import Object, Store

LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""What generated names end with: Kubernetes' rand.String."""

LONGEST_STEM = 58
"""Characters of a generateName that are used: 63 with the five that are added."""

CHANGED = "the object has been modified; please apply your changes to the latest version and try again"


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
        found = self.find(kind, namespace, name)
        if found is None:
            raise not_found(kind, name)
        return found

    def find(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """The object, not to be changed; None when there is none."""
        if kind is kinds.NEW_EVENTS:
            event = self.store.get(kinds.EVENTS, namespace, name)
            return event and new_form(event)
        return self.store.get(kind, namespace, name)

    def list(self, kind: Kind, namespace: str = "", labels: Mapping[str, str] | None = None) -> list[Object]:
        """Objects of a namespace ("" is all) that have all these labels."""
        if kind is kinds.NEW_EVENTS:
            return [new_form(each) for each in self.list(kinds.EVENTS, namespace, labels)]
        wanted = (labels or {}).items()
        return [
            each
            for each in self.store.list(kind, namespace)
            if not wanted or wanted <= (each["metadata"].get("labels") or {}).items()
        ]

    def create(self, kind: Kind, body: Object, namespace: str = "", *, dry_run: bool = False) -> Object:
        """A new object.

        Raises:
            Refused: 409 the name is taken; 422 a field is wrong; 403 a quota, a limit, a missing service account or a
                namespace that ends; 404 no such namespace.
        """
        if kind is kinds.NEW_EVENTS:
            return new_form(self.create(kinds.EVENTS, core_form(body), namespace, dry_run=dry_run))
        made = copy.deepcopy(body)
        made.setdefault("apiVersion", kind.api_version)
        made.setdefault("kind", kind.name)
        meta = made["metadata"] = made.get("metadata") or {}
        metadata.fit_namespace(kind, meta, namespace)
        if meta.get("resourceVersion"):
            raise Refused(500, "", "resourceVersion should not be set on objects to be created")
        for key in ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
            meta.pop(key, None)
        self._enter(kind, meta)
        made = self.shape(kind, made)
        meta = made["metadata"]
        rules.prepare(kind, made)
        rules.admit(self, kind, made)
        self._name(kind, meta)
        meta["uid"] = str(uuid.uuid4())
        meta["creationTimestamp"] = self.now()
        if kind in metadata.COUNTED:
            meta["generation"] = 1
        rules.complete(self, kind, made)
        causes = metadata.of_new(kind, meta) + rules.wrong_fields(self, kind, made)
        if causes:
            raise invalid(kind, meta.get("name", ""), causes)
        rules.count(self, kind, made)
        held = self.store.get(kind, meta.get("namespace", ""), meta["name"])
        if held is not None:
            raise already_exists(kind, meta["name"], deleting=bool(held["metadata"].get("deletionTimestamp")))
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
        the caller saw. An object that is being deleted goes when its last finalizer does.

        Raises:
            Refused: 404; 409 it has another version, or another uid is asked for; 422 a field is wrong or may not be
                changed; 400 another name or namespace is asked for.
        """
        if kind is kinds.NEW_EVENTS:
            return self._edit_new_event(namespace, name, change, version=version, dry_run=dry_run)
        before = self.get(kind, namespace, name)
        if version and version != before["metadata"]["resourceVersion"]:
            raise conflict(kind, name, CHANGED)
        after = copy.deepcopy(before)
        change(after)
        if status:
            after = self.shape(kind, _with_status(copy.deepcopy(before), after))
        else:
            after = self._replaced(kind, name, before, after)
        if after == before:
            return before
        if rules.counts(kind, before, after):
            after["metadata"]["generation"] = before["metadata"].get("generation", 1) + 1
        if dry_run:
            return after
        if not status and deletion.ready_to_go(kind, after) and before["metadata"].get("deletionTimestamp"):
            self.store.drop(kind, after)
            return after
        return self.store.put(kind, after)

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

        `propagation` is Background, Foreground or Orphan; "" is what the kind does when a request says nothing (jobs
        leave their pods behind, everything else is Background). `grace` is in seconds; None is what the pod says.

        Returns:
            The object where it stays for a while; None where it is gone.

        Raises:
            Refused: 404; 409 the preconditions do not hold; 403 a namespace that has to stay.
        """
        if kind is kinds.NEW_EVENTS:
            kind = kinds.EVENTS
        found = self.get(kind, namespace, name)
        deletion.check_preconditions(kind, found, uid, version)
        outcome = deletion.decide(kind, found, propagation, grace, self.clock())
        if dry_run:
            return None if outcome.gone else outcome.marked
        kept = found
        if outcome.marked != found:
            kept = self.store.put(kind, outcome.marked)
        if outcome.gone:
            self.store.drop(kind, kept)
            return None
        return kept

    def _enter(self, kind: Kind, meta: Object) -> None:
        """Whether the namespace takes new objects."""
        if not kind.namespaced:
            return
        home = self.store.get(kinds.NAMESPACES, "", meta["namespace"])
        if home is None:
            raise not_found(kinds.NAMESPACES, meta["namespace"])
        if home["metadata"].get("deletionTimestamp"):
            raise terminating(kind, meta.get("name") or "", meta["namespace"])

    def _name(self, kind: Kind, meta: Object) -> None:
        """Make a name of generateName that is free."""
        if meta.get("name") or not meta.get("generateName"):
            return
        while True:
            meta["name"] = meta["generateName"][:LONGEST_STEM] + "".join(secrets.choice(LETTERS) for _ in range(5))
            if self.store.get(kind, meta.get("namespace", ""), meta["name"]) is None:
                return

    def _replaced(self, kind: Kind, name: str, before: Object, after: Object) -> Object:
        """The object as a writer wants it, with what it may not change put back."""
        meta = after["metadata"] = after.get("metadata") or {}
        after["apiVersion"], after["kind"] = before["apiVersion"], before["kind"]
        metadata.carry_over(kind, name, meta, before["metadata"])
        if "status" in kind.subresources:
            after.pop("status", None)
            if "status" in before:
                after["status"] = copy.deepcopy(before["status"])
        after = self.shape(kind, after)
        rules.prepare(kind, after, before)
        rules.settle(self, kind, after)
        causes = metadata.of_changed(after["metadata"], before["metadata"])
        causes += rules.wrong_fields(self, kind, after) or rules.wrongly_changed(kind, before, after)
        if causes:
            raise invalid(kind, name, causes)
        return after

    def _edit_new_event(
        self, namespace: str, name: str, change: Callable[[Object], None], *, version: str, dry_run: bool
    ) -> Object:
        def changed(event: Object) -> None:
            shown = new_form(event)
            change(shown)
            event.clear()
            event.update(core_form(shown))

        return new_form(self.edit(kinds.EVENTS, namespace, name, changed, version=version, dry_run=dry_run))


def _as_it_is(_kind: Kind, body: Object) -> Object:
    return body


def _with_status(held: Object, written: Object) -> Object:
    """The object with the status that is written, and with the record of who wrote it; it is changed in place."""
    held["status"] = written.get("status", {})
    managers = written["metadata"].get("managedFields")
    if managers is not None:
        held["metadata"]["managedFields"] = managers
    return held
