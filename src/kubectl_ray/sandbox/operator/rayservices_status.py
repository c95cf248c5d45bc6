"""A RayService's status: which cluster serves, conditions, and what is worth a write."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.events import seconds
from kubectl_ray.sandbox.operator.parents import cluster_status, empty_cluster_status
from kubectl_ray.sandbox.operator.rayservices_validation import timeout, written_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object

ACTIVE, PENDING = "activeServiceStatus", "pendingServiceStatus"
TIMED_OUT = "InitializingTimeout"


def read(service: Object) -> Object:
    """A copy of the status, with what is always there."""
    held = copy.deepcopy(service.get("status") or {})
    for side in (ACTIVE, PENDING):
        held[side] = {"rayClusterStatus": empty_cluster_status(), **held.get(side, {})}
    return held


def cluster_name(status: Object, side: str) -> str:
    """The cluster of that side; empty when there is none."""
    return str(status[side].get("rayClusterName", ""))


def tell_side(status: Object, side: str, cluster: Object | None, applications: Mapping[str, Object] | None) -> None:
    """Take over how a side's cluster and applications are."""
    status[side]["rayClusterStatus"] = cluster_status(cluster)
    if applications:
        status[side]["applicationStatuses"] = dict(applications)
    else:
        status[side].pop("applicationStatuses", None)


def promote(status: Object, serving: str) -> None:
    """The cluster that the services lead to is the active one."""
    if cluster_name(status, ACTIVE) != serving:
        status[ACTIVE] = status[PENDING]
        status[PENDING] = {"rayClusterStatus": empty_cluster_status()}


def endpoints(objects: Objects, namespace: str, service: str) -> int:
    """Pods behind the service that take requests."""
    found = set()
    for part in objects.list(kinds.ENDPOINT_SLICES, namespace, {"kubernetes.io/service-name": service}):
        for endpoint in part.get("endpoints") or ():
            uid = (endpoint.get("targetRef") or {}).get("uid")
            if uid and (endpoint.get("conditions") or {}).get("ready"):
                found.add(uid)
    return len(found)


def condition(status: Object, kind: str) -> Object | None:
    """The condition of that type."""
    for each in status.get("conditions", ()):
        if each["type"] == kind:
            found: Object = each
            return found
    return None


def set_condition(status: Object, stamp: str, kind: str, *said: str) -> None:
    """`said` is status, reason and message; the time changes with the status only."""
    word, reason, message = said
    made = {"type": kind, "status": word, "reason": reason, "message": message, "lastTransitionTime": stamp}
    if status.get("observedGeneration"):
        made["observedGeneration"] = status["observedGeneration"]
    known = condition(status, kind)
    if known is None:
        status["conditions"] = [*status.get("conditions", ()), made]
        return
    if known["status"] == word:
        made["lastTransitionTime"] = known["lastTransitionTime"]
    known.clear()
    known |= made


def conclude(service: Object, status: Object, now: float, stamp: str) -> str | None:
    """Set conditions and serviceStatus of what is known; the words of a warning where the time to start is over."""
    if not status.get("conditions"):
        for kind in ("Ready", "UpgradeInProgress"):
            set_condition(status, stamp, kind, "False", "Initializing", "RayService is initializing")
    warning = None
    ready = condition(status, "Ready") or {}
    if status.get("numServeEndpoints"):
        said = "NonZeroServeEndpoints", "Number of serve endpoints is greater than 0"
        set_condition(status, stamp, "Ready", "True", *said)
    elif ready["status"] == "True":
        said = "ZeroServeEndpoints", "Number of serve endpoints dropped to 0"
        set_condition(status, stamp, "Ready", "False", *said)
    else:
        warning = _time_out(service, status, now, stamp)
    _upgrade(status, stamp)
    status.pop("serviceStatus", None)
    if (condition(status, "Ready") or {})["status"] == "True":
        status["serviceStatus"] = "Running"
    return warning


def _upgrade(status: Object, stamp: str) -> None:
    active, pending = cluster_name(status, ACTIVE), cluster_name(status, PENDING)
    if active and pending:
        said = "True", "BothActivePendingClustersExist", "Both active and pending Ray clusters exist"
    elif active:
        said = "False", "NoPendingCluster", "Active Ray cluster exists and no pending Ray cluster"
    else:
        known = condition(status, "UpgradeInProgress")
        if known is not None and known["reason"] in {"Initializing", TIMED_OUT}:
            return
        text = "No active Ray cluster exists, and the RayService is not initializing."
        said = "Unknown", "NoActiveCluster", f"{text} Please open a GitHub issue in the KubeRay repository."
    set_condition(status, stamp, "UpgradeInProgress", *said)


def _time_out(service: Object, status: Object, now: float, stamp: str) -> str | None:
    limit, ready = timeout(service), condition(status, "Ready") or {}
    if limit is None or ready["reason"] != "Initializing":
        return None
    spent = now - seconds(ready["lastTransitionTime"])
    if spent < limit:
        return None
    for side in (ACTIVE, PENDING):
        status[side].pop("rayClusterName", None)
    shown, took = written_duration(limit), written_duration(spent)
    text = (
        f"RayService failed to become ready within the configured timeout of {shown}. Time spent initializing: {took}"
    )
    set_condition(status, stamp, "Ready", "False", TIMED_OUT, text)
    return f"RayService initializing timeout exceeded after {took} (configured timeout: {shown})"


def differs(before: Object, after: Object) -> bool:
    """Whether the status is worth a write: what the clusters say of themselves alone is not."""
    fields = ("serviceStatus", "numServeEndpoints", "conditions")
    if any(before.get(field) != after.get(field) for field in fields):
        return True
    parts = ("rayClusterName", "applicationStatuses")
    return any(before[side].get(part) != after[side].get(part) for side in (ACTIVE, PENDING) for part in parts)
