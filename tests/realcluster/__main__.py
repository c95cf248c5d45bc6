"""`python3 -m tests.realcluster up|down|status|prepare|enter|fault`, from the checkout's root."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from tests.realcluster import cluster, faultline, machine, node, status
from tests.realcluster.cache import only_one
from tests.realcluster.command import Commands
from tests.realcluster.errors import RealClusterError
from tests.realcluster.places import RUN, operator_version, places
from tests.realcluster.programs import Workshop
from tests.realcluster.progress import Progress

if TYPE_CHECKING:
    from types import FrameType


def up(args: argparse.Namespace) -> int:
    """Build what is missing and start the node; with `prepare`, only build."""
    del args
    return _build(start=True)


def prepare(args: argparse.Namespace) -> int:
    """Build what is missing."""
    del args
    return _build(start=False)


def _build(*, start: bool) -> int:
    where, operator = places(os.environ), operator_version(os.environ)
    machine.check(where.cache)
    progress, commands = Progress(), Commands()
    with only_one(where.cache / "lock"):
        if start and node.pid() is not None and cluster.COMPLETE.exists():
            return _runs_already(operator, progress)
        try:
            prepared = Workshop(where, commands, progress).prepare(operator)
            if start:
                machine.load_kernel_modules()
                print(cluster.Cluster(where, commands, progress).up(prepared, operator))
        finally:
            commands.stop_all()
    return 0


def _runs_already(operator: str, progress: Progress) -> int:
    running = cluster.known_facts()["operator"]
    if running != operator:
        raise RealClusterError(f"the real cluster runs already, with operator {running}: run `down` before {operator}")
    if not status.healthy():
        raise RealClusterError("the real cluster runs already but does not answer: see `status`, or run `down` first")
    progress.say("the real cluster runs already")
    print(cluster.KUBECONFIG)
    return 0


def down(args: argparse.Namespace) -> int:
    """End the node and remove what it leaves."""
    del args
    machine.check_root()
    progress = Progress()
    with only_one(places(os.environ).cache / "lock"):
        if node.pid() is None and not RUN.exists():
            progress.say("the real cluster is not running")
        else:
            with progress.step("taking the real cluster down"):
                node.destroy()
    return 0


def show_status(args: argparse.Namespace) -> int:
    """Print how the node is; exit code 1 unless all is well."""
    del args
    machine.check_root()
    print("\n".join(status.lines()))
    return 0 if status.healthy() else 1


def enter(args: argparse.Namespace) -> int:
    """Run a command inside the node."""
    machine.check_root()
    return node.run_as(args.argv or ["bash"])


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python3 -m tests.realcluster", description=__doc__)
    words = top.add_subparsers(required=True, metavar="COMMAND")
    for name, run, words_of_help in (
        ("up", up, "build what is missing, start the node, print the kubeconfig's path"),
        ("down", down, "end the node; nothing of it stays"),
        ("status", show_status, "each daemon, and whether API server, node and operator answer"),
        ("prepare", prepare, "only build what is missing"),
    ):
        words.add_parser(name, help=words_of_help).set_defaults(run=run)
    entering = words.add_parser("enter", help="run a command inside the node")
    entering.add_argument("argv", nargs=argparse.REMAINDER)
    entering.set_defaults(run=enter)
    faultline.add_arguments(words.add_parser("fault", help="disturb the node, or make kubeconfigs of other users"))
    return top


def interrupted(number: int, frame: FrameType | None) -> NoReturn:
    """Turn the first end signal into an exception that cleans up; the clean-up itself is short and not interrupted."""
    del frame
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main() -> int:
    """Run one command; words for what went wrong go to stderr."""
    args = parser().parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        return int(args.run(args))
    except RealClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
