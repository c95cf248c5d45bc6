"""What the API server accepts and the KubeRay operator then refuses, with one event that expires or with nothing.

Checked before anything is sent. Source: KubeRay's `ValidateRayClusterMetadata` and `ValidateRayClusterSpec`, and what
happens where even those say nothing (two groups of one name make and delete workers for ever).
"""

from __future__ import annotations

from kubectl_ray.errors import WrongUse
from kubectl_ray.manifests.cluster import TPU_TOPOLOGY_SELECTOR, TPU_TYPE_SELECTOR
from kubectl_ray.manifests.pod_checks import check_pod
from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.fields import dig, mapping, mappings, whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubectl_ray.models.worker_group import Group

NAME_LENGTH = 53
GROUP_NAME_LENGTH = 63
HEAD_GROUP = "headgroup"
FIRST_WITH_TOKENS = (2, 52)
FIRST_WITH_AUTOSCALER_V2 = (2, 10)

_LOWER = "abcdefghijklmnopqrstuvwxyz"
_INNER = _LOWER + "0123456789-"


def check_cluster(manifest: dict[str, object]) -> None:
    """Raise WrongUse for what the operator would refuse.

    Of a cluster that is there already (it has a uid) only the group that was added last is looked at, and whether its
    name is new: what else it holds was accepted once, and the numbers are an autoscaler's own.
    """
    cluster = Cluster(manifest)
    exists = bool(cluster.uid)
    if not exists:
        check_name(cluster.name)
        _check_version(cluster)
        if not mappings(dig(cluster.spec, "headGroupSpec", "template", "spec", "containers")):
            raise WrongUse("The head has no container.", "Give spec.headGroupSpec.template.spec.containers one.")
        check_pod("head", mapping(dig(cluster.spec, "headGroupSpec", "template", "spec")))
    names: set[str] = set()
    for group in cluster.groups:
        if group.name in names:
            raise WrongUse(f"Two worker groups are called {group.name}.", "Give each group a name of its own.")
        names.add(group.name)
    for group in cluster.groups[-1:] if exists else cluster.groups:
        check_group(group, cluster)


def check_name(name: str) -> None:
    """Raise WrongUse when no Ray cluster can have this name."""
    if not name:
        raise WrongUse("The Ray cluster needs a name.", "Name it:  kubectl ray cluster create NAME")
    if len(name) > NAME_LENGTH:
        raise WrongUse(
            f"The name {name} has {len(name)} characters; KubeRay allows {NAME_LENGTH}.",
            f"Try a shorter one:  {_proposal(name, NAME_LENGTH)}",
        )
    if not _is_label(name, _LOWER):
        raise WrongUse(
            f"A Ray cluster cannot be called {name!r}: lower-case letters, digits and - only, the first a letter.",
            f"Try:  {_proposal(name, NAME_LENGTH)}",
        )


def check_group_name(name: str) -> None:
    """Raise WrongUse when no worker group can have this name: its pods are named after it."""
    if not name:
        raise WrongUse("A worker group needs a name.", "Name it.")
    if name == HEAD_GROUP:
        raise WrongUse(f"A worker group cannot be called {name}: that is the head's own.", "Choose another name.")
    if len(name) > GROUP_NAME_LENGTH:
        raise WrongUse(
            f"The group name {name} has {len(name)} characters; a label of Kubernetes holds {GROUP_NAME_LENGTH}.",
            f"Try a shorter one:  {_proposal(name, GROUP_NAME_LENGTH)}",
        )
    if not _is_label(name, _INNER[:-1]):
        raise WrongUse(
            f"A worker group cannot be called {name!r}: lower-case letters, digits and - only, no - first or last.",
            f"Try:  {_proposal(name, GROUP_NAME_LENGTH)}",
        )


def check_group(group: Group, cluster: Cluster) -> None:
    """Raise WrongUse for a worker group that the operator refuses, or silently changes."""
    check_group_name(group.name)
    _check_numbers(group)
    check_pod("worker", group.template)
    if group.suspended and cluster.autoscaling:
        raise WrongUse(
            f"{group.name} cannot be suspended: an autoscaler runs {cluster.name}.", "Set its --worker-max-replicas=0."
        )
    if group.raw.get("idleTimeoutSeconds") is not None and cluster.autoscaler_version != "v2":
        raise WrongUse(
            f"{group.name}: a time to stay idle of its own needs the autoscaler's version 2.", "Say --autoscaler=v2."
        )
    if group.each.tpu:
        _check_tpu(group)


def _check_numbers(group: Group) -> None:
    for key, flag in (
        ("replicas", "--worker-replicas"),
        ("minReplicas", "--worker-min-replicas"),
        ("maxReplicas", "--worker-max-replicas"),
    ):
        value = whole(group.raw.get(key))
        if value is not None and value < 0:
            raise WrongUse(f"{group.name}: {flag}={value} cannot be negative.", f"Write a whole number: {flag}=1.")
    if group.hosts < 1:
        raise WrongUse(f"{group.name}: a replica has at least one host.", "Say --num-of-hosts=1.")
    if group.minimum > group.maximum:
        raise WrongUse(
            f"{group.name}: --worker-min-replicas={group.minimum} is more than --worker-max-replicas={group.maximum}.",
            f"Say --worker-max-replicas={group.minimum}, or a smaller least.",
        )
    if group.replicas > group.maximum:
        raise WrongUse(
            f"{group.name}: --worker-replicas={group.replicas} is more than --worker-max-replicas={group.maximum}.",
            f"Say --worker-max-replicas={group.replicas}, or ask for fewer.",
        )
    if group.replicas < group.minimum:
        raise WrongUse(
            f"{group.name}: --worker-replicas={group.replicas} is less than --worker-min-replicas={group.minimum}.",
            f"Say --worker-min-replicas={group.replicas}, or ask for more.",
        )


def _check_tpu(group: Group) -> None:
    selectors = mapping(group.template.get("nodeSelector"))
    missing = [
        f"{flag} (node selector {key})"
        for key, flag in ((TPU_TYPE_SELECTOR, "--worker-tpu-type"), (TPU_TOPOLOGY_SELECTOR, "--worker-tpu-topology"))
        if not selectors.get(key)
    ]
    if missing:
        raise WrongUse(
            f"{group.name}: TPUs have a type and a topology; GKE finds none without {' and '.join(missing)}.",
            "For example:  --worker-tpu-type=tpu-v5-lite-podslice --worker-tpu-topology=2x2",
        )


def _check_version(cluster: Cluster) -> None:
    stated = cluster.spec.get("rayVersion")
    version = version_of(stated)
    if version is None:
        raise WrongUse(
            f"--ray-version={stated}: this is no version of Ray.",
            "Write it as 2.52.0; an image of your own goes into --image.",
        )
    if cluster.auth_token and version < FIRST_WITH_TOKENS:
        raise WrongUse(f"Token authentication needs Ray 2.52.0 or newer, not {stated}.", "Raise --ray-version.")
    if cluster.autoscaler_version == "v2" and version < FIRST_WITH_AUTOSCALER_V2:
        raise WrongUse(f"--autoscaler=v2 needs Ray 2.10.0 or newer, not {stated}.", "Say --autoscaler=v1.")


def version_of(text: object) -> tuple[int, int] | None:
    """Major and minor of a Ray version (`2.9.3`, `2.53.0rc1`, `3.0.0.dev0`); None when it is none."""
    if not isinstance(text, str):
        return None
    parts = text.split(".")
    if len(parts) < 2 or not all(part and part[0] in "0123456789" for part in parts[:3]):  # noqa: PLR2004 -- major and minor
        return None
    major, minor = parts[0], parts[1]
    if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in (major, minor)):  # noqa: PLR2004 -- digits of a sane version
        return None
    rest = "".join(parts[2:])
    if not all(letter.isascii() and (letter.isalnum() or letter in "-+_") for letter in rest):
        return None
    return (int(major), int(minor))


def _is_label(name: str, first: str) -> bool:
    return name[0] in first and name[-1] != "-" and all(letter in _INNER for letter in name)


def _proposal(name: str, length: int) -> str:
    """The nearest name that is allowed."""
    kept = "".join(letter if letter in _INNER else "-" for letter in name.lower()).strip("-")
    if not kept or kept[0] not in _LOWER:
        kept = f"ray-{kept}".rstrip("-")
    return kept[:length].rstrip("-")
