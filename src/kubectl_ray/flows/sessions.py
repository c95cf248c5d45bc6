"""The sessions that are open on this machine: one small file each, locked by the process that keeps the session open.

The lock is the kernel's (flock) and ends with its process, however that ends: a file without a lock is of the past and
is removed by whoever sees it. No secret is ever written.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Session:
    """What one open session says of itself.

    `kind`: raycluster, rayjob or rayservice, `name` its name; `cluster`: the Ray cluster that it leads to, `uid` that
    cluster's, "" while unknown. `ports`: client, dashboard, serve or metrics → the local port, of those that answered;
    `addresses`: where they listen. `since`: seconds since 1970. `background`: no terminal belongs to it. `log`: its
    file, "" without one. `pid` and `host` are those of its process.
    """

    __slots__ = (
        "addresses", "background", "cluster", "context", "host", "id", "kind", "log", "name", "namespace", "pid",
        "ports", "server", "since", "uid",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 -- one argument a field of the file
        self,
        *,
        server: str,
        namespace: str,
        kind: str,
        name: str,
        context: str = "",
        cluster: str = "",
        uid: str = "",
        ports: Mapping[str, int] | None = None,
        addresses: list[str] | None = None,
        since: float = 0.0,
        background: bool = False,
        log: str = "",
        pid: int = 0,
        host: str = "",
        id: str = "",  # noqa: A002 -- the file's name
    ) -> None:
        self.server = server
        self.namespace = namespace
        self.kind = kind
        self.name = name
        self.context = context
        self.cluster = cluster
        self.uid = uid
        self.ports = dict(ports or {})
        self.addresses = list(addresses or ())
        self.since = since
        self.background = background
        self.log = log
        self.pid = pid
        self.host = host
        self.id = id


class Registry:
    """The folder of all that (`folder`; "" where there can be none, `why` then says why). Making one does no I/O.

    `id`: the name that the starter of a session in the background gave it; else one is made up.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        raise NotImplementedError

    def open(self) -> list[Session]:
        """All sessions of this person that live, the oldest first; never raises. Files of the dead are removed."""
        raise NotImplementedError

    def like(self, session: Session) -> list[Session]:
        """Other sessions that live and lead to the same object: same server, namespace, kind and name."""
        raise NotImplementedError

    def enter(self, session: Session, id: str = "") -> Entry:  # noqa: A002 -- the file's name
        """Write it down, with this process' pid, and hold its lock from now on.

        Raises nothing: where it cannot be written (`entry.why`, for -v=1), the session goes on without.
        """
        raise NotImplementedError


class Entry:
    """This process' own session in the registry; `why`: the reason in words when it is not written down, else ""."""

    why: str
    session: Session

    def update(self, **fields: Any) -> None:
        """Change fields of `session` (ports=…, cluster=…, uid=…) and write them down."""
        raise NotImplementedError

    def close(self) -> None:
        """The session is over: nothing of it stays, but the log of one in the background. May be called twice."""
        raise NotImplementedError

    def __enter__(self) -> Entry:
        """Close it at the end."""
        return self

    def __exit__(self, *_error: object) -> None:
        """It is over."""
        self.close()
