"""What is known of the ports of one tunnel: which answer, which refuse, and what of it has been told."""

from __future__ import annotations

from kubectl_ray.flows.tunnel_changes import Absent, Started
from kubectl_ray.flows.tunnel_ports import MAIN, REMOTE, remote_port
from kubectl_ray.kube.relay_told import NOBODY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kubectl_ray.flows.tunnel_changes import Change
    from kubectl_ray.flows.tunnel_ports import Port
    from kubectl_ray.kube.relay_door import Listening
    from kubectl_ray.models.pod import Pod

    Listen = Callable[[Sequence[str], int, int], Listening]
    """As `Relay.listen`."""

PROBED = 0.25
"""Seconds between two questions to a port that does not answer yet; `PATIENT` for one that refused for `LONG`."""
PATIENT = 2.0
LONG = 60.0
ABSENT_AFTER = 5.0
"""Seconds that a port refuses while Ray answers, before nobody is thought to listen there at all."""
IN_ORDER = 0.5
"""Seconds that a port's word waits for that of the ports before it, so that they are told in order."""


class Door:
    """One port of a tunnel, and what is known of it. Times are by the tunnel's clock.

    `answers`: what listens there has answered since the last loss. `refused`: since when nobody does (None: not known,
    or it answers), and `why`. `told`: `Started` was told, and no `Absent` since. `absent`: `Absent` was told.
    `asked`: the question that is out; `next`: when the next one is due. `listening`: its local port, once it is open.
    """

    __slots__ = (
        "absent",
        "answered",
        "answers",
        "asked",
        "listening",
        "name",
        "next",
        "refused",
        "remote",
        "told",
        "wanted",
        "why",
    )

    def __init__(self, port: Port) -> None:
        self.name = port.name
        self.wanted = port.wanted
        self.remote = REMOTE[port.name]
        self.listening: Listening | None = None
        self.answers = False
        self.answered = 0.0
        self.refused: float | None = None
        self.why = ""
        self.told = False
        self.absent = False
        self.asked: object = None
        self.next = 0.0

    @property
    def decided(self) -> bool:
        """It answered or refused since the last loss."""
        return self.answers or self.refused is not None

    def forget(self) -> None:
        """Nothing is known of it any more: another pod, or a loss."""
        self.answers = False
        self.refused = None
        self.asked = None
        self.next = 0.0

    def heard(self, why: str, now: float) -> None:
        """It was asked, and refused (`why`), or something else than what is meant answered ("")."""
        self.why = why
        if self.refused is None:
            self.refused = now

    def welcomed(self, now: float) -> None:
        """It was asked, and what is meant answered."""
        self.answers, self.answered, self.refused = True, now, None

    @property
    def why_absent(self) -> str:
        """Why nobody is thought to be there, in words."""
        if self.why.startswith(NOBODY):
            return f"nothing listens on port {self.remote} of the head"
        return f"port {self.remote} of the head does not answer as it should ({self.why or 'something else is there'})"


class Doors:
    """All of them, in the order in which they were asked for."""

    def __init__(self, ports: Iterable[Port]) -> None:
        self._doors = [Door(port) for port in ports]

    def __iter__(self) -> Iterator[Door]:
        return iter(self._doors)

    @property
    def main(self) -> Door:
        """The one whose answer says that Ray is there: the dashboard's, else the first; never one that is absent."""
        there = [door for door in self._doors if not door.absent] or self._doors
        return next((door for door in there if door.name == MAIN), there[0])

    def open(self, pod: Pod, listen: Listen, addresses: Sequence[str]) -> None:
        """Open the local ports, once; the ports behind them are those that this head names, with each head anew."""
        for door in self._doors:
            door.remote = remote_port(pod, door.name)
            if door.listening is None:
                door.listening = listen(addresses, door.wanted, door.remote)
            door.listening.remote = door.remote

    def forget(self) -> None:
        """Nothing is known of them any more."""
        for door in self._doors:
            door.forget()

    def doubt(self, remote: int) -> None:
        """A connection to `remote` came to nothing: it, and the one that stands for Ray, are to be asked anew."""
        for door in self._doors:
            if door.answers and (door.remote == remote or door is self.main):
                door.answers = False
                door.next = door.answered + PROBED  # however many connections come to nothing

    def to_ask(self, now: float) -> Iterator[Door]:
        """Those of which it is not known whether they answer, and whose turn it is."""
        for door in self._doors:
            if not door.answers and door.asked is None and door.listening is not None and now >= door.next:
                yield door

    def plan(self, door: Door, now: float) -> None:
        """When this one, which does not answer, is asked again."""
        long = door.refused is not None and now - door.refused >= LONG
        door.next = now + (PATIENT if long else PROBED)

    def due(self, *, linked: bool, tell: bool) -> float:
        """When there is something to ask (if there is a way) or to tell (if that may be told now)."""
        times = [door.next for door in self._doors if linked and door.asked is None and not door.answers]
        times += [door.answered + IN_ORDER for door in self._doors if tell and door.answers and not door.told]
        return min(times, default=float("inf"))

    def news(self, now: float, *, lost: bool, ready: bool) -> Iterator[Change]:
        """What is to be told of them. `lost`: there is a loss; `ready`: Kubernetes holds the head for ready."""
        main = self.main
        undecided = False
        for door in self._doors:
            here = door.listening
            if door.answers and not door.told and here is not None:
                if undecided and now - door.answered < IN_ORDER:
                    return
                door.told, door.absent = True, False
                yield Started(door.name, here.port, door.remote, wanted=door.wanted, addresses=here.addresses)
            elif not door.decided:
                undecided = True
            elif door.refused is not None and not door.absent and not lost:
                # Where Ray does not answer either, Kubernetes must hold it for ready.
                there = main.answered if main.answers else door.refused
                alive = main.answers and main.told  # "though Ray answers" is told before who does not
                if (alive or (door is main and ready)) and now - max(door.refused, there) >= ABSENT_AFTER:
                    door.told, door.absent = False, True
                    yield Absent(door.name, door.remote, door.why_absent)
