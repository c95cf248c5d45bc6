"""The cells of the rows of built-in kinds, wide ones included.

Source: Kubernetes, `pkg/printers/internalversion/printers.go`; `now` is in seconds since 1970.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.serving import pod_row
from kubectl_ray.sandbox.serving.ages import UNKNOWN, age, lasting, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.store import Object

NONE, UNSET = "<none>", "<unset>"
ROLE, OLD_ROLE = "node-role.kubernetes.io/", "kubernetes.io/role"
SHOWN = 3
"""Ports and addresses of an endpoint slice that are told."""
MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def _age(held: Object, now: float) -> str:
    return age(held["metadata"].get("creationTimestamp"), now)


def _name(held: Object) -> str:
    return str(held["metadata"].get("name", ""))


def _created(held: Object, _now: float) -> list[Any]:
    return [_name(held), held["metadata"].get("creationTimestamp") or UNKNOWN]


def _plain(held: Object, now: float) -> list[Any]:
    return [_name(held), _age(held, now)]


def _namespace(held: Object, now: float) -> list[Any]:
    return [_name(held), held.get("status", {}).get("phase", ""), _age(held, now)]


def _node(held: Object, now: float) -> list[Any]:
    meta, spec, status = held["metadata"], held.get("spec", {}), held.get("status", {})
    info = status.get("nodeInfo", {})
    found = [each for each in status.get("conditions") or [] if each["type"] == "Ready"]
    states = ["Ready" if each["status"] == "True" else "NotReady" for each in found] or ["Unknown"]
    states += ["SchedulingDisabled"] if spec.get("unschedulable") else []
    labels = meta.get("labels") or {}
    roles = {key.removeprefix(ROLE) for key in labels if key.startswith(ROLE) and key != ROLE}
    roles |= {labels[OLD_ROLE]} if labels.get(OLD_ROLE) else set()
    by_type: dict[str, str] = {}
    for each in status.get("addresses") or []:
        by_type.setdefault(each["type"], each["address"])
    kernel, machine = info.get("kernelVersion") or UNKNOWN, info.get("architecture")
    return [
        _name(held),
        ",".join(states),
        ",".join(sorted(roles)) or NONE,
        _age(held, now),
        info.get("kubeletVersion", ""),
        by_type.get("InternalIP", NONE),
        by_type.get("ExternalIP", NONE),
        info.get("osImage") or UNKNOWN,
        f"{kernel} ({machine})" if machine else kernel,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _service(held: Object, now: float) -> list[Any]:
    spec = held.get("spec", {})
    own = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    ports = [
        f"{each['port']}" + (f":{each['nodePort']}" if each.get("nodePort") else "") + f"/{each.get('protocol', 'TCP')}"
        for each in spec.get("ports") or []
    ]
    return [
        _name(held),
        spec.get("type", "ClusterIP"),
        own[0] if own else NONE,
        _reached_at(spec, held.get("status", {})),
        ",".join(ports) or NONE,
        _age(held, now),
        _labels(spec.get("selector")),
    ]


def _reached_at(spec: Object, status: Object) -> str:
    outside = list(spec.get("externalIPs") or [])
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    if spec.get("type") == "LoadBalancer":
        given = status.get("loadBalancer", {}).get("ingress") or []
        balanced = sorted({each.get("ip") or each.get("hostname", "") for each in given})
        return ",".join([*balanced, *outside]) or "<pending>"
    return ",".join(outside) or NONE


def _labels(labels: Object | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def _selector(selector: Object | None) -> str:
    """A label selector as text."""
    told = [f"{key}={value}" for key, value in sorted(((selector or {}).get("matchLabels") or {}).items())]
    for each in (selector or {}).get("matchExpressions") or []:
        key, values = each["key"], ",".join(sorted(each.get("values") or []))
        told.append(
            {
                "In": f"{key} in ({values})",
                "NotIn": f"{key} notin ({values})",
                "Exists": key,
                "DoesNotExist": f"!{key}",
            }.get(each["operator"], key)
        )
    return ",".join(sorted(told)) or NONE


def _event(held: Object, now: float) -> list[Any]:
    old = held.get("apiVersion") == "v1"
    about = held.get("involvedObject" if old else "regarding") or {}
    source = held.get("source" if old else "deprecatedSource") or {}
    first = held.get("firstTimestamp" if old else "deprecatedFirstTimestamp") or held.get("eventTime")
    last = held.get("lastTimestamp" if old else "deprecatedLastTimestamp") or first
    count = held.get("count" if old else "deprecatedCount") or 1
    series = held.get("series")
    if series:
        last, count = series.get("lastObservedTime"), series.get("count", 0)
    by = source.get("component") or held.get("reportingComponent" if old else "reportingController") or ""
    on = source.get("host") or held.get("reportingInstance") or ""
    kind = str(about.get("kind", "")).lower()
    return [
        age(last, now),
        held.get("type", ""),
        held.get("reason", ""),
        f"{kind}/{about['name']}" if about.get("name") else kind,
        about.get("fieldPath", ""),
        f"{by}, {on}" if on else by,
        str(held.get("message" if old else "note", "")).strip(),
        age(first, now),
        count,
        _name(held),
    ]


def _secret(held: Object, now: float) -> list[Any]:
    return [_name(held), held.get("type", ""), len(held.get("data") or {}), _age(held, now)]


def _config_map(held: Object, now: float) -> list[Any]:
    return [_name(held), len(held.get("data") or {}) + len(held.get("binaryData") or {}), _age(held, now)]


def _quota(held: Object, now: float) -> list[Any]:
    status = held.get("status", {})
    used = status.get("used") or {}
    told = {key: f"{key}: {used.get(key, '0')}/{hard}" for key, hard in sorted((status.get("hard") or {}).items())}
    limits = [text for key, text in told.items() if key.startswith("limits.")]
    others = [text for key, text in told.items() if not key.startswith("limits.")]
    return [_name(held), ", ".join(others), ", ".join(limits), _age(held, now)]


def _claim(held: Object, now: float) -> list[Any]:
    meta, spec, status = held["metadata"], held.get("spec", {}), held.get("status", {})
    volume = spec.get("volumeName", "")
    modes = [MODES[each] for each in MODES if each in (status.get("accessModes") or [])]
    return [
        _name(held),
        "Terminating" if meta.get("deletionTimestamp") else status.get("phase", ""),
        volume,
        (status.get("capacity") or {}).get("storage", "") if volume else "",
        ",".join(modes) if volume else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName") or UNSET,
        _age(held, now),
        spec.get("volumeMode") or UNSET,
    ]


def _slice(held: Object, now: float) -> list[Any]:
    ports = [str(each.get("port") or each.get("name") or "*") for each in held.get("ports") or []]
    addresses = [address for each in held.get("endpoints") or [] for address in each.get("addresses") or []]
    return [_name(held), held.get("addressType", ""), _some(ports), _some(addresses), _age(held, now)]


def _some(values: Sequence[str]) -> str:
    told = ",".join(values[:SHOWN]) or UNSET
    return f"{told} + {len(values) - SHOWN} more..." if len(values) > SHOWN else told


def _job(held: Object, now: float) -> list[Any]:
    spec, status = held.get("spec", {}), held.get("status", {})
    true = {each["type"] for each in status.get("conditions") or [] if each["status"] == "True"}
    done, wanted, at_once = status.get("succeeded", 0), spec.get("completions"), spec.get("parallelism") or 1
    of_many = f" of {at_once}" if wanted is None and at_once > 1 else ""
    start, end = moment(status.get("startTime")), moment(status.get("completionTime"))
    return [
        _name(held),
        _job_state(true, deleting=bool(held["metadata"].get("deletionTimestamp"))),
        f"{done}/{1 if wanted is None else wanted}{of_many}",
        "" if start is None else lasting((now if end is None else end) - start),
        _age(held, now),
        *_containers(spec),
        _selector(spec.get("selector")),
    ]


def _job_state(true: set[str], *, deleting: bool) -> str:
    for condition, word in (("Complete", "Complete"), ("Failed", "Failed")):
        if condition in true:
            return word
    if deleting:
        return "Terminating"
    return next((each for each in ("Suspended", "FailureTarget", "SuccessCriteriaMet") if each in true), "Running")


def _containers(spec: Object) -> tuple[str, str]:
    containers = spec.get("template", {}).get("spec", {}).get("containers") or []
    return ",".join(each["name"] for each in containers), ",".join(each.get("image", "") for each in containers)


def _deployment(held: Object, now: float) -> list[Any]:
    spec, status = held.get("spec", {}), held.get("status", {})
    return [
        _name(held),
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 1)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        _age(held, now),
        *_containers(spec),
        _selector(spec.get("selector")),
    ]


def _binding(held: Object, now: float) -> list[Any]:
    role, subjects = held.get("roleRef") or {}, held.get("subjects") or []

    def named(kind: str) -> str:
        return ", ".join(each.get("name", "") for each in subjects if each.get("kind") == kind)

    accounts = [each for each in subjects if each.get("kind") == "ServiceAccount"]
    return [
        _name(held),
        f"{role.get('kind', '')}/{role.get('name', '')}",
        _age(held, now),
        named("User"),
        named("Group"),
        ", ".join(f"{each.get('namespace', '')}/{each.get('name', '')}" for each in accounts),
    ]


def _priority_class(held: Object, now: float) -> list[Any]:
    policy = held.get("preemptionPolicy", "PreemptLowerPriority")
    return [_name(held), held.get("value", 0), bool(held.get("globalDefault")), _age(held, now), policy]


CELLS: dict[Kind, Callable[[Object, float], list[Any]]] = {
    kinds.NAMESPACES: _namespace,
    kinds.NODES: _node,
    kinds.PODS: pod_row.cells,
    kinds.SERVICES: _service,
    kinds.EVENTS: _event,
    kinds.SECRETS: _secret,
    kinds.CONFIG_MAPS: _config_map,
    kinds.SERVICE_ACCOUNTS: _plain,
    kinds.RESOURCE_QUOTAS: _quota,
    kinds.LIMIT_RANGES: _created,
    kinds.CLAIMS: _claim,
    kinds.NEW_EVENTS: _event,
    kinds.ENDPOINT_SLICES: _slice,
    kinds.JOBS: _job,
    kinds.ROLES: _created,
    kinds.ROLE_BINDINGS: _binding,
    kinds.CLUSTER_ROLES: _created,
    kinds.CLUSTER_ROLE_BINDINGS: _binding,
    kinds.PRIORITY_CLASSES: _priority_class,
    kinds.CRDS: _created,
    kinds.DEPLOYMENTS: _deployment,
}
"""One row's cells by the kind of its object."""
