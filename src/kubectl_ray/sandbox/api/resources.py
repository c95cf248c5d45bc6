"""What pods ask for: requests and limits of their containers added up as Kubernetes does, and the quality of service.

Source: component-helpers, `resource/helpers.go`; `pkg/apis/core/v1/helper/qos/qos.go`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api.quantities import Quantity, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

Amounts = dict[str, Quantity]
"""By resource name: cpu, memory, nvidia.com/gpu ..."""


def amounts(listed: Mapping[str, Any] | None) -> Amounts:
    """The amounts of a `requests`, `limits` or `hard`.

    Raises:
        ValueError: one is no quantity.
    """
    return {name: parse(each) for name, each in (listed or {}).items()}


def written(listed: Amounts) -> dict[str, str]:
    """The amounts as an object has them."""
    return {name: str(each) for name, each in listed.items()}


def added(first: Amounts, second: Amounts) -> Amounts:
    """Both together."""
    return {
        name: first[name] + second[name] if name in first and name in second else first.get(name) or second[name]
        for name in {**first, **second}
    }


def larger(first: Amounts, second: Amounts) -> Amounts:
    """The larger one of each."""
    return {name: max(each[name] for each in (first, second) if name in each) for name in {**first, **second}}


def asked(pod: Mapping[str, Any], what: str) -> Amounts:
    """The pod's `requests` or `limits`: its containers together, or its largest init container where that is more.

    Raises:
        ValueError: one is no quantity.
    """
    spec = pod.get("spec") or {}
    total: Amounts = {}
    for container in spec.get("containers") or []:
        total = added(total, _of(container, what))
    beside: Amounts = {}
    first: Amounts = {}
    for container in spec.get("initContainers") or []:
        mine = _of(container, what)
        if container.get("restartPolicy") == "Always":
            total = added(total, mine)
            beside = added(beside, mine)
            first = larger(first, beside)
        else:
            first = larger(first, added(mine, beside))
    total = larger(total, first)
    total.update(amounts((spec.get("resources") or {}).get(what)))
    for name, each in amounts(spec.get("overhead")).items():
        if what == "requests" or name in total:
            total = added(total, {name: each})
    return total


def _of(container: Mapping[str, Any], what: str) -> Amounts:
    return amounts((container.get("resources") or {}).get(what))


def quality(spec: Mapping[str, Any]) -> str:
    """Guaranteed, Burstable or BestEffort, by the CPU and memory of all containers."""
    containers = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    requests = [_counted(_of(each, "requests")) for each in containers]
    limits = [_counted(_of(each, "limits")) for each in containers]
    if not any([*requests, *limits]):
        return "BestEffort"
    complete = all(set(each) == {"cpu", "memory"} for each in limits)
    equal = all(not request or request == limit for request, limit in zip(requests, limits, strict=True))
    return "Guaranteed" if complete and equal else "Burstable"


def _counted(listed: Amounts) -> Amounts:
    return {name: each for name, each in listed.items() if name in {"cpu", "memory"} and each.nanos > 0}
