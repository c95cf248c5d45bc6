"""The command lines that people were promised, word for word: ten workers of 8 CPUs, 32 GB and 2 GPUs, Ray 2.9.3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.harness.objects import suspended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray

CREATE = (
    "cluster create my-cluster --ray-version=2.9.3 --worker-replicas=10 --worker-cpus=8 -worker-memory=32GB "
    "--worker-gpus=2"
)
SCALE = "cluster scale default-worker-group --cluster my-cluster --replicas=10"
ADD = (
    "cluster worker-group create cpu-pool --cluster my-cluster -worker-replicas=10 --worker-cpus=8 -worker-memory=32GB"
)
DELETE = "cluster delete my-cluster"


@pytest.fixture
def my_cluster(kubectl: Kubectl) -> Iterator[dict[str, Any]]:
    """A cluster of the promised name that is there already, with one worker in default-worker-group."""
    yield kubectl.create(suspended("my-cluster"))
    kubectl.remove("my-cluster")


def test_create_is_accepted(ray: Ray, kubectl: Kubectl) -> None:
    """The server takes it, and nothing is made."""
    assert "my-cluster" in ray(f"{CREATE} --dry-run=server").out
    assert kubectl.find("raycluster", "my-cluster") is None


@pytest.mark.parametrize("line", [SCALE, ADD, f"{DELETE} --yes", DELETE])
def test_changes_are_accepted(ray: Ray, kubectl: Kubectl, my_cluster: dict[str, Any], line: str) -> None:
    """The server takes each, and the cluster stays as it is; a dry run needs no --yes."""
    assert "my-cluster" in ray(f"{line} --dry-run=server").out
    assert kubectl.get("raycluster", "my-cluster")["spec"] == my_cluster["spec"]


def test_create_for_real(ray: Ray, kubectl: Kubectl) -> None:
    """Without waiting: the cluster is there, as large as it was said."""
    try:
        assert "my-cluster" in ray(f"{CREATE} --no-wait").out
        group = kubectl.group("my-cluster", "default-worker-group")
        resources = group["template"]["spec"]["containers"][0]["resources"]
        assert group["replicas"] == 10
        assert resources["requests"] == {"cpu": "8", "memory": "32G", "nvidia.com/gpu": "2"}
        assert kubectl.get("raycluster", "my-cluster")["spec"]["rayVersion"] == "2.9.3"
    finally:
        kubectl.remove("my-cluster")
