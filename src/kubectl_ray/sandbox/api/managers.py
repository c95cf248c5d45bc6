"""Who wrote which field: the entries of `metadata.managedFields`, read and written.

Source: apimachinery, `pkg/util/managedfields/internal`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_ray.sandbox.api import fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_ray.sandbox.api.fields import Fields
    from kubectl_ray.sandbox.api.store import Object

APPLY, UPDATE = "Apply", "Update"
BEFORE_FIRST_APPLY, ANCIENT = "before-first-apply", "ancient-changes"
MOST_UPDATERS = 10
"""Managers that update; what the oldest ones beyond wrote is kept under one name."""
SERVERS_OWN = frozenset(
    {("f:apiVersion",), ("f:kind",), ("f:metadata",)}
    | {
        ("f:metadata", f"f:{name}")
        for name in (
            "name",
            "namespace",
            "creationTimestamp",
            "selfLink",
            "uid",
            "clusterName",
            "generation",
            "managedFields",
            "resourceVersion",
        )
    }
)
"""Fields that nobody owns."""


class Manager(NamedTuple):
    """Who writes, and how; someone who applies is the same in each version of the kind."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""

    def told(self) -> str:
        """As conflicts name it."""
        made = f'"{self.name}"' + (f' with subresource "{self.subresource}"' if self.subresource else "")
        return f"{made} using {self.api_version}" if self.operation == UPDATE else made

    def key(self) -> tuple[str, ...]:
        """What tells managers apart."""
        return self.name, self.operation, self.subresource, self.api_version if self.operation == UPDATE else ""


class Entry(NamedTuple):
    """What a manager wrote, and when last."""

    manager: Manager
    owned: Fields
    time: str


Entries = dict[tuple[str, ...], Entry]


def read(held: Object | None) -> Entries:
    """The entries of an object; what is no entry is left out."""
    meta = (held or {}).get("metadata")
    listed = meta.get("managedFields") if isinstance(meta, dict) else None
    made: Entries = {}
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, dict) and each.get("operation") in {APPLY, UPDATE}:
            manager = Manager(
                str(each.get("manager", "")),
                each["operation"],
                str(each.get("apiVersion", "")),
                str(each.get("subresource", "")),
            )
            owned = fields.decoded(each.get("fieldsV1")) - SERVERS_OWN
            if owned:
                made[manager.key()] = Entry(manager, owned, str(each.get("time", "")))
    return made


def written(entries: Entries) -> list[dict[str, Any]]:
    """As `metadata.managedFields` has them, in the real server's order."""
    return [_written(each) for each in sorted(_capped(entries.values()), key=_order)]


def _order(each: Entry) -> tuple[str, ...]:
    manager = each.manager
    return manager.operation, each.time, manager.name, manager.api_version, manager.subresource


def _capped(entries: Iterable[Entry]) -> list[Entry]:
    """Old updaters become one when there are too many."""
    kept = [each for each in entries if each.owned]
    updaters = sorted((each for each in kept if each.manager.operation == UPDATE), key=_order)
    surplus = len(updaters) - MOST_UPDATERS
    if surplus <= 0:
        return kept
    old = updaters[: surplus + 1]
    together = old[-1]
    owned = frozenset().union(*(each.owned for each in old))
    ancient = Entry(Manager(ANCIENT, UPDATE, together.manager.api_version), owned, together.time)
    return [each for each in kept if each not in old] + [ancient]


def _written(each: Entry) -> dict[str, Any]:
    manager = each.manager
    made: dict[str, Any] = {"manager": manager.name, "operation": manager.operation, "apiVersion": manager.api_version}
    made |= {"time": each.time} if each.time else {}
    made = {**made, "fieldsType": "FieldsV1", "fieldsV1": fields.encoded(each.owned)}
    return {**made, "subresource": manager.subresource} if manager.subresource else made


def without_others(entries: Entries, taken: Fields) -> Entries:
    """The entries when nobody owns these fields any more."""
    left = {key: each._replace(owned=each.owned - taken) for key, each in entries.items()}
    return {key: each for key, each in left.items() if each.owned}
