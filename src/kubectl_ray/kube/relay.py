"""Local ports joined to the ports of one pod: one thread, one selector, any number of connections."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack

from kubectl_ray.kube.relay_door import Door, Listening, bind
from kubectl_ray.kube.relay_end import Pipe, Question
from kubectl_ray.kube.relay_fleet import Fleet
from kubectl_ray.kube.relay_loop import NEVER, Loop
from kubectl_ray.kube.relay_told import Died

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from kubectl_ray.kube.carrier import Carrier, Way
    from kubectl_ray.kube.relay_end import End
    from kubectl_ray.kube.relay_told import Told

    Dial = Callable[[int, Way | None], Carrier]
    """`(remote port, way that worked before or None)` → a carrier; `functools.partial(dial, api, namespace, pod)`.

    The port matters only for the way that carries a single connection."""

CLOSING, MAKING = 0.7, 0.2
"""Seconds that `close` waits at most for the relay's thread, and for those that are making a carrier."""


class Relay:
    """Joins local ports to a pod, over as many upgraded connections ("carriers") as it takes.

    All its methods may be called from any thread and return at once, `close` apart. `tell` is called in the relay's
    thread. `clock` counts seconds.
    """

    def __init__(self, tell: Callable[[Told], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._loop = Loop(clock)
        self._tell = tell
        self._fleet = Fleet(self._loop, self._say)
        self._doors: list[Door] = []
        self._ends: set[End] = set()
        self._attempts = 0
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="port-forward", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def listen(self, addresses: Sequence[str], wanted: int, remote: int) -> Listening:
        """Listen on the same port of all these addresses, for connections to `remote`, which may be changed later.

        `wanted` or, where it is taken, the next free one; 0 is any. An address that this machine does not have (IPv6)
        is left out, if another is there. What comes while there is no way is held for 10 s. After `close`: nowhere.

        Raises:
            WrongUse: an address that is none of this machine, or no port that may be used.
        """
        socks = bind(addresses, wanted)
        made = Listening(next(iter(socks.values())).getsockname()[1], remote, list(socks))
        with self._lock:
            if self._closed:
                for sock in socks.values():
                    sock.close()
                return Listening(0, remote, ())
            doors = [Door(self._loop, sock, lambda local: self._enter(local, made)) for sock in socks.values()]
            self._doors += doors

        def open_all() -> None:
            self._fleet.usual = made
            for door in doors:
                door.open()

        self._loop.call(open_all)
        return made

    def connect(self, dial: Dial | None) -> int:
        """Go to this pod from now on: one attempt, answered by `Connected` or `Failed` (never both) with its number.

        What runs over the old pod's carriers is cut: local connections are reset, but for those to which the pod had
        finished, which end in order. None: nowhere, hold what comes; nothing is told. An attempt that a later one
        overtakes is not answered.
        """
        with self._lock:
            self._attempts += 1
            attempt = self._attempts
            self._loop.call(lambda: self._fleet.connect(dial, attempt))
        return attempt

    def probe(
        self,
        remote: int,
        request: bytes,
        enough: Callable[[bytes], bool],
        timeout: float,
        then: Callable[[bytes, str], None],
    ) -> None:
        """Send `request` to a port of the pod, and gather what comes back until `enough` (at most 64 KiB).

        `then(answer, why)` is called once, in the relay's thread: `why` is "" when it was enough, else why not, in
        words ("nothing listens on port …", "no answer in time", …). `timeout` in seconds counts from now, waiting for a
        way included. After `close`, nobody is called.
        """

        def ask() -> None:
            limit = self._loop.clock() + timeout
            self._add(Question(self._loop, remote, request, enough, answer, limit))

        def answer(got: bytes, why: str) -> None:
            if not self._closed:
                then(got, why)

        self._loop.call(ask)

    def close(self) -> None:
        """End all, as `connect` does; within a second no port, thread or descriptor is left.

        A thread that is in the middle of making a carrier may last until the API client is closed.
        """
        with self._lock:
            closed, self._closed = self._closed, True
        if closed:
            return
        if self._thread.ident is None:
            self._end()
            return
        self._loop.stop()
        self._thread.join(CLOSING)
        until = time.monotonic() + MAKING
        for thread in list(self._fleet.threads):
            thread.join(max(until - time.monotonic(), 0))

    def _run(self) -> None:
        try:
            self._loop.run(self._tick)
        except Exception as error:  # noqa: BLE001 -- told; else whoever waits for a word would wait for ever
            self._say(Died(error))
        finally:
            self._end()

    def _end(self) -> None:
        with ExitStack() as last:  # calls all, whichever fails, the last one first
            last.callback(self._loop.close)
            last.callback(self._fleet.close)
            for end in self._ends:
                if isinstance(end, Pipe):
                    last.callback(end.leave)
            for door in self._doors:
                last.callback(door.close)

    def _say(self, told: Told) -> None:
        if not self._closed:
            self._tell(told)

    def _enter(self, local: socket.socket, listening: Listening) -> None:
        self._add(Pipe(self._loop, listening, local))

    def _add(self, end: End) -> None:
        end.on_close = self._left
        self._ends.add(end)
        self._fleet.add(end)

    def _left(self, end: End) -> None:
        self._ends.discard(end)
        self._fleet.forget(end)

    def _tick(self, now: float) -> float:
        due = min([door.tick(now) for door in self._doors], default=NEVER)
        for end in [end for end in self._ends if end.deadline <= now]:
            if end.judging and end.link is not None:
                end.link.expired(end)
            else:
                end.expire(now)
        due = min(due, self._fleet.tick(now))
        return min([due, *(end.deadline for end in self._ends)])
