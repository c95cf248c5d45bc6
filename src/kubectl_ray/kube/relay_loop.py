"""The relay's one thread: a selector, calls from other threads, a clock, and what is to be flushed at a turn's end."""

from __future__ import annotations

import selectors
import socket
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Watched(Protocol):
        """Something with a socket. `mask`: the events it is watched for; only `Loop.watch` sets it."""

        sock: socket.socket
        mask: int

        def ready(self, mask: int) -> None:
            """It can be read from or written to."""

    class Flushed(Protocol):
        """Something that gathers what it has to send."""

        def flush(self) -> None:
            """Send it."""

        def read(self) -> None:
            """Read what no selector sees."""


READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
NEVER = float("inf")
BUFFER = 262144
"""Bytes that are read from a carrier at once; one buffer serves all of them, so that memory does not grow with them."""


class Loop:
    """One turn after the other until `stop`. Only `call` and `stop` may be used from other threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.buffer = memoryview(bytearray(BUFFER))
        self.dirty: set[Flushed] = set()
        self.again: set[Flushed] = set()
        self._calls: deque[Callable[[], None]] = deque()
        self._selector = selectors.DefaultSelector()
        self._due = NEVER
        self._ending = False
        self.mask = 0
        self.sock, self._wake = socket.socketpair()
        self.sock.settimeout(0)
        self._wake.settimeout(0)
        self.watch(self, READ)

    def call(self, work: Callable[[], None]) -> None:
        """Have something done in the loop's thread, soon; forgotten when the loop has ended."""
        self._calls.append(work)
        try:
            self._wake.send(b"\0")
        except OSError:  # full of wake-ups already, or closed
            return

    def stop(self) -> None:
        """End after this turn."""
        self._ending = True
        self.call(lambda: None)

    def watch(self, thing: Watched, mask: int) -> None:
        """Have `ready` called for these events from now on; 0 for none, as is right before its socket is closed."""
        if mask == thing.mask:
            return
        if not thing.mask:
            self._selector.register(thing.sock, mask, thing)
        elif not mask:
            self._selector.unregister(thing.sock)
        else:
            self._selector.modify(thing.sock, mask, thing)
        thing.mask = mask

    def at(self, when: float) -> None:
        """Have the clock looked at by then."""
        self._due = min(self._due, when)

    def ready(self, _mask: int) -> None:
        """Somebody called."""
        try:
            while len(self.sock.recv(4096)) == 4096:  # noqa: PLR2004 -- as much as was asked for
                pass
        except BlockingIOError:
            return

    def run(self, tick: Callable[[float], float]) -> None:
        """Turn until `stop`. `tick(now)` does what is due, and says when it wants to be called next."""
        while not self._ending:
            self.turn(tick)

    def turn(self, tick: Callable[[float], float]) -> None:
        """Wait for something, and do all that follows from it."""
        if self.again or self._calls:
            wait: float | None = 0
        else:
            wait = None if self._due == NEVER else max(self._due - self.clock(), 0)
        for key, mask in self._selector.select(wait):
            if key.data.mask & mask:  # else it was closed, or changed its mind, earlier in this turn
                key.data.ready(mask & key.data.mask)
        if self.again:
            again, self.again = self.again, set()
            for thing in again:
                thing.read()
        while self._calls:
            self._calls.popleft()()
        now = self.clock()
        if now >= self._due:
            self._due = NEVER
            self.at(tick(now))
        while self.dirty:
            self.dirty.pop().flush()

    def close(self) -> None:
        """Give the descriptors back."""
        self._selector.close()
        self.sock.close()
        self._wake.close()
