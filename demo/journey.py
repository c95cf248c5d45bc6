"""The steps, in order; what comes last removes what came first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """What stands behind `kubectl ray`, and a remark for the reader."""

    words: str
    remark: str


START = Command(
    "sandbox start",
    "A Kubernetes with KubeRay on this machine, for trying: pods are processes. No Docker, no root.",
)
STOP = Command("sandbox stop --forget", "All processes end, and nothing stays.")
SESSION = """A tunnel to Ray while a program of yours runs, with Ray's address in its environment. This one computes
# pi on all workers: it hands Ray a job, as `job submit` will."""


def steps(name: str) -> tuple[Command, ...]:
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
        Command(f"cluster session {name} -- python3 demo/pi.py", SESSION),
        Command(f"cluster describe {name}", "All about it, on a page."),
    )


def removal(name: str) -> Command:
    """The cluster's end."""
    return Command(f"cluster delete {name} --yes", "It goes, with all workers.")
