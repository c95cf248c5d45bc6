"""Nothing is looked at without end."""

from __future__ import annotations

import asyncio

from kubectl_ray.sandbox.operator import pace


def test_many_at_once_then_so_many_a_second() -> None:
    """The fifty-first look waits, that of another key does not."""

    async def looks() -> float:
        clock = asyncio.get_running_loop().time
        held = pace.Pace()
        for _ in range(int(pace.AT_ONCE)):
            await held.wait("a")
        before = clock()
        await held.wait("b")
        await held.wait("a")
        return clock() - before

    assert 0.5 / pace.A_SECOND < asyncio.run(looks()) < 5


def test_a_key_can_be_forgotten() -> None:
    """What comes again under its name begins anew."""
    held = pace.Pace()

    async def looks() -> float:
        for _ in range(int(pace.AT_ONCE)):
            await held.wait("a")
        held.forget("a")
        before = asyncio.get_running_loop().time()
        await held.wait("a")
        return asyncio.get_running_loop().time() - before

    assert asyncio.run(looks()) < 0.05
