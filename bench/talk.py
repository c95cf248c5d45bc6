"""What is done now, on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Talk:
    """Progress on stderr: one line that is written over on a terminal, and one a step elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()

    def say(self, words: str) -> None:
        """Say what is done now."""
        sys.stderr.write(f"\r\033[K{words}" if self._live else f"{words}\n")
        sys.stderr.flush()

    def counting(self, words: str, of: int) -> Callable[[int], None]:
        """Something to call with the number done."""
        self.say(words)

        def progress(done: int) -> None:
            if self._live:
                self.say(f"{words}: {done} of {of}")

        return progress

    def clear(self) -> None:
        """Make room for output."""
        if self._live:
            sys.stderr.write("\r\033[K")
