"""What pods ask for, as the scheduler and quotas add it up."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_ray.sandbox.api.resources import asked, quality


def container(restart: str = "", **amounts: str) -> dict[str, Any]:
    """A container that requests this, and has the same as its limit."""
    return {"resources": {"requests": amounts, "limits": amounts}, **({"restartPolicy": restart} if restart else {})}


@pytest.mark.parametrize(
    ("spec", "cpu"),
    [
        ({"containers": [container(cpu="1"), container(cpu="500m")]}, "1500m"),
        ({"containers": [container(cpu="1")], "initContainers": [container(cpu="2"), container(cpu="1")]}, "2"),
        ({"containers": [container(cpu="1")], "initContainers": [container("Always", cpu="2")]}, "3"),
        (
            {
                "containers": [container(cpu="100m")],
                "initContainers": [container("Always", cpu="2"), container(cpu="3"), container("Always", cpu="1")],
            },
            "5",
        ),
        ({"containers": [container(cpu="1")], "overhead": {"cpu": "250m"}}, "1250m"),
        ({"containers": [container(cpu="1")], "resources": {"requests": {"cpu": "7"}}}, "7"),
    ],
)
def test_init_containers_run_before_the_others(spec: dict[str, Any], cpu: str) -> None:
    """A pod needs the sum of its containers, or its largest init container; one that goes on runs beside them all."""
    assert str(asked({"spec": spec}, "requests")["cpu"]) == cpu


@pytest.mark.parametrize(
    ("containers", "of"),
    [
        ([container(cpu="1", memory="1Gi")], "Guaranteed"),
        ([container(cpu="1", memory="1Gi"), container()], "Burstable"),
        ([container(cpu="1")], "Burstable"),
        ([container()], "BestEffort"),
        (
            [{"resources": {"limits": {"cpu": "1", "memory": "1"}, "requests": {"cpu": "500m", "memory": "1"}}}],
            "Burstable",
        ),
        ([{"resources": {"requests": {"nvidia.com/gpu": "1"}}}], "BestEffort"),
    ],
)
def test_quality_of_service(containers: list[dict[str, Any]], of: str) -> None:
    """Guaranteed where each container has CPU and memory limited to what it requests."""
    assert quality({"containers": containers}) == of
