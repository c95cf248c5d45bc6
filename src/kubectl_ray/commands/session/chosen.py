"""Which of the open sessions are meant, and how one looks in JSON."""

from __future__ import annotations

from kubectl_ray.errors import NotFound, WrongUse
from kubectl_ray.models.near import suggestion
from kubectl_ray.views.sessions import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from typing import Any

    from kubectl_ray.context import Context
    from kubectl_ray.flows.sessions import Registry, Session

SEE = "See:  kubectl ray session list"


def registry(ctx: Context) -> Registry:
    """The sessions of this person on this machine."""
    from kubectl_ray.flows.sessions import Registry

    return Registry(ctx.env, ctx.now)


def opened(found: Registry, args: argparse.Namespace) -> list[Session]:
    """All that are open; only those of `--namespace` and `--context` where these were given."""
    return [
        each
        for each in found.open()
        if args.namespace in {None, each.namespace} and args.context in {None, each.context}
    ]


def named(sessions: list[Session], name: str) -> list[Session]:
    """Those that `NAME`, `TYPE/NAME` or a process' number means.

    Raises:
        NotFound: none is.
        WrongUse: they lead to several clusters of this name.
    """
    from kubectl_ray.flows.head import target

    if name.isdecimal():
        found = [each for each in sessions if str(each.pid) == name]
    else:
        wanted = target(name, "")
        found = [
            each for each in sessions if each.name == wanted.name and ("/" not in name or each.kind == wanted.kind)
        ]
    if not found:
        hint = suggestion(name, [written(each.kind, each.name) for each in sessions])
        raise NotFound(f"No session to {name} is open", hint=hint or SEE)
    if any(not each.same_target(found[0]) for each in found):
        places = ", ".join(sorted({place(each) for each in found}))
        raise WrongUse(
            f"Several sessions are open to something named {name}: {places}",
            hint=f"Say which: with --namespace, --context, TYPE/NAME, or the process' number. {SEE}",
        )
    return found


def place(session: Session) -> str:
    """It and where it leads, to tell it from others: `x in namespace y of context z`."""
    of = f" of context {session.context}" if session.context else ""
    return f"{written(session.kind, session.name)} in namespace {session.namespace}{of}"


def facts(session: Session, machine: str) -> dict[str, Any]:
    """What is shown of it; `machine` is this one."""
    import time

    other = {"otherHost": session.host} if session.machine != machine else {}
    return {
        "type": session.kind,
        "name": session.name,
        "namespace": session.namespace,
        "context": session.context,
        "server": session.server,
        "cluster": session.cluster,
        "ports": dict(session.ports),
        "urls": {name: session.url(name) for name in session.ports},
        "addresses": list(session.addresses),
        "since": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(session.since)),
        "pid": session.pid,
        "host": session.host,
        "background": session.background,
        "log": session.log,
        **other,
    }


def distinct(sessions: Iterable[Session]) -> list[Session]:
    """Each once, though it was named twice."""
    return list({each.id: each for each in sessions}.values())
