"""The carriers to one pod: how many there are, who gets which, and what it means when one breaks.

A connection has a carrier to itself while there are few: nothing then keeps others waiting when its reader stalls. One
idle carrier is kept ready, since making one takes several round trips. Above `MOST` carriers, connections share.
"""

from __future__ import annotations

import threading
from collections import deque
from functools import partial

from kubectl_ray.errors import KubectlRayError, ServerError
from kubectl_ray.kube.carrier import CHANNELS
from kubectl_ray.kube.relay_door import Listening
from kubectl_ray.kube.relay_end import GIVE_UP_ABOVE
from kubectl_ray.kube.relay_link import DEAD_AFTER, Link
from kubectl_ray.kube.relay_loop import NEVER
from kubectl_ray.kube.relay_told import Connected, Failed, Lost, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_ray.kube.carrier import Carrier, Way
    from kubectl_ray.kube.relay import Dial
    from kubectl_ray.kube.relay_end import End
    from kubectl_ray.kube.relay_loop import Loop
    from kubectl_ray.kube.relay_told import Told

MOST = 16
"""Carriers, without those that are not read because their reader stalls."""
MOST_STALLED = 64
DIALS = 8
"""Carriers that are made at a time."""
HELD = 10.0
"""Seconds that a connection waits for a way to the pod."""
SHARE_AFTER = 1.0
"""Seconds that a connection waits for a carrier of its own where there is one to share."""
SPARE_AFTER = 0.1
"""Seconds from taking the last idle carrier to making another, which costs CPU that the connection needs first."""
RETRY = 1.0
"""Seconds after a failed spare."""
JUDGED_AFTER, JUDGED_AFTER_FAREWELL = 0.75, 3.0
"""Seconds that a carrier in the making has to replace the last one that was read, before the way counts as lost; the
same where the server said farewell, and is there."""
JUDGED_SPARE = 8.0
"""The same for the first spare beside a carrier that is not read: nothing broke, so it may take its time."""
IDLE_MOST, IDLE_SECONDS = 2, 60.0
"""Idle carriers that are kept, and how long the others stay."""

_NOWHERE, _CONNECTING, _THERE = range(3)


class Fleet:
    """All of it is done in the loop's thread, `dial` apart, which gets a thread each time."""

    def __init__(self, loop: Loop, tell: Callable[[Told], None]) -> None:
        self.loop = loop
        self.links: list[Link] = []
        self.threads: set[threading.Thread] = set()
        self._made: set[Carrier] = set()  # by those threads, and not taken over by the loop yet
        self.usual = Listening(0, 80, ())  # where a carrier for a single connection leads, if nobody waits
        self._tell = tell
        self._waiting: deque[End] = deque()
        self._dial: Dial | None = None
        self._attempt = 0
        self._state = _NOWHERE
        self._way: Way | None = None
        self._dialling = 0
        self._not_before = 0.0
        self._spare_at = NEVER
        self._judged_at = NEVER
        self._why = ""
        self._quiet = False  # whether a lost last carrier was idle, and is replaced without a word
        self._closed = False
        self._wary: set[int] = set()

    def connect(self, dial: Dial | None, attempt: int) -> None:
        """Leave the old pod, and go to the new one."""
        self._attempt = attempt
        self._dial = dial
        self._dialling = 0
        self._not_before = 0.0
        self._judged_at = NEVER
        self._quiet = False
        self._way = None
        self._wary.clear()
        self._state = _NOWHERE if dial is None else _CONNECTING
        links, self.links = self.links, []
        for link in links:
            link.close()
        for end in self._waiting:
            end.dialled = False  # what is being made leads to the old pod
            end.redirected()
        if dial is not None:
            self._start_dial(self._waiting[0].remote if self._waiting else self.usual.remote)

    def add(self, end: End) -> None:
        """A connection wants a carrier."""
        if end.deadline == NEVER:
            end.until(self.loop.clock() + HELD)
        if end.brief:
            self._waiting.appendleft(end)  # it waits for no carrier of its own
        else:
            self._waiting.append(end)
        self._place()

    def forget(self, end: End) -> None:
        """It does not wait any more."""
        if end.link is None and end in self._waiting:
            self._waiting.remove(end)

    def tick(self, now: float) -> float:
        """Keep-alive, spares, too many idle ones; when to look again."""
        due = min([link.tick(now) for link in list(self.links)], default=NEVER)
        if now >= self._spare_at:
            self._spare_at = NEVER
            if self._state == _THERE and self._way != CHANNELS and not self._idle() and not self._dialling:
                self._want(1)
                self._judge(now + JUDGED_SPARE, "nobody answers")
        if now >= self._judged_at:
            self._judged_at = NEVER
            if self._state == _THERE and not self._read():
                self._give_up(self._why)
        if self._waiting and self._state == _THERE:
            self._place()
            due = min(due, now + SHARE_AFTER / 4)
        return min(due, self._spare_at, self._judged_at, self._shrink(now))

    def close(self) -> None:
        """End all."""
        self._closed = True
        self._attempt = -1
        self._dial = None
        self._state = _NOWHERE
        links, self.links = self.links, []
        for link in links:
            link.close()
        while self._made:
            self._made.pop().close()

    # Making carriers.

    def _want(self, count: int) -> None:
        now = self.loop.clock()
        if now < self._not_before:
            self.loop.at(self._not_before)
            return
        active = sum(link.usable for link in self.links)
        room = min(MOST - active, MOST_STALLED - len(self.links), DIALS) - self._dialling
        for _ in range(min(count - self._dialling, room)):
            self._start_dial(self.usual.remote)

    def _start_dial(self, port: int, end: End | None = None) -> None:
        dial, attempt, way = self._dial, self._attempt, self._way
        if dial is None:
            return
        self._dialling += 1

        def run() -> None:
            carrier: Carrier | None = None
            error: KubectlRayError | None = None
            try:
                carrier = dial(port, way)
            except KubectlRayError as failed:
                error = failed
            except OSError as failed:  # out of descriptors, most likely
                error = ServerError(f"A way to the pod could not be made: {failed.strerror or failed}")
            except Exception as mistake:  # noqa: BLE001 -- raised in the loop; else its carrier would be waited for
                self.loop.call(partial(_raise, mistake))
                return
            if carrier is not None:
                self._made.add(carrier)
            self.loop.call(lambda: self._dialled(attempt, carrier, error, end, thread))
            if self._closed and carrier is not None:  # the loop has ended without looking; before, `close` sees to it
                carrier.close()

        thread = threading.Thread(target=run, name="port-forward dial", daemon=True)
        self.threads.add(thread)
        thread.start()

    def _dialled(
        self,
        attempt: int,
        carrier: Carrier | None,
        error: KubectlRayError | None,
        end: End | None,
        thread: threading.Thread,
    ) -> None:
        self.threads.discard(thread)
        if carrier is not None:
            self._made.discard(carrier)
        if attempt != self._attempt:
            if carrier is not None:
                carrier.close()
            return
        self._dialling -= 1
        if carrier is not None:
            self._arrived(carrier, end)
        elif error is not None:
            self._failed(error, end)

    def _arrived(self, carrier: Carrier, end: End | None) -> None:
        self._way = carrier.way
        self._judged_at = NEVER
        self._quiet = False
        link = Link(
            self.loop,
            carrier,
            lost=self._lost,
            freed=self._freed,
            refused=self._refused,
            doubted=self._doubted,
            wary=self._wary,
        )
        self.links.append(link)
        if self._state == _CONNECTING:
            self._state = _THERE
            self._tell(Connected(self._attempt, carrier.way))
        if end is not None and not carrier.many:
            if end in self._waiting:
                self._waiting.remove(end)
                link.join(end)
            else:
                self._remove(link)
                return
        self._place()

    def _failed(self, error: KubectlRayError, end: End | None) -> None:
        self._not_before = self.loop.clock() + RETRY
        if end is not None:
            end.dialled = False
        if self._state == _CONNECTING:
            self._state = _NOWHERE
            self._tell(Failed(self._attempt, error))
        elif (
            self._state == _THERE
            and not self._dialling
            and (not self.links or (self._way != CHANNELS and not self._read()))
        ):
            now = self.loop.clock()
            if not self.links or self._judged_at <= now + JUDGED_AFTER_FAREWELL:
                self._give_up(self._why if self._quiet else error.message)
            else:  # one more try, before what may only be slow is given up
                self._judged_at = NEVER
                self._judge(now + JUDGED_AFTER_FAREWELL, error.message)
                self._spare_at = self._not_before
                self.loop.at(self._spare_at)
        else:
            self._place()

    # Giving them to connections.

    def _idle(self) -> Link | None:
        """A carrier on which nobody can be kept waiting; one with a question on it is as good as one with nothing."""
        useful = (link for link in self.links if link.many and link.usable)
        return next((link for link in useful if all(end.brief for end in link.streams.values())), None)

    def _place(self) -> None:
        """Give carriers to those who wait, as far as there are any."""
        if self._state != _THERE:
            return
        now = self.loop.clock()
        while self._waiting:
            end = self._waiting[0]
            link = self._single(end) if self._way == CHANNELS else self._idle() or self._shared(end, now)
            if link is None:
                break
            self._waiting.popleft()
            link.join(end)
        if self._state != _THERE:  # a carrier broke as it was used
            return
        if self._way == CHANNELS:
            self._dial_singles()
        elif self._waiting:
            self._want(len(self._waiting))
            self.loop.at(now + SHARE_AFTER / 4)
        elif self._idle() is None and self._spare_at == NEVER:
            self._spare_at = now + SPARE_AFTER
            self.loop.at(self._spare_at)

    def _shared(self, end: End, now: float) -> Link | None:
        """The carrier with the least on it, where no more can be made, or making one takes long."""
        active = [link for link in self.links if link.usable]
        if not active:
            return None
        if end.brief:
            return min(active, key=lambda link: len(link.streams))
        patient = now - end.since < SHARE_AFTER and now >= self._not_before
        if patient and (len(active) + self._dialling < MOST or self._dialling):
            return None
        # Nobody who is behind already is to be put together with others: he would have to be given up.
        fair = [link for link in active if all(one.held <= GIVE_UP_ABOVE // 4 for one in link.streams.values())]
        return min(fair or active, key=lambda link: len(link.streams))

    def _single(self, end: End) -> Link | None:
        """A carrier for one connection that nobody has used yet, and that leads to the right port."""
        return next(
            (
                link
                for link in self.links
                if link.usable and not link.streams and getattr(link.carrier, "port", 0) == end.remote
            ),
            None,
        )

    def _dial_singles(self) -> None:
        for end in self._waiting:
            if self._dialling >= DIALS or self.loop.clock() < self._not_before:
                return
            if not end.dialled:
                end.dialled = True
                self._start_dial(end.remote, end)

    def _freed(self, link: Link) -> None:
        """A connection on it is over."""
        if link.closed or link not in self.links:
            return
        if not link.streams and (link.retired or not link.many):
            self._remove(link)
            if not self.links and self._state == _THERE and link.many and not self._dialling:
                self._want(1)
            return
        if self._waiting:
            self._place()

    def _remove(self, link: Link) -> None:
        self.links.remove(link)
        link.close()

    def _shrink(self, now: float) -> float:
        """Close the idle carriers that nobody has needed for long, and those that are more than are ever made anew."""
        idle = [link for link in self.links if link.usable and not link.streams]
        spare = sorted(idle, key=lambda link: link.idle_since)[: max(len(idle) - IDLE_MOST, 0)]
        over = sum(link.usable for link in self.links) - MOST
        for number, link in enumerate(spare):
            if number < over or now - link.idle_since >= IDLE_SECONDS:
                self._remove(link)
        left = [link.idle_since + IDLE_SECONDS for link in spare if not link.closed]
        return min(left, default=NEVER)

    # When they break.

    def _lost(self, link: Link, error: KubectlRayError) -> None:
        if link.closed:
            return
        used = bool(link.streams)
        if link in self.links:
            self.links.remove(link)
        link.close()
        if self._read() or self._state != _THERE:
            return
        orderly = bool(getattr(error, "orderly", False))
        if not link.many and orderly:
            return  # that is how they end
        self._why = error.message
        self._quiet = orderly and not used
        if self._dialling or self.links:  # another may come in time, or one that is not read be as good as ever
            self._judge(self.loop.clock() + (JUDGED_AFTER_FAREWELL if orderly else JUDGED_AFTER), error.message)
            if not self._dialling:
                self._start_dial(self.usual.remote)
        elif self._quiet:
            self._start_dial(self.usual.remote)
        else:
            self._give_up(error.message)

    def _judge(self, when: float, why: str) -> None:
        """Call the way lost then, unless a carrier that is read has come by then, or there is one anyway."""
        if when < self._judged_at and not self._read():
            self._why = why
            self._judged_at = when
            self.loop.at(when)

    def _read(self) -> bool:
        """Whether any carrier is read, so that it would be noticed if nobody was there any more."""
        return any(not link.paused for link in self.links)

    def _give_up(self, why: str) -> None:
        self._state = _NOWHERE
        self._judged_at = NEVER
        for end in self._waiting:
            end.dialled = False
        self._tell(Lost(self._attempt, why))

    def _refused(self, remote: int, why: str, nobody: bool) -> None:
        self._tell(Refused(remote, why, nobody=nobody))

    def _doubted(self, link: Link) -> bool:
        """Whether others hear from the same node, so that this one may only be blocked by what it sent."""
        if any(other is not link and other.heard > self.loop.clock() - DEAD_AFTER for other in self.links):
            return True
        self._want(1)
        return False


def _raise(error: Exception) -> None:
    raise error
