"""List the worker groups of a Ray cluster, or of all: ready and desired workers, limits, what they reserve."""

from __future__ import annotations

import argparse

from kubectl_ray.commands.cluster.reading import in_order, in_words, sorter, where
from kubectl_ray.errors import NotFound, WrongUse
from kubectl_ray.flags.names import add_cluster_flag, add_group_argument
from kubectl_ray.flags.output import add_reading
from kubectl_ray.flows import find, inventory
from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.near import suggestion
from kubectl_ray.models.pod import RAY_PODS
from kubectl_ray.models.resources import PODS, RAYCLUSTERS
from kubectl_ray.results import Line, Objects, Rows
from kubectl_ray.views import worker_groups as view

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_ray.context import Context
    from kubectl_ray.flags.output import Output
    from kubectl_ray.results import Event

EXAMPLES = """
  # The groups of one cluster; of all clusters of all namespaces
  kubectl ray cluster worker-group list --cluster my-cluster
  kubectl ray cluster worker-group list -A
"""


class Args(argparse.Namespace):
    """`kubectl ray cluster worker-group list [GROUP] [--cluster NAME]`."""

    group: str | None
    cluster: str | None
    all_namespaces: bool
    output: Output
    sort_by: str
    show_labels: bool
    other_plugin: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and how they are shown."""
    add_group_argument(parser, optional=True, help="only the groups of this name")
    add_cluster_flag(parser, help="only the groups of this Ray cluster")
    add_reading(parser, watch=False, selectors=False)


def run(ctx: Context, args: Args) -> Event | Iterator[Event]:
    """Rows of groups; with `-o json` and the like the groups as they stand in their clusters' specs.

    Raises:
        NotFound: no such cluster or group; the hint names the near ones.
    """
    namespace = where(ctx, args)
    if args.other_plugin and args.output.is_table:
        return _as_other_plugin(ctx, args, namespace)
    if args.cluster and args.all_namespaces:
        raise WrongUse("A cluster's name belongs to one namespace.", "Leave -A or --cluster away.")
    if args.cluster:
        clusters = [Cluster(find.cluster(ctx.api, args.cluster, namespace))]
    else:
        clusters = [Cluster(raw) for raw in ctx.api.list(RAYCLUSTERS, namespace)]
    if not clusters:
        find.check_namespace(ctx.api, namespace)
    names = [group.name for cluster in clusters for group in cluster.groups]
    if args.group and args.group not in names:
        raise NotFound(
            f"There is no worker group {args.group} {in_words(namespace)}.",
            suggestion(args.group, names) or "See which there are:  kubectl ray cluster worker-group list",
        )
    key = sorter(args.sort_by)
    found = [(cluster, group) for cluster in clusters for group in cluster.groups if args.group in {None, group.name}]
    groups = in_order([(key(group.raw), (cluster, group)) for cluster, group in found], args.sort_by)
    if args.output.format == "name":
        # Kubernetes has no such objects, so nothing tells their kind.
        return (Line(f"workergroup/{group.name}") for _cluster, group in groups)
    if not args.output.is_table:
        return Objects(group.raw for _cluster, group in groups)
    counts = inventory.counts(ctx.api, namespace) if names else inventory.Counts(None)
    return Rows(
        view.columns(all_namespaces=args.all_namespaces, show_labels=args.show_labels),
        [
            view.Row(cluster, group, counts.of(cluster.namespace, cluster.name), denied=counts.no_right)
            for cluster, group in groups
        ],
        empty=f"There are no worker groups {in_words(namespace)}.",
    )


def _as_other_plugin(ctx: Context, args: Args, namespace: str) -> Rows:
    """The Go plugin's columns, and its words for a name that does not exist."""
    from kubectl_ray.models.pod import Pod
    from kubectl_ray.views import other_plugin

    fields = f"metadata.name={args.cluster}" if args.cluster else ""
    clusters = [Cluster(raw) for raw in ctx.api.list(RAYCLUSTERS, namespace, field_selector=fields)]
    pods = ctx.api.list(PODS, namespace, label_selector=RAY_PODS) if clusters else ()
    ready = other_plugin.ready_by_group(Pod(raw) for raw in pods)
    rows = [row for cluster in clusters for row in other_plugin.group_rows(cluster, ready, args.group)]
    if args.group and not rows:
        raise NotFound(
            other_plugin.group_not_found(args.group, namespace, args.cluster),
            suggestion(args.group, (group.name for cluster in clusters for group in cluster.groups))
            or f"See which there are:  kubectl ray get workergroups{f' -n {namespace}' if namespace else ' -A'}",
        )
    return Rows(other_plugin.group_columns(all_namespaces=args.all_namespaces), rows, headers_when_empty=True)
