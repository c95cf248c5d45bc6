"""`sandbox.loop`: each key once at a time, again when it is added meanwhile, later when it asks or fails."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from kubectl_ray.sandbox import loop as loop_module
from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    import pytest

    from kubectl_ray.sandbox.api.store import Change

PATIENCE = 10.0
"""Seconds after which something that should have come is missed."""


class Names:
    """A controller whose keys are names of config maps; what it does is a story's affair."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.work: Callable[[str], Awaitable[float | None]] = self.nothing
        self._looked = asyncio.Condition()

    async def nothing(self, _key: str) -> float | None:
        """As it should be."""

    def keys(self, change: Change) -> Iterator[str]:
        """Its name."""
        if change.kind is kinds.CONFIG_MAPS:
            yield change.object["metadata"]["name"]

    async def reconcile(self, key: str) -> float | None:
        """Remember that it was looked at."""
        self.seen.append(key)
        async with self._looked:
            self._looked.notify_all()
        return await self.work(key)

    async def until(self, times: int) -> None:
        """It was looked at so often."""
        async with asyncio.timeout(PATIENCE), self._looked:
            await self._looked.wait_for(lambda: len(self.seen) >= times)


def put(store: Store, name: str) -> None:
    """A config map, or the same once more."""
    store.put(kinds.CONFIG_MAPS, {"metadata": {"namespace": "lab", "name": name}})


def play(story: Callable[[Store, Names, Loop], Awaitable[None]]) -> None:
    """A loop over a store of its own; it must end without a rest."""

    async def run() -> None:
        store, names = Store(), Names()
        loop = Loop(store, names)
        await story(store, names, loop)
        await loop.stop()
        assert len(asyncio.all_tasks()) == 1
        store.close()

    asyncio.run(run())


def test_what_exists_and_what_changes() -> None:
    """All that exists is looked at once at the start, and what changes afterwards."""

    async def story(store: Store, names: Names, loop: Loop) -> None:
        put(store, "old")
        loop.start()
        await loop.settle()
        put(store, "new")
        await loop.settle()
        assert names.seen == ["old", "new"]

    play(story)


def test_a_key_that_is_added_while_it_is_worked_on() -> None:
    """It is worked on once more afterwards, never twice at a time, and however often it was added."""

    async def story(store: Store, names: Names, loop: Loop) -> None:
        at_once: list[int] = []
        gate = asyncio.Event()
        working = 0

        async def work(_key: str) -> None:
            nonlocal working
            working += 1
            at_once.append(working)
            await gate.wait()
            working -= 1

        names.work = work
        loop.start()
        put(store, "a")
        await names.until(1)
        for _ in range(3):
            put(store, "a")
        gate.set()
        await loop.settle()
        assert (names.seen, at_once) == (["a", "a"], [1, 1])

    play(story)


def test_several_keys_at_a_time() -> None:
    """One that takes long holds up no other."""

    async def story(store: Store, names: Names, loop: Loop) -> None:
        async def work(key: str) -> None:
            if key == "slow":
                await asyncio.get_running_loop().create_future()

        names.work = work
        loop.start()
        put(store, "slow")
        put(store, "quick")
        await names.until(2)
        assert not loop.idle

    play(story)


def test_failures_wait_twice_as_long_each_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Up to a longest time; a success makes the next failure the first again; each is told in the log."""
    monkeypatch.setattr(loop_module, "FIRST_RETRY", 0.001)
    monkeypatch.setattr(loop_module, "LAST_RETRY", 0.003)
    caplog.set_level(logging.ERROR, loop_module.__name__)

    async def story(store: Store, names: Names, loop: Loop) -> None:
        async def work(_key: str) -> None:
            if len(names.seen) not in (5, 7):
                raise ValueError("no")

        names.work = work
        loop.start()
        put(store, "a")
        await names.until(5)
        await loop.settle()
        put(store, "a")
        await names.until(7)
        await loop.settle()

    play(story)
    told = [record.args for record in caplog.records]
    waits = [0.001, 0.002, 0.003, 0.003, 0.001]
    assert told == [("Names", "a", wait) for wait in waits]


def test_a_change_does_not_wait_for_the_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is looked at when it changes; the timer is dropped."""
    monkeypatch.setattr(loop_module, "FIRST_RETRY", 1000.0)
    monkeypatch.setattr(loop_module, "LAST_RETRY", 1000.0)

    async def story(store: Store, names: Names, loop: Loop) -> None:
        async def work(_key: str) -> None:
            if len(names.seen) == 1:
                raise ValueError("no")

        names.work = work
        loop.start()
        put(store, "a")
        await loop.settle()
        put(store, "a")
        await loop.settle()
        assert names.seen == ["a", "a"]

    play(story)


def test_it_asks_for_a_later_look() -> None:
    """After so many seconds; none where it asks for nothing."""

    async def story(store: Store, names: Names, loop: Loop) -> None:
        async def work(_key: str) -> float | None:
            return 0.001 if len(names.seen) < 3 else None

        names.work = work
        loop.start()
        put(store, "a")
        await names.until(3)
        await loop.settle()
        assert names.seen == ["a", "a", "a"]

    play(story)


def test_stop_ends_what_runs_and_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is cancelled, also where more of it was due; timers ring no more, changes are not heard."""
    monkeypatch.setattr(loop_module, "FIRST_RETRY", 0.001)

    async def story(store: Store, names: Names, loop: Loop) -> None:
        running, cancelled = asyncio.Event(), asyncio.Event()

        async def work(key: str) -> None:
            if key == "failed":
                raise ValueError("no")
            running.set()
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                cancelled.set()

        names.work = work
        loop.start()
        put(store, "failed")
        await names.until(2)
        put(store, "running")
        await asyncio.wait_for(running.wait(), PATIENCE)
        put(store, "running")
        await loop.stop()
        assert cancelled.is_set()
        assert loop.idle
        seen = list(names.seen)
        put(store, "late")
        rung = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.01, rung.set_result, None)  # behind any timer of the loop
        await rung
        assert names.seen == seen

    play(story)
