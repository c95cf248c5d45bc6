"""ResourceQuotas: what objects count for, what a namespace holds, and what does not fit any more.

Source: `pkg/quota/v1/evaluator/core` and apiserver, `pkg/admission/plugin/resourcequota/controller.go`. Usage is added
up from the objects themselves each time, so it is never behind as the real server's can be for a moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.admission.accounts import shown_name
from kubectl_ray.sandbox.api.events import seconds
from kubectl_ray.sandbox.api.quantities import NANO, Quantity
from kubectl_ray.sandbox.api.refusals import forbidden
from kubectl_ray.sandbox.api.resources import Amounts, added, amounts, asked, quality

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object

ONE = Quantity(NANO)
SHORT = {
    kinds.PODS: "pods",
    kinds.SERVICES: "services",
    kinds.SECRETS: "secrets",
    kinds.CONFIG_MAPS: "configmaps",
    kinds.CLAIMS: "persistentvolumeclaims",
    kinds.RESOURCE_QUOTAS: "resourcequotas",
}
"""Kinds that a quota can count by their plain name; `count/<resource>` counts any kind."""

TOLD = frozenset({"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"})
"""What every container has to say when a quota is about it."""

POD_SCOPES = frozenset({"Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass"})


def usage(kind: Kind, held: Object, now: float) -> Amounts:
    """What one object counts for; `now` is in seconds since 1970."""
    total: Amounts = {f"count/{kind.resource}": ONE}
    if kind is kinds.PODS:
        if _over(held, now):
            return total
        return {**total, **_compute(asked(held, "requests"), asked(held, "limits"))}
    if kind in SHORT:
        total[SHORT[kind]] = ONE
    spec = held.get("spec") or {}
    if kind is kinds.CLAIMS:
        size = amounts((spec.get("resources") or {}).get("requests")).get("storage", Quantity(0))
        total["requests.storage"] = size
        if spec.get("storageClassName"):
            of_class = f"{spec['storageClassName']}.storageclass.storage.k8s.io"
            total |= {f"{of_class}/requests.storage": size, f"{of_class}/persistentvolumeclaims": ONE}
    if kind is kinds.SERVICES and spec.get("type") in {"NodePort", "LoadBalancer"}:
        total["services.nodeports"] = Quantity(NANO * len(spec.get("ports") or []))
        if spec["type"] == "LoadBalancer":
            total["services.loadbalancers"] = ONE
    return total


def used(objects: Objects, quota: Object) -> Amounts:
    """What the quota's namespace holds of what the quota limits."""
    hard = amounts((quota.get("spec") or {}).get("hard"))
    namespace, now = quota["metadata"]["namespace"], objects.clock()
    total: Amounts = dict.fromkeys(hard, Quantity(0))
    for kind in kinds.KINDS:
        if not kind.namespaced or kind is kinds.NEW_EVENTS or not _concerns(kind, hard):
            continue
        for held in objects.list(kind, namespace):
            if in_scope(quota, kind, held):
                total = added(total, {name: each for name, each in usage(kind, held, now).items() if name in hard})
    return total


def check(objects: Objects, kind: Kind, made: Object) -> None:
    """Whether the namespace's quotas leave room for a new object.

    Raises:
        Refused: 403, in the words of the first quota that does not.
    """
    if not kind.namespaced:
        return
    meta = made["metadata"]
    wanted: Amounts | None = None
    for quota in objects.list(kinds.RESOURCE_QUOTAS, meta["namespace"]):
        hard = amounts((quota.get("spec") or {}).get("hard"))
        if not _concerns(kind, hard) or not in_scope(quota, kind, made):
            continue
        name = quota["metadata"]["name"]
        if kind is kinds.PODS:
            missing = _unsaid(made, TOLD & set(hard))
            if missing:
                raise forbidden(kind, shown_name(meta), f"failed quota: {name}: must specify {missing}")
        wanted = wanted if wanted is not None else usage(kind, made, objects.clock())
        request = {each: wanted[each] for each in wanted if each in hard and wanted[each].nanos > 0}
        held = used(objects, quota) if request else {}
        exceeded = sorted(each for each in request if held[each] + request[each] > hard[each])
        if exceeded:
            told = [",".join(f"{each}={listed[each]}" for each in exceeded) for listed in (request, held, hard)]
            why = f"exceeded quota: {name}, requested: {told[0]}, used: {told[1]}, limited: {told[2]}"
            raise forbidden(kind, shown_name(meta), why)


def in_scope(quota: Object, kind: Kind, held: Object) -> bool:
    """Whether the quota is about this object."""
    spec = quota.get("spec") or {}
    scopes = [{"scopeName": each, "operator": "Exists"} for each in spec.get("scopes") or []]
    scopes += (spec.get("scopeSelector") or {}).get("matchExpressions") or []
    return all(kind is kinds.PODS and _matches(each, held) for each in scopes)


def _matches(scope: Mapping[str, object], pod: Object) -> bool:
    spec = pod.get("spec") or {}
    match scope.get("scopeName"):
        case "Terminating":
            return (spec.get("activeDeadlineSeconds") or -1) >= 0
        case "NotTerminating":
            return (spec.get("activeDeadlineSeconds") or -1) < 0
        case "BestEffort":
            return quality(spec) == "BestEffort"
        case "NotBestEffort":
            return quality(spec) != "BestEffort"
        case "PriorityClass":
            name, values = spec.get("priorityClassName"), scope.get("values") or []
            listed = isinstance(values, list) and name in values
            operator = scope.get("operator")
            return {"In": listed, "NotIn": not listed, "Exists": bool(name), "DoesNotExist": not name}.get(
                str(operator), False
            )
    return False


def _concerns(kind: Kind, hard: Amounts) -> bool:
    """Whether the quota limits anything that objects of this kind count for."""
    if f"count/{kind.resource}" in hard:
        return True
    if kind is kinds.PODS:
        return any(
            name in TOLD
            or name == "pods"
            or "ephemeral-storage" in name
            or name.startswith(("requests.", "hugepages-"))
            for name in hard
        )
    if kind is kinds.CLAIMS and any(name.endswith("requests.storage") or "storageclass" in name for name in hard):
        return True
    return kind in SHORT and any(name.partition(".")[0] == SHORT[kind] for name in hard)


def _compute(requests: Amounts, limits: Amounts) -> Amounts:
    total: Amounts = {"pods": ONE}
    for name, each in requests.items():
        total[f"requests.{name}"] = each
        if "/" not in name:
            total[name] = each
    for name in ("cpu", "memory", "ephemeral-storage"):
        if name in limits:
            total[f"limits.{name}"] = limits[name]
    return total


def _unsaid(pod: Object, wanted: set[str] | frozenset[str]) -> str:
    """`requests.cpu for: a,b; ...` for what containers do not say."""
    spec = pod.get("spec") or {}
    if spec.get("resources"):
        return ""
    missing: dict[str, list[str]] = {}
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        resources = container.get("resources") or {}
        said = _compute(amounts(resources.get("requests")), amounts(resources.get("limits")))
        for name in wanted - set(said):
            missing.setdefault(name, []).append(container["name"])
    return "; ".join(f"{name} for: {','.join(sorted(missing[name]))}" for name in sorted(missing))


def _over(pod: Object, now: float) -> bool:
    """It has ended, or should have by now: it holds nothing any more."""
    if (pod.get("status") or {}).get("phase") in {"Failed", "Succeeded"}:
        return True
    meta = pod["metadata"]
    grace = meta.get("deletionGracePeriodSeconds")
    return (
        bool(meta.get("deletionTimestamp")) and grace is not None and now > seconds(meta["deletionTimestamp"]) + grace
    )
