"""Stop the sandbox: end all processes that it started, and take its context out of your kubeconfig.

Nothing else is touched: other Ray on this machine goes on. What you created is kept, and comes back with the next
`kubectl ray sandbox start`; --forget removes it too.
"""

from __future__ import annotations

import argparse

from kubectl_ray.commands.sandbox import local
from kubectl_ray.errors import KubectlRayError
from kubectl_ray.results import IfInterrupted, Line, Note, Progress
from kubectl_ray.views.text import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_ray.context import Context
    from kubectl_ray.results import Event
    from kubectl_ray.sandbox.home import Home, Run

EXAMPLES = """
  # End it; what was created comes back with the next start
  kubectl ray sandbox stop

  # End it, and remove all that was created in it
  kubectl ray sandbox stop --forget
"""


class Args(argparse.Namespace):
    """`kubectl ray sandbox stop [--forget]`."""

    forget: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much goes."""
    parser.add_argument("--forget", action="store_true", help="also remove what was created in it, and its log")


def run(ctx: Context, args: Args) -> Iterator[Event]:
    """End it; where it does not run, tidy up after one that was killed.

    Raises:
        KubectlRayError: it is not installed, does not end, or the kubeconfig cannot be written.
    """
    local.require()
    from kubectl_ray.sandbox import background

    home = local.home(ctx)
    if not home.exists():
        yield Line("The sandbox does not run.")
        return
    with local.in_words():
        home.prepare()
        with home.starting():
            yield IfInterrupted("The sandbox may still be ending. Once more:  kubectl ray sandbox stop")
            yield from _ended(ctx, home)
            yield from _context_taken_out(home)
            if args.forget:
                background.forget(home)
                yield Line("What was created in it is removed.")


def _ended(ctx: Context, home: Home) -> Iterator[Event]:
    from kubectl_ray.sandbox import background

    if not home.alive():
        killed = home.run() is not None
        left = background.clean(home)
        if killed or left:
            yield Line(f"The sandbox had been killed; {count(left, 'process', 'processes')} of its pods ended.")
        else:
            yield Line("The sandbox does not run.")
        return
    found = home.run()
    names = _clusters(ctx, found) if found else []
    pods = len(background.pods(home))
    for left in background.stop(home):
        yield Progress("Stopping the sandbox" + (f": {count(left, 'process', 'processes')} to end" if left else ""))
    yield Line(f"The sandbox is stopped; {count(pods, 'process', 'processes')} of its pods ended.")
    if names:
        yield Note(f"Ray clusters that ran: {', '.join(f'{namespace}/{name}' for namespace, name in names)}")


def _clusters(ctx: Context, found: Run) -> list[tuple[str, str]]:
    """Only to be said: whatever is wrong with the sandbox, it can be stopped."""
    try:
        return local.clusters(ctx, found)
    except KubectlRayError:
        return []


def _context_taken_out(home: Home) -> Iterator[Event]:
    from kubectl_ray.kube import context_file

    for entry in home.contexts():
        gone = context_file.remove(
            entry.path, local.NAME, ours=local.made_by(home), before=entry.before, made=entry.made
        )
        home.drop_context(entry)
        if gone:
            yield Line(f"  context {local.NAME} is taken out of {entry.path}")
