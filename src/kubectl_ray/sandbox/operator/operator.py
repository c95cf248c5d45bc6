"""The operator as a whole: its controllers, each in its loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.loop import Loop
from kubectl_ray.sandbox.operator.rayclusters import RayClusters

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.loop import Controller


class Operator:
    """From `start` to `stop` it does what the spec of each object of Ray asks for."""

    def __init__(self, objects: Objects) -> None:
        controllers: list[Controller] = [RayClusters(objects)]
        self._loops = [Loop(objects.store, controller) for controller in controllers]

    def start(self) -> None:
        """Look at everything that there is, and from then on at what changes. Needs a running event loop."""
        for loop in self._loops:
            loop.start()

    async def stop(self) -> None:
        """Returns when nothing of it runs any more."""
        await asyncio.gather(*(loop.stop() for loop in self._loops))
