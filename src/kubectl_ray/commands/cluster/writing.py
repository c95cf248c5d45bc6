"""What the writing commands share: a change made or only tried, how it is told, and the wait for its workers."""

from __future__ import annotations

from kubectl_ray.flows import wait
from kubectl_ray.flows.change import patched
from kubectl_ray.manifests import change
from kubectl_ray.models.cluster import Cluster
from kubectl_ray.results import Line, Note, Objects

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from typing import Any

    from kubectl_ray.context import Context
    from kubectl_ray.results import Event, Progress


def changed(
    ctx: Context,
    args: argparse.Namespace,
    seen: dict[str, Any],
    decide: Callable[[dict[str, Any]], list[dict[str, Any]]],
) -> dict[str, Any]:
    """The cluster as `decide`'s JSON patch leaves it, by the API server or, for a client dry run, by ourselves."""
    if args.dry_run == "client":
        return change.applied(seen, decide(seen))
    name = Cluster(seen).name
    return patched(ctx.api, name, ctx.namespace, decide, seen=seen, dry_run=args.dry_run == "server")


def answer(args: argparse.Namespace, raw: dict[str, Any], line: str) -> Event:
    """The object where `-o` asks for it, else the line."""
    return Objects([raw], single=True) if args.output else Line(line)


def ending(args: argparse.Namespace, line: str) -> Event:
    """What the end of a wait is told by: behind `-o json` stdout holds the object alone."""
    return Note(line) if args.output else Line(line)


def sized(ctx: Context, args: argparse.Namespace, cluster: Cluster, group: str) -> Iterator[Progress]:
    """Wait until this group of the cluster, as it was just written, has its workers."""
    return wait.until_group_sized(
        ctx.api,
        cluster.name,
        ctx.namespace,
        group,
        generation=cluster.generation,
        timeout=args.timeout,
        clock=ctx.monotonic,
    )
