"""The flags of a worker group that is added to a cluster, and its shape: the workers' flags, the rest the cluster's."""

from __future__ import annotations

from kubectl_ray.errors import WrongUse
from kubectl_ray.flags.workers import WorkerFlags, add_worker_flags, workers_from
from kubectl_ray.manifests import defaults, read
from kubectl_ray.manifests.checks import check_group_name
from kubectl_ray.manifests.shape import Surroundings
from kubectl_ray.models.fields import dig, mapping, mappings, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from kubectl_ray.manifests.shape import GroupShape
    from kubectl_ray.models.cluster import Cluster


class GroupFlags(WorkerFlags):
    """What was said of the new group; `group`, its name, is the command's own argument."""

    group: str
    ray_version: str | None
    image: str | None
    idle_timeout: str | None


def add_group_flags(parser: argparse.ArgumentParser) -> None:
    """Add all of `GroupFlags` but the name."""
    workers = add_worker_flags(parser)
    workers.add_argument("--ray-version", metavar="VERSION", help="Ray's version (the cluster's, always)")
    workers.add_argument("--image", metavar="IMAGE", help="the container image (default the cluster's)")
    workers.add_argument(
        "--worker-idle-timeout",
        "--idle-timeout",
        dest="idle_timeout",
        metavar="TIME",
        help="take a worker away after so long without work (autoscaler v2): 60s, 5m",
    )


def group_shape_from(args: GroupFlags, cluster: Cluster) -> GroupShape:
    """The shape of a group that is added to a cluster; image and surroundings are the cluster's own.

    Raises:
        WrongUse: a value cannot be meant like this.
    """
    group = workers_from(args)
    group.name = args.group
    check_group_name(group.name)
    group.autoscaling = cluster.autoscaling
    if args.idle_timeout is not None:
        group.idle_timeout = read.seconds(args.idle_timeout, "--worker-idle-timeout")
    version = args.ray_version
    if version and cluster.ray_version and version != cluster.ray_version and not args.image:
        raise WrongUse(
            f"Ray cluster {cluster.name} runs Ray {cluster.ray_version}; workers of Ray {version} cannot join it.",
            "Leave --ray-version away: the version is taken from the cluster.",
        )
    group.surroundings = _surroundings_of(cluster)
    group.surroundings.image = args.image or group.surroundings.image
    return group


def _surroundings_of(cluster: Cluster) -> Surroundings:
    """What the pods of a cluster have in common, read off its head (an account also off its first group)."""
    surroundings = Surroundings()
    template = mapping(dig(cluster.spec, "headGroupSpec", "template", "spec"))
    surroundings.image = cluster.image or defaults.image_of(cluster.ray_version or defaults.RAY_VERSION)
    surroundings.service_account = text(template.get("serviceAccountName")) or None
    if cluster.groups:
        template = cluster.groups[0].template
        surroundings.service_account = text(template.get("serviceAccountName")) or None
    names = [text(secret.get("name")) for secret in mappings(template.get("imagePullSecrets"))]
    surroundings.image_pull_secrets = [name for name in names if name]
    return surroundings
