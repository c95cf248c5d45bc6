"""Conditions of a status: set, removed, read.

Source: apimachinery, `pkg/api/meta/conditions.go`: a new condition goes to the end; the time moves only when the status
does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object

Conditions = list["Object"]


def find(conditions: Conditions, type_: str) -> Object | None:
    """The condition of that type."""
    return next((each for each in conditions if each["type"] == type_), None)


def is_true(conditions: Conditions, type_: str) -> bool:
    """It is there and its status is True."""
    found = find(conditions, type_)
    return found is not None and found["status"] == "True"


def put(conditions: Conditions, type_: str, *, status: str, reason: str, message: str, now: str) -> None:
    """Set a condition in place."""
    found = find(conditions, type_)
    if found is None:
        conditions.append(
            {"lastTransitionTime": now, "message": message, "reason": reason, "status": status, "type": type_}
        )
        return
    if found["status"] != status:
        found["lastTransitionTime"] = now
    found |= {"message": message, "reason": reason, "status": status}


def remove(conditions: Conditions, type_: str) -> None:
    """Take a condition away in place."""
    conditions[:] = [each for each in conditions if each["type"] != type_]
