"""The flags that say what a cluster is to be, and how flags and a config file become one shape.

Flags have two spellings where the Go plugin's differs from ours (`--worker-cpus`, `--worker-cpu`). None of a shape's
flags has a default: what was not said is None, so that a flag overrides the file and the file overrides the defaults.
"""

from __future__ import annotations

from kubectl_ray.errors import WrongUse
from kubectl_ray.flags.head import HeadFlags, add_head_flags, head_from
from kubectl_ray.flags.names import completes, offers
from kubectl_ray.flags.pod import KEY_VALUES, key_values
from kubectl_ray.flags.workers import WorkerFlags, add_worker_flags, workers_from
from kubectl_ray.manifests import defaults, read
from kubectl_ray.manifests.shape import GroupShape, Shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


class ClusterFlags(HeadFlags, WorkerFlags):
    """What was said of the cluster; `name` is the command's own argument."""

    name: str | None
    file: str | None
    ray_version: str | None
    image: str | None
    labels: list[str] | None
    annotations: list[str] | None
    service_account: str | None
    image_pull_secrets: list[str] | None
    env: list[str] | None
    autoscaler: str | None
    idle_timeout: str | None


def add_cluster_flags(parser: argparse.ArgumentParser) -> None:
    """Add all of `ClusterFlags` but the name."""
    group = parser.add_argument_group("Cluster")
    completes(
        group.add_argument(
            "-f", "--file", "--filename", dest="file", metavar="FILE", help="read the shape from a YAML file; flags win"
        ),
        "file",
    )
    group.add_argument("--ray-version", metavar="VERSION", help=f"Ray's version (default {defaults.RAY_VERSION})")
    group.add_argument(
        "--image", metavar="IMAGE", help=f"the container image (default {defaults.IMAGE_REPOSITORY}:VERSION)"
    )
    group.add_argument(
        "--labels", "--label", dest="labels", action="append", metavar=KEY_VALUES, help="labels of the cluster"
    )
    group.add_argument(
        "--annotations",
        "--annotation",
        dest="annotations",
        action="append",
        metavar=KEY_VALUES,
        help="annotations of it",
    )
    group.add_argument("--service-account", metavar="NAME", help="the service account that its pods run as")
    group.add_argument(
        "--image-pull-secret",
        "--image-pull-secrets",
        dest="image_pull_secrets",
        action="append",
        metavar="NAME",
        help="the Secret to pull the image with; can be given several times",
    )
    group.add_argument(
        "--env",
        action="append",
        metavar="NAME=VALUE",
        help="an environment variable of head and workers; several times",
    )
    scaling = parser.add_argument_group("Autoscaling")
    offers(
        scaling.add_argument(
            "--autoscaler",
            nargs="?",
            const="default",
            metavar="v1|v2",
            help="workers come and go with the load; without a value Ray decides which version",
        ),
        ("v1", "v2", "true", "false"),
    )
    scaling.add_argument(
        "--idle-timeout", metavar="TIME", help="take a worker away after so long without work: 60s, 5m"
    )
    add_head_flags(parser)
    add_worker_flags(parser)


def shape_from(args: ClusterFlags, file_text: str | None = None) -> Shape:
    """The shape that flags and file describe together; flags win.

    Raises:
        WrongUse: a value cannot be meant like this, or the two contradict each other.
    """
    shape = _from_file(file_text) if file_text is not None else Shape()
    _name(shape, args.name)
    shape.override(_said(args))
    workers = workers_from(args)
    if workers.values():
        if len(shape.groups) > 1:
            flags = "flags of workers (--worker-…, --num-of-hosts)"
            raise WrongUse(
                f"The file has {len(shape.groups)} worker groups; nobody can say which one the {flags} are for.",
                "Change the groups in the file.",
            )
        shape.groups = shape.groups or [GroupShape()]
        shape.groups[0].override(workers)
    _check_autoscaling(shape)
    return shape


def _from_file(file_text: str) -> Shape:
    from kubectl_ray.flags.yaml_file import parsed
    from kubectl_ray.manifests.config_file import shape_of

    return shape_of(parsed(file_text))


def _name(shape: Shape, name: str | None) -> None:
    if name and shape.name and shape.name != name:
        raise WrongUse(
            f"The cluster is called {name} on the command line and {shape.name} in the file.", "Name it in one place."
        )
    shape.name = name or shape.name


def _said(args: ClusterFlags) -> Shape:
    """Cluster and head as far as flags tell them."""
    said = Shape()
    said.labels = key_values(args.labels, "--labels")
    said.annotations = key_values(args.annotations, "--annotations")
    said.ray_version = args.ray_version or None
    said.image = args.image or None
    said.service_account = args.service_account or None
    said.image_pull_secrets = [name for names in args.image_pull_secrets or [] for name in names.split(",") if name]
    said.env = _env(args.env or [])
    if args.autoscaler is not None:
        said.autoscaler = read.autoscaler(args.autoscaler, "--autoscaler")
    if args.idle_timeout is not None:
        said.idle_timeout = read.seconds(args.idle_timeout, "--idle-timeout")
    said.head = head_from(args)
    return said


def _env(said: list[str]) -> dict[str, str]:
    """One variable a flag: a comma may well be part of its value."""
    found: dict[str, str] = {}
    for variable in said:
        name, equals, value = variable.partition("=")
        if not equals or not name:
            raise WrongUse(f"--env={variable}: this is no NAME=VALUE.", "Write --env NAME=VALUE")
        found[name] = value
    return found


def _check_autoscaling(shape: Shape) -> None:
    if shape.autoscaling:
        return
    if shape.idle_timeout is not None:
        raise WrongUse("--idle-timeout is the autoscaler's; without one nothing is taken away.", "Say --autoscaler=v2.")
    for group in shape.groups:
        for flag, value in (("--worker-min-replicas", group.minimum), ("--worker-max-replicas", group.maximum)):
            if value is not None:
                raise WrongUse(
                    f"{flag}={value} is a limit for an autoscaler, and this cluster has none.",
                    "Say --autoscaler=v2 too, or only --worker-replicas.",
                )
