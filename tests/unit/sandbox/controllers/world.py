"""Objects with controllers that run until nothing is left to do; the time is the test's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.loop import Controller

Object = dict[str, Any]


class World:
    """The namespace n; `run` lets the controllers work off what has happened."""

    def __init__(self) -> None:
        self.time = 1_000_000_000.0
        self.objects = Objects(Store(), lambda: self.time)
        self.objects.create(kinds.NAMESPACES, {"metadata": {"name": "n"}})

    def run(self, *made: Callable[[Objects], Controller], between: Callable[[], object] = lambda: None) -> None:
        """Start each, do what is between, and wait until all rest."""

        async def work() -> None:
            loops = [Loop(self.objects.store, make(self.objects)) for make in made]
            for each in loops:
                each.start()
            await self._rest(loops)
            between()
            await self._rest(loops)
            for each in loops:
                await each.stop()

        asyncio.run(work())

    async def _rest(self, loops: list[Loop]) -> None:
        while not all(each.idle for each in loops):
            for each in loops:
                await each.settle()

    def make(self, kind: Kind, name: str, **body: Any) -> Object:
        """An object in n; `owner=` makes it depend on one, `meta=` adds to its metadata."""
        meta = {"name": name, **body.pop("meta", {})}
        owner, blocks = body.pop("owner", None), body.pop("blocks", False)
        if owner is not None:
            reference = {key: owner[key] for key in ("apiVersion", "kind")}
            reference |= {key: owner["metadata"][key] for key in ("name", "uid")}
            meta["ownerReferences"] = [{**reference, "blockOwnerDeletion": blocks}]
        return self.objects.create(kind, {"metadata": meta, **body}, "n" if kind.namespaced else "")

    def pod(self, name: str, *, node: str = "", **body: Any) -> Object:
        """A pod with one container, on a node or not."""
        spec = {"containers": [{"name": "a", "image": "i:1"}], **body.pop("spec", {})}
        if node:
            spec["nodeName"] = node
        return self.make(kinds.PODS, name, spec=spec, **body)

    def names(self, kind: Kind, namespace: str = "n") -> list[str]:
        """What there is."""
        return [each["metadata"]["name"] for each in self.objects.list(kind, namespace)]
