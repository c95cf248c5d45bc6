"""What a request to delete does to an object: marks it, shortens its time, or removes it.

Source: apiserver, `pkg/registry/generic/registry/store.go` (Delete) and `pkg/registry/rest/delete.go` (BeforeDelete);
for pods `pkg/registry/core/pod/strategy.go` (CheckGracefulDelete).
"""

from __future__ import annotations

import calendar
import copy
import time
from typing import TYPE_CHECKING, NamedTuple

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.refusals import Refused

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.store import Object

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"
"""The finalizers that tell the garbage collector what to do with dependents first."""


class Outcome(NamedTuple):
    """What to do: keep `marked` where it differs from the object as it was, then remove it where `gone`."""

    marked: Object
    gone: bool


def check_preconditions(kind: Kind, found: Object, uid: str, version: str) -> None:
    """Whether it still is the object that the caller means.

    Raises:
        Refused: 409, it is another one, or has changed.
    """
    meta = found["metadata"]
    why = ""
    if uid and uid != meta["uid"]:
        why = (
            f"the UID in the precondition ({uid}) does not match the UID in record ({meta['uid']})."
            " The object might have been deleted and then recreated"
        )
    elif version and version != meta["resourceVersion"]:
        why = (
            f"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record"
            f" ({meta['resourceVersion']}). The object might have been modified"
        )
    if why:
        # The real server names the kind here, not the resource as everywhere else.
        shown = f"{kind.name}.{kind.group}" if kind.group else kind.name
        about = {"name": meta["name"], **({"group": kind.group} if kind.group else {}), "kind": kind.name}
        message = f'Operation cannot be fulfilled on {shown} "{meta["name"]}": {why}'
        raise Refused(409, "Conflict", message, about)


def decide(kind: Kind, found: Object, propagation: str, grace: int | None, now: float) -> Outcome:
    """What becomes of the object; `now` is in seconds since 1970, `grace` in seconds, None as it says itself."""
    marked = copy.deepcopy(found)
    if kind is kinds.NAMESPACES:
        return _namespace(found, marked, now)
    meta = marked["metadata"]
    graceful = False
    if grace is not None and grace < 0:
        grace = 1
    if kind is kinds.PODS:
        pending = _pod_waits(found, grace)
        if pending:
            return Outcome(found, gone=False)
        graceful = _mark_pod(marked, grace, now)
    finalizers = _finalizers(kind, meta.get("finalizers") or [], propagation)
    if finalizers:
        meta["finalizers"] = finalizers
    else:
        meta.pop("finalizers", None)
    if not graceful:
        if not finalizers:
            return Outcome(found, gone=True)
        if not meta.get("deletionTimestamp"):
            _mark(marked, 0, now)
        meta["deletionGracePeriodSeconds"] = 0
        return Outcome(marked, gone=False)
    return Outcome(marked, gone=not finalizers and meta["deletionGracePeriodSeconds"] == 0)


def ready_to_go(kind: Kind, held: Object) -> bool:
    """It is being deleted, and nothing keeps it any more."""
    meta = held["metadata"]
    if not meta.get("deletionTimestamp") or meta.get("finalizers") or meta.get("deletionGracePeriodSeconds"):
        return False
    return kind is not kinds.NAMESPACES or not (held.get("spec") or {}).get("finalizers")


def _pod_waits(found: Object, grace: int | None) -> bool:
    """It is being deleted already, and this request gives it no less time."""
    meta = found["metadata"]
    left = meta.get("deletionGracePeriodSeconds")
    return bool(meta.get("deletionTimestamp")) and left is not None and (grace is None or grace >= left)


def _mark_pod(marked: Object, grace: int | None, now: float) -> bool:
    """Set or shorten its time; False where it is deleted at once, whatever it says."""
    meta, spec = marked["metadata"], marked.get("spec", {})
    if meta.get("deletionTimestamp"):
        left = meta.get("deletionGracePeriodSeconds")
        if left is None or grace is None:
            return False
        started = calendar.timegm(time.strptime(meta["deletionTimestamp"], "%Y-%m-%dT%H:%M:%SZ")) - left
        meta["deletionTimestamp"] = _text(started + grace)
        meta["deletionGracePeriodSeconds"] = grace
        return True
    period = spec.get("terminationGracePeriodSeconds", 0) if grace is None else grace
    if not spec.get("nodeName") or marked.get("status", {}).get("phase") in {"Failed", "Succeeded"}:
        period = 0
    _mark(marked, max(period, 1) if period < 0 else period, now)
    return True


def _mark(marked: Object, period: int, now: float) -> None:
    meta = marked["metadata"]
    meta["deletionTimestamp"] = _text(now + period)
    meta["deletionGracePeriodSeconds"] = period
    if meta.get("generation"):
        meta["generation"] += 1


def _finalizers(kind: Kind, held: list[str], propagation: str) -> list[str]:
    """Those of others stay; ours follow the policy, or stay where nothing is said."""
    orphan, foreground = propagation == "Orphan", propagation == "Foreground"
    if not propagation:
        orphan = ORPHAN in held or (kind is kinds.JOBS and FOREGROUND not in held)
        foreground = FOREGROUND in held and ORPHAN not in held
    others = [each for each in held if each not in {ORPHAN, FOREGROUND}]
    return others + [ORPHAN] * orphan + [FOREGROUND] * foreground


def _namespace(found: Object, marked: Object, now: float) -> Outcome:
    """It stays, Terminating, until it is empty and finalized."""
    name = found["metadata"]["name"]
    if name in {"default", "kube-system", "kube-public"}:
        message = f'namespaces "{name}" is forbidden: this namespace may not be deleted'
        raise Refused(403, "Forbidden", message, {"name": name, "kind": "namespaces"})
    if not found["metadata"].get("deletionTimestamp"):
        marked["metadata"]["deletionTimestamp"] = _text(now)
        marked["status"] = {**marked.get("status", {}), "phase": "Terminating"}
        return Outcome(marked, gone=False)
    kept = found.get("spec", {}).get("finalizers") or found["metadata"].get("finalizers")
    return Outcome(found, gone=not kept)


def _text(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
