"""List the nodes of Ray clusters: the head and the workers, each with its state and what it reserves."""

from __future__ import annotations

import argparse
from itertools import chain

from kubectl_ray.commands.cluster.reading import in_order, in_words, keep_showing, objects, sorter, where
from kubectl_ray.errors import NotFound
from kubectl_ray.flags.names import add_cluster_argument, add_cluster_flag
from kubectl_ray.flags.output import add_reading
from kubectl_ray.flows import find
from kubectl_ray.models.pod import RAY_PODS, Pod
from kubectl_ray.models.resources import PODS
from kubectl_ray.results import Rows
from kubectl_ray.views import nodes as view

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from kubectl_ray.context import Context
    from kubectl_ray.flags.output import Output
    from kubectl_ray.results import Event

EXAMPLES = """
  # Head and workers of one cluster
  kubectl ray cluster nodes my-cluster

  # Of all clusters of the namespace, with the machines they run on
  kubectl ray cluster nodes -o wide
"""


class Args(argparse.Namespace):
    """`kubectl ray cluster nodes [NAME]`; behind the Go plugin's words NAME is a node's, and -c the cluster's."""

    name: str | None
    cluster: str | None
    all_namespaces: bool
    selector: str
    field_selector: str
    output: Output
    watch: bool
    sort_by: str
    show_labels: bool
    other_plugin: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and how they are shown."""
    add_cluster_argument(parser, nargs="?")
    add_cluster_flag(parser, help="the Ray cluster, another way to name it")
    add_reading(parser)


def run(ctx: Context, args: Args) -> Event | Iterator[Event]:
    """Rows of nodes, or the pods themselves.

    Raises:
        NotFound: no such cluster; the hint names the near ones.
    """
    namespace = where(ctx, args)
    cluster, node = (args.cluster, args.name) if args.other_plugin else (args.name or args.cluster, None)
    labels = ",".join(filter(None, (RAY_PODS, cluster and f"ray.io/cluster={cluster}", args.selector)))
    fields = ",".join(filter(None, (node and f"metadata.name={node}", args.field_selector)))
    if args.watch:
        return _watched(ctx, args, namespace, labels, fields, cluster)
    found = ctx.api.list(PODS, namespace, label_selector=labels, field_selector=fields)
    if not args.output.is_table:
        return objects(args, _some(ctx, found, cluster, namespace))
    if args.other_plugin:
        return _as_other_plugin(ctx, args, namespace, (Pod(raw) for raw in found))
    key = sorter(args.sort_by)
    pairs = [(key(raw), view.Row(Pod(raw), ctx.now())) for raw in found]
    rows = in_order(pairs, args.sort_by)
    if not args.sort_by:
        rows.sort(key=view.order)
    if not rows and cluster and namespace:
        find.cluster(ctx.api, cluster, namespace)
    elif not rows:
        find.check_namespace(ctx.api, namespace)
    return Rows(
        view.columns(
            all_namespaces=args.all_namespaces, several_clusters=cluster is None, show_labels=args.show_labels
        ),
        rows,
        empty=f"There are no Ray nodes {in_words(namespace)}{f' of Ray cluster {cluster}' if cluster else ''}.",
    )


def _some(
    ctx: Context, found: Iterable[dict[str, Any]], cluster: str | None, namespace: str
) -> Iterator[dict[str, Any]]:
    """The same pods; where there is not one, make sure that the cluster they were asked of exists."""
    pods = iter(found)
    for first in pods:
        return chain((first,), pods)
    if cluster and namespace:
        find.cluster(ctx.api, cluster, namespace)
    return pods


def _watched(
    ctx: Context, args: Args, namespace: str, labels: str, fields: str, cluster: str | None
) -> Iterator[Event]:
    def frames() -> Iterator[list[tuple[dict[str, Any], view.Row]]]:
        there: dict[tuple[str, str], dict[str, Any]] = {}
        for kind, what in ctx.api.list_and_watch(PODS, namespace, label_selector=labels, field_selector=fields):
            if kind == "LISTED":
                _some(ctx, what, cluster, namespace)
                there = {_place(raw): raw for raw in what}
            elif kind == "DELETED":
                there.pop(_place(what), None)
            else:
                there[_place(what)] = what
            frame = [(raw, view.Row(Pod(raw), ctx.now())) for raw in there.values()]
            yield sorted(frame, key=lambda pair: view.order(pair[1]))

    columns = view.columns(
        all_namespaces=args.all_namespaces, several_clusters=cluster is None, show_labels=args.show_labels
    )
    return keep_showing(args, columns, frames())


def _place(raw: dict[str, Any]) -> tuple[str, str]:
    pod = Pod(raw)
    return pod.namespace, pod.name


def _as_other_plugin(ctx: Context, args: Args, namespace: str, pods: Iterator[Pod]) -> Rows:
    """The Go plugin's columns, and its words for a name that does not exist."""
    from kubectl_ray.views import other_plugin

    rows = [other_plugin.NodeRow(pod, ctx.now()) for pod in pods]
    if args.name and not rows:
        raise NotFound(
            other_plugin.node_not_found(args.name, namespace, args.cluster),
            f"See which there are:  kubectl ray get nodes{f' -n {namespace}' if namespace else ' -A'}",
        )
    return Rows(other_plugin.node_columns(all_namespaces=args.all_namespaces), rows, headers_when_empty=True)
