"""What `list` and `get` share: the clusters that labels and fields choose, as rows, as objects, or watched."""

from __future__ import annotations

import argparse

from kubectl_ray.commands.cluster.reading import in_order, in_words, keep_showing, objects, sorter, where
from kubectl_ray.flags.output import add_reading
from kubectl_ray.flows import find, inventory
from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.resources import RAYCLUSTERS
from kubectl_ray.results import Rows
from kubectl_ray.views import clusters as view

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from kubectl_ray.context import Context
    from kubectl_ray.flags.output import Output
    from kubectl_ray.results import Event


class Chosen(argparse.Namespace):
    """Which clusters, and how they are shown."""

    all_namespaces: bool
    selector: str
    field_selector: str
    mine: bool
    output: Output
    watch: bool
    sort_by: str
    show_labels: bool


def add_chosen(parser: argparse.ArgumentParser) -> None:
    """Add all of `Chosen`."""
    parser.add_argument("--mine", action="store_true", help="only the ones that I created")
    add_reading(parser)


def chosen(ctx: Context, args: Chosen) -> Event | Iterator[Event]:
    """Rows of clusters, or the objects themselves."""
    namespace = where(ctx, args)
    labels = selector(ctx, args)
    if args.watch:
        return watched(ctx, args, namespace, labels, args.field_selector)
    if not args.output.is_table:
        found = ctx.api.list(RAYCLUSTERS, namespace, label_selector=labels, field_selector=args.field_selector)
        return objects(args, found)
    return _table(ctx, args, namespace, labels)


def selector(ctx: Context, args: Chosen) -> str:
    """The labels asked for; `--mine` is one of them."""
    if not args.mine:
        return args.selector
    from kubectl_ray.flows.creator import mine

    return ",".join(filter(None, (args.selector, mine(ctx.api))))


def _table(ctx: Context, args: Chosen, namespace: str, labels: str) -> Rows:
    """The rows, from at most two LISTs."""
    now = ctx.now()
    key = sorter(args.sort_by)

    def make(raw: dict[str, Any]) -> tuple[Any, view.Row]:
        return key(raw), view.Row(Cluster(raw), now)

    found, counts = inventory.clusters(
        ctx.api, namespace, make, label_selector=labels, field_selector=args.field_selector
    )
    rows = in_order(found, args.sort_by)
    count_in(rows, counts)
    if not rows:
        find.check_namespace(ctx.api, namespace)
    like_that = " that are like that" if labels or args.field_selector else ""
    return Rows(
        view.columns(all_namespaces=args.all_namespaces, show_labels=args.show_labels),
        rows,
        empty=f"There are no Ray clusters {in_words(namespace)}{like_that}.",
    )


def count_in(rows: Iterable[view.Row], counts: inventory.Counts) -> None:
    """Tell the rows how many of their pods are ready, or that nobody may know."""
    for row in rows:
        row.count = counts.of(row.namespace, row.name)
        row.denied = counts.no_right


def watched(ctx: Context, args: Chosen, namespace: str, labels: str, fields: str) -> Iterator[Event]:
    """The rows, and from then on each row that changes."""
    from kubectl_ray.flows.observe import views
    from kubectl_ray.models.health import count_pods

    def frames() -> Iterator[list[tuple[dict[str, Any], view.Row]]]:
        for seen in views(ctx.api, namespace, label_selector=labels, field_selector=fields):
            found = None if seen.no_right_to_pods else count_pods(seen.pods)
            frame = [(raw, view.Row(Cluster(raw), ctx.now())) for raw in seen.clusters]
            count_in((row for _raw, row in frame), inventory.Counts(found, no_right=seen.no_right_to_pods))
            yield frame

    columns = view.columns(all_namespaces=args.all_namespaces, show_labels=args.show_labels)
    return keep_showing(args, columns, frames())
