"""Noticing that a client has gone while nobody reads from it, because what it sent cannot be passed on yet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

PING_EVERY = 5.0
"""Seconds. A client that was killed is noticed after two of them at the latest, as its machine refuses the second."""


async def until_gone(ping: Callable[[], Awaitable[None]]) -> None:
    """Ping the client until that fails."""
    while True:
        await asyncio.sleep(PING_EVERY)
        try:
            await ping()
        except ConnectionError:
            return


async def first_of(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run all of them until one has ended; end the others, and return when they have.

    A lost connection ends one like any other; other errors are passed on.
    """
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, (asyncio.CancelledError, ConnectionError)):
            raise end
