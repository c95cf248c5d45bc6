"""A controller that takes one step at a time with a RayJob or RayService, and waits longer after each failure."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar

from kubectl_ray.sandbox.api.events import record
from kubectl_ray.sandbox.operator.parents import managed_elsewhere

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.operator.dashboard import Access
    from kubectl_ray.sandbox.operator.parents import Key

log = logging.getLogger(__name__)


class Patience:
    """How long to wait after each failure in a row of the same object: 5 ms, then twice as long, up to `most` seconds.

    Source: controller-runtime's rate limiter; its own limit is 1,000 seconds, which nobody wants to wait for locally.
    """

    def __init__(self, most: float) -> None:
        self._most = most
        self._failures: dict[Key, int] = {}

    def failed(self, key: Key) -> float:
        """Once more: seconds to wait."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        return min(0.005 * 2.0 ** min(failures - 1, 30), self._most)

    def fine(self, key: Key) -> None:
        """Forget its failures."""
        self._failures.pop(key, None)


class Stepwise:
    """What the controllers of RayJobs and RayServices share.

    Args:
        objects: everything else is done through them.
        access: Ray's API.
    """

    kind: ClassVar[Kind]
    component: ClassVar[str]
    longest: ClassVar[float]
    """Seconds to wait at most after failures."""
    failures: ClassVar[tuple[type[Exception], ...]]
    """What a step may raise that it is tried again after."""

    def __init__(self, objects: Objects, access: Access) -> None:
        self._objects = objects
        self._access = access
        self._patience = Patience(self.longest)

    async def reconcile(self, key: Key) -> float | None:
        """Take one step; seconds after which to take the next, None at rest."""
        parent = self._objects.find(self.kind, *key)
        if parent is None or managed_elsewhere(parent):
            self._patience.fine(key)
            return None
        try:
            wait = await self._step(parent)
        except self.failures as error:
            log.info("%s %s/%s: %s", self.kind.name, *key, error)
            return self._patience.failed(key)
        self._patience.fine(key)
        return wait

    async def _step(self, parent: Object) -> float | None:
        raise NotImplementedError

    def _tell(self, parent: Object, type_: str, reason: str, message: str) -> None:
        record(self._objects, parent, type_, reason, message, self.component)
