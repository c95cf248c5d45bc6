"""Show a Ray cluster's dashboard in the browser, and keep the way to it open until Ctrl-C.

Without a browser (behind ssh, in a container) the address is printed, and how to reach it from where you sit. Where the
dashboard asks for a token, it is put on the clipboard if there is one; the page takes it once and remembers it.
NAME is a Ray cluster; rayjob/NAME and rayservice/NAME lead to theirs.
"""

from __future__ import annotations

import argparse
from contextlib import closing

from kubectl_ray.commands.cluster import opening
from kubectl_ray.commands.cluster.telling import STOP, host, taken, talk, url
from kubectl_ray.errors import KubectlRayError
from kubectl_ray.flags import ports
from kubectl_ray.flags.waiting import add_timeout
from kubectl_ray.flows.tunnel_changes import Absent, Started
from kubectl_ray.results import IfInterrupted, Line, Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kubectl_ray.context import Context
    from kubectl_ray.models.cluster import Cluster
    from kubectl_ray.results import Event

EXAMPLES = """
  kubectl ray cluster dashboard my-cluster

  # Only its address, on a port of your choice
  kubectl ray cluster dashboard my-cluster --port 9000 --print-url

  # The cluster of a RayService
  kubectl ray cluster dashboard rayservice/my-service
"""


class Args(argparse.Namespace):
    """`kubectl ray cluster dashboard [TYPE/]NAME`."""

    name: str | None
    port: int | None
    address: list[tuple[str, ...]] | None
    print_url: bool
    timeout: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose dashboard, and where."""
    opening.add_target(parser)
    parser.add_argument(
        "--port", type=ports.number, metavar="LOCAL", help="local port (default 8265); 0 is any free one"
    )
    ports.add_address(parser)
    parser.add_argument(
        "--print-url", "--no-open", dest="print_url", action="store_true", help="print the address, open no browser"
    )
    add_timeout(parser)


def run(ctx: Context, args: Args) -> Iterator[Event]:
    """Open the way, then the browser, and keep it open.

    Raises: as `cluster session`.
    """
    target = opening.target(ctx, args.name)
    if not args.print_url:
        yield Line("Opening browser session to Ray dashboard ...")
    if args.name is None:
        yield Note(f"The dashboard of {target.words}, the only one in namespace {target.namespace}.")
    from kubectl_ray.flows.tunnel import Port

    asked = Port("dashboard", args.port)
    tunnel = ctx.tunnel(target, [asked], addresses=ports.listened(args.address), timeout=args.timeout)
    yield IfInterrupted(f"The way to the dashboard is closed; {target.words} goes on.")
    with closing(opening.opened(ctx, tunnel)) as changes:
        for change in changes:
            if isinstance(change, Started):
                yield from taken(change)
                yield from _shown(ctx, args, change, tunnel.cluster)
                yield Note(STOP)
            elif isinstance(change, Absent):
                yield Note(f"The cluster has no dashboard: {change.why}.")
            else:
                yield from talk(target, change)


def _shown(ctx: Context, args: Args, started: Started, cluster: Cluster | None) -> Iterator[Event]:
    """The page: in the browser, or where it is."""
    from kubectl_ray.flows.first_look import needs_token

    address = url(started)
    if cluster is not None and needs_token(cluster, host(started.addresses), started.local):
        yield Note(_login(ctx, cluster, copy=not args.print_url))
    if args.print_url:
        yield Line(address)
    elif ctx.open_browser(address):
        yield Note(f"If no page opens:  {address}")
    else:
        yield Line(address)
        yield Note("No browser can be opened here. Bring the port to the machine that you sit at:")
        yield Note(f"  ssh -L {started.local}:127.0.0.1:{started.local} {_this_machine(ctx.env)}")


def _login(ctx: Context, cluster: Cluster, *, copy: bool) -> str:
    """How to get past the page that asks for a token."""
    from kubectl_ray.flows import token

    printed = f"kubectl ray cluster token {cluster.name} -n {cluster.namespace}"
    try:
        known = token.known(ctx.api, cluster, ctx.env)
    except KubectlRayError as error:
        return f"The dashboard asks for a token. {error.message}" + (f"\n{error.hint}" if error.hint else "")
    if copy and ctx.copy(known):
        return f"The dashboard asks for a token: paste it, it is on the clipboard.\nTo see it:  {printed}"
    return f"The dashboard asks for a token. Print it:\n  {printed}"


def _this_machine(env: Mapping[str, str]) -> str:
    """How ssh names this machine: as it was reached, where it was by ssh."""
    import socket

    reached = env.get("SSH_CONNECTION", "").split()
    name = reached[2] if len(reached) > 2 else socket.gethostname()  # noqa: PLR2004 -- client, its port, server, its port
    user = env.get("USER") or env.get("LOGNAME", "")
    return f"{user}@{name}" if user else name
