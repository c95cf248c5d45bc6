"""What a pod asks of a machine.

Source: Kubernetes, `component-helpers/resource/helpers.go` (the sum of its containers, or what one init container
needs where that is more) and `pkg/apis/core/v1/helper/qos`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.quantities import Quantity, parse

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object

Amounts = dict[str, Quantity]


def requested(pod: Object, what: str = "requests") -> Amounts:
    """Sums over the pod by resource; `what` is requests or limits. A limit without a request counts as both."""
    spec = pod["spec"]
    total: Amounts = {}
    for container in spec.get("containers", []):
        total = added(total, _of(container, what))
    beside: Amounts = {}
    for container in spec.get("initContainers", []):
        if container.get("restartPolicy") == "Always":
            beside = added(beside, _of(container, what))
            total = added(total, _of(container, what))
        else:
            total = most(total, added(beside, _of(container, what)))
    return added(total, {name: parse(text) for name, text in (spec.get("overhead") or {}).items()})


def _of(container: Object, what: str) -> Amounts:
    resources = container.get("resources") or {}
    amounts = resources.get(what) or {}
    if what == "requests":
        amounts = {**(resources.get("limits") or {}), **amounts}
    return {name: parse(text) for name, text in amounts.items()}


def added(one: Amounts, other: Amounts) -> Amounts:
    """The sums."""
    return {**one, **{name: one[name] + amount if name in one else amount for name, amount in other.items()}}


def most(one: Amounts, other: Amounts) -> Amounts:
    """The larger of each."""
    return {**one, **{name: max(one[name], amount) if name in one else amount for name, amount in other.items()}}


def written(amounts: Amounts) -> dict[str, str]:
    """As an object has them."""
    return {name: str(amount) for name, amount in amounts.items()}


def quality(pod: Object) -> str:
    """Its quality of service: Guaranteed, Burstable or BestEffort."""
    spec = pod["spec"]
    containers = [*spec.get("initContainers", []), *spec.get("containers", [])]
    named = [_of(each, what) for each in containers for what in ("requests", "limits")]
    if not any(each.get(name) for each in named for name in ("cpu", "memory")):
        return "BestEffort"
    for each in containers:
        limits, asked = _of(each, "limits"), _of(each, "requests")
        if any(name not in limits or asked[name] != limits[name] for name in ("cpu", "memory")):
            return "Burstable"
    return "Guaranteed"
