"""The changes of the last minutes: what a watch or a list at an older version begins from.

Source of the age: kube-apiserver compacts etcd every five minutes (`--etcd-compaction-interval`). A real server has
that history on disk; here it lies in memory, so its number and size are bounded as well.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kubectl_ray.sandbox.api.store import Change

KEPT_CHANGES = 5_000
"""So many at most."""
KEPT_SECONDS = 300.0
"""None is older."""
KEPT_BYTES = 8 * 2**20
"""Of their objects as JSON; in memory they are some five times as large."""


class _Kept(NamedTuple):
    """A change, when it happened by the history's clock, and the bytes of its object as JSON."""

    change: Change
    at: float
    size: int


class History:
    """Changes, oldest first, without a gap. It is cut when a change comes and when `oldest` is asked for."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        """Seconds; never goes back."""
        self._kept: deque[_Kept] = deque()
        self._size = 0

    def __iter__(self) -> Iterator[Change]:
        """From the oldest to the newest."""
        return (each.change for each in self._kept)

    def __reversed__(self) -> Iterator[Change]:
        """From the newest to the oldest."""
        return (each.change for each in reversed(self._kept))

    def __len__(self) -> int:
        """How many there are."""
        return len(self._kept)

    def add(self, change: Change, size: int) -> None:
        """A change has happened; `size` is its object's in bytes, roughly."""
        self._kept.append(_Kept(change, self.clock(), size))
        self._size += size
        self._cut()

    def oldest(self) -> Change | None:
        """The oldest that is kept; None when nothing has happened lately."""
        self._cut()
        return self._kept[0].change if self._kept else None

    def clear(self) -> None:
        """Keep nothing."""
        self._kept.clear()
        self._size = 0

    def _cut(self) -> None:
        too_old = self.clock() - KEPT_SECONDS
        while self._kept and (len(self._kept) > KEPT_CHANGES or self._size > KEPT_BYTES or self._kept[0].at <= too_old):
            self._size -= self._kept.popleft().size
