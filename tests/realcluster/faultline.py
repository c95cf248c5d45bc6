"""The words of `fault` on the command line: each breaks one thing until it is told to put it right."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

from tests.realcluster import faults, logins, machine

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from contextlib import AbstractContextManager

READ_CLUSTERS = {"apiGroups": ["ray.io"], "resources": ["rayclusters"], "verbs": ["get", "list", "watch"]}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the faults' words."""
    words = parser.add_subparsers(required=True, metavar="FAULT")
    for name, act, what in (
        ("stop", faults.stop, "end a part"),
        ("start", faults.start, "start a part again and wait until it serves"),
        ("pause", faults.pause, "freeze a part"),
        ("resume", faults.resume, "let a frozen part go on"),
    ):
        word = words.add_parser(name, help=what)
        word.add_argument("part", choices=sorted(faults.PARTS))
        word.set_defaults(run=_on_part(act))
    word = words.add_parser("delete-pod", help="remove a pod at once")
    word.add_argument("pod", metavar="NAMESPACE/POD")
    word.set_defaults(run=lambda args: _on_pod(args, faults.delete_pod))
    word = words.add_parser("kill-container", help="kill a pod's container")
    word.add_argument("pod", metavar="NAMESPACE/POD")
    word.add_argument("--container")
    word.set_defaults(
        run=lambda args: _on_pod(args, lambda space, name: faults.kill_container(space, name, args.container))
    )
    word = words.add_parser("small-volume", help="a full file system, until Ctrl-C")
    word.add_argument("mebibytes", type=int)
    word.add_argument("--free", type=int, default=0, metavar="BYTES")
    word.add_argument("--in-node", action="store_true")
    word.set_defaults(run=lambda args: _hold(faults.small_volume(args.mebibytes, free=args.free, in_node=args.in_node)))
    word = words.add_parser("quota", help="a ResourceQuota, until Ctrl-C")
    word.add_argument("namespace")
    word.add_argument("hard", nargs="+", metavar="RESOURCE=AMOUNT")
    word.set_defaults(run=lambda args: _hold(faults.resource_quota(args.namespace, _pairs(args.hard))))
    word = words.add_parser("limit-range", help="the most a container may ask for, until Ctrl-C")
    word.add_argument("namespace")
    word.add_argument("most", nargs="+", metavar="RESOURCE=AMOUNT")
    word.set_defaults(
        run=lambda args: _hold(faults.limit_range(args.namespace, [{"type": "Container", "max": _pairs(args.most)}]))
    )
    word = words.add_parser("limited-user", help="a kubeconfig of a user who may only read RayClusters, until Ctrl-C")
    word.add_argument("folder", type=Path)
    word.add_argument("--namespace")
    word.set_defaults(
        run=lambda args: _hold(logins.limited_user(args.folder, [READ_CLUSTERS], namespace=args.namespace))
    )
    word = words.add_parser("token", help="a service account's token that lasts that many seconds")
    word.add_argument("account", metavar="NAMESPACE/ACCOUNT")
    word.add_argument("seconds", type=float)
    word.set_defaults(run=_token)


def _on_part(act: Callable[[str], None]) -> Callable[[argparse.Namespace], int]:
    def run(args: argparse.Namespace) -> int:
        machine.check_root()
        act(args.part)
        return 0

    return run


def _on_pod(args: argparse.Namespace, act: Callable[[str, str], None]) -> int:
    machine.check_root()
    namespace, _, name = args.pod.rpartition("/")
    act(namespace or "default", name)
    return 0


def _token(args: argparse.Namespace) -> int:
    machine.check_root()
    namespace, _, account = args.account.rpartition("/")
    print(logins.token(namespace or "default", account, args.seconds))
    return 0


def _hold(fault: AbstractContextManager[Path | None]) -> int:
    """Keep a fault up until an end signal; what it made is printed."""
    machine.check_root()
    with fault as made:
        print(made or "in place; Ctrl-C removes it", flush=True)
        signal.pause()
    return 0


def _pairs(words: list[str]) -> dict[str, str]:
    return {name: amount for name, _, amount in (word.partition("=") for word in words)}
