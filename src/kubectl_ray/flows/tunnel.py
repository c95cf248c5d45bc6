"""Local ports joined to the present head pod, for as long as they are wanted.

Three things run beside each other: the relay (a thread that moves bytes), the follower of the head (threads that ask
and watch), and the caller's thread, which waits on one queue for what those two tell and decides. Nothing is asked of
a head that is known to answer: a loss is told by the relay, by the watch, or by a connection that is refused.
"""

from __future__ import annotations

import time
from functools import partial
from queue import Empty, SimpleQueue

from kubectl_ray.errors import KubectlRayError, NotAllowed, NotFound, NotLoggedIn, NotReady, TimedOut, Unreachable
from kubectl_ray.flows import tunnel_ports
from kubectl_ray.flows.head_follower import Follower
from kubectl_ray.flows.tunnel_changes import Absent, Change, Lost, Moved, Reconnected, Started, Suspended, Waiting
from kubectl_ray.flows.tunnel_doors import Doors
from kubectl_ray.flows.tunnel_ports import DEFAULTS, REMOTE, Port
from kubectl_ray.kube import relay_told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence
    from typing import Any

    from kubectl_ray.flows.head import Target
    from kubectl_ray.flows.tunnel_doors import Door
    from kubectl_ray.kube.client import Client
    from kubectl_ray.kube.relay import Relay
    from kubectl_ray.kube.relay_told import Told
    from kubectl_ray.models.cluster import Cluster
    from kubectl_ray.models.pod import Pod

__all__ = [
    "DEFAULTS",
    "REMOTE",
    "Absent",
    "Change",
    "Lost",
    "Moved",
    "Port",
    "Reconnected",
    "Started",
    "Suspended",
    "Tunnel",
    "Waiting",
]

LOCALHOST = ("127.0.0.1", "::1")

PROBE_SECONDS = 5.0
"""How long one question may take."""
QUIET = 0.3
"""Seconds at the start in which no waiting is told: most tunnels stand by then; `LOST_QUIET` after a loss."""
LOST_QUIET = 3.0
PAUSES = (0.0, 0.25, 0.5, 1.0, 2.0)
"""Seconds before each try to connect anew; the last one again and again."""
LOGIN_PAUSE = 5.0
"""The same where the login or a right failed: a person has to do something."""
ATTEMPT = 5.0
"""Seconds, times the number of tries up to three, after which a new try is made beside one that hangs: a network that
is back is seen by a new connection, long before an old one."""
GLANCE = 1.0
"""Seconds of waiting at most before the clock is looked at."""


class Tunnel:
    """Joins local ports to the head of `target`, follows it to a new pod or cluster, and tells what happens.

    `ports`: what is asked for, in the order in which `Started` is told where several answer at once; none: the usual.
    `addresses`: where to listen on this machine; ::1 is left out where the machine has none. `timeout`: seconds until
    the first port has answered (0: no limit); later it never gives up. Making one does no I/O. `relay` makes the relay,
    instead of `Relay`.
    """

    def __init__(
        self,
        api: Client,
        target: Target,
        ports: Iterable[Port] = (),
        *,
        addresses: Sequence[str] = LOCALHOST,
        timeout: float = 1800.0,
        clock: Callable[[], float] = time.monotonic,
        relay: Callable[[Callable[[Told], None]], Relay] | None = None,
    ) -> None:
        self.api = api
        self.target = target
        self.ports = tuple(ports) or tuple(Port(name) for name in DEFAULTS[target.kind])
        self.addresses = tuple(addresses)
        self.timeout = timeout
        self.clock = clock
        self._inbox: SimpleQueue[Any] = SimpleQueue()
        self._follower = Follower(api, target, self._inbox.put, clock=clock)
        self._relay: Relay
        self._make_relay = relay or _relay
        self._doors = Doors(self.ports)
        self._out: list[Change] = []
        self._began = 0.0
        self._ever = False  # a port was told to have started
        self._lost: float | None = None  # since when
        self._said_lost = False
        self._said_suspended = False
        self._said_waiting = ""
        self._cluster = ""  # the one that answered last
        self._pod: Pod | None = None  # the one that is gone to
        self._attempt = -1
        self._dialled = 0.0
        self._linked_at = 0.0
        self._linked = False
        self._failures = 0
        self._redial: float | None = None
        self._trouble = ""

    @property
    def cluster(self) -> Cluster | None:
        """The Ray cluster that the ports lead to, as it was last read; None before it was."""
        return self._follower.cluster

    def tell(self, change: Change) -> None:
        """Have `changes` yield this one too, after those that are there; from any thread, at any time."""
        self._inbox.put(change)

    def changes(self, meanwhile: Callable[[], None] | None = None) -> Generator[Change, None, None]:
        """Open the ports and yield each change in the caller's thread, for ever; Ctrl-C reaches it at once.

        Closing the generator (or any error out of it) ends the relay and the watches, and leaves no port open.
        `meanwhile` is called before the first change, once: if there is a head, while the way to it is being made.

        Raises:
            NotFound: there is no such object, or it was deleted meanwhile.
            NotReady: it is suspended, at the start (the hint says how to resume).
            TimedOut: nothing answered within `timeout`.
            NotAllowed: a right is missing, at the start. NotLoggedIn: no login, at the start.
        """
        self._began = self.clock()
        relay: Relay | None = None
        try:
            self.api.prepare()  # before its threads, which would load it in competition with this one
            self._follower.start()
            self._relay = relay = self._make_relay(self._inbox.put)
            relay.start()
            while True:
                self._follower.tick()
                self._look()
                if meanwhile is not None and (self._pod is not None or self._out):
                    meanwhile()
                    meanwhile = None
                out, self._out = self._out, []
                yield from out
                self._take()
        finally:
            self._follower.close()
            if relay is not None:
                relay.close()

    def _take(self) -> None:
        """Wait for something to happen, or to be due, and take in all that is there."""
        now = self.clock()
        due = min(self._follower.due, self._doors.due(linked=self._linked, tell=self._follower.looked_at))
        if self._redial is not None:
            due = min(due, self._redial)
        if now < self._began + QUIET:
            due = min(due, self._began + QUIET)
        try:
            item = self._inbox.get(timeout=min(max(due - now, 0.0), GLANCE))
            while True:
                if not self._follower.take(item):
                    self._told(item)
                item = self._inbox.get_nowait()
        except Empty:
            return

    # What is done about what is known.

    def _look(self) -> None:
        now = self.clock()
        self._heed_suspension(now)
        if self._follower.settled:
            self._go(now)
        hangs = self._pod is not None and self._redial is None and not self._linked and self._ever
        if hangs and now - self._dialled >= ATTEMPT * min(max(self._failures, 1), 3):
            self._try_again(now)
        if self._pod is not None and self._redial is not None and now >= self._redial:
            self._connect(self._pod)
        self._ask(now)
        self._announce(now)
        self._tell_waiting(now)
        if not self._ever and self.timeout and now - self._began >= self.timeout:
            from kubectl_ray.models.age import limit

            raise TimedOut(
                f"{self.target.words} does not answer after {limit(self.timeout)}: waiting for {self._why()}.",
                hint=f"Nothing was changed. Look at it:  {self._look_command()}",
            )

    def _look_command(self) -> str:
        if self.target.kind == "raycluster":
            return f"kubectl ray cluster describe {self.target.name} -n {self.target.namespace}"
        return f"kubectl describe {self.target.kind} {self.target.name} -n {self.target.namespace}"

    def _heed_suspension(self, now: float) -> None:
        follower = self._follower
        if not follower.suspended:
            self._said_suspended = False
            return
        if not self._ever:
            raise NotReady(f"{self.target.words} is suspended: it has no head.", hint=follower.how_to_resume)
        if not self._said_suspended:
            self._said_suspended = True
            self._lose("it was suspended", now, said=True)
            self._out.append(Suspended(follower.how_to_resume))

    def _go(self, now: float) -> None:
        """Lead the relay to the head's pod, if it is another than before or has begun anew."""
        pod = self._follower.pod if self._follower.usable else None
        before = self._pod
        if pod is None:
            if before is not None:
                self._lose(self._end_of(before), now)
                self._leave()
            return
        if before is None or pod.uid != before.uid:
            moved = self._ever and self._follower.cluster_name != self._cluster
            if before is not None:
                self._lose("it moves to another Ray cluster" if moved else "the head was replaced", now, said=moved)
            self._doors.forget()
            self._doors.open(pod, self._relay.listen, self.addresses)
            self._failures = 0
            self._connect(pod)
        elif pod.restarts > before.restarts or (before.ray_runs and not pod.ray_runs):
            self._lose("Ray on the head stopped", now)
            self._doors.forget()
        self._pod = pod

    def _end_of(self, before: Pod) -> str:
        pod = self._follower.pod
        if self._follower.cluster_name != self._cluster:
            return "it moves to another Ray cluster"
        if pod is None or pod.uid == before.uid:
            return "the head stopped"
        return "the head was replaced"

    def _leave(self) -> None:
        self._pod = None
        self._redial = None
        self._linked = False
        self._trouble = ""
        self._doors.forget()
        self._attempt = self._relay.connect(None)  # a word of the one before comes too late

    def _connect(self, pod: Pod) -> None:
        self._pod = pod
        self._redial = None
        self._linked = False
        self._dialled = self.clock()
        from kubectl_ray.kube.portforward import dial

        self._attempt = self._relay.connect(partial(dial, self.api, self.target.namespace, pod.name))

    def _ask(self, now: float) -> None:
        """Ask the ports that have not answered; the first time already while the relay connects."""
        if self._pod is None or not (self._linked or self._failures == 0) or self._redial is not None:
            return
        for door in self._doors.to_ask(now):
            request, enough = tunnel_ports.question(door.name, door.remote)
            door.asked = asked = object()
            then = partial(self._answered_later, door, asked)
            self._relay.probe(door.remote, request, enough, PROBE_SECONDS, then)

    def _answered_later(self, door: Door, asked: object, answer: bytes, why: str) -> None:
        """In the relay's thread."""
        self._inbox.put((door, asked, answer, why))

    def _announce(self, now: float) -> None:
        """Tell of ports that answer, in order, once everything that can speak against it has been looked at."""
        if not self._follower.looked_at:
            return
        main = self._doors.main
        # The head of a cluster that is being suspended answers for a while, which is no reconnection.
        if main.answers and self._lost is not None and not self._said_suspended:
            name = self._follower.cluster_name
            self._out.append(Moved(name) if name != self._cluster else Reconnected(now - self._lost, name))
            self._lost, self._said_lost, self._said_waiting = None, False, ""
            self._cluster = name
        ready = self._pod is not None and self._pod.ready
        for change in self._doors.news(now, lost=self._lost is not None, ready=ready):
            self._out.append(change)
            if isinstance(change, Started):
                self._ever = True
                self._cluster = self._follower.cluster_name

    def _why(self) -> str:
        if self._pod is None or self._linked:
            return self._follower.why
        return f"a way to the head ({self._trouble})" if self._trouble else "a way to the head"

    def _tell_waiting(self, now: float) -> None:
        if self._ever and self._lost is None:
            return
        since, quiet = (self._began, QUIET) if self._lost is None else (self._lost, LOST_QUIET)
        if now - since < quiet or (self._said_suspended and self._lost is not None):
            return
        if self._linked and now - self._linked_at < QUIET:
            return
        from kubectl_ray.views.text import clean

        why = clean(self._why())
        if why != self._said_waiting:
            if self._lost is not None and not self._said_lost:  # a move that takes long is a loss
                self._said_lost = True
                self._out.append(Lost("the new Ray cluster does not answer yet"))
            self._said_waiting = why
            self._out.append(Waiting(why))

    # What is told.

    def _told(self, item: Any) -> None:
        now = self.clock()
        if isinstance(item, Change):
            self._out.append(item)
        elif isinstance(item, tuple):
            door, asked, answer, why = item
            self._answered(door, asked, answer, why, now)
        elif isinstance(item, relay_told.Refused):
            self._doors.doubt(item.remote)
        elif isinstance(item, relay_told.Died):
            raise item.error
        elif item.attempt != self._attempt:
            return
        elif isinstance(item, relay_told.Connected):
            self._linked = True
            self._linked_at = now
            self._trouble = ""
        elif isinstance(item, relay_told.Failed):
            self._failed(item.error, now)
        else:
            self._linked = False
            self._lose(item.why, now)
            self._doors.forget()
            self._follower.again()
            self._try_again(now)

    def _answered(  # a question's five parts
        self, door: Door, asked: object, answer: bytes, why: str, now: float
    ) -> None:
        """A port has answered, or has not."""
        if door.asked is not asked:
            return
        door.asked = None
        if not why and tunnel_ports.convinces(door.name, answer):
            door.welcomed(now)
            self._failures = 0
            return
        silent = why in {relay_told.NO_ANSWER, relay_told.NO_WAY, relay_told.BROKEN}
        if door is self._doors.main and door.told and self._lost is None and not silent:
            self._lose("Ray on the head does not answer", now)
            self._doors.forget()
        if self._linked and why not in {relay_told.NO_WAY, relay_told.BROKEN}:
            door.heard(why, now)
        self._doors.plan(door, now)

    def _failed(self, error: KubectlRayError, now: float) -> None:
        """There is no way to the pod at present."""
        if not self._ever and isinstance(error, NotAllowed | Unreachable):
            raise error
        self._trouble = f"{error.message}. {error.hint}".rstrip(". ")
        if isinstance(error, NotLoggedIn):
            self._lose(f"the login is not accepted any more: {self._trouble}", now)
        if isinstance(error, NotFound):
            self._follower.again()
        self._try_again(now, login=isinstance(error, NotAllowed))

    def _try_again(self, now: float, *, login: bool = False) -> None:
        self._redial = now + (LOGIN_PAUSE if login else PAUSES[min(self._failures, len(PAUSES) - 1)])
        self._failures += 1

    def _lose(self, why: str, now: float, *, said: bool = False) -> None:
        """Say once that the connection is lost, unless nothing was promised yet; `said`: other words tell it."""
        if not self._ever:
            return
        if self._lost is None:
            self._lost = now
        if not self._said_lost and not said:
            self._said_lost = True
            self._out.append(Lost(why))
        self._said_lost = self._said_lost or self._said_suspended


def _relay(tell: Callable[[Told], None]) -> Relay:
    """The real one, imported while the first answers of the API server are on their way; so is `dial`."""
    from kubectl_ray.kube.relay import Relay

    return Relay(tell)
