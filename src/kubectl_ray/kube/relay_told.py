"""What a `Relay` tells its owner, from the relay's own thread: put it on a queue, and return at once."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubectl_ray.errors import KubectlRayError

NOBODY = "nothing listens there"
"""Why a probe failed: its connection was refused at the far side."""
NO_ANSWER = "no answer"
"""Why a probe failed: its time was over, whether or not there was a way to the pod."""


class Connected:
    """There is a way to the pod: the first since `connect`. `way` is its name, for the talk.

    `attempt` is what `connect` returned.
    """

    __slots__ = ("attempt", "way")

    def __init__(self, attempt: int, way: str) -> None:
        self.attempt = attempt
        self.way = way


class Failed:
    """The way asked for with `connect` could not be made; nothing is tried again until the next `connect`."""

    __slots__ = ("attempt", "error")

    def __init__(self, attempt: int, error: KubectlRayError) -> None:
        self.attempt = attempt
        self.error = error


class Lost:
    """The last way to the pod broke, `why` in words; the relay holds what comes until the next `connect`.

    `why` fits after "the connection is lost: ". `attempt` is what the `connect` that made it had returned.
    """

    __slots__ = ("attempt", "why")

    def __init__(self, attempt: int, why: str) -> None:
        self.attempt = attempt
        self.why = why


class Refused:
    """A connection to `remote` came to nothing at the far side, `why` in words; told each time.

    `nobody`: nothing listens there (connection refused). Else the pod, its sandbox or the port-forward itself failed.
    """

    __slots__ = ("nobody", "remote", "why")

    def __init__(self, remote: int, why: str, *, nobody: bool) -> None:
        self.remote = remote
        self.why = why
        self.nobody = nobody


Told = Connected | Failed | Lost | Refused
