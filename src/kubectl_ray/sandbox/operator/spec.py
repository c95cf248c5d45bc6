"""What a RayCluster's spec asks for, with the operator's own defaults where a field is absent.

Source: KubeRay v1.6.2, `controllers/ray/utils/util.go`. The API server has checked types before; only what the schema
lets be absent is thought of here.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b32hexencode
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api.quantities import Quantity, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_ray.sandbox.api.store import Object

MOST = 2**31 - 1
"""maxReplicas where none is given."""

AUTOSCALER_V2 = "RAY_enable_autoscaler_v2"

_SLICED_GPU = re.compile(r"nvidia\.com/mig-[0-9]+g\.[0-9]+gb$")
_REPLICA_FIELDS = ("replicas", "minReplicas", "maxReplicas")


def groups(spec: Object) -> list[Object]:
    """The worker groups."""
    return spec.get("workerGroupSpecs") or []


def pod_spec(group: Object) -> Object:
    """`template.spec` of a head or worker group."""
    found: Object = (group.get("template") or {}).get("spec") or {}
    return found


def containers(group: Object) -> list[Object]:
    """The containers of a group's template; the first one is Ray's."""
    return pod_spec(group).get("containers") or []


def hosts(group: Object) -> int:
    """Pods that make up one replica."""
    count: int = group.get("numOfHosts", 0)
    return count


def suspended(of: Object) -> bool:
    """A group or a whole cluster is suspended by its spec."""
    return bool(of.get("suspend"))


def desired(group: Object) -> int:
    """Pods that this group should have: replicas within their limits, times hosts."""
    least, most = group.get("minReplicas") or 0, group.get("maxReplicas", MOST)
    wanted = group.get("replicas")
    if suspended(group):
        return 0
    if wanted is None or wanted < least:
        wanted = least
    return int(min(wanted, most)) * hosts(group)


def autoscaling(spec: Object) -> bool:
    """The cluster has an autoscaler."""
    return bool(spec.get("enableInTreeAutoscaling"))


def autoscaler_v2(spec: Object) -> bool:
    """Its second version is asked for in the spec."""
    return (spec.get("autoscalerOptions") or {}).get("version") == "v2"


def token_auth(spec: Object) -> bool:
    """Ray asks for a token."""
    return (spec.get("authOptions") or {}).get("mode") == "token"


def kubernetes_auth(spec: Object) -> bool:
    """The token is one of Kubernetes'."""
    return bool((spec.get("authOptions") or {}).get("enableK8sTokenAuth"))


def fault_tolerant(cluster: Object) -> bool:
    """The head's state is kept outside of it."""
    annotation = (cluster["metadata"].get("annotations") or {}).get("ray.io/ft-enabled", "")
    return annotation.lower() == "true" or cluster["spec"].get("gcsFaultToleranceOptions") is not None


def environment(container: Object, name: str) -> Object | None:
    """The container's environment variable of that name."""
    return next((each for each in container.get("env") or [] if each.get("name") == name), None)


def amount(resources: object) -> dict[str, Quantity]:
    """A resource list, read; what is no quantity is left out (the schema lets none through)."""
    found = {}
    for name, text in (resources if isinstance(resources, dict) else {}).items():
        try:
            found[name] = parse(text)
        except ValueError:
            continue
    return found


def gpu(resource: str) -> bool:
    """A resource of this name counts GPUs."""
    return resource.endswith("gpu") or _SLICED_GPU.search(resource) is not None


def asked(group: Object) -> dict[str, Quantity]:
    """What a pod of this group counts for: requests, limits where none is requested, over its containers."""
    total: dict[str, Quantity] = {}
    for container in containers(group):
        resources = container.get("resources") or {}
        counted = amount(resources.get("limits")) | amount(resources.get("requests"))
        total = added([total, counted])
    return total


def added(parts: Iterable[dict[str, Quantity]]) -> dict[str, Quantity]:
    """The sum of several resource lists; written as the first one of each name is."""
    total: dict[str, Quantity] = {}
    for part in parts:
        for name, value in part.items():
            total[name] = total[name] + value if name in total else value
    return total


def recreate_hash(spec: Object) -> str:
    """Changes when something changes that pods have to be made anew for; replicas and their limits do not count.

    Ours is stable and of the same form as the operator's, but another number: that one depends on how Go writes JSON.
    """
    told: dict[str, Any] = deepcopy(spec)
    told.pop("upgradeStrategy", None)
    head = told.setdefault("headGroupSpec", {})
    head["rayStartParams"] = head.get("rayStartParams") or {}
    _without_scheduling(head)
    for group in groups(told):
        for field in _REPLICA_FIELDS:
            group.pop(field, None)
        strategy = group.get("scaleStrategy") or {}
        strategy.pop("workersToDelete", None)
        if not strategy:
            group.pop("scaleStrategy", None)
        group["rayStartParams"] = group.get("rayStartParams") or {}
        _without_scheduling(group)
    text = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return b32hexencode(hashlib.sha1(text.encode(), usedforsecurity=False).digest()).decode()


def _without_scheduling(group: Object) -> None:
    """Queues put tolerations and gates in afterwards: no reason to make pods anew."""
    of = pod_spec(group)
    of.pop("tolerations", None)
    of.pop("schedulingGates", None)
