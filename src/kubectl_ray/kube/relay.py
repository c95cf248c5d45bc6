"""Local ports joined to the ports of one pod: one thread, one selector, any number of connections."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kubectl_ray.kube.carrier import Carrier, Way
    from kubectl_ray.kube.relay_told import Told

    Dial = Callable[[int, Way | None], Carrier]
    """`(remote port, way that worked before or None)` → a carrier; `functools.partial(dial, api, namespace, pod)`.

    The port matters only for the way that carries a single connection."""


class Relay:
    """Joins local ports to a pod, over as many upgraded connections ("carriers") as it takes.

    All its methods may be called from any thread and return at once, `close` apart. `tell` is called in the relay's
    thread. `clock` counts seconds.
    """

    def __init__(self, tell: Callable[[Told], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        raise NotImplementedError

    def start(self) -> None:
        """Start the thread."""
        raise NotImplementedError

    def listen(self, addresses: Sequence[str], wanted: int, remote: int) -> int:
        """Listen on the same port of all these addresses, for connections to `remote`; the port.

        `wanted` or, where it is taken, the next free one; 0 is any. An address that this machine does not have (IPv6)
        is left out, if another is there. What comes while there is no way is held for 10 s.

        Raises:
            WrongUse: an address that is none of this machine, or no port that may be used.
        """
        raise NotImplementedError

    def connect(self, dial: Dial | None) -> int:
        """Go to this pod from now on: one attempt, answered by `Connected` or `Failed` (never both) with its number.

        What runs over the old pod's carriers is ended as it is. None: nowhere, hold what comes; nothing is told.
        """
        raise NotImplementedError

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
        words ("nothing listens there", "no answer", …). `timeout` in seconds counts from now, waiting for a way included.
        """
        raise NotImplementedError

    def close(self) -> None:
        """End all; within a second no port, thread or descriptor is left."""
        raise NotImplementedError
