"""Add a group of workers to a Ray cluster, and wait until they are ready.

Image and Ray version are copied from the cluster, so that workers and head always fit together.
"""

from __future__ import annotations

from kubectl_ray.commands.cluster.writing import answer, changed, ending, sized
from kubectl_ray.errors import AlreadyExists
from kubectl_ray.flags.group_shape import GroupFlags, add_group_flags, group_shape_from
from kubectl_ray.flags.names import add_cluster_flag, add_group_argument
from kubectl_ray.flags.output import TRIED, add_writing
from kubectl_ray.flags.ownership import add_force_owned, refuse_owned
from kubectl_ray.flags.waiting import add_waiting
from kubectl_ray.flows import find
from kubectl_ray.manifests import change
from kubectl_ray.manifests.checks import check_cluster
from kubectl_ray.manifests.cluster import worker_group
from kubectl_ray.models.cluster import Cluster
from kubectl_ray.results import IfInterrupted, Note
from kubectl_ray.views.summary import group_in_words
from kubectl_ray.views.text import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import Any

    from kubectl_ray.context import Context
    from kubectl_ray.results import Event

EXAMPLES = """
  # Ten workers without GPUs beside the ones there are
  kubectl ray cluster worker-group create cpu-pool --cluster my-cluster \\
    --worker-replicas=10 --worker-cpus=8 --worker-memory=32GB
"""


class Args(GroupFlags):
    """`kubectl ray cluster worker-group create GROUP --cluster NAME --worker-replicas N …`."""

    cluster: str | None
    dry_run: str
    output: str | None
    wait: bool
    timeout: float
    force_owned: bool
    other_plugin: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The new group's name, its cluster, and the shape of its workers."""
    add_group_argument(parser, new=True)
    add_cluster_flag(parser)
    add_group_flags(parser)
    add_force_owned(parser)
    add_writing(parser)
    add_waiting(parser)


def run(ctx: Context, args: Args) -> Iterator[Event]:
    """Append the group to the cluster, then wait for its workers.

    Raises:
        NotFound: no such cluster.
        AlreadyExists: the cluster has a group of this name.
        WrongUse: the operator would refuse the result.
    """
    seen = find.cluster(ctx.api, args.cluster, ctx.namespace)
    before = Cluster(seen)
    refuse_owned(before, args.force_owned, verb="change")
    if args.cluster is None:
        yield Note(f"Adding {args.group} to Ray cluster {before.name}.")

    def decide(raw: dict[str, Any]) -> list[dict[str, Any]]:
        now = Cluster(raw)
        if args.group in {group.name for group in now.groups}:
            raise AlreadyExists(
                f"Ray cluster {now.name} has a worker group {args.group} already; it was not touched.",
                hint=f"Change its size:  kubectl ray cluster scale {args.group} --cluster {now.name} --replicas=N",
            )
        operations = change.add_group(raw, worker_group(group_shape_from(args, now)))
        check_cluster(change.applied(raw, operations))
        return operations

    after_raw = changed(ctx, args, seen, decide)
    after = Cluster(after_raw)
    yield answer(args, after_raw, _line(args, after))
    group = after.group(args.group)
    yield Note(group_in_words(group))
    if args.dry_run != "none" or not args.wait or after.suspended:
        return
    look = f"kubectl ray cluster get {after.name} -n {ctx.namespace}"
    yield IfInterrupted(f"{args.group} is still being made. Look at it:  {look}")
    yield from sized(ctx, args, after, args.group)
    if not args.other_plugin:
        yield ending(args, f"{args.group} has {count(group.desired, 'worker')}, all ready.")


def _line(args: Args, after: Cluster) -> str:
    dry = TRIED[args.dry_run]
    if args.other_plugin:
        return f"Updated Ray cluster {after.namespace}/{after.name} with new worker group{dry}"
    return f"Worker group {args.group} added to Ray cluster {after.name}{dry}."
