"""What the API server refuses of LimitRanges: bounds that contradict each other.

Source: `ValidateLimitRange` in `pkg/apis/core/validation/validation.go`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.metadata import duplicate, prohibited, required, wrong
from kubectl_ray.sandbox.api.quantities import NANO, Quantity
from kubectl_ray.sandbox.api.resources import Amounts, amounts

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.metadata import Cause
    from kubectl_ray.sandbox.api.store import Object

ORDERED = (
    ("min", "max", "min", "min", "min value {} is greater than max value {}"),
    (
        "min",
        "defaultRequest",
        "defaultRequest",
        "defaultRequest",
        "min value {} is greater than default request value {}",
    ),
    (
        "defaultRequest",
        "max",
        "defaultRequest",
        "defaultRequest",
        "default request value {} is greater than max value {}",
    ),
    (
        "defaultRequest",
        "default",
        "defaultRequest",
        "defaultRequest",
        "default request value {} is greater than default limit value {}",
    ),
    ("min", "default", "default", "min", "min value {} is greater than default value {}"),
    ("default", "max", "default", "max", "default value {} is greater than max value {}"),
)
"""What may not be more than what, the field that is told of, whose value is shown, and the text."""


def causes(limit_range: Object) -> list[Cause]:
    """What is wrong with a range."""
    found: list[Cause] = []
    seen: set[str] = set()
    for index, item in enumerate((limit_range.get("spec") or {}).get("limits") or []):
        at, type_ = f"spec.limits[{index}]", item.get("type") or ""
        if not type_:
            found.append(required(f"{at}.type"))
        elif type_ in seen:
            found.append(duplicate(type_, f"{at}.type"))
        seen.add(type_)
        if type_ == "Pod":
            why = "may not be specified when `type` is 'Pod'"
            found += [prohibited(why, f"{at}.{key}") for key in ("default", "defaultRequest") if item.get(key)]
        bounds = {key: amounts(item.get(key)) for key in ("min", "max", "default", "defaultRequest")}
        if type_ == "PersistentVolumeClaim" and "storage" not in {**bounds["min"], **bounds["max"]}:
            why = "either minimum or maximum storage value is required, but neither was provided"
            found.append(required(f"{at}.limits", why))
        for name in sorted({name for listed in bounds.values() for name in listed}):
            found += _order(bounds, name, at)
        found += [
            wrong(str(ratio), f"ratio {ratio} is less than 1", f"{at}.maxLimitRequestRatio[{name}]")
            for name, ratio in amounts(item.get("maxLimitRequestRatio")).items()
            if ratio < Quantity(NANO)
        ]
    return found


def _order(bounds: dict[str, Amounts], name: str, at: str) -> list[Cause]:
    return [
        wrong(str(bounds[shown][name]), text.format(bounds[less][name], bounds[more][name]), f"{at}.{field}[{name}]")
        for less, more, field, shown, text in ORDERED
        if name in bounds[less] and name in bounds[more] and bounds[less][name] > bounds[more][name]
    ]
