"""LimitRanges: what a container gets when it says nothing, and how much or little it may ask for.

Source: the admission plugin LimitRanger, `plugin/pkg/admission/limitranger/admission.go`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.admission.accounts import shown_name
from kubectl_ray.sandbox.api.quantities import NANO, parse
from kubectl_ray.sandbox.api.refusals import forbidden
from kubectl_ray.sandbox.api.resources import Amounts, amounts, asked

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.quantities import Quantity
    from kubectl_ray.sandbox.api.store import Object

ANNOTATION = "kubernetes.io/limit-ranger"
CLAIM = "PersistentVolumeClaim"


def fill_range(limit_range: Object) -> None:
    """Defaults of a LimitRange itself: the default limit is the largest one, the default request is that limit."""
    for item in (limit_range.get("spec") or {}).get("limits") or []:
        for key in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio"):
            if item.get(key):
                item[key] = {name: str(parse(each)) for name, each in item[key].items()}
        if item.get("type") != "Container":
            continue
        default = {**(item.get("max") or {}), **(item.get("default") or {})}
        request = {**(item.get("min") or {}), **default, **(item.get("defaultRequest") or {})}
        if default:
            item["default"] = default
        if request:
            item["defaultRequest"] = request


def apply_defaults(objects: Objects, pod: Object) -> None:
    """Give containers what the namespace's ranges say where they say nothing."""
    notes: list[str] = []
    for each in objects.list(kinds.LIMIT_RANGES, pod["metadata"]["namespace"]):
        for item in (each.get("spec") or {}).get("limits") or []:
            if item.get("type") == "Container":
                for kind, key in (("container", "containers"), ("init container", "initContainers")):
                    for container in pod["spec"].get(key) or []:
                        notes += _merge(container, kind, item)
    if notes:
        annotations = pod["metadata"]["annotations"] = pod["metadata"].get("annotations") or {}
        annotations[ANNOTATION] = "LimitRanger plugin set: " + "; ".join(notes)


def _merge(container: Object, kind: str, item: Object) -> list[str]:
    notes = []
    resources = container["resources"] = container.get("resources") or {}
    for what, word, key in (("requests", "request", "defaultRequest"), ("limits", "limit", "default")):
        missing = {
            name: each for name, each in (item.get(key) or {}).items() if name not in (resources.get(what) or {})
        }
        if missing:
            resources[what] = {**(resources.get(what) or {}), **missing}
            notes.append(f"{', '.join(sorted(missing))} {word} for {kind} {container.get('name')}")
    return notes


def check_pod(objects: Objects, pod: Object) -> None:
    """Whether the pod keeps to the namespace's ranges.

    Raises:
        Refused: 403, with all that it does not keep to.
    """
    spec = pod["spec"]
    containers = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    for each in objects.list(kinds.LIMIT_RANGES, pod["metadata"]["namespace"]):
        errors: list[str] = []
        for item in (each.get("spec") or {}).get("limits") or []:
            if item.get("type") == "Container":
                for container in containers:
                    resources = container.get("resources") or {}
                    errors += _errors(item, amounts(resources.get("requests")), amounts(resources.get("limits")))
            elif item.get("type") == "Pod":
                errors += _errors(item, asked(pod, "requests"), asked(pod, "limits"))
        _refuse(kinds.PODS, pod, errors)


def check_claim(objects: Objects, claim: Object) -> None:
    """Whether a volume claim keeps to the namespace's ranges.

    Raises:
        Refused: 403.
    """
    requests = amounts(((claim.get("spec") or {}).get("resources") or {}).get("requests"))
    for each in objects.list(kinds.LIMIT_RANGES, claim["metadata"]["namespace"]):
        errors = []
        for item in (each.get("spec") or {}).get("limits") or []:
            if item.get("type") != CLAIM:
                continue
            errors += [
                f"minimum {name} usage per {CLAIM} is {least}, but request is {requests[name]}"
                for name, least in amounts(item.get("min")).items()
                if name in requests and requests[name] < least
            ]
            errors += [
                f"maximum {name} usage per {CLAIM} is {most}, but request is {requests[name]}"
                for name, most in amounts(item.get("max")).items()
                if name in requests and requests[name] > most
            ]
        _refuse(kinds.CLAIMS, claim, errors)


def _refuse(kind: kinds.Kind, held: Object, errors: list[str]) -> None:
    errors = list(dict.fromkeys(errors))
    if errors:
        raise forbidden(kind, shown_name(held["metadata"]), errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]")


def _errors(item: Object, requests: Amounts, limits: Amounts) -> list[str]:
    """What a container or a pod does not keep to; each bound tells its first reason only."""
    of = item["type"]
    reasons = [
        (f"minimum {name} usage per {of} is {least}", _too_little(name, least, requests, limits))
        for name, least in amounts(item.get("min")).items()
    ]
    reasons += [
        (f"maximum {name} usage per {of} is {most}", _too_much(name, most, requests, limits))
        for name, most in amounts(item.get("max")).items()
    ]
    reasons += [
        (f"{name} max limit to request ratio per {of} is {ratio}", _too_far(name, ratio, requests, limits))
        for name, ratio in amounts(item.get("maxLimitRequestRatio")).items()
    ]
    return [begin + why for begin, why in reasons if why]


def _too_little(name: str, least: Quantity, requests: Amounts, limits: Amounts) -> str:
    if name not in requests:
        return ".  No request is specified"
    if requests[name] < least:
        return f", but request is {requests[name]}"
    return f", but limit is {limits[name]}" if name in limits and limits[name] < least else ""


def _too_much(name: str, most: Quantity, requests: Amounts, limits: Amounts) -> str:
    if name not in limits:
        return ".  No limit is specified"
    if limits[name] > most:
        return f", but limit is {limits[name]}"
    return f", but request is {requests[name]}" if name in requests and requests[name] > most else ""


def _too_far(name: str, ratio: Quantity, requests: Amounts, limits: Amounts) -> str:
    for word, listed in (("request", requests), ("limit", limits)):
        if name not in listed or not listed[name].nanos:
            return f", but no {word} is specified or {word} is 0"
    request, limit = requests[name].nanos, limits[name].nanos
    return f", but provided ratio is {limit / request:f}" if limit * NANO > ratio.nanos * request else ""
