"""Runs a controller: each key once at a time, again when its objects change, later when it asks for that or fails.

Source of the behaviour: client-go's work queue, `util/workqueue` (a key that is added while it is worked on is worked
on once more afterwards; failures wait twice as long each time).
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from kubectl_ray.sandbox.api.store import Change, Store

log = logging.getLogger(__name__)

FIRST_RETRY, LAST_RETRY = 0.1, 30.0
"""Seconds after the first failure, and at most."""


class Controller(Protocol):
    """What a loop runs."""

    def keys(self, change: Change) -> Iterable[Hashable]:
        """What is to be looked at after this change; also asked for each object that exists at the start."""

    async def reconcile(self, key: Any) -> float | None:
        """Make it as it should be; seconds after which to look again, None when a change will tell."""


class Loop:
    """One controller at work, from `start` to `stop`; several keys are worked on at a time."""

    def __init__(self, store: Store, controller: Controller) -> None:
        self._store = store
        self._controller = controller
        self._running: dict[Hashable, asyncio.Task[None]] = {}
        self._again: set[Hashable] = set()
        self._timers: dict[Hashable, asyncio.TimerHandle] = {}
        self._failures: dict[Hashable, int] = {}
        self._unlisten = _nothing

    def start(self) -> None:
        """Look at everything once, and from then on at what changes. Needs a running event loop."""
        from kubectl_ray.sandbox.api.store import Change

        self._unlisten = self._store.listen(self._changed)
        for kind, held in self._store.everything():
            self._changed(Change(self._store.version, "ADDED", kind, held, None))

    async def stop(self) -> None:
        """End what runs; returns when nothing of it is left. May be called twice."""
        self._unlisten()
        self._unlisten = _nothing
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def add(self, key: Hashable) -> None:
        """Look at this soon."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        if key in self._running:
            self._again.add(key)
            return
        self._running[key] = asyncio.get_running_loop().create_task(self._work(key))

    @property
    def idle(self) -> bool:
        """Nothing is worked on just now; timers may be set."""
        return not self._running

    async def settle(self) -> None:
        """Wait until nothing is worked on; for tests."""
        while self._running:
            await asyncio.gather(*self._running.values(), return_exceptions=True)
            await asyncio.sleep(0)

    def _changed(self, change: Change) -> None:
        for key in self._controller.keys(change):
            self.add(key)

    async def _work(self, key: Hashable) -> None:
        wait: float | None = None
        try:
            wait = await self._controller.reconcile(key)
            self._failures.pop(key, None)
        except Exception:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            wait = min(FIRST_RETRY * 2 ** (failures - 1), LAST_RETRY)
            log.exception("%s %s: again in %.1f s", type(self._controller).__name__, key, wait)
        finally:
            del self._running[key]
        if key in self._again:
            self._again.discard(key)
            self.add(key)
        elif wait is not None:
            self._timers[key] = asyncio.get_running_loop().call_later(wait, self.add, key)


def _nothing() -> None:
    """Not started."""
