"""Watches that begin from what the history no longer has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from kubectl_ray.sandbox.api import history, kinds
from tests.unit.sandbox.serving.world import MAPS, World, play

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

WATCH = f"{MAPS}?watch=1"


def test_old_versions_expire(tmp_path: Path) -> None:
    """A watch can begin from a version of the last minutes only, also when nothing happened in them."""

    async def story(world: World) -> None:
        begin = world.objects.store.version
        await world.make(MAPS, "a")
        async with world.watching(f"{WATCH}&resourceVersion={begin}") as watch:
            assert await watch.named() == ("ADDED", "a")
        then = world.objects.store.history.clock() + history.KEPT_SECONDS
        world.objects.store.history.clock = lambda: then
        async with world.watching(f"{WATCH}&resourceVersion={begin}") as watch:
            ((type_, status),) = await watch.rest()
        assert (type_, status["code"]) == ("ERROR", 410)

    play(tmp_path, story)


def test_too_much_at_the_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What there was when the watch was asked for is forgotten before it is told: 410, and no wrong objects."""
    monkeypatch.setattr(history, "KEPT_CHANGES", 2)
    prepare = web.StreamResponse.prepare

    async def story(world: World) -> None:
        held = await world.make(MAPS, "a")

        async def slowly(answer: web.StreamResponse, request: web.BaseRequest) -> Any:
            for _ in range(4):
                world.objects.store.put(kinds.CONFIG_MAPS, held)
            return await prepare(answer, request)

        monkeypatch.setattr(web.StreamResponse, "prepare", slowly)
        async with world.watching(WATCH) as watch:
            ((type_, status),) = await watch.rest()
        assert (type_, status["code"]) == ("ERROR", 410)

    play(tmp_path, story)
