"""The flags that say what a cluster or a worker group is to be, and how flags and a config file become one shape.

Each flag has two spellings where the Go plugin's differs from ours (`--worker-cpus`, `--worker-cpu`). No flag has a
default here: what was not said is None, so that a flag overrides the file and the file overrides the defaults.
"""

from __future__ import annotations

from kubectl_ray.errors import WrongUse
from kubectl_ray.flags.names import completes, offers
from kubectl_ray.manifests import defaults, read
from kubectl_ray.manifests.checks import check_group_name
from kubectl_ray.manifests.cluster import TPU_TOPOLOGY_SELECTOR, TPU_TYPE_SELECTOR
from kubectl_ray.manifests.shape import GroupShape, HeadShape, Shape, Surroundings
from kubectl_ray.models.fields import dig, mapping, mappings, text
from kubectl_ray.models.quantity import normalize_count, normalize_cpu, normalize_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from kubectl_ray.models.cluster import Cluster

KEY_VALUES = "KEY=VALUE[,…]"


def add_cluster_flags(parser: argparse.ArgumentParser) -> None:
    """Everything of `cluster create`: the cluster's own flags, the head's, the workers' and `--file`."""
    group = parser.add_argument_group("Cluster")
    completes(
        group.add_argument(
            "-f", "--file", "--filename", dest="file", metavar="FILE", help="read the shape from a YAML file; flags win"
        ),
        "file",
    )
    _add_ray(group)
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
    add_worker_flags(parser, ray=False)


def _add_ray(
    group: argparse._ActionsContainer,
    version: str = f"default {defaults.RAY_VERSION}",
    image: str = f"default {defaults.IMAGE_REPOSITORY}:VERSION",
) -> None:
    group.add_argument("--ray-version", metavar="VERSION", help=f"Ray's version ({version})")
    group.add_argument("--image", metavar="IMAGE", help=f"the container image ({image})")


def add_head_flags(parser: argparse.ArgumentParser) -> None:
    """The head's size and place."""
    group = parser.add_argument_group("Head")
    _add_pod(group, "head", cpu=defaults.HEAD_CPUS, memory=defaults.HEAD_MEMORY)


def add_worker_flags(parser: argparse.ArgumentParser, *, ray: bool = True) -> None:
    """The workers' number, size and place. With `ray` also their image, for a group that is added to a cluster."""
    group = parser.add_argument_group("Workers")
    group.add_argument(
        "--worker-replicas",
        metavar="N",
        help=f"how many workers (default {defaults.WORKER_REPLICAS})",
    )
    group.add_argument(
        "--worker-min-replicas",
        metavar="N",
        help=f"the least that an autoscaler may leave (default {defaults.AUTOSCALER_MIN_REPLICAS})",
    )
    group.add_argument(
        "--worker-max-replicas",
        metavar="N",
        help=f"the most that an autoscaler may make (default {defaults.AUTOSCALER_MAX_REPLICAS})",
    )
    _add_pod(group, "worker", cpu=defaults.WORKER_CPUS, memory=defaults.WORKER_MEMORY)
    group.add_argument(
        "--worker-tpus", "--worker-tpu", dest="worker_tpus", metavar="N", help="TPU chips of each worker"
    )
    group.add_argument("--worker-tpu-type", metavar="TYPE", help="GKE's TPU type: tpu-v5-lite-podslice")
    group.add_argument("--worker-tpu-topology", metavar="TOPOLOGY", help="GKE's TPU topology: 2x4")
    group.add_argument(
        "--num-of-hosts",
        metavar="N",
        help=f"pods of each worker, for TPU slices over several machines (default {defaults.NUM_OF_HOSTS})",
    )
    if ray:
        _add_ray(group, "the cluster's, always", "default the cluster's")
        group.add_argument(
            "--worker-idle-timeout",
            "--idle-timeout",
            dest="idle_timeout",
            metavar="TIME",
            help="take a worker away after so long without work (autoscaler v2): 60s, 5m",
        )


def _add_pod(group: argparse._ActionsContainer, who: str, *, cpu: str, memory: str) -> None:
    """What head and workers share; `who` is "head" or "worker"."""
    each = "of the head" if who == "head" else "of each worker"
    group.add_argument(
        f"--{who}-cpus", f"--{who}-cpu", dest=f"{who}_cpus", metavar="N", help=f"CPUs {each} (default {cpu})"
    )
    group.add_argument(f"--{who}-memory", metavar="SIZE", help=f"memory {each}: 32GB, 32Gi (default {memory})")
    group.add_argument(f"--{who}-gpus", f"--{who}-gpu", dest=f"{who}_gpus", metavar="N", help=f"GPUs {each}")
    group.add_argument(f"--{who}-ephemeral-storage", metavar="SIZE", help=f"disk space {each}: 100GB")
    group.add_argument(
        f"--{who}-ray-start-params", action="append", metavar=KEY_VALUES, help=f"parameters of `ray start` {each}"
    )
    group.add_argument(
        f"--{who}-node-selectors",
        f"--{who}-node-selector",
        dest=f"{who}_node_selectors",
        action="append",
        metavar=KEY_VALUES,
        help="only on machines with these labels",
    )
    group.add_argument(
        f"--{who}-tolerations",
        f"--{who}-toleration",
        dest=f"{who}_tolerations",
        action="append",
        metavar="KEY=VALUE:EFFECT",
        help="also on machines with this taint; several times",
    )


def shape_from(args: argparse.Namespace, file_text: str | None = None) -> Shape:
    """The shape that flags and file describe together; flags win.

    Raises:
        WrongUse: a value cannot be meant like this, or the two contradict each other.
    """
    shape = _from_file(file_text) if file_text is not None else Shape()
    _name(shape, getattr(args, "name", None))
    said = _cluster_flags(args)
    said.head = _head_flags(args)
    shape.override(said)
    workers = _worker_flags(args)
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


def group_shape_from(args: argparse.Namespace, cluster: Cluster) -> GroupShape:
    """The shape of a group that is added to a cluster; image and surroundings are the cluster's own.

    Raises:
        WrongUse: a value cannot be meant like this.
    """
    group = _worker_flags(args)
    group.name = text(getattr(args, "group", None))
    check_group_name(group.name)
    group.autoscaling = cluster.autoscaling
    if _given(args, "idle_timeout"):
        group.idle_timeout = read.seconds(args.idle_timeout, "--worker-idle-timeout")
    version, image = _said(args, "ray_version"), _said(args, "image")
    if version and cluster.ray_version and version != cluster.ray_version and not image:
        raise WrongUse(
            f"Ray cluster {cluster.name} runs Ray {cluster.ray_version}; workers of Ray {version} cannot join it.",
            "Leave --ray-version away: the version is taken from the cluster.",
        )
    group.surroundings = _surroundings_of(cluster)
    group.surroundings.image = image or group.surroundings.image
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


def _cluster_flags(args: argparse.Namespace) -> Shape:
    shape = Shape()
    shape.labels = _pairs(args, "labels", "--labels")
    shape.annotations = _pairs(args, "annotations", "--annotations")
    shape.ray_version = _said(args, "ray_version")
    shape.image = _said(args, "image")
    shape.service_account = _said(args, "service_account")
    shape.image_pull_secrets = [
        name for given in _list(args, "image_pull_secrets") for name in given.split(",") if name
    ]
    shape.env = _env(args)
    if _given(args, "autoscaler"):
        shape.autoscaler = read.autoscaler(args.autoscaler, "--autoscaler")
    if _given(args, "idle_timeout"):
        shape.idle_timeout = read.seconds(args.idle_timeout, "--idle-timeout")
    return shape


def _env(args: argparse.Namespace) -> dict[str, str]:
    """One variable a flag: a comma may well be part of its value."""
    found: dict[str, str] = {}
    for given in _list(args, "env"):
        name, equals, value = given.partition("=")
        if not equals or not name:
            raise WrongUse(f"--env={given}: this is no NAME=VALUE.", "Write --env NAME=VALUE")
        found[name] = value
    return found


def _head_flags(args: argparse.Namespace) -> HeadShape:
    head = HeadShape()
    _pod_flags(args, head, "head")
    return head


def _worker_flags(args: argparse.Namespace) -> GroupShape:
    group = GroupShape()
    _pod_flags(args, group, "worker")
    group.replicas = _number(args, "worker_replicas", "--worker-replicas")
    group.minimum = _number(args, "worker_min_replicas", "--worker-min-replicas")
    group.maximum = _number(args, "worker_max_replicas", "--worker-max-replicas")
    group.tpu = _number(args, "worker_tpus", "--worker-tpus")
    group.hosts = _number(args, "num_of_hosts", "--num-of-hosts")
    for name, selector in (("worker_tpu_type", TPU_TYPE_SELECTOR), ("worker_tpu_topology", TPU_TOPOLOGY_SELECTOR)):
        said = _said(args, name)
        if said:
            group.node_selectors[selector] = said
    return group


def _pod_flags(args: argparse.Namespace, pod: HeadShape | GroupShape, who: str) -> None:
    if _given(args, f"{who}_cpus"):
        pod.cpu = normalize_cpu(getattr(args, f"{who}_cpus"), f"--{who}-cpus")
    if _given(args, f"{who}_memory"):
        pod.memory = normalize_memory(getattr(args, f"{who}_memory"), f"--{who}-memory")
    if _given(args, f"{who}_ephemeral_storage"):
        flag = f"--{who}-ephemeral-storage"
        pod.ephemeral_storage = normalize_memory(getattr(args, f"{who}_ephemeral_storage"), flag)
    pod.gpu = _number(args, f"{who}_gpus", f"--{who}-gpus")
    pod.ray_start_params = _pairs(args, f"{who}_ray_start_params", f"--{who}-ray-start-params")
    pod.node_selectors = _pairs(args, f"{who}_node_selectors", f"--{who}-node-selectors")
    flag = f"--{who}-tolerations"
    pod.tolerations = [read.toleration(given, flag) for given in _list(args, f"{who}_tolerations")]


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


def _given(args: argparse.Namespace, name: str) -> bool:
    return getattr(args, name, None) is not None


def _said(args: argparse.Namespace, name: str) -> str | None:
    return text(getattr(args, name, None)) or None


def _list(args: argparse.Namespace, name: str) -> list[str]:
    found: Any = getattr(args, name, None)
    return list(found) if found else []


def _pairs(args: argparse.Namespace, name: str, flag: str) -> dict[str, str]:
    return read.pairs(_list(args, name), flag)


def _number(args: argparse.Namespace, name: str, flag: str) -> int | None:
    return normalize_count(getattr(args, name), flag) if _given(args, name) else None
