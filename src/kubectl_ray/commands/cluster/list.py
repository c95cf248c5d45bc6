"""List the Ray clusters of a namespace, or of all.

STATUS and WORKERS (ready/desired) are counted from what runs now; CPUS, GPUS, TPUS and MEMORY are what the head and all
desired workers reserve. Beyond 300 clusters nothing is counted, and a status is shown only where it is trustworthy.
"""

from __future__ import annotations

from kubectl_ray.commands.cluster.clusters import Chosen, add_chosen, chosen

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from kubectl_ray.context import Context
    from kubectl_ray.results import Event

EXAMPLES = """
  # All Ray clusters of your namespace; then of all namespaces
  kubectl ray cluster list
  kubectl ray cluster list -A

  # Only the ones that I created, and every change from now on
  kubectl ray cluster list --mine --watch
"""


class Args(Chosen):
    """`kubectl ray cluster list`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and how they are shown."""
    add_chosen(parser)


def run(ctx: Context, args: Args) -> Event | Iterator[Event]:
    """Rows of clusters, or the objects themselves."""
    return chosen(ctx, args)
