"""A cluster or a group in a line: what was sent, and what a deletion takes away."""

from __future__ import annotations

from kubectl_ray.views.text import clean, count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_ray.models.cluster import Cluster
    from kubectl_ray.models.worker_group import Group

SHOWN_JOBS = 3


def in_words(cluster: Cluster) -> Iterator[str]:
    """What a cluster is made of: a line for Ray and its image, one for the head, one for each group."""
    yield f"  Ray {cluster.ray_version}, image {cluster.image}"
    yield f"  head: {cluster.head_sizes}"
    for group in cluster.groups:
        yield f"  {group_in_words(group)}"


def group_in_words(group: Group) -> str:
    """One group: how many workers, and what each has."""
    limits = f", between {group.minimum} and {group.maximum}" if group.bounded else ""
    return f"{group.name}: {count(group.desired, 'worker')}{limits}, each {group.each}"


def what_goes(cluster: Cluster, jobs: Sequence[str] | None, *, me: str) -> str:
    """What a deletion takes away; `jobs` are those that run there, None where they cannot be asked for.

    `me` is the login's name: a cluster that somebody else created is said to be theirs.
    """
    gpus, tpus = cluster.sizes.gpus, cluster.sizes.tpus
    parts = [count(cluster.desired_workers, "worker")]
    devices = ((gpus, "GPU"), (tpus, "TPU"))
    parts += [f"{number} {word}{'' if number == '1' else 's'}" for number, word in devices if number != "0"]
    text = f"Ray cluster {cluster.name}: the head and {', '.join(parts)}"
    if cluster.suspended:
        text += " (suspended)"
    if jobs:
        more = f", and {len(jobs) - SHOWN_JOBS} more" if len(jobs) > SHOWN_JOBS else ""
        text += f"; running jobs end: {', '.join(jobs[:SHOWN_JOBS])}{more}"
    if cluster.creator and me and cluster.creator != me:
        text += f" (created by {cluster.creator})"
    return clean(text)
