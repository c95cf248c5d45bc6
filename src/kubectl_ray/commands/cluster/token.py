"""Print the token that a Ray cluster with token authentication asks for.

Its dashboard asks for it on the first visit; the ray program and jobs read it from RAY_AUTH_TOKEN, beside
RAY_AUTH_MODE=token. It is the token in the cluster's own Secret: whoever has it can run anything in the cluster.
"""

from __future__ import annotations

import argparse

from kubectl_ray.flags.names import add_cluster_argument
from kubectl_ray.flows import find, token
from kubectl_ray.models.cluster import Cluster
from kubectl_ray.results import Line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubectl_ray.context import Context

EXAMPLES = """
  kubectl ray cluster token my-cluster

  # For the ray program in this shell, beside RAY_AUTH_MODE=token
  export RAY_AUTH_TOKEN=$(kubectl ray cluster token my-cluster)
"""


class Args(argparse.Namespace):
    """`kubectl ray cluster token NAME`."""

    name: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The cluster; it need not be named when the namespace has only one."""
    add_cluster_argument(parser, nargs="?")


def run(ctx: Context, args: Args) -> Line:
    """The token, nothing else.

    Raises:
        NotFound: no such cluster (the hint names the near ones), or it has no token.
        NotAllowed: the login may not read the Secret.
    """
    return Line(token.of_secret(ctx.api, Cluster(find.cluster(ctx.api, args.name, ctx.namespace))))
