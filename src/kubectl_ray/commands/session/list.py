"""List the sessions that you have open on this machine: where they lead, their ports, since when.

A session is what `kubectl ray cluster session` opens, at a terminal or in the background. No cluster is asked; with
--namespace or --context only sessions to there are shown.
"""

from __future__ import annotations

import argparse

from kubectl_ray.commands.session.chosen import facts, opened, registry
from kubectl_ray.flags.names import offers
from kubectl_ray.results import Line, Note, Objects, Rows
from kubectl_ray.views.sessions import COLUMNS, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_ray.context import Context
    from kubectl_ray.results import Event

EXAMPLES = """
  # What is open?
  kubectl ray session list

  # For a script: the address of each dashboard
  kubectl ray session list -o json | jq -r '.items[].urls.dashboard'
"""

NONE = "No session is open.\nOpen one:  kubectl ray cluster session NAME"
FORMATS = ("wide", "json", "yaml", "name")


class Args(argparse.Namespace):
    """`kubectl ray session list [-o FORMAT]`."""

    output: str | None
    no_headers: bool
    namespace: str | None
    context: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How they are shown."""
    action = parser.add_argument(
        "-o", "--output", choices=FORMATS, metavar="FORMAT", help="wide, json, yaml or name (what session stop takes)"
    )
    offers(action, FORMATS)
    parser.add_argument("--no-headers", action="store_true", help="leave out the line of titles")


def run(ctx: Context, args: Args) -> Iterator[Event]:
    """Read the registry; files of sessions that were killed go with that."""
    from kubectl_ray.flows import process

    known = registry(ctx)
    sessions = opened(known, args)
    why = known.unusable()
    if why:
        yield Note(f"Sessions of this environment are in no list: {why}.")
    machine = process.machine()
    if args.output == "name":
        for name in dict.fromkeys(f"{each.kind}/{each.name}" for each in sessions):
            yield Line(name)
    elif args.output in {"json", "yaml"}:
        yield Objects([facts(each, machine) for each in sessions])
    else:
        rows = [Row(facts(each, machine), each.since, ctx.now()) for each in sessions]
        yield Rows(COLUMNS, rows, empty="" if why else NONE)
