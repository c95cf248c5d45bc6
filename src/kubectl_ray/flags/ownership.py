"""`--force-owned`: change a cluster behind the back of what owns it, which is refused otherwise."""

from __future__ import annotations

from kubectl_ray.errors import WrongUse

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from kubectl_ray.models.cluster import Cluster


def add_force_owned(parser: argparse.ArgumentParser) -> None:
    """Adds the flag."""
    parser.add_argument(
        "--force-owned", action="store_true", help="insist, though a RayJob, RayService or Kueue owns the cluster"
    )


def refuse_owned(cluster: Cluster, force: bool, *, verb: str) -> None:
    """Raise WrongUse, naming the owner and the right command, when something else owns the cluster.

    The kubectl commands are named because the owner may be of a kind that this plugin does not change.
    """
    if force or cluster.owner is None:
        return
    kind, name = cluster.owner
    if kind == "Kueue":
        raise WrongUse(
            f"Kueue manages Ray cluster {cluster.name} (queue {name}); it was not touched.",
            hint=f"Ask whoever runs the queue, or insist:  --force-owned to {verb} it all the same",
        )
    doing = "Delete" if verb == "delete" else "Change"
    right = f"kubectl delete {kind.lower()} {name}" if verb == "delete" else f"kubectl edit {kind.lower()} {name}"
    raise WrongUse(
        f"Ray cluster {cluster.name} belongs to {kind} {name}, which would undo this; it was not touched.",
        hint=f"{doing} its owner:  {right} -n {cluster.namespace}\nor insist with --force-owned",
    )
