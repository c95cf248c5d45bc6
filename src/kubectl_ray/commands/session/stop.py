"""End sessions that you have open on this machine, at a terminal or in the background.

NAME is what the session leads to, with its type where that is not a Ray cluster, or the number of its process. Without
a name the only session is ended. One that does not end within five seconds is killed. The cluster is not touched.
"""

from __future__ import annotations

import argparse

from kubectl_ray.commands.session.chosen import SEE, distinct, named, opened, place, registry
from kubectl_ray.errors import NotFound, WrongUse
from kubectl_ray.flags.names import completes
from kubectl_ray.results import Line, Note, Progress
from kubectl_ray.views.sessions import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_ray.context import Context
    from kubectl_ray.flows.sessions import Session
    from kubectl_ray.results import Event

EXAMPLES = """
  # End the session to a cluster
  kubectl ray session stop my-cluster

  # End the session to a RayService; and whichever has this process
  kubectl ray session stop rayservice/my-service
  kubectl ray session stop 4242

  # End all
  kubectl ray session stop --all
"""


class Args(argparse.Namespace):
    """`kubectl ray session stop [NAME…] [--all]`."""

    names: list[str]
    all: bool
    namespace: str | None
    context: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which."""
    action = parser.add_argument(
        "names", nargs="*", metavar="NAME", help="what the session leads to: NAME, TYPE/NAME, or its process"
    )
    completes(action, "session")
    parser.add_argument("--all", action="store_true", help="all sessions; of --namespace, --context where given")


def run(ctx: Context, args: Args) -> Iterator[Event]:
    """End them and wait until they have.

    Raises:
        NotFound: no such session is open.
        WrongUse: it is not clear which is meant.
        KubectlRayError: one runs on another machine, or does not die.
    """
    found = registry(ctx)
    chosen = _chosen(opened(found, args), args)
    if not chosen:
        yield Note("No session is open.")
        return
    yield Progress("Stopping " + ", ".join(written(each.kind, each.name) for each in chosen))
    for session, killed in found.stop(chosen):
        how = "did not end and was killed" if killed else "is stopped"
        yield Line(f"The session to {place(session)} {how} (process {session.pid}).")


def _chosen(sessions: list[Session], args: Args) -> list[Session]:
    if args.all and args.names:
        raise WrongUse("--all and names contradict each other", hint="Give the one or the other.")
    if args.all:
        return sessions
    if args.names:
        return distinct(each for name in args.names for each in named(sessions, name))
    if not sessions:
        raise NotFound("No session is open", hint="Open one:  kubectl ray cluster session NAME")
    if any(not each.same_target(sessions[0]) for each in sessions):
        names = ", ".join(dict.fromkeys(written(each.kind, each.name) for each in sessions))
        raise WrongUse(f"Several sessions are open: {names}", hint=f"Name one, or say --all. {SEE}")
    return sessions
