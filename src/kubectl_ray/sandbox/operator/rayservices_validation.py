"""What the operator refuses in a RayService; texts are those of the KubeRay operator v1.6.2."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from kubectl_ray.sandbox.operator.parents import name_fault
from kubectl_ray.sandbox.operator.validation import spec_fault

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object

TIMEOUT = "ray.io/initializing-timeout"
"""The annotation with the longest time to the first ready: a Go duration, or seconds."""

_BAD = "The RayService spec is invalid: "
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)"


class Fault(NamedTuple):
    """Why a RayService is not worked on: the event's reason and the words."""

    reason: str
    text: str


def fault(service: Object) -> Fault | None:
    """The first thing that is wrong with the RayService; None when nothing is."""
    wrong = name_fault("RayService", service["metadata"]["name"]) or _timeout_fault(service)
    if wrong:
        return Fault("InvalidRayServiceMetadata", wrong)
    wrong = _spec_fault(service)
    return Fault("InvalidRayServiceSpec", _BAD + wrong) if wrong else None


def timeout(service: Object) -> float | None:
    """Seconds until the first ready at most; None where there is no limit, or one that cannot be read."""
    given = service["metadata"].get("annotations", {}).get(TIMEOUT, "")
    found = duration(given)
    if found is None and re.fullmatch(r"[+-]?\d{1,18}", given):
        return float(int(given))
    return found


def duration(given: str) -> float | None:
    """Seconds of a duration as Go writes it (`1h2m3.5s`); None for what is none."""
    if given in {"0", "+0", "-0"}:
        return 0.0
    if not re.fullmatch(rf"[+-]?(?:{_PART})+", given) or len(given) > 100:  # noqa: PLR2004 - nobody means longer ones
        return None
    total = sum(float(number) * _UNITS[unit] for number, unit in re.findall(_PART, given))
    return -total if given.startswith("-") else total


def written_duration(seconds: float) -> str:
    """A duration as Go writes it."""
    if 0 < seconds < 1:
        return f"{seconds * 1000:.6f}".rstrip("0").rstrip(".") + "ms"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{rest:.9f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


def _timeout_fault(service: Object) -> str | None:
    given = service["metadata"].get("annotations", {}).get(TIMEOUT, "")
    if not given:
        return None
    found = timeout(service)
    if found is None:
        why = (
            f"annotation {TIMEOUT} has invalid format: {given}. Expected Go duration format (e.g., '5m', '1h') or"
            " positive integer seconds"
        )
    elif found > 0:
        return None
    else:
        what = "duration" if duration(given) is not None else "integer (seconds)"
        why = f"annotation {TIMEOUT} must be a positive {what}, got: {given}"
    return f"The RayService metadata is invalid: RayService annotations is invalid: {why}"


def _spec_fault(service: Object) -> str | None:
    spec = service["spec"]
    cluster = spec["rayClusterConfig"]
    if (cluster.get("authOptions") or {}).get("enableK8sTokenAuth"):
        return "K8s token auth mode is currently not supported for RayService"
    wrong = spec_fault(cluster, service["metadata"].get("annotations", {}))
    if wrong:
        return wrong
    if ((cluster["headGroupSpec"].get("headService") or {}).get("metadata") or {}).get("name"):
        return "spec.rayClusterConfig.headGroupSpec.headService.metadata.name should not be set"
    kinds = ("NewClusterWithIncrementalUpgrade", "NewCluster", "None")
    kind = (spec.get("upgradeStrategy") or {}).get("type", "None")
    if kind not in kinds:
        options = f"{kinds[0]}, {kinds[1]}, or {kinds[2]}"
        return f"Spec.UpgradeStrategy.Type value {kind} is invalid, valid options are {options}"
    delay = spec.get("rayClusterDeletionDelaySeconds", 0)
    if delay < 0:
        return f"Spec.RayClusterDeletionDelaySeconds should be a non-negative integer, got {delay}"
    return None
