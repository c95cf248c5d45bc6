"""Local ports joined to the present head pod, for as long as they are wanted."""

from __future__ import annotations

import time

from kubectl_ray.flows.tunnel_changes import Absent, Change, Lost, Moved, Reconnected, Started, Suspended, Waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from kubectl_ray.flows.head import Target
    from kubectl_ray.kube.client import Client
    from kubectl_ray.models.cluster import Cluster

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

REMOTE = {"client": 10001, "dashboard": 8265, "serve": 8000, "metrics": 8080}
"""The ports of a head by name, where its container names none; also the local ports wanted by default."""

DEFAULTS = {
    "raycluster": ("client", "dashboard"),
    "rayjob": ("client", "dashboard"),
    "rayservice": ("client", "dashboard", "serve"),
}
"""The ports that a session opens when none are named, by `Target.kind`."""

LOCALHOST = ("127.0.0.1", "::1")


class Port:
    """A port that is asked for: `name` (a key of REMOTE), and the local port `wanted`; None: the usual, 0: any."""

    __slots__ = ("name", "wanted")

    def __init__(self, name: str, wanted: int | None = None) -> None:
        self.name = name
        self.wanted = REMOTE[name] if wanted is None else wanted


class Tunnel:
    """Joins local ports to the head of `target`, follows it to a new pod or cluster, and tells what happens.

    `ports`: what is asked for, in the order in which `Started` is told where several answer at once; none: the usual.
    `addresses`: where to listen on this machine; ::1 is left out where the machine has none. `timeout`: seconds until
    the first port has answered (0: no limit); later it never gives up. Making one does no I/O.
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
    ) -> None:
        self.api = api
        self.target = target
        self.ports = tuple(ports) or tuple(Port(name) for name in DEFAULTS[target.kind])
        self.addresses = tuple(addresses)
        self.timeout = timeout
        self.clock = clock

    @property
    def cluster(self) -> Cluster | None:
        """The Ray cluster that the ports lead to, as it was last read; None before it was."""
        return None

    def changes(self) -> Generator[Change, None, None]:
        """Open the ports and yield each change in the caller's thread, for ever; Ctrl-C reaches it at once.

        Closing the generator (or any error out of it) ends the relay and the watches, and leaves no port open.

        Raises:
            NotFound: there is no such object, or it was deleted meanwhile.
            NotReady: it is suspended, at the start (the hint says how to resume).
            TimedOut: nothing answered within `timeout`.
            NotAllowed: a right is missing, at the start. NotLoggedIn: no login, at the start.
        """
        raise NotImplementedError
        yield
