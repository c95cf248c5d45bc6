"""A whole session as a person has it, on pods that really run: create, see, grow, add a group, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray


@pytest.mark.alone
def test_session(ray: Ray, kubectl: Kubectl) -> None:
    """Each line ends when what it promised is true, and kubectl agrees."""
    try:
        ray("cluster create my-cluster --ray-version=2.52.0 --worker-replicas=1 --worker-cpus=500m -worker-memory=2GB")
        assert kubectl.ready("my-cluster", "headgroup") == 1
        assert kubectl.ready("my-cluster", "default-worker-group") == 1

        assert "my-cluster" in ray("cluster list").out

        ray("cluster scale default-worker-group --cluster my-cluster --replicas=2")
        assert kubectl.ready("my-cluster", "default-worker-group") == 2

        ray(
            "cluster worker-group create cpu-pool --cluster my-cluster -worker-replicas=1 --worker-cpus=500m "
            "-worker-memory=2GB"
        )
        assert kubectl.ready("my-cluster", "cpu-pool") == 1

        ray("cluster delete my-cluster --yes")
        assert kubectl.find("raycluster", "my-cluster") is None
        assert kubectl.pods("my-cluster") == []
    finally:
        kubectl.remove("my-cluster")
