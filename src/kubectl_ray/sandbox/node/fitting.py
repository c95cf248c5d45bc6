"""Whether a pod fits the machine, and the scheduler's own words where it does not.

Source: Kubernetes v1.36, `pkg/scheduler/framework/plugins` (the plugins in their default order: the first that
refuses tells why) and events recorded from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_ray.sandbox.api.quantities import Quantity
from kubectl_ray.sandbox.api.resources import added, amounts, asked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kubectl_ray.sandbox.api.store import Object

NOTHING = Quantity(0)


class Refusal(NamedTuple):
    """Why a pod does not fit; `later` says that it would when others ended."""

    reasons: tuple[str, ...]
    later: bool

    @property
    def message(self) -> str:
        """The condition's and the event's text, for one node."""
        preemption = (
            "No preemption victims found for incoming pod."
            if self.later
            else "Preemption is not helpful for scheduling."
        )
        told = ", ".join(f"1 {reason}" for reason in sorted(self.reasons))
        return (
            f"0/1 nodes are available: {told}. no new claims to deallocate,"
            f" preemption: 0/1 nodes are available: 1 {preemption}"
        )


class Unbound(NamedTuple):
    """A claim is missing or has no volume: no node is even looked at."""

    why: str

    @property
    def message(self) -> str:
        """The condition's and the event's text; its odd end is the real scheduler's."""
        return f"0/1 nodes are available: {self.why}. not found"


def refusal(
    pod: Object, node: Object, others: Iterable[Object], claims: Mapping[str, Object]
) -> Refusal | Unbound | None:
    """Why the pod cannot run on this node beside the others; None when it can. `claims` are its namespace's."""
    return _claims(pod, claims) or _machine(pod, node) or _room(pod, node, list(others))


def _claims(pod: Object, claims: Mapping[str, Object]) -> Unbound | None:
    names = [each["persistentVolumeClaim"]["claimName"] for each in _volumes(pod) if each.get("persistentVolumeClaim")]
    for name in names:
        if name not in claims:
            return Unbound(f'persistentvolumeclaim "{name}" not found')
    if any(claims[name].get("status", {}).get("phase") != "Bound" for name in names):
        return Unbound("pod has unbound immediate PersistentVolumeClaims")
    return None


def _machine(pod: Object, node: Object) -> Refusal | None:
    spec, tolerations = node.get("spec", {}), pod["spec"].get("tolerations") or []
    cordoned = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    if spec.get("unschedulable") and not any(_tolerates(each, cordoned) for each in tolerations):
        return Refusal(("node(s) were unschedulable",), later=False)
    for taint in spec.get("taints") or []:
        repels = taint["effect"] in {"NoSchedule", "NoExecute"}
        if repels and not any(_tolerates(each, taint) for each in tolerations):
            return Refusal(("node(s) had untolerated taint(s)",), later=False)
    if not _affine(pod, node):
        return Refusal(("node(s) didn't match Pod's node affinity/selector",), later=False)
    return None


def _room(pod: Object, node: Object, others: list[Object]) -> Refusal | None:
    taken = {each for other in others for each in _host_ports(other)}
    if taken & set(_host_ports(pod)):
        return Refusal(("node(s) didn't have free ports for the requested pod ports",), later=True)
    offered = amounts(node["status"]["allocatable"])
    used: dict[str, Quantity] = {}
    for other in others:
        used = added(used, asked(other, "requests"))
    reasons, later = [], True
    if len(others) + 1 > offered["pods"].whole:
        reasons.append("Too many pods")
    for name, amount in asked(pod, "requests").items():
        has = offered.get(name, NOTHING)
        if amount > NOTHING and amount + used.get(name, NOTHING) > has:
            reasons.append(f"Insufficient {name}")
            later = later and amount <= has
    return Refusal(tuple(reasons), later) if reasons else None


def _volumes(pod: Object) -> list[Object]:
    return pod["spec"].get("volumes") or []


def _host_ports(pod: Object) -> list[tuple[str, int]]:
    spec = pod["spec"]
    containers = [
        *spec.get("containers", []),
        *(each for each in spec.get("initContainers", []) if each.get("restartPolicy") == "Always"),
    ]
    return [
        (port.get("protocol", "TCP"), port["hostPort"])
        for each in containers
        for port in each.get("ports") or []
        if port.get("hostPort")
    ]


def _tolerates(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


def _affine(pod: Object, node: Object) -> bool:
    labels, name = node["metadata"].get("labels", {}), node["metadata"]["name"]
    if not (pod["spec"].get("nodeSelector") or {}).items() <= labels.items():
        return False
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    return any(_term(each, labels, name) for each in required.get("nodeSelectorTerms") or [])


def _term(term: Object, labels: Mapping[str, str], name: str) -> bool:
    """All of its expressions hold; one without any holds for no node."""
    expressions = [(each, labels.get(each["key"])) for each in term.get("matchExpressions") or []]
    expressions += [(each, name) for each in term.get("matchFields") or []]
    return bool(expressions) and all(_holds(each, value) for each, value in expressions)


def _holds(expression: Object, value: str | None) -> bool:
    operator, values = expression["operator"], expression.get("values") or []
    if operator in {"Gt", "Lt"}:
        try:
            bound, number = int(values[0]), int(value or "")
        except (ValueError, IndexError):
            return False
        return number > bound if operator == "Gt" else number < bound
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }.get(operator, False)
