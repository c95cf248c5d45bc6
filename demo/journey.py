"""The steps, in order; what comes last removes what came first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo import pi

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Command:
    """What stands behind `kubectl ray`, and a remark for the reader."""

    words: str
    remark: str


@dataclass(frozen=True)
class Python:
    """Something that no command does yet: `run(environment, context, namespace)` prints, and gives an exit code."""

    run: Callable[[Mapping[str, str], str, str], int]
    remark: str


Step = Command | Python

START = Command(
    "sandbox start",
    "A Kubernetes with KubeRay on this machine, for trying: pods are processes. No Docker, no root.",
)
STOP = Command("sandbox stop --forget", "All processes end, and nothing stays.")


def steps(name: str) -> tuple[Step, ...]:
    """A cluster's life up to its end."""
    small = "--worker-cpus=500m -worker-memory=2GB"
    return (
        Command(
            f"cluster create {name} --ray-version=2.52.0 --worker-replicas=1 {small}",
            "A Ray cluster: a head, a worker.",
        ),
        Command("cluster list", "What there is."),
        Command(f"cluster scale default-worker-group --cluster {name} --replicas=2", "A second worker."),
        Command(
            f"cluster worker-group create cpu-pool --cluster {name} -worker-replicas=1 {small}",
            "Workers of another kind, beside them.",
        ),
        Python(lambda env, context, namespace: pi.compute(env, context, namespace, name), pi.REMARK),
        Command(f"cluster describe {name}", "All about it, on a page."),
    )


def removal(name: str) -> Command:
    """The cluster's end."""
    return Command(f"cluster delete {name} --yes", "It goes, with all workers.")
