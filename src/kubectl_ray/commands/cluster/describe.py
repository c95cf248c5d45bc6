"""All about one Ray cluster on a page: head and workers, what they reserve, addresses, events, next steps."""

from __future__ import annotations

import argparse

from kubectl_ray.diagnose.pods import why
from kubectl_ray.errors import NotAllowed, NotLoggedIn
from kubectl_ray.flags.names import add_cluster_argument
from kubectl_ray.flows import find
from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.event import Event as ClusterEvent
from kubectl_ray.models.pod import Pod
from kubectl_ray.models.resources import EVENTS, PODS
from kubectl_ray.results import Page
from kubectl_ray.views.describe import page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from kubectl_ray.context import Context
    from kubectl_ray.models.resources import Resource

    T = TypeVar("T")

EXAMPLES = """
  kubectl ray cluster describe my-cluster
"""


class Args(argparse.Namespace):
    """`kubectl ray cluster describe NAME`."""

    name: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The cluster; it need not be named when the namespace has only one."""
    add_cluster_argument(parser, nargs="?")


def run(ctx: Context, args: Args) -> Page:
    """The page.

    Raises:
        NotFound: no such cluster; the hint names the near ones.
    """
    namespace = ctx.namespace
    cluster = Cluster(find.cluster(ctx.api, args.name, namespace))
    pods = _listed(ctx, PODS, namespace, Pod, labels=f"ray.io/cluster={cluster.name}")
    events = _listed(ctx, EVENTS, namespace, ClusterEvent)
    return Page(page(cluster, pods, events, ctx.now(), why))


def _listed(
    ctx: Context, resource: Resource, namespace: str, make: Callable[[dict[str, Any]], T], *, labels: str = ""
) -> list[T] | None:
    """The objects, or None where the login may not list them."""
    try:
        return [make(raw) for raw in ctx.api.list(resource, namespace, label_selector=labels)]
    except NotLoggedIn:
        raise
    except NotAllowed:
        return None
