"""Events go an hour after they were last written, as the API server's `--event-ttl` has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.events import KEPT, last_seen

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Change


class Expiry:
    """One timer an event."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def keys(self, change: Change) -> Iterable[Hashable]:
        """The event."""
        if change.kind is not kinds.EVENTS or change.what == "DELETED":
            return ()
        return ((change.object["metadata"]["namespace"], change.object["metadata"]["name"]),)

    async def reconcile(self, key: Hashable) -> float | None:
        """Seconds that it has left; it is gone where it has none."""
        assert isinstance(key, tuple)  # noqa: S101 - our own keys
        namespace, name = key
        event = self._objects.find(kinds.EVENTS, namespace, name)
        if event is None:
            return None
        left = last_seen(event) + KEPT - self._objects.clock()
        if left > 0:
            return left
        self._objects.delete(kinds.EVENTS, namespace, name)
        return None
