"""What a tunnel tells while it lasts: small plain classes, compared by what they hold."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Change:
    """Anything a tunnel tells; two that say the same are equal."""

    __slots__: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(getattr(self, part) == getattr(other, part) for part in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # their lists change as little as they do, yet nobody needs it

    def __repr__(self) -> str:
        held = ", ".join(f"{part}={getattr(self, part)!r}" for part in self.__slots__)
        return f"{type(self).__name__}({held})"


class Waiting(Change):
    """Nothing can be used yet. `why`: what is waited for, in words that follow "Waiting for "."""

    __slots__ = ("why",)

    def __init__(self, why: str) -> None:
        self.why = why


class Started(Change):
    """A port can be used: what listens behind it has really answered through the tunnel. Told once for each port.

    `name`: client, dashboard, serve or metrics. `local`: the port on this machine; `wanted`: the one asked for (another
    than `local` where that was taken; 0: any). `remote`: the port on the head; if a later head has another, that is
    gone to, and not told. `addresses`: where it really listens, such as ["127.0.0.1", "::1"].
    """

    __slots__ = ("addresses", "local", "name", "remote", "wanted")

    def __init__(self, name: str, local: int, remote: int, *, wanted: int, addresses: Sequence[str]) -> None:
        self.name = name
        self.local = local
        self.remote = remote
        self.wanted = wanted
        self.addresses = list(addresses)


class Absent(Change):
    """Ray answers on the head, but nothing does behind this port. Looking goes on: `Started` follows if it comes.

    `why`: in words, such as "nothing listens on port 10001 of the head". Told at most once for each port.
    """

    __slots__ = ("name", "remote", "why")

    def __init__(self, name: str, remote: int, why: str) -> None:
        self.name = name
        self.remote = remote
        self.why = why


class Lost(Change):
    """The connection is lost, and is being made anew. Told once a loss; `Reconnected` or `Moved` follow.

    `why`: in words without a full stop, such as "the head was deleted".
    """

    __slots__ = ("why",)

    def __init__(self, why: str) -> None:
        self.why = why


class Reconnected(Change):
    """All is well again. `after`: seconds since it was lost; `cluster`: the Ray cluster's name."""

    __slots__ = ("after", "cluster")

    def __init__(self, after: float, cluster: str) -> None:
        self.after = after
        self.cluster = cluster


class Moved(Change):
    """The ports lead to another Ray cluster from now on: a RayService's after an upgrade, a RayJob's after a retry."""

    __slots__ = ("cluster",)

    def __init__(self, cluster: str) -> None:
        self.cluster = cluster


class Suspended(Change):
    """The cluster was suspended while the tunnel was open; it goes on when it is back. `hint`: how to resume."""

    __slots__ = ("hint",)

    def __init__(self, hint: str) -> None:
        self.hint = hint
