"""Show the log of the sandbox itself, not of what runs in it.

For the log of a cluster's head or worker use kubectl logs.
"""

from __future__ import annotations

import argparse

from kubectl_ray.commands.sandbox import local
from kubectl_ray.errors import NotFound
from kubectl_ray.flags.numbers import count
from kubectl_ray.results import IfInterrupted, Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_ray.context import Context
    from kubectl_ray.results import Event

EXAMPLES = """
  # What it said last
  kubectl ray sandbox logs --tail 20

  # Watch it work
  kubectl ray sandbox logs -f
"""


class Args(argparse.Namespace):
    """`kubectl ray sandbox logs [-f] [--tail N]`."""

    follow: bool
    tail: int | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much of it."""
    parser.add_argument("-f", "--follow", action="store_true", help="go on as it grows, until the sandbox ends")
    parser.add_argument("--tail", type=count, metavar="N", help="only the last N lines")


def run(ctx: Context, args: Args) -> Iterator[Event]:
    """The log's lines, then the new ones.

    Raises:
        NotFound: the sandbox was never started.
        KubectlRayError: this system cannot run it.
    """
    from kubectl_ray.sandbox.log_file import follow, last

    local.check_system()
    home = local.home(ctx)
    if not home.log.exists():
        raise NotFound("There is no log: the sandbox was never started", hint=f"Start it:  {local.START}")
    with local.in_words():
        text, place = last(home.log, args.tail)
        if text:
            yield Page(text)
        if args.follow:
            yield IfInterrupted("The sandbox goes on.")
            for more in follow(home.log, place, home.alive):
                yield Page(more)
