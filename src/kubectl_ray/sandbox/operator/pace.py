"""Keeps one object from being looked at without end: so many times at once, then so many a second.

A cluster with two groups of one name makes and deletes pods for ever. The operator is held back by its client's limits
and the network; here nothing would hold it back.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

AT_ONCE, A_SECOND = 50.0, 10.0


class Pace:
    """A token bucket for each key."""

    def __init__(self) -> None:
        self._left: dict[Hashable, tuple[float, float]] = {}

    async def wait(self, key: Hashable) -> None:
        """Return when it is the key's turn: at once, as a rule."""
        now = asyncio.get_running_loop().time()
        left, then = self._left.get(key, (AT_ONCE, now))
        left = min(AT_ONCE, left + (now - then) * A_SECOND) - 1
        self._left[key] = left, now
        if left < 0:
            await asyncio.sleep(-left / A_SECOND)

    def forget(self, key: Hashable) -> None:
        """The object is gone."""
        self._left.pop(key, None)
