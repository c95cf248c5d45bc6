"""One carrier at work: its streams, its keep-alive, and when it is not read because nobody takes what it brings."""

from __future__ import annotations

from kubectl_ray.errors import KubectlRayError
from kubectl_ray.kube import spdy
from kubectl_ray.kube.carrier import ERROR_BELOW, LAST_STREAM, Ended
from kubectl_ray.kube.relay_end import GIVE_UP_ABOVE
from kubectl_ray.kube.relay_loop import NEVER, READ, WRITE
from kubectl_ray.kube.relay_told import in_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from kubectl_ray.kube.carrier import Carrier
    from kubectl_ray.kube.relay_end import End
    from kubectl_ray.kube.relay_loop import Loop

ASK_AFTER, DEAD_AFTER, DOUBT_UNTIL = 3.0, 6.0, 9.0
"""Seconds without a byte: then we ask whether somebody is there; then nobody is; the same where the pod may just not
read what we send, which keeps a node from answering: such a carrier is doubted longer, and kept while others hear."""
ASK_EVERY = 1.0
"""Seconds between the questions of one silence. A node answers each by another of its workers (spdystream has five)."""
ROOM = 262144
"""Bytes that may wait to be sent on a carrier; local connections are not read while there are more."""
VERDICT = 1.0
"""Seconds that the error stream has for its words after the data has ended without a byte, or was reset."""
ERROR_LIMIT = 4096
"""Bytes of an error's words that are kept."""
WORKERS = 5
"""A node hands frames to as many workers (spdystream), pings in turn. Data that nobody reads any more, since the pod
refused or closed first, blocks one of them for good, and with it every fifth stream. So a carrier on which a connection
did not end tidily is asked as many times, and gets no other connection until all answers are there. Where a port
refused before, nothing is sent until it had the time to do so again."""
WARY = 0.02
"""Seconds for that, beside one and a half round trips."""
CHECK = 3.0
"""Seconds for that; then it is given up."""
STUCK = 30.0
"""Seconds without a byte after which a carrier that was given up is closed under those who still use it."""
STALE_ERRORS = 1000
"""Error streams that a server left open, after which its carrier is replaced."""


class Link:
    """A carrier in the loop. `lost(link, error)` is called once when it breaks; `freed(link)` when a stream is over.

    `paused`: it is not read, because its only connection takes nothing; `retired`: it gets no more connections.
    """

    def __init__(
        self,
        loop: Loop,
        carrier: Carrier,
        *,
        lost: Callable[[Link, KubectlRayError], None],
        freed: Callable[[Link], None],
        refused: Callable[[int, str, bool], None],
        doubted: Callable[[Link], bool],
        wary: set[int],
    ) -> None:
        self.loop = loop
        self.carrier = carrier
        self.sock: socket.socket = carrier.sock
        self.mask = 0
        self.many = carrier.many
        self.streams: dict[int, End] = {}
        self.paused = False
        self.retired = False
        self.closed = False
        self.idle_since = loop.clock()
        self.heard = self.idle_since
        self._sent = -NEVER
        self._first_asked = NEVER
        self._asked = -NEVER
        self._errors: dict[int, End] = {}
        self._wary = wary  # ports that refused the last connection; shared by all links
        self._round_trip = 0.0  # seconds from opening a stream to its reply, the last time
        self._checks: set[int] = set()  # pings that have to be answered before the next connection
        self._checked_by = NEVER
        self._crowd: set[End] = set()  # those that are not read until there is room
        self._lost = lost
        self._freed = freed
        self._refused = refused
        self._doubted = doubted
        loop.watch(self, READ)
        if carrier.more:
            loop.again.add(self)
        loop.at(self.heard + ASK_AFTER)

    @property
    def usable(self) -> bool:
        """Whether it may get one connection more."""
        return not (self.paused or self.retired or self.closed or self._checks)

    def join(self, end: End) -> None:
        """Open a connection to the port that `end` wants."""
        try:
            stream = self.carrier.open(end.remote)
        except KubectlRayError as error:
            self._lost(self, error)
            end.cut()
            return
        self.retired = self.carrier.last >= LAST_STREAM
        end.link, end.stream, end.since = self, stream, self.loop.clock()
        self.streams[stream] = end
        self._errors[stream - ERROR_BELOW] = end
        self.loop.dirty.add(self)
        if end.remote in self._wary and self.many:
            end.judging = end.waking = True
            end.until(end.since + WARY + 1.5 * self._round_trip)
        else:
            end.joined()

    def send(self, end: End, data: bytes) -> None:
        """Data towards the pod."""
        end.sent = True
        self.carrier.send(end.stream, data)
        self._sent = self.loop.clock()
        self.loop.dirty.add(self)

    def finish(self, end: End) -> None:
        """No more data towards the pod."""
        self.carrier.finish(end.stream)
        self.loop.dirty.add(self)
        if end.heard_all:
            self._done(end)

    def full(self, end: End) -> bool:
        """Whether too much waits to be sent; `end.room` is called when it does no longer."""
        if self.carrier.pending <= ROOM:
            return False
        self._crowd.add(end)
        return True

    def stalled(self, end: End) -> None:
        """A local client does not take what comes: this carrier is not read, or, if others use it, the client goes."""
        if all(other is end or other.brief for other in self.streams.values()):
            self.paused = True
            self._watch()
        elif end.held > GIVE_UP_ABOVE:
            end.broken("its reader was too slow")

    def resume(self, end: End) -> None:
        """It takes again."""
        del end
        if self.paused and not self.closed:
            self.paused = False
            self._heard()
            self.loop.again.add(self)
            self._watch()
            self._freed(self)

    def drop(self, end: End) -> None:
        """`end` is closed: what of its stream goes on is given up."""
        if self.streams.pop(end.stream, None) is not None and not self.closed:
            self.carrier.reset(end.stream)  # says nothing on a stream that has ended in both directions
            self.loop.dirty.add(self)
            self._left(end, tidy=False)

    def ready(self, mask: int) -> None:
        """The socket can be used."""
        if mask & WRITE:
            self.loop.dirty.add(self)
        if mask & READ or self.carrier.write_to_read:
            self.read()

    def read(self) -> None:
        """Take what is there, and hand it on."""
        if self.closed or self.paused:
            return
        came = self.carrier.came
        try:
            events = self.carrier.receive(self.loop.buffer)
        except KubectlRayError as error:
            self._lost(self, error)
            return
        if self.carrier.came != came:
            self._heard()
        if events:
            self._hand_on(events)
        if not self.closed:
            if self.carrier.more:
                self.loop.again.add(self)
            self.loop.dirty.add(self)

    def flush(self) -> None:
        """Send what goes."""
        if self.closed:
            return
        try:
            self.carrier.flush()
        except KubectlRayError as error:
            self._lost(self, error)
            return
        self._watch()
        if self._crowd and self.carrier.pending <= ROOM // 4:
            crowd, self._crowd = self._crowd, set()
            for end in crowd:
                end.room()

    def tick(self, now: float) -> float:
        """Keep-alive; when to look again."""
        if self.paused or self.closed:
            return NEVER
        if self._checks and now >= self._checked_by:
            self._checks.clear()
            self.retired = True
            self._freed(self)
            if self.closed:
                return NEVER
        silent = now - self.heard
        if self._dead(now, silent):
            self._lost(self, Ended(f"nothing came for {silent:.0f} s"))
            return NEVER
        if silent >= ASK_AFTER and now - self._asked >= ASK_EVERY:
            self._asked = now
            self._first_asked = min(self._first_asked, now)
            if not self.carrier.pending:  # else it would only wait behind what waits already
                self.carrier.ping()
                self.loop.dirty.add(self)
        due = max(self.heard + ASK_AFTER, self._asked + ASK_EVERY)
        return min(due, self._checked_by) if self._checks else due

    def close(self) -> None:
        """Close the carrier; those who use it are cut off, but for what has come whole."""
        if self.closed:
            return
        self.closed = True
        self.loop.watch(self, 0)
        self.loop.dirty.discard(self)
        self.loop.again.discard(self)
        self.carrier.close()
        ends = list(self.streams.values())
        self.streams.clear()
        self._errors.clear()
        self._crowd.clear()
        for end in ends:
            end.link = None
            end.cut()

    def expired(self, end: End) -> None:
        """The time for a verdict is over: what has not come is taken for said."""
        if end.waking:
            end.judging = end.waking = False
            end.deadline = NEVER
            end.joined()
            return
        if self.paused:  # it may have come, and was not read
            self._judge(end)
            return
        end.judging = False
        end.deadline = NEVER
        if end.was_reset:
            end.error_over = True
        elif end.heard_all:
            end.got = True
        else:
            end.heard_all = True
        self._decide(end)

    def _dead(self, now: float, silent: float) -> bool:
        if silent < DEAD_AFTER or now - self._first_asked < DEAD_AFTER - ASK_AFTER:
            return False
        if self._sent < self.heard - ASK_EVERY and not self.carrier.pending:
            return True
        return (not self._doubted(self) and silent >= DOUBT_UNTIL) or (self.retired and silent >= STUCK)

    def _check(self) -> None:
        """See whether all of the node's workers go on."""
        if self.many and not self.closed:
            self._checks.update(self.carrier.ping() for _ in range(WORKERS))
            self._checked_by = self.loop.clock() + CHECK
            self.loop.at(self._checked_by)
            self.loop.dirty.add(self)

    def _heard(self) -> None:
        self.heard = self.loop.clock()
        self._first_asked = NEVER
        self.loop.at(self.heard + ASK_AFTER)

    def _watch(self) -> None:
        self.loop.watch(self, (0 if self.paused else READ) | (WRITE if self.carrier.wants_write else 0))

    def _hand_on(self, events: list[spdy.Event]) -> None:
        streams = self.streams
        pieces: dict[End, list[memoryview]] = {}
        ended: list[End] = []
        for event in events:
            if type(event) is spdy.Received:
                end = streams.get(event.stream)
                if end is None:
                    self._said_error(event, ended)
                    continue
                if event.data:
                    pieces.setdefault(end, []).append(event.data)  # type: ignore[arg-type] # `receive` gives views
                if event.finished:
                    end.heard_all = True
                    ended.append(end)
            else:
                self._control(event, ended)
        for end, views in pieces.items():
            end.got = True
            self._wary.discard(end.remote)
            end.take(views)
        for end in ended:
            if not end.closed and end.link is self:
                self._decide(end)
        if self.retired and not self.closed and not self.streams:
            self._freed(self)

    def _control(self, event: spdy.Event, ended: list[End]) -> None:
        if isinstance(event, spdy.Reset):
            self._reset(event.stream, ended)
        elif isinstance(event, spdy.Ponged):
            self._answered(event.number)
        elif isinstance(event, spdy.Replied):
            end = self.streams.get(event.stream)
            if end is not None:
                self._round_trip = self.loop.clock() - end.since
        elif isinstance(event, spdy.GoneAway):
            self.retired = True

    def _answered(self, number: int) -> None:
        if number in self._checks:
            self._checks.discard(number)
            if not self._checks and not self.closed:
                self._freed(self)

    def _said_error(self, event: spdy.Received, ended: list[End]) -> None:
        end = self._errors.get(event.stream)
        if end is None:
            return
        end.error += event.data[: ERROR_LIMIT - len(end.error)]
        if event.finished:
            end.error_over = True
            del self._errors[event.stream]
            ended.append(end)

    def _reset(self, stream: int, ended: list[End]) -> None:
        end = self._errors.pop(stream, None)
        if end is not None:
            end.error_over = True
        else:
            end = self.streams.get(stream)
            if end is None:
                return
            end.heard_all = end.was_reset = True
        ended.append(end)

    def _decide(self, end: End) -> None:
        """What has become of a connection of which the data, the error stream, or both have ended."""
        if end.error_over and end.error:
            why, nobody = in_words(end.remote, end.error.decode("utf-8", "replace"))
            if nobody:
                self._wary.add(end.remote)
            if end.sent:  # and nobody reads it
                self.retired = True
            if end.tells:
                self._refused(end.remote, why, nobody)
            end.broken(why)
        elif end.was_reset and end.error_over:
            end.broken("the pod broke the connection off")
        elif end.heard_all and end.error_over:  # the node is done with it, whatever this side still has to say
            self._done(end)
        elif end.heard_all and end.got and not end.was_reset:
            if end.said_all:
                self._done(end)
            else:
                end.finished()
        else:  # only one of the two has ended yet; nodes differ in which comes first
            self._judge(end)

    def _judge(self, end: End) -> None:
        end.judging = True
        end.until(self.loop.clock() + VERDICT)

    def _done(self, end: End) -> None:
        """It is over: the carrier is free for another, if the pod has read all that was sent."""
        if end.closed or end.link is not self:
            return
        end.link = None
        self.streams.pop(end.stream, None)
        self._left(end, tidy=end.said_all)
        end.over()

    def _left(self, end: End, *, tidy: bool) -> None:
        self._crowd.discard(end)
        if not tidy and end.sent and not self.retired:
            self._check()
        if len(self._errors) - len(self.streams) > STALE_ERRORS:
            self.retired = True
        if not self.streams:
            self.idle_since = self.loop.clock()
            if self.paused:
                self.resume(end)
        self._freed(self)
