"""Resources of containers: what the real server (v1.36) said of each, asked with `--dry-run=server`."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_ray.sandbox.api.admission.pod_rules import amount_causes, resource_causes

GPU = "example.com/gpu"


def told(resources: dict[str, Any]) -> list[str]:
    """What is said of them."""
    return [f"{field}: {message}" for _reason, message, field in resource_causes(resources, "resources")]


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        ({}, []),
        ({"requests": {"cpu": "1"}, "limits": {"cpu": "1000m"}}, []),
        ({"limits": {GPU: "1"}, "requests": {GPU: "1"}}, []),
        (
            {"limits": {GPU: "1"}, "requests": {GPU: "2"}},
            [f'resources.requests: Invalid value: "2": must be equal to {GPU} limit of 1'],
        ),
        (
            {"requests": {GPU: "1"}},
            ["resources.limits: Required value: Limit must be set for non overcommitable resources"],
        ),
        ({"limits": {GPU: "500m"}}, [f'resources.limits[{GPU}]: Invalid value: "500m": must be an integer']),
        (
            {"limits": {"gpu": "1"}},
            [
                'resources.limits[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
                'resources.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers',
            ],
        ),
        (
            {"limits": {"cpu": "-1"}},
            ['resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
        ),
    ],
)
def test_resources(resources: dict[str, Any], said: list[str]) -> None:
    """Each by itself, and requests with limits: a device is held whole and cannot be promised twice."""
    assert told(resources) == said


def test_no_amount() -> None:
    """It is a cause like any other, and is compared with nothing."""
    kept: dict[str, Any] = {}
    ((reason, message, field),) = amount_causes("cpu", "abc", "here", kept)
    assert (reason, field, kept) == ("FieldValueInvalid", "here", {})
    assert message.startswith('Invalid value: "abc": quantities must match the regular expression')
