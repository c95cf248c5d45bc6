"""What one open session says of itself, and the JSON text of it. Reading never raises: what is there may be garbage."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

VERSION = 1
_TEXTS = ("server", "context", "namespace", "kind", "name", "cluster", "uid", "log", "host", "machine")
_NEEDED = ("server", "namespace", "kind", "name")
_HIGHEST_PORT = 65535
_HIGHEST_PID = 2**31 - 1
_HIGHEST_TIME = 2.0**40  # seconds since 1970


class Session:
    """One session.

    `kind`: raycluster, rayjob or rayservice, `name` its name; `cluster`: the Ray cluster that it leads to, `uid` that
    cluster's, "" while unknown. `ports`: client, dashboard, serve or metrics → the local port, of those that answered;
    `addresses`: where they listen. `since`: seconds since 1970. `background`: it has no terminal. `log`: its file, ""
    without one. `pid`, `host` and `machine` (boot and process namespace) are those of its process, `id` its file's
    name. `locked`: its process holds a lock; without, only its pid tells whether it lives.
    """

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
        addresses: Iterable[str] = (),
        since: float = 0.0,
        background: bool = False,
        log: str = "",
        pid: int = 0,
        host: str = "",
        machine: str = "",
        locked: bool = True,
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
        self.addresses = list(addresses)
        self.since = since
        self.background = background
        self.log = log
        self.pid = pid
        self.host = host
        self.machine = machine
        self.locked = locked
        self.id = id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Session) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"Session({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    @property
    def address(self) -> str:
        """Where it listens, as it is written in URLs; IPv4 first."""
        first = min(self.addresses, key=lambda each: ":" in each, default="127.0.0.1")
        return f"[{first}]" if ":" in first else first

    def url(self, name: str) -> str:
        """The URL of one of its ports; "" where that is not open."""
        port = self.ports.get(name)
        return f"{'ray' if name == 'client' else 'http'}://{self.address}:{port}" if port else ""

    def same_target(self, other: Session) -> bool:
        """Do both lead to the same object of the same Kubernetes cluster?"""
        mine = (self.server, self.namespace, self.kind, self.name)
        return mine == (other.server, other.namespace, other.kind, other.name)


def text(session: Session) -> bytes:
    """The file's content."""
    fields = {name: value for name, value in vars(session).items() if name != "id"}
    return json.dumps({"version": VERSION, **fields}, sort_keys=True).encode() + b"\n"


def parse(data: bytes, id: str) -> Session | None:  # noqa: A002 -- the file's name
    """The session of a file's content; None when that is something else."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not all(_is_text(found.get(name, "")) for name in _TEXTS):
        return None
    pid, since = found.get("pid", 0), found.get("since", 0.0)
    ports, addresses = found.get("ports", {}), found.get("addresses", [])
    if not isinstance(ports, dict) or not isinstance(addresses, list) or not isinstance(since, int | float):
        return None
    sound = (
        all(found.get(name) for name in _NEEDED)
        and _is_number(pid, 1, _HIGHEST_PID)
        and 0 <= since <= _HIGHEST_TIME
        and all(_is_number(port, 1, _HIGHEST_PORT) for port in ports.values())
        and all(map(_is_text, (*addresses, *ports)))
    )
    if not sound:
        return None
    return Session(
        **{name: found.get(name, "") for name in _TEXTS},
        ports=ports,
        addresses=addresses,
        since=float(since),
        background=found.get("background") is True,
        locked=found.get("locked") is not False,
        pid=pid,
        id=id,
    )


def _is_text(value: Any) -> bool:
    """Text that can be shown on a terminal."""
    return isinstance(value, str) and value.isprintable()


def _is_number(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
