"""What a pod gets by the service account that it runs as and by its priority class.

Source: the admission plugins ServiceAccount and Priority.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.refusals import forbidden

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object

SYSTEM = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
"""Priority classes that every cluster has."""


def run_as(objects: Objects, pod: Object) -> None:
    """Name the account, and take over its pull secrets.

    Raises:
        Refused: 403, there is no such account. That of the name `default` is not looked for: a namespace's own
            controller makes it, and a pod may be written a moment earlier.
    """
    spec, meta = pod["spec"], pod["metadata"]
    name = spec.get("serviceAccountName") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    account = objects.find(kinds.SERVICE_ACCOUNTS, meta["namespace"], name)
    if account is None:
        if name == "default":
            return
        why = f'error looking up service account {meta["namespace"]}/{name}: serviceaccount "{name}" not found'
        raise forbidden(kinds.PODS, shown_name(meta), why)
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [dict(each) for each in account["imagePullSecrets"]]


def rank(objects: Objects, pod: Object) -> None:
    """Give the pod the number of its priority class.

    Raises:
        Refused: 403, there is no such class, or the pod says another number itself.
    """
    spec = pod["spec"]
    name = spec.get("priorityClassName") or ""
    policy = "PreemptLowerPriority"
    if not name:
        for each in objects.list(kinds.PRIORITY_CLASSES):
            if each.get("globalDefault"):
                name = spec["priorityClassName"] = each["metadata"]["name"]
    number = SYSTEM.get(name, 0)
    if name and name not in SYSTEM:
        found = objects.find(kinds.PRIORITY_CLASSES, "", name)
        if found is None:
            raise forbidden(kinds.PODS, shown_name(pod["metadata"]), f"no PriorityClass with name {name} was found")
        number, policy = found.get("value", 0), found.get("preemptionPolicy") or policy
    said = spec.get("priority")
    if said is not None and said != number:
        why = (
            f"the integer value of priority ({said}) must not be provided in pod spec; priority admission controller"
            f" computed {number} from the given PriorityClass name"
        )
        raise forbidden(kinds.PODS, shown_name(pod["metadata"]), why)
    spec["priority"] = number
    spec.setdefault("preemptionPolicy", policy)


def shown_name(meta: Object) -> str:
    """What an error calls an object that may have no name yet."""
    return str(meta.get("name") or meta.get("generateName") or "")
