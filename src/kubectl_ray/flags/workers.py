"""The flags of the workers of one group: how many, how large, and where."""

from __future__ import annotations

import argparse

from kubectl_ray.flags import pod
from kubectl_ray.manifests import defaults
from kubectl_ray.manifests.cluster import TPU_TOPOLOGY_SELECTOR, TPU_TYPE_SELECTOR
from kubectl_ray.manifests.shape import GroupShape


class WorkerFlags(argparse.Namespace):
    """What was said of the workers."""

    worker_replicas: str | None
    worker_min_replicas: str | None
    worker_max_replicas: str | None
    worker_cpus: str | None
    worker_memory: str | None
    worker_gpus: str | None
    worker_ephemeral_storage: str | None
    worker_ray_start_params: list[str] | None
    worker_node_selectors: list[str] | None
    worker_tolerations: list[str] | None
    worker_tpus: str | None
    worker_tpu_type: str | None
    worker_tpu_topology: str | None
    num_of_hosts: str | None


def add_worker_flags(parser: argparse.ArgumentParser) -> argparse._ActionsContainer:
    """Add all of `WorkerFlags`. The group of flags is handed back, to be added to."""
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
    pod.add_pod(group, "worker", cpu=defaults.WORKER_CPUS, memory=defaults.WORKER_MEMORY)
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
    return group


def workers_from(args: WorkerFlags) -> GroupShape:
    """The workers as far as flags tell them.

    Raises:
        WrongUse: a value cannot be meant like this.
    """
    workers = GroupShape()
    workers.cpu = pod.cpus(args.worker_cpus, "--worker-cpus")
    workers.memory = pod.size(args.worker_memory, "--worker-memory")
    workers.ephemeral_storage = pod.size(args.worker_ephemeral_storage, "--worker-ephemeral-storage")
    workers.gpu = pod.count(args.worker_gpus, "--worker-gpus")
    workers.ray_start_params = pod.key_values(args.worker_ray_start_params, "--worker-ray-start-params")
    workers.node_selectors = pod.key_values(args.worker_node_selectors, "--worker-node-selectors")
    workers.tolerations = pod.tolerations(args.worker_tolerations, "--worker-tolerations")
    workers.replicas = pod.count(args.worker_replicas, "--worker-replicas")
    workers.minimum = pod.count(args.worker_min_replicas, "--worker-min-replicas")
    workers.maximum = pod.count(args.worker_max_replicas, "--worker-max-replicas")
    workers.tpu = pod.count(args.worker_tpus, "--worker-tpus")
    workers.hosts = pod.count(args.num_of_hosts, "--num-of-hosts")
    if args.worker_tpu_type:
        workers.node_selectors[TPU_TYPE_SELECTOR] = args.worker_tpu_type
    if args.worker_tpu_topology:
        workers.node_selectors[TPU_TOPOLOGY_SELECTOR] = args.worker_tpu_topology
    return workers
