"""Ends: noticing that a client has gone while nobody reads from it, and bringing everything else to its end then.

The server cancels a request whose client has left. What must be done all the same is done in `surely`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

PING_EVERY = 2.0
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
        await ended(*tasks)
    for end in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(end, BaseException) and not isinstance(end, (asyncio.CancelledError, ConnectionError)):
            raise end


async def ended(*tasks: asyncio.Future[Any]) -> None:
    """Cancel what still runs, and wait until nothing does; how it ended is not told."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def surely(work: Coroutine[Any, Any, None]) -> None:
    """Do this to its end, even when the caller is cancelled meanwhile; the cancellation comes afterwards."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
