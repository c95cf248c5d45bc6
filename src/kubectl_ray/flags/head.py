"""The flags of the head: its size and place."""

from __future__ import annotations

import argparse

from kubectl_ray.flags import pod
from kubectl_ray.manifests import defaults
from kubectl_ray.manifests.shape import HeadShape


class HeadFlags(argparse.Namespace):
    """What was said of the head."""

    head_cpus: str | None
    head_memory: str | None
    head_gpus: str | None
    head_ephemeral_storage: str | None
    head_ray_start_params: list[str] | None
    head_node_selectors: list[str] | None
    head_tolerations: list[str] | None


def add_head_flags(parser: argparse.ArgumentParser) -> None:
    """Add all of `HeadFlags`."""
    group = parser.add_argument_group("Head")
    pod.add_pod(group, "head", cpu=defaults.HEAD_CPUS, memory=defaults.HEAD_MEMORY)


def head_from(args: HeadFlags) -> HeadShape:
    """The head as far as flags tell it.

    Raises:
        WrongUse: a value cannot be meant like this.
    """
    head = HeadShape()
    head.cpu = pod.cpus(args.head_cpus, "--head-cpus")
    head.memory = pod.size(args.head_memory, "--head-memory")
    head.ephemeral_storage = pod.size(args.head_ephemeral_storage, "--head-ephemeral-storage")
    head.gpu = pod.count(args.head_gpus, "--head-gpus")
    head.ray_start_params = pod.key_values(args.head_ray_start_params, "--head-ray-start-params")
    head.node_selectors = pod.key_values(args.head_node_selectors, "--head-node-selectors")
    head.tolerations = pod.tolerations(args.head_tolerations, "--head-tolerations")
    return head
