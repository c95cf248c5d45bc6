"""Open ports of this machine that lead to a Ray cluster's head, and keep them open until Ctrl-C.

Ray Client (ray.init), the dashboard and, of a RayService, Serve can then be used as if they ran here. The session
follows the head: when it is replaced, the API server restarts or the laptop slept, it says so and connects again.
NAME is a Ray cluster; rayjob/NAME and rayservice/NAME lead to theirs, after an upgrade to the new one.

Behind -- a command may stand: it runs with RAY_ADDRESS and RAY_API_SERVER_ADDRESS set, and the session ends with it
and with its exit code. What runs in the background is seen with `kubectl ray session list`.
On a machine that you share, everybody who is logged in there can use the ports too.
"""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack, closing, nullcontext

from kubectl_ray.commands.cluster import opening
from kubectl_ray.commands.cluster.telling import STOP, Teller, host, place, url
from kubectl_ray.errors import KubectlRayError, WrongUse
from kubectl_ray.flags import ports
from kubectl_ray.flags.waiting import add_timeout
from kubectl_ray.flows.session_json import Ready, Remark, written
from kubectl_ray.flows.tunnel_changes import Started, Waiting
from kubectl_ray.results import Exit, IfInterrupted, Line, Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from contextlib import AbstractContextManager

    from kubectl_ray.context import Context
    from kubectl_ray.flows.command import Command
    from kubectl_ray.flows.first_look import FirstLook
    from kubectl_ray.flows.head import Target
    from kubectl_ray.flows.tunnel import Tunnel
    from kubectl_ray.flows.tunnel_changes import Change
    from kubectl_ray.results import Event

EXAMPLES = """
  kubectl ray cluster session my-cluster

  # Another local port for the dashboard, and its page in the browser
  kubectl ray cluster session my-cluster --port dashboard=9000 --open

  # A RayService with its Serve port
  kubectl ray cluster session rayservice/my-service

  # A program that says just ray.init()
  kubectl ray cluster session my-cluster -- python train.py

  # In the background
  kubectl ray cluster session my-cluster --background
"""


ALL_SAID = Remark("")
"""From the first look, behind its last remark; not shown."""


class Args(argparse.Namespace):
    """`kubectl ray cluster session [TYPE/]NAME [-- COMMAND…]`."""

    name: str | None
    port: list[tuple[str, int]]
    ports: list[str] | None
    address: list[tuple[str, ...]] | None
    open: bool
    background: bool
    output: str | None
    timeout: float
    rest: list[str] | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What it leads to, its ports, and how it is shown."""
    opening.add_target(parser)
    ports.add_ports(parser)
    ports.add_address(parser)
    parser.add_argument("--open", action="store_true", help="open the dashboard in the browser as well")
    parser.add_argument(
        "--background", action="store_true", help="return once the ports are open; end it with session stop"
    )
    parser.add_argument(
        "-o", "--output", choices=("json",), metavar="FORMAT", help="json: one object a line for each change"
    )
    add_timeout(parser)


def run(ctx: Context, args: Args) -> Iterator[Event]:
    """Open the ports and say what happens to them, until Ctrl-C or the end of the command.

    Raises:
        WrongUse: flags that do not go together, or a port or address that cannot be had.
        NotFound: there is no such cluster, or it was deleted meanwhile.
        NotReady: it is suspended. TimedOut: it did not answer in the time given.
        NotAllowed: the login may not use `pods/portforward`, or not see the cluster or its pods.
        CommandNotStarted: there is no such command.
    """
    command = _command(ctx, args)
    target = opening.target(ctx, args.name)
    if args.name is None:
        yield Note(f"A session with {target.words}, the only one in namespace {target.namespace}.")
    if args.background and ctx.starter is None:
        yield from _in_background(ctx, args, target)
        return
    from kubectl_ray.flows.tunnel import DEFAULTS, Port

    asked = [Port(name, local) for name, local in ports.wanted(args.ports, args.port, DEFAULTS[target.kind])]
    tunnel = ctx.tunnel(target, asked, addresses=ports.listened(args.address), timeout=args.timeout)
    yield IfInterrupted(f"The session is over; {target.words} goes on.")
    with _told(ctx):
        if command is None:
            yield from _open(ctx, args, tunnel)
        else:
            yield from _around(ctx, args, tunnel, command)


def _command(ctx: Context, args: Args) -> Command | None:
    """The command behind `--`, found on PATH.

    Raises:
        WrongUse: it goes with none of `-o json` and `--background`, or there is nothing behind `--`.
        CommandNotStarted: there is no such command.
    """
    if args.rest is None:
        return None
    if not args.rest:
        raise WrongUse("There is no command behind --.", hint="Write it there:  -- python train.py")
    if args.output:
        raise WrongUse(
            "-o json and a command do not go together: stdout is the command's.",
            hint="Leave -o json out; what the session says goes to stderr.",
        )
    if args.background:
        raise WrongUse(
            "--background and a command do not go together: the session ends with the command.",
            hint="Leave --background out.",
        )
    from kubectl_ray.flows.command import Command

    command = Command(args.rest, ctx.env)
    command.check()
    return command


def _told(ctx: Context) -> AbstractContextManager[None]:
    if ctx.starter is None:
        return nullcontext()
    from kubectl_ray.flows.background import told

    return told(ctx.starter)


def _open(ctx: Context, args: Args, tunnel: Tunnel) -> Iterator[Event]:
    """The session itself, for as long as nobody ends it."""
    show = _Show(ctx, args, Teller(tunnel.target, end=STOP if ctx.starter is None else ""))
    with ExitStack() as stack:
        changes = stack.enter_context(closing(opening.opened(ctx, tunnel)))
        looks = ready = False
        for change in changes:
            if change == ALL_SAID:
                looks = False
            else:
                yield from show(change)
            if isinstance(change, Started) and change.name == "dashboard":
                looks = True
                stack.enter_context(closing(_first_look(ctx, tunnel, change)))
            ready = ready or isinstance(change, Ready)
            if ctx.starter is not None and ready and not looks:
                ctx.starter.ready()  # it shows all that there is to say


def _first_look(ctx: Context, tunnel: Tunnel, dashboard: Started) -> FirstLook:
    """Begun; what it finds comes with the tunnel's changes. Imported only now: the ports come first."""
    from kubectl_ray.flows.first_look import FirstLook

    client = any(port.name == "client" for port in tunnel.ports)
    look = FirstLook(ctx.api, ctx.env, lambda line: tunnel.tell(Remark(line)), client=client)
    look.start(tunnel.cluster, host(dashboard.addresses), dashboard.local)
    return look


def _around(ctx: Context, args: Args, tunnel: Tunnel, command: Command) -> Iterator[Event]:
    """The session around a command, which begins when all ports answer."""
    teller = Teller(tunnel.target, aside=True)
    show = _Show(ctx, args, teller)
    with closing(opening.opened(ctx, tunnel)) as changes:
        for change in changes:
            yield from show(change)
            if isinstance(change, Ready):
                break
        # `during` does not pass on what is told when the command has ended.
        wake = lambda: tunnel.tell(Remark(""))  # noqa: E731 -- it is handed over at once
        known = yield from _token(ctx, tunnel, teller.started)
        with command.started(_environment(ctx, teller.started, known), wake):
            try:
                for change in command.during(changes):
                    # A live line would be written over what the command shows.
                    if not isinstance(change, Waiting):
                        yield from show(change)
            except KubectlRayError as error:
                # The command may have work to save: it is not ended, and its exit code counts.
                yield Note(f"The session is over: {error.message}")
                yield Note(f"{command.name} goes on without it.")
    yield Exit(command.code)


def _token(ctx: Context, tunnel: Tunnel, started: dict[str, Started]) -> Generator[Event, None, str]:
    """The token that Ray asks the command for; "" where it asks for none, or none is known: not all need it."""
    from kubectl_ray.flows import token
    from kubectl_ray.flows.first_look import needs_token

    there = started.get("dashboard")
    cluster = tunnel.cluster
    if cluster is None or not needs_token(cluster, *((host(there.addresses), there.local) if there else ("", 0))):
        return ""
    try:
        return token.known(ctx.api, cluster, ctx.env)
    except KubectlRayError as error:
        yield Note(f"The cluster asks for a token, and none is known here: RAY_AUTH_TOKEN is not set.\n{error.message}")
        if error.hint:
            yield Note(error.hint)
        return ""


def _environment(ctx: Context, started: dict[str, Started], known: str) -> dict[str, str]:
    """What tells the command where Ray is, with the token."""
    from kubectl_ray.flows.command import environment

    return environment(
        ctx.env,
        client=place(started["client"]) if "client" in started else "",
        dashboard=place(started["dashboard"]) if "dashboard" in started else "",
        token=known,
    )


def _in_background(ctx: Context, args: Args, target: Target) -> Iterator[Event]:
    """The same in a process of its own, until its ports answer; what that fails of is what this fails of."""
    from kubectl_ray.flows.background import Background
    from kubectl_ray.flows.session_json import read

    show = _Show(ctx, args, Teller(target, end=""))
    background = Background(ctx.argv, ctx.env)
    yield IfInterrupted("The session was not opened.")
    with closing(background.changes()) as changes:
        for change in changes:
            yield from show(read(change))
    ctx.talk(1, f"What it says is in {background.log}")
    yield Note(f"It stays open in the background. End it:  kubectl ray session stop {target.name}")


class _Show:
    """Turns each change into what `-o` asks for, tells the starter of it, and opens the browser when asked to."""

    def __init__(self, ctx: Context, args: Args, teller: Teller) -> None:
        self._ctx = ctx
        self._args = args
        self._teller = teller

    def __call__(self, change: Change) -> Iterator[Event]:
        ctx, starter = self._ctx, self._ctx.starter
        told = written(change, ctx.now())
        if self._args.output == "json":
            yield Line(json.dumps(told, ensure_ascii=False))
        else:
            yield from self._teller.tell(change)
        if starter is not None:
            starter.tell(told)
        elif isinstance(change, Started) and change.name == "dashboard" and self._args.open:
            address = url(change)
            if not ctx.open_browser(address):
                where = f" The dashboard is at {address}" if self._args.rest else ""  # else it follows with the others
                yield Note(f"No browser can be opened here.{where}")
