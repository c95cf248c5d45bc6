"""What becomes of objects when their owners go.

Source: Kubernetes' `pkg/controller/garbagecollector/garbagecollector.go`. Who depends on whom is kept by uid, from the
changes themselves, so that a deletion does not have to look at everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_ray.sandbox.api.deletion import FOREGROUND, ORPHAN
from kubectl_ray.sandbox.api.kinds import EVENTS, by_name
from kubectl_ray.sandbox.api.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Change, Object

GONE = {404, 409}
"""Codes that mean: it is not there any more, or another one is, or it has changed and comes again by itself."""


class Item(NamedTuple):
    """An object to look at."""

    kind: Kind
    namespace: str
    name: str


class Garbage:
    """Deletes dependents after, before (foreground), or leaves them behind (orphan)."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._dependents: dict[str, set[Item]] = {}

    def keys(self, change: Change) -> Iterable[Hashable]:
        """The dependents of what went, its owners, and what got or lost owners."""
        if change.kind is EVENTS:
            return ()
        item = _item(change.kind, change.object)
        before = _owners(change.before) if change.before is not None else []
        now = [] if change.what == "DELETED" else _owners(change.object)
        for each in before:
            self._dependents.get(each.get("uid", ""), set()).discard(item)
        for each in now:
            self._dependents.setdefault(each.get("uid", ""), set()).add(item)
        if change.what == "DELETED":
            dependents = self._dependents.pop(change.object["metadata"]["uid"], set())
            return [*dependents, *self._waiting(item, before)]
        if now != before or _ending(change.object):
            return [item, *self._waiting(item, before)]
        return ()

    def _waiting(self, item: Item, owners: list[Object]) -> list[Item]:
        """Owners that cannot go before their dependents have gone."""
        found = [(each, self._owner(item, each)) for each in owners]
        return [
            Item(kind, held["metadata"].get("namespace", ""), held["metadata"]["name"])
            for each, held in found
            if held is not None and _ending(held) and (kind := by_name(each["apiVersion"], each["kind"])) is not None
        ]

    async def reconcile(self, key: Hashable) -> float | None:
        """Do what the object's owners, or its own way of ending, ask for."""
        assert isinstance(key, Item)  # noqa: S101 - our own keys
        try:
            self._look(key)
        except Refused as refused:
            if refused.code not in GONE:
                raise
        return None

    def _look(self, item: Item) -> None:
        held = self._objects.find(*item)
        if held is None:
            return
        if held["metadata"].get("deletionTimestamp"):
            finalizers = held["metadata"].get("finalizers") or []
            if ORPHAN in finalizers:
                self._orphan(item, held)
            elif FOREGROUND in finalizers:
                self._delete_dependents_first(item, held)
            return
        self._collect(item, held)

    def _collect(self, item: Item, held: Object) -> None:
        """Delete it when no owner is left; forget the owners that are gone when one is."""
        owners = _owners(held)
        absent, waiting, solid = [], [], []
        for each in owners:
            kind = by_name(each.get("apiVersion", ""), each.get("kind", ""))
            if kind is None or (kind.namespaced and not item.namespace):
                # Nobody can tell whether it is there, so nothing is deleted for its sake.
                solid.append(each)
                continue
            owner = self._owner(item, each)
            if owner is None:
                absent.append(each)
            elif _foreground(owner) and each.get("blockOwnerDeletion"):
                waiting.append(each)
            else:
                solid.append(each)
        if not owners or (solid and not absent and not waiting):
            return
        if solid:
            self._keep_owners(item, [each.get("uid") for each in solid])
            return
        held_back = bool(waiting) and bool(self._dependents.get(held["metadata"]["uid"]))
        self._delete(item, held, "Foreground" if held_back else "")

    def _delete(self, item: Item, held: Object, propagation: str) -> None:
        """By what it says itself where nothing else is asked for; the background is what is left."""
        finalizers = held["metadata"].get("finalizers") or []
        if not propagation:
            propagation = (
                "Orphan" if ORPHAN in finalizers else "Foreground" if FOREGROUND in finalizers else "Background"
            )
        self._objects.delete(*item, propagation=propagation, uid=held["metadata"]["uid"])

    def _orphan(self, item: Item, held: Object) -> None:
        uid = held["metadata"]["uid"]
        for each in sorted(self._dependents.get(uid, ()), key=_order):
            found = self._objects.find(*each)
            if found is not None:
                self._keep_owners(each, [owner.get("uid") for owner in _owners(found) if owner.get("uid") != uid])
        self._drop_finalizer(item, ORPHAN)

    def _delete_dependents_first(self, item: Item, held: Object) -> None:
        uid = held["metadata"]["uid"]
        blocking = []
        for each in sorted(self._dependents.get(uid, ()), key=_order):
            found = self._objects.find(*each)
            mine = [] if found is None else [owner for owner in _owners(found) if owner.get("uid") == uid]
            if any(owner.get("blockOwnerDeletion") for owner in mine):
                blocking.append(each)
        if not blocking:
            self._drop_finalizer(item, FOREGROUND)
            return
        for each in blocking:
            found = self._objects.find(*each)
            if found is not None and not found["metadata"].get("deletionTimestamp"):
                self._collect(each, found)

    def _keep_owners(self, item: Item, uids: list[object]) -> None:
        def strip(held: Object) -> None:
            kept = [each for each in _owners(held) if each.get("uid") in uids]
            held["metadata"].pop("ownerReferences", None)
            if kept:
                held["metadata"]["ownerReferences"] = kept

        self._objects.edit(*item, strip)

    def _drop_finalizer(self, item: Item, finalizer: str) -> None:
        def drop(held: Object) -> None:
            kept = [each for each in held["metadata"].get("finalizers") or [] if each != finalizer]
            held["metadata"].pop("finalizers", None)
            if kept:
                held["metadata"]["finalizers"] = kept

        self._objects.edit(*item, drop)

    def _owner(self, item: Item, reference: Object) -> Object | None:
        """The owner itself; None where there is none, or another one of that name."""
        kind = by_name(reference.get("apiVersion", ""), reference.get("kind", ""))
        if kind is None:
            return None
        found = self._objects.find(kind, item.namespace if kind.namespaced else "", reference.get("name", ""))
        return found if found is not None and found["metadata"]["uid"] == reference.get("uid") else None


def _item(kind: Kind, held: Object) -> Item:
    return Item(kind, held["metadata"].get("namespace", ""), held["metadata"]["name"])


def _owners(held: Object) -> list[Object]:
    return held["metadata"].get("ownerReferences") or []


def _ending(held: Object) -> bool:
    """It waits for the garbage collector."""
    meta = held["metadata"]
    return bool(meta.get("deletionTimestamp")) and not {ORPHAN, FOREGROUND}.isdisjoint(meta.get("finalizers") or ())


def _foreground(held: Object) -> bool:
    return _ending(held) and FOREGROUND in held["metadata"]["finalizers"]


def _order(item: Item) -> tuple[str, str, str]:
    return item.kind.resource, item.namespace, item.name
