"""The process of a session in the background: `python -m kubectl_ray.cli.background ID LOG WORDS…`.

Its stdout is at first the pipe to the process that started it, its stderr the log; from then on both are the log.
"""

from __future__ import annotations

import io
import os
import sys
import time

from kubectl_ray.cli import main
from kubectl_ray.flows.background import Starter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

SIZE = 2**20
"""Bytes that the log may have; of more its last quarter is kept."""


class Log(io.RawIOBase):
    """A log that never grows beyond a size, each line with its time before it. What cannot be written is lost.

    `descriptor`: open for appending; it is not closed.
    """

    def __init__(self, path: str, descriptor: int, size: int = SIZE, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._descriptor = descriptor
        self._size = size
        self._clock = clock
        self._begun = False

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """The descriptor, which the programs that log in get too."""
        return self._descriptor

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Append it. A full disk is no reason to end a session."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ ", time.gmtime(self._clock())).encode()
        data = bytes(data)
        lines = data.splitlines(keepends=True)
        stamped = b"".join(line if place == 0 and self._begun else stamp + line for place, line in enumerate(lines))
        self._begun = not data.endswith(b"\n") if data else self._begun
        try:
            os.write(self._descriptor, stamped)
            if os.fstat(self._descriptor).st_size > self._size:
                self._shorten()
        except OSError:
            pass
        return len(data)

    def _shorten(self) -> None:
        """Keep whole lines from the end: the file stays the same one, for whoever else appends to it."""
        with open(self._path, "rb") as stream:  # noqa: PTH123 -- pathlib costs 10 ms to import
            stream.seek(-self._size // 4, os.SEEK_END)
            kept = stream.read().partition(b"\n")[2]
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, kept)


def entry() -> NoReturn:
    """Run the session, and end as `kubectl-ray` does."""
    id, path, *argv = sys.argv[1:]  # noqa: A001 -- the session's
    channel = os.dup(1)
    os.dup2(2, 1)
    log = io.TextIOWrapper(Log(path, 2), encoding="utf-8", errors="backslashreplace", write_through=True)  # type: ignore[type-var]
    sys.argv[1:] = argv
    sys.stdout = sys.stderr = log
    starter = Starter(id, path, channel)
    starter.watch()
    main.entry(starter)


if __name__ == "__main__":
    entry()
