"""What `session` and `dashboard` do alike, no command itself: name the target, open its tunnel, write it down."""

from __future__ import annotations

import gc
from contextlib import closing

from kubectl_ray.commands.cluster.telling import url
from kubectl_ray.flags.names import completes
from kubectl_ray.flows import find, head
from kubectl_ray.flows.session_json import Connecting, Ready, Remark
from kubectl_ray.flows.tunnel_changes import Absent, Moved, Started
from kubectl_ray.models.cluster import Cluster

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator, Iterator
    from typing import Any, Self

    from kubectl_ray.context import Context
    from kubectl_ray.flows.head import Target
    from kubectl_ray.flows.sessions import Entry, Session
    from kubectl_ray.flows.tunnel import Tunnel
    from kubectl_ray.flows.tunnel_changes import Change

EVERYBODY_HERE = "Everybody who is logged in on this machine can use these ports."
EVERYBODY = "Everybody who can reach this machine over the network can use these ports."
_LOOPBACK = ("127.", "::1")


def add_target(parser: argparse.ArgumentParser) -> None:
    """The positional `[TYPE/]NAME`, in args.name; it need not be named when the namespace has only one cluster."""
    action = parser.add_argument(
        "name",
        nargs="?",
        metavar="[TYPE/]NAME",
        help="a Ray cluster, or rayjob/NAME or rayservice/NAME; need not be given where there is only one cluster",
    )
    completes(action, "target")


def target(ctx: Context, written: str | None) -> Target:
    """What is meant by `[TYPE/]NAME`; without one, the only Ray cluster there is.

    Raises:
        WrongUse: another type, or several clusters and none named. NotFound: there is no cluster at all.
    """
    if written is None:
        return head.target(Cluster(find.cluster(ctx.api, None, ctx.namespace)).name, ctx.namespace)
    return head.target(written, ctx.namespace)


def opened(ctx: Context, tunnel: Tunnel) -> Generator[Change, None, None]:
    """The tunnel's changes, after the first word and with those that are made here; it is in the list of sessions.

    `Ready` comes once, behind the change that made it so.

    Raises: as `Tunnel.changes`.
    """
    aim = tunnel.target
    yield Connecting(f"{aim.kind}/{aim.name}", aim.namespace, ctx.target.context or "")
    listed = _Listed(ctx, aim)
    with listed, closing(tunnel.changes(listed.write_down)) as changes:
        awaited = {port.name for port in tunnel.ports}
        urls: dict[str, str] = {}
        ports: dict[str, int] = {}
        heard: list[str] = []  # LOCAL:REMOTE, as kubectl writes them
        for change in changes:
            yield from listed.remarks()
            yield change
            if isinstance(change, Started):
                if not urls:
                    yield from _who_else(ctx, change.addresses)
                urls[change.name] = url(change)
                heard.append(f"{change.local}:{change.remote}")
                ports[change.name] = change.local
                listed.update(ports=ports, addresses=change.addresses, **_cluster(tunnel))
            elif isinstance(change, Moved):
                listed.update(**_cluster(tunnel))
            if isinstance(change, Started | Absent) and awaited:
                awaited.discard(change.name)
                if not awaited:
                    gc.enable()  # off in commands, which end soon: this one lasts for days
                    ctx.talk(1, _as_kubectl(tunnel, heard))
                    yield Ready(urls)


class _Listed:
    """The tunnel in the list of sessions, for as long as the block lasts; what there is to say of that list."""

    def __init__(self, ctx: Context, aim: Target) -> None:
        self._ctx = ctx
        self._aim = aim
        self._entry: Entry | None = None
        self._remarks: list[Change] = []

    def write_down(self) -> None:
        """Once, and before the first change is told: the head is asked for, and gone to, before this takes its time."""
        from kubectl_ray.flows.sessions import Registry, Session

        ctx, aim, starter = self._ctx, self._aim, self._ctx.starter
        registry = Registry(ctx.env)
        session = Session(
            server=ctx.api.target.server,
            context=ctx.target.context or "",
            namespace=aim.namespace,
            kind=aim.kind,
            name=aim.name,
            background=starter is not None,
            log=starter.log if starter else "",
        )
        self._remarks += [Remark(_open_already(ctx, other)) for other in registry.like(session)]
        self._entry = entry = registry.enter(session, starter.id if starter else "")
        if entry.why:
            self._remarks.append(Remark(f"This session is not in the list of sessions: {entry.why}."))

    def remarks(self) -> Iterator[Change]:
        """Each is given once."""
        while self._remarks:
            yield self._remarks.pop(0)

    def update(self, **fields: Any) -> None:
        """Change what is in the list."""
        if self._entry is not None:
            self._entry.update(**fields)

    def __enter__(self) -> Self:
        """Nothing yet."""
        return self

    def __exit__(self, *_error: object) -> None:
        """It is over."""
        if self._entry is not None:
            self._entry.close()


def _open_already(ctx: Context, other: Session) -> str:
    from kubectl_ray.models.age import human

    since = human(max(0.0, ctx.now() - other.since))
    urls = [url(Started(name, local, 0, wanted=0, addresses=other.addresses)) for name, local in other.ports.items()]
    # The dashboard's says most to a person who has forgotten the other window.
    where = [each for each in urls if each.startswith("http")] or urls
    address = f": {where[0]}" if where else ""
    return f"A session to {other.name} is open already (since {since}){address}\nSee:  kubectl ray session list"


def _as_kubectl(tunnel: Tunnel, pairs: list[str]) -> str:
    """What kubectl has for this, as long as nothing happens to the head."""
    service = tunnel.cluster.head_service if tunnel.cluster is not None else "HEAD-SERVICE"
    return f"kubectl port-forward -n {tunnel.target.namespace} service/{service} {' '.join(pairs)}"


def _who_else(ctx: Context, addresses: list[str]) -> Iterator[Change]:
    """Who can use the ports, beside the person who opened them."""
    if all(address.startswith(_LOOPBACK) for address in addresses):
        ctx.talk(1, EVERYBODY_HERE)
    else:
        yield Remark(EVERYBODY)


def _cluster(tunnel: Tunnel) -> dict[str, Any]:
    cluster = tunnel.cluster
    return {"cluster": cluster.name, "uid": cluster.uid} if cluster is not None else {}
