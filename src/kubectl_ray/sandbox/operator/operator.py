"""The operator as a whole: its controllers, each in its loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.loop import Loop
from kubectl_ray.sandbox.operator.dashboard import Access
from kubectl_ray.sandbox.operator.rayclusters import RayClusters
from kubectl_ray.sandbox.operator.rayjobs import RayJobs
from kubectl_ray.sandbox.operator.rayservices import RayServices

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.loop import Controller
    from kubectl_ray.sandbox.operator.dashboard import Addresses


class Operator:
    """From `start` to `stop` it does what the spec of each object of Ray asks for.

    Args:
        objects: all else is done through them.
        addresses: where a pod's port is on this machine: jobs and Serve are asked there.
    """

    def __init__(self, objects: Objects, addresses: Addresses) -> None:
        self._access = Access(objects, addresses)
        controllers: list[Controller] = [
            RayClusters(objects),
            RayJobs(objects, self._access),
            RayServices(objects, self._access),
        ]
        self._loops = [Loop(objects.store, controller) for controller in controllers]

    def start(self) -> None:
        """Look at everything that there is, and from then on at what changes. Needs a running event loop."""
        for loop in self._loops:
            loop.start()

    async def stop(self) -> None:
        """Returns when nothing of it runs any more."""
        await asyncio.gather(*(loop.stop() for loop in self._loops))
        await self._access.close()
