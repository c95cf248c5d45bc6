"""LimitRanges whose bounds contradict each other."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_ray.sandbox.api.admission import limits, range_rules


def told(*items: dict[str, Any]) -> list[str]:
    """What is said of a range, after its defaults are in."""
    held = {"spec": {"limits": list(items)}}
    limits.fill_range(held)
    return [f"{field}: {message}" for _reason, message, field in range_rules.causes(held)]


def test_a_minimum_above_the_maximum() -> None:
    """Recorded: the defaults that follow from it are wrong as well."""
    assert told({"type": "Container", "max": {"memory": "512Mi"}, "min": {"memory": "1Gi"}}) == [
        'spec.limits[0].min[memory]: Invalid value: "1Gi": min value 1Gi is greater than max value 512Mi',
        (
            'spec.limits[0].defaultRequest[memory]: Invalid value: "512Mi": min value 1Gi is greater than default'
            " request value 512Mi"
        ),
        'spec.limits[0].default[memory]: Invalid value: "1Gi": min value 1Gi is greater than default value 512Mi',
    ]


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ({}, "spec.limits[0].type: Required value"),
        (
            {"type": "Pod", "default": {"cpu": "1"}},
            "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
        ),
        (
            {"type": "Container", "maxLimitRequestRatio": {"cpu": "500m"}},
            'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1',
        ),
        (
            {"type": "PersistentVolumeClaim"},
            (
                "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but"
                " neither was provided"
            ),
        ),
    ],
)
def test_wrong_items(item: dict[str, Any], why: str) -> None:
    """What is missing, or does not belong to the type."""
    assert told(item) == [why]


def test_two_items_of_one_type() -> None:
    """There is one for each."""
    item = {"type": "Container", "max": {"cpu": "1"}}
    assert told(item, item) == ['spec.limits[1].type: Duplicate value: "Container"']


def test_a_range_that_is_right() -> None:
    """Nothing is said."""
    item = {"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "100m"}, "default": {"cpu": "1"}}
    assert told(item, {"type": "Pod", "max": {"memory": "1Gi"}}) == []
