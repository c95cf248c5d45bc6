"""Which of this package's rules hold for which kind, in the order in which the API server asks them.

A new object: `prepare`, `admit`, its name, `complete`, `wrong_fields`, `count`. A changed one: `prepare`,
`settle`, `wrong_fields`, `wrongly_changed`, `counts`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.admission import (
    accounts,
    claims,
    configs,
    jobs,
    limits,
    pod_changes,
    pod_defaults,
    pod_rules,
    quotas,
    range_rules,
    services,
)
from kubectl_ray.sandbox.api.metadata import COUNTED, prohibited, required, wrong
from kubectl_ray.sandbox.api.quantities import parse
from kubectl_ray.sandbox.api.refusals import bad_request
from kubectl_ray.sandbox.api.resources import quality

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.metadata import Cause
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object

STATUS_STAYS = frozenset({kinds.NODES, kinds.CRDS, kinds.DEPLOYMENTS})
"""Kinds that may be created with a status; every other one begins without."""


def prepare(kind: Kind, held: Object, before: Object | None = None) -> None:
    """Write in what the server adds by itself; `before` is None for a new object.

    Raises:
        Refused: 400, a value cannot be read.
    """
    if before is None and "status" in kind.subresources and kind not in STATUS_STAYS:
        held.pop("status", None)
    fill = FILL.get(kind)
    try:
        if fill is not None:
            fill(held, before)
    except ValueError as error:
        why = f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}: {error}'
        raise bad_request(why) from None


def _prepare_pod(held: Object, before: Object | None) -> None:
    pod_defaults.fill_pod(held)
    pod_defaults.add_tolerations(held["spec"])
    for key in ("priority", "preemptionPolicy"):
        if before is not None and key in before["spec"]:
            held["spec"].setdefault(key, before["spec"][key])


def _prepare_binding(held: Object, _before: Object | None) -> None:
    if isinstance(held.get("roleRef"), dict):
        held["roleRef"].setdefault("apiGroup", kinds.RBAC)
    for each in held.get("subjects") or []:
        if each.get("kind") in {"User", "Group"}:
            each.setdefault("apiGroup", kinds.RBAC)


def _prepare_quota(held: Object, _before: Object | None) -> None:
    spec = held["spec"] = held.get("spec") or {}
    if spec.get("hard"):
        spec["hard"] = {name: str(parse(each)) for name, each in spec["hard"].items()}


def _prepare_namespace(held: Object, before: Object | None) -> None:
    meta = held["metadata"]
    if meta.get("name"):
        meta["labels"] = {**(meta.get("labels") or {}), "kubernetes.io/metadata.name": meta["name"]}
    spec = held["spec"] = held.get("spec") or {}
    if before is None:
        spec["finalizers"] = sorted({*(spec.get("finalizers") or []), "kubernetes"})
        held["status"] = {"phase": "Active"}
    elif "finalizers" in (before.get("spec") or {}):
        spec.setdefault("finalizers", before["spec"]["finalizers"])


def admit(objects: Objects, kind: Kind, made: Object) -> None:
    """What depends on other objects and is written into a new one before it has a name.

    Raises:
        Refused: 403.
    """
    if kind is kinds.PODS:
        limits.apply_defaults(objects, made)
        accounts.run_as(objects, made)
        accounts.rank(objects, made)


def complete(objects: Objects, kind: Kind, made: Object) -> None:
    """What a new object gets once it has a name and a uid."""
    if kind is kinds.PODS:
        made["status"] = {"phase": "Pending", "qosClass": _quality(made)}
    elif kind is kinds.SERVICES:
        services.allocate(objects, made)
    elif kind is kinds.JOBS:
        jobs.label(made)
        made["status"] = {}
    elif kind is kinds.CLAIMS:
        claims.protect(made)
    elif kind is kinds.RESOURCE_QUOTAS:
        made["status"] = {}
    elif kind is kinds.NAMESPACES:
        _prepare_namespace(made, None)


def settle(objects: Objects, kind: Kind, changed: Object) -> None:
    """What a changed object gets that depends on others."""
    if kind is kinds.SERVICES and changed["spec"]["type"] != "ExternalName":
        services.allocate_ports(objects, changed)


def wrong_fields(objects: Objects, kind: Kind, held: Object) -> list[Cause]:
    """What of an object by itself is not allowed; metadata aside."""
    if kind is kinds.SERVICES:
        return services.causes(objects, held)
    check = CHECK.get(kind)
    return check(held) if check is not None else []


def wrongly_changed(kind: Kind, before: Object, after: Object) -> list[Cause]:
    """What of a change is not allowed."""
    check = CHECK_CHANGE.get(kind)
    return check(before, after) if check is not None else []


def count(objects: Objects, kind: Kind, made: Object) -> None:
    """Whether limits and quotas leave room for a new object.

    Raises:
        Refused: 403.
    """
    if kind is kinds.PODS:
        limits.check_pod(objects, made)
    elif kind is kinds.CLAIMS:
        limits.check_claim(objects, made)
    quotas.check(objects, kind, made)


def counts(kind: Kind, before: Object, after: Object) -> bool:
    """Whether a change moves the generation: the spec for most kinds, all but metadata and status for Ray's.

    That a pod is given a machine does not count.
    """
    if kind not in COUNTED:
        return False
    if kind is kinds.PODS and "nodeName" not in before["spec"] and "nodeName" in after["spec"]:
        return bool({**before["spec"], "nodeName": after["spec"]["nodeName"]} != after["spec"])
    if kind.group == kinds.RAY or kind is kinds.ENDPOINT_SLICES:
        return any(before.get(key) != after.get(key) for key in {*before, *after} if key not in {"metadata", "status"})
    return bool(before.get("spec") != after.get("spec"))


def _quality(pod: Object) -> str:
    try:
        return quality(pod["spec"])
    except ValueError:
        return "BestEffort"


def _wrong_quota(quota: Object) -> list[Cause]:
    found = []
    for name, amount in (quota["spec"].get("hard") or {}).items():
        field = f"spec.hard[{name}]"
        if name not in STANDARD_QUOTA and "/" not in name and not name.startswith("hugepages-"):
            found.append(wrong(name, "must be a standard resource type or fully qualified", field))
            found.append(wrong(name, "must be a standard resource for quota", field))
        elif parse(amount).nanos < 0:
            found.append(wrong(amount, "must be greater than or equal to 0", field))
    scopes = quota["spec"].get("scopes") or []
    if any(each not in quotas.POD_SCOPES for each in scopes):
        found.append(wrong(scopes, "unsupported scope", "spec.scopes"))
    return found


STANDARD_QUOTA = frozenset(
    {
        "cpu",
        "memory",
        "ephemeral-storage",
        "pods",
        "services",
        "services.nodeports",
        "services.loadbalancers",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "resourcequotas",
        "replicationcontrollers",
        *(
            f"{what}.{name}"
            for what in ("requests", "limits")
            for name in ("cpu", "memory", "ephemeral-storage", "storage")
        ),
    }
)
"""Names that a quota can limit without a prefix."""


def _wrong_binding(binding: Object) -> list[Cause]:
    role = binding.get("roleRef") or {}
    found = [] if role.get("name") else [required("roleRef.name")]
    for index, each in enumerate(binding.get("subjects") or []):
        if not each.get("name"):
            found.append(required(f"subjects[{index}].name"))
    return found


def _changed_binding(before: Object, after: Object) -> list[Cause]:
    if before.get("roleRef") == after.get("roleRef"):
        return []
    return [wrong(after.get("roleRef"), "cannot change roleRef", "roleRef")]


def _changed_priority(before: Object, after: Object) -> list[Cause]:
    if before.get("value") == after.get("value"):
        return []
    return [prohibited("may not be changed in an update.", "value")]


FILL: dict[Kind, Callable[[Object, Object | None], None]] = {
    kinds.PODS: _prepare_pod,
    kinds.SERVICES: services.fill,
    kinds.SECRETS: lambda held, _before: configs.fill_secret(held),
    kinds.JOBS: lambda held, _before: jobs.fill(held),
    kinds.CLAIMS: lambda held, _before: claims.fill(held),
    kinds.LIMIT_RANGES: lambda held, _before: limits.fill_range(held),
    kinds.RESOURCE_QUOTAS: _prepare_quota,
    kinds.NAMESPACES: _prepare_namespace,
    kinds.ROLE_BINDINGS: _prepare_binding,
    kinds.CLUSTER_ROLE_BINDINGS: _prepare_binding,
}
CHECK: dict[Kind, Callable[[Object], list[Cause]]] = {
    kinds.PODS: lambda held: pod_rules.causes(held["spec"]),
    kinds.SECRETS: partial(configs.causes, kinds.SECRETS),
    kinds.CONFIG_MAPS: partial(configs.causes, kinds.CONFIG_MAPS),
    kinds.JOBS: jobs.causes,
    kinds.CLAIMS: claims.causes,
    kinds.LIMIT_RANGES: range_rules.causes,
    kinds.RESOURCE_QUOTAS: _wrong_quota,
    kinds.ROLE_BINDINGS: _wrong_binding,
    kinds.CLUSTER_ROLE_BINDINGS: _wrong_binding,
}
CHECK_CHANGE: dict[Kind, Callable[[Object, Object], list[Cause]]] = {
    kinds.PODS: pod_changes.causes,
    kinds.SERVICES: services.changed_causes,
    kinds.SECRETS: partial(configs.changed_causes, kinds.SECRETS),
    kinds.CONFIG_MAPS: partial(configs.changed_causes, kinds.CONFIG_MAPS),
    kinds.JOBS: jobs.changed_causes,
    kinds.CLAIMS: claims.changed_causes,
    kinds.ROLE_BINDINGS: _changed_binding,
    kinds.CLUSTER_ROLE_BINDINGS: _changed_binding,
    kinds.PRIORITY_CLASSES: _changed_priority,
}
