"""One line a step, with the time it took."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REMINDER = 60.0  # seconds between two signs of life of a long step


def spoken(seconds: float) -> str:
    """A duration as people say it: `0.4 s`, `42 s`, `6 min 05 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


class Progress:
    """Says what is being done; each line starts with the time since the beginning."""

    def __init__(self, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out or sys.stderr
        self._clock = clock
        self._began = clock()

    def say(self, words: str) -> None:
        """Write one line."""
        elapsed = int(self._clock() - self._began)
        print(f"[{elapsed // 60:02d}:{elapsed % 60:02d}] {words}", file=self._out, flush=True)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Announce a step, remind of it while it lasts, and say how long it took."""
        self.say(f"{name} …")
        over = threading.Event()
        began = self._clock()

        def remind() -> None:
            while not over.wait(REMINDER):
                self.say(f"{name}: still at it after {spoken(self._clock() - began)}")

        reminder = threading.Thread(target=remind, daemon=True)
        reminder.start()
        try:
            yield
        except BaseException:
            self.say(f"{name}: failed after {spoken(self._clock() - began)}")
            raise
        finally:
            over.set()
            reminder.join()
        self.say(f"{name}: done in {spoken(self._clock() - began)}")
