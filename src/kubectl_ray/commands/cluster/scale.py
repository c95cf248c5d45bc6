"""Change how many workers a group of a Ray cluster has, and wait until it has them.

The group need not be named when the cluster has only one, nor the cluster when the namespace has only one; the choice
made is said. With an autoscaler, --min-replicas and --max-replicas are what lasts: it moves the number itself.
"""

from __future__ import annotations

import argparse

from kubectl_ray.commands.cluster.writing import answer, changed, ending, sized
from kubectl_ray.errors import WrongUse
from kubectl_ray.flags import numbers
from kubectl_ray.flags.names import add_cluster_flag, add_group_argument, completes
from kubectl_ray.flags.output import TRIED, add_writing
from kubectl_ray.flags.ownership import add_force_owned, refuse_owned
from kubectl_ray.flags.waiting import add_waiting
from kubectl_ray.flows import find
from kubectl_ray.manifests import change
from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.worker_group import NO_MAXIMUM
from kubectl_ray.results import IfInterrupted, Note
from kubectl_ray.views.text import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from kubectl_ray.context import Context
    from kubectl_ray.models.worker_group import Group
    from kubectl_ray.results import Event

EXAMPLES = """
  # Ten workers in a group
  kubectl ray cluster scale default-worker-group --cluster my-cluster --replicas=10

  # The only group of the cluster, which an autoscaler keeps between 2 and 20
  kubectl ray cluster scale --cluster my-cluster --min-replicas=2 --max-replicas=20
"""


class Args(argparse.Namespace):
    """`kubectl ray cluster scale [GROUP] --cluster NAME --replicas N`."""

    group: str | None
    worker_group: str | None
    cluster: str | None
    replicas: int | None
    min_replicas: int | None
    max_replicas: int | None
    dry_run: str
    output: str | None
    wait: bool
    timeout: float
    force_owned: bool
    other_plugin: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The group, its cluster, and the numbers."""
    first = add_group_argument(parser, optional=True)
    if parser.get_default("other_plugin"):
        completes(first, "cluster")
    add_cluster_flag(parser)
    group = parser.add_argument(
        "-w", "--worker-group", metavar="GROUP", help="the worker group, another way to name it"
    )
    completes(group, "group")
    parser.add_argument("-r", "--replicas", type=numbers.count, metavar="N", help="how many workers")
    parser.add_argument("--min-replicas", type=numbers.count, metavar="N", help="the least an autoscaler may leave")
    parser.add_argument("--max-replicas", type=numbers.count, metavar="N", help="the most an autoscaler may make")
    add_force_owned(parser)
    add_writing(parser)
    add_waiting(parser)


def run(ctx: Context, args: Args) -> Iterator[Event]:
    """Change the numbers of one group, and wait until it has them.

    Raises:
        NotFound: no such cluster or group; the hint names the near ones.
        WrongUse: nothing to change was given, or the number lies outside the group's limits.
        Conflict: somebody was faster three times in a row.
    """
    group_name, cluster_name = _named(args)
    if args.replicas is None and args.min_replicas is None and args.max_replicas is None:
        raise WrongUse("How many workers?", hint="Say --replicas N, or --min-replicas and --max-replicas.")
    seen = find.cluster(ctx.api, cluster_name, ctx.namespace)
    before = Cluster(seen)
    group = before.group(group_name)
    refuse_owned(before, args.force_owned, verb="scale")
    if cluster_name is None or group_name is None:
        yield Note(f"Scaling {group.name} of Ray cluster {before.name}.")

    def decide(raw: dict[str, Any]) -> list[dict[str, Any]]:
        nonlocal before
        before = Cluster(raw)  # where somebody was faster, what they made of it is what changes now
        return change.scale(
            raw, group.name, replicas=args.replicas, minimum=args.min_replicas, maximum=args.max_replicas
        )

    after_raw = changed(ctx, args, seen, decide)
    after, group = Cluster(after_raw), before.group(group.name)
    yield answer(args, after_raw, _line(args, before, after, group.name))
    yield from map(Note, _autoscaler(args, after, group))
    if args.dry_run != "none" or not args.wait or not _comes(after, group):
        return
    look = f"kubectl ray cluster get {after.name} -n {ctx.namespace}"
    yield IfInterrupted(f"{group.name} goes on changing. Look at it:  {look}")
    yield from sized(ctx, args, after, group.name)
    if not args.other_plugin:
        workers = count(after.group(group.name).desired, "worker")
        yield ending(args, f"{group.name} of {after.name} has {workers}, all ready.")


def _named(args: Args) -> tuple[str | None, str | None]:
    """Group and cluster; `scale cluster NAME -w GROUP`, the other plugin's words, has the cluster in front."""
    if args.other_plugin:
        return args.worker_group, args.group or args.cluster
    if args.group and args.worker_group and args.group != args.worker_group:
        raise WrongUse(f"Two groups are named: {args.group} and {args.worker_group}.", hint="Name one.")
    return args.group or args.worker_group, args.cluster


def _line(args: Args, before: Cluster, after: Cluster, name: str) -> str:
    """What changed, in our words or, behind its own command words, in the other plugin's."""
    old, new = before.group(name), after.group(name)
    numbers = [
        ("replicas", old.replicas, new.replicas, args.replicas),
        ("minReplicas", old.minimum, new.minimum, args.min_replicas),
        ("maxReplicas", old.maximum, new.maximum, args.max_replicas),
    ]
    # Where no autoscaler does, the limits move the number with them.
    along = None if after.autoscaling else "replicas"
    moved = [
        (word, was, now) for word, was, now, asked in numbers if was != now and (asked is not None or word == along)
    ]
    dry = TRIED[args.dry_run]
    where = f"worker group {name} in Ray cluster {after.name} in namespace {after.namespace}"
    if args.other_plugin:
        if not moved:
            return f"{where[0].upper()}{where[1:]} already matches the requested configuration. Skipping."
        return f"Updated {where} ({', '.join(f'Scaled {word}: {was} to {now}' for word, was, now in moved)}){dry}"
    if not moved:
        return f"{name} of {after.name} is like that already: nothing to change{dry}."
    ours = {"replicas": "workers", "minReplicas": "least", "maxReplicas": "most"}
    changes = ", ".join(f"{ours[word]} {_said(was)} → {_said(now)}" for word, was, now in moved)
    return f"{name} of {after.name}: {changes}{dry}"


def _said(limit: int) -> str:
    return "no limit" if limit == NO_MAXIMUM else str(limit)


def _autoscaler(args: Args, after: Cluster, group: Group) -> Iterator[str]:
    """What an autoscaler will do to the number; it, not the user, decides between the limits."""
    if not after.autoscaling or args.replicas is None:
        return
    now = after.group(group.name)
    if args.replicas < group.replicas:
        yield (
            f"An autoscaler runs {after.name}: it stops workers only when they are idle, so lowering the number does "
            f"nothing by itself. To have fewer:  --max-replicas={args.replicas}"
        )
    elif args.replicas > now.minimum:
        yield (
            f"An autoscaler runs {after.name}: it takes idle workers away again, down to {now.minimum}. "
            f"To keep them:  --min-replicas={args.replicas}"
        )


def _comes(after: Cluster, before: Group) -> bool:
    """Can the number come by waiting? Not on a suspended cluster, and with an autoscaler only upwards."""
    now = after.group(before.name)
    if after.suspended or now.suspended:
        return False
    return not after.autoscaling or now.desired > before.desired
