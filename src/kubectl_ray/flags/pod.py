"""The flags that the head's pod and each worker's have alike, `--head-cpus` and `--worker-cpus`, and their values.

A value that was not said is None, and reads as nothing: the file or the defaults decide.
"""

from __future__ import annotations

from kubectl_ray.manifests import read
from kubectl_ray.models.quantity import normalize_count, normalize_cpu, normalize_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

KEY_VALUES = "KEY=VALUE[,…]"


def add_pod(group: argparse._ActionsContainer, who: str, *, cpu: str, memory: str) -> None:
    """Add size and place of a pod; `who` is "head" or "worker", `cpu` and `memory` are the defaults to tell."""
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


def cpus(said: str | None, flag: str) -> str | None:
    """A Kubernetes quantity of CPUs.

    Raises:
        WrongUse: it is none.
    """
    return None if said is None else normalize_cpu(said, flag)


def size(said: str | None, flag: str) -> str | None:
    """A Kubernetes quantity of bytes.

    Raises:
        WrongUse: it is none, or has no unit.
    """
    return None if said is None else normalize_memory(said, flag)


def count(said: str | None, flag: str) -> int | None:
    """A number of whole things.

    Raises:
        WrongUse: it is none.
    """
    return None if said is None else normalize_count(said, flag)


def key_values(said: list[str] | None, flag: str) -> dict[str, str]:
    """The pairs of a flag that can be said several times.

    Raises:
        WrongUse: one of them is no pair.
    """
    return read.pairs(said or [], flag)


def tolerations(said: list[str] | None, flag: str) -> list[dict[str, str]]:
    """Kubernetes' tolerations, one each time that the flag was said.

    Raises:
        WrongUse: there is no such effect.
    """
    return [read.toleration(one, flag) for one in said or []]
