"""What may be changed of a pod that exists: images, the deadline, more tolerations; everything else stays.

Source: `ValidatePodUpdate` in `pkg/apis/core/validation/validation.go`. The real server adds a diff of its own inner
form behind the text; the sandbox adds the names of the fields instead.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api.metadata import prohibited, wrong

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.metadata import Cause
    from kubectl_ray.sandbox.api.store import Object

ALLOWED = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def causes(before: Object, after: Object) -> list[Cause]:
    """What of the difference between two specs is not allowed."""
    old, new = before["spec"], after["spec"]
    for key in ("containers", "initContainers"):
        if len(old.get(key) or []) != len(new.get(key) or []):
            return [prohibited("pod updates may not add or remove containers", f"spec.{key}")]
    deadline, earlier = new.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds")
    found: list[Cause] = []
    if earlier is not None and deadline is None:
        found.append(wrong(None, "must not update from a positive integer to nil value", "spec.activeDeadlineSeconds"))
    elif earlier is not None and deadline is not None and deadline > earlier:
        found.append(wrong(deadline, "must be less than or equal to previous value", "spec.activeDeadlineSeconds"))
    tolerations = old.get("tolerations") or []
    if any(each not in (new.get("tolerations") or []) for each in tolerations):
        why = "existing toleration can not be modified except its tolerationSeconds"
        kept = [_but_time(each) for each in new.get("tolerations") or []]
        if any(_but_time(each) not in kept for each in tolerations):
            found.append(prohibited(why, "spec.tolerations"))
    if found:
        return found
    comparable = _but_allowed(new, old)
    if comparable != old:
        fields = ", ".join(sorted(key for key in {*old, *comparable} if old.get(key) != comparable.get(key)))
        found.append(prohibited(f"{ALLOWED}\n{fields}", "spec"))
    return found


def _but_allowed(new: Object, old: Object) -> dict[str, Any]:
    """The new spec with everything put back that may be changed."""
    spec = copy.deepcopy(new)
    for key in ("activeDeadlineSeconds", "tolerations"):
        spec.pop(key, None)
        if key in old:
            spec[key] = old[key]
    if (old.get("terminationGracePeriodSeconds") or 0) < 0 and spec.get("terminationGracePeriodSeconds") == 1:
        spec["terminationGracePeriodSeconds"] = old["terminationGracePeriodSeconds"]
    if not old.get("nodeName"):
        # The scheduler writes this; on the real server it has a path of its own for it (pods/binding).
        spec.pop("nodeName", None)
    for key in ("containers", "initContainers"):
        for mine, held in zip(spec.get(key) or [], old.get(key) or [], strict=True):
            mine["image"] = held.get("image")
    return spec


def _but_time(toleration: Object) -> Object:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}
