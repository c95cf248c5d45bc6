"""A machine that does to our pods what the recorded one did to the real ones."""

from __future__ import annotations

import re
from typing import Any

Object = dict[str, Any]

_CONDITION = re.compile(r"status\.conditions\[(.+?)\]\.(\w+)")
_CONTAINER = re.compile(r"status\.(initContainerStatuses|containerStatuses)\[(.+?)\]\.(.+)")


class PodImage:
    """A recorded pod's status, put together from the changes that a watch saw."""

    def __init__(self) -> None:
        self._flat: dict[str, Any] = {}

    def change(self, changed: Object) -> None:
        """Take in what changed; null is what went away."""
        for path, value in changed.items():
            if value is None:
                self._flat.pop(path, None)
            else:
                self._flat[path] = value

    @property
    def scheduled(self) -> bool:
        """The recorded pod is on a machine, as far as its status shows."""
        return "status.conditions" not in self._flat

    def status(self) -> Object:
        """`status` as an object has it."""
        conditions: dict[str, Object] = {}
        containers: dict[str, dict[str, Object]] = {}
        found: Object = {}
        for path, value in self._flat.items():
            condition, container = _CONDITION.fullmatch(path), _CONTAINER.fullmatch(path)
            if condition:
                conditions.setdefault(condition[1], {"type": condition[1]})[condition[2]] = value
            elif container:
                held = containers.setdefault(container[1], {}).setdefault(container[2], {"name": container[2]})
                _put(held, container[3].split("."), value)
            elif path in {"status.phase", "status.podIP"}:
                found[path.removeprefix("status.")] = value
        if conditions:
            found["conditions"] = list(conditions.values())
        for kind, held_by_name in containers.items():
            # The kubelet sorts them by name, and the operator quotes the first one that is not ready.
            found[kind] = [_with_state(held_by_name[name]) for name in sorted(held_by_name)]
        return found


def _put(held: Object, path: list[str], value: object) -> None:
    for part in path[:-1]:
        held = held.setdefault(part, {})
    held[path[-1]] = value


def _with_state(container: Object) -> Object:
    """A container without a recorded state runs; in the earlier recordings that has no field."""
    state = container.get("state", {})
    kind = next((each for each in ("waiting", "terminated") if state.get(each)), "running")
    return {**container, "state": {kind: state.get(kind, {})}}
