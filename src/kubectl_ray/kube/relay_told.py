"""What a `Relay` tells its owner, from the relay's own thread: put it on a queue, and return at once."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubectl_ray.errors import KubectlRayError

NOBODY = "nothing listens on port"
"""Why a probe failed: its connection was refused at the far side; the port's number follows."""
NO_ANSWER = "no answer in time"
NO_WAY = "no way to the pod in time"
BROKEN = "the connection to the pod was lost"
"""Why a probe failed without telling anything of the port."""


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


class Died:
    """The relay's thread has ended, since something in it is wrong: nothing is told or answered after this."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


Told = Connected | Failed | Lost | Refused | Died


def in_words(remote: int, said: str) -> tuple[str, bool]:
    """What a node says on the error stream, shorter; and whether it is that nothing listens there.

    Seen: `error forwarding port 8265 to pod 57c6…, uid : failed to execute portforward in network namespace "…":
    failed to connect to localhost:8265 inside namespace "…", IPv4: dial tcp4 127.0.0.1:8265: connect: connection
    refused IPv6 dial tcp6: address localhost: no suitable address found`, and, of a pod that was deleted, `…: network
    namespace for sandbox "ed55…" is closed`.
    """
    if "connection refused" in said:
        return f"{NOBODY} {remote} of the pod", True
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in said).split())
    if any(word in plain for word in ("not found", "is closed", "no such container", "not running")):
        return "the pod is gone", False
    return plain.rpartition('": ')[2][:300] or plain[:300], False
