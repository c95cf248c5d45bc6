"""Show one Ray cluster, several, or all of the namespace, as rows or as Kubernetes objects.

The rows are those of `cluster list`; `cluster describe NAME` shows one cluster on a page.
"""

from __future__ import annotations

from kubectl_ray.commands.cluster.clusters import Chosen, add_chosen, chosen, count_in, selector, watched
from kubectl_ray.commands.cluster.reading import objects, where
from kubectl_ray.errors import NotFound, WrongUse
from kubectl_ray.flags.names import add_cluster_argument
from kubectl_ray.flows import find, inventory
from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.resources import RAYCLUSTERS
from kubectl_ray.results import Rows
from kubectl_ray.views import clusters as view

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from kubectl_ray.context import Context
    from kubectl_ray.results import Event

EXAMPLES = """
  # One cluster; its Kubernetes object as YAML
  kubectl ray cluster get my-cluster
  kubectl ray cluster get my-cluster -o yaml
"""


class Args(Chosen):
    """`kubectl ray cluster get [NAME…]`."""

    names: list[str]
    other_plugin: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and how they are shown."""
    add_cluster_argument(parser, dest="names", nargs="*")
    add_chosen(parser)


def run(ctx: Context, args: Args) -> Event | Iterator[Event]:
    """Rows of the clusters named, or of all.

    Raises:
        NotFound: one of the names does not exist; the hint names the near ones.
    """
    if args.other_plugin and args.output.is_table and not args.watch:
        return _as_other_plugin(ctx, args)
    if not args.names:
        return chosen(ctx, args)
    if args.selector or args.field_selector or args.mine:
        raise WrongUse("A name and -l, --field-selector or --mine do not go together.", "Say one or the other.")
    if args.all_namespaces:
        raise WrongUse("A name belongs to one namespace.", "Leave -A away, or find it:  kubectl ray cluster list -A")
    namespace = ctx.namespace
    if args.watch:
        if len(args.names) > 1:
            raise WrongUse("Only one cluster, or all, can be watched.", "Name one.")
        find.cluster(ctx.api, args.names[0], namespace)
        return watched(ctx, args, namespace, "", f"metadata.name={args.names[0]}")
    found = [find.cluster(ctx.api, name, namespace) for name in dict.fromkeys(args.names)]
    if not args.output.is_table:
        return objects(args, found, single=len(found) == 1)
    rows = [view.Row(Cluster(raw), ctx.now()) for raw in found]
    theirs = f"ray.io/cluster in ({','.join(row.name for row in rows)})"
    counts = inventory.counts(ctx.api, namespace, selector=theirs)
    count_in(rows, counts)
    return Rows(view.columns(show_labels=args.show_labels), rows)


def _as_other_plugin(ctx: Context, args: Args) -> Rows:
    """The Go plugin's columns, and its words for a name that does not exist."""
    from kubectl_ray.views import other_plugin

    if len(args.names) > 1:
        raise WrongUse("Only one name can be given here.", "Several:  kubectl ray cluster get NAME NAME")
    namespace = where(ctx, args)
    fields = f"metadata.name={args.names[0]}" if args.names else args.field_selector
    found = ctx.api.list(RAYCLUSTERS, namespace, label_selector=selector(ctx, args), field_selector=fields)
    rows = [other_plugin.ClusterRow(Cluster(raw), ctx.now()) for raw in found]
    if args.names and not rows:
        hint = find.missing(ctx.api, args.names[0], namespace).hint
        raise NotFound(other_plugin.cluster_not_found(args.names[0], namespace), hint)
    return Rows(other_plugin.CLUSTER_COLUMNS, rows, headers_when_empty=True)
