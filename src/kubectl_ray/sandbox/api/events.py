"""Events: written as Kubernetes' recorders write them, the same one counted up, many similar ones combined.

Source: client-go, `tools/record/events_cache.go` (core events: kubelet, operator, controllers) and `tools/events`
(the scheduler's). What a recorder remembers is read from the events that are there, so nothing is kept beside them.
"""

from __future__ import annotations

import calendar
import logging
import time
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.kinds import EVENTS
from kubectl_ray.sandbox.api.refusals import Refused

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object

log = logging.getLogger(__name__)

COMBINED = "(combined from similar events): "
SIMILAR = 10
"""From that many messages of one reason on, they are combined."""

FORGET = 600.0
"""Seconds after which a recorder no longer counts what it said as similar."""

KEPT = 3600.0
"""Seconds that an event lives after its last write, as the API server's --event-ttl says."""

BURST, REFILL = 25, 300.0
"""Events of one recorder about one object that are written at once, and seconds until one more may be."""

LONGEST = 1024
"""Characters of a message."""

MACHINE = "kubectl-ray-sandbox"
"""The node's name: the kubelet says it as its host, new-style recorders put it behind their own name."""


def record(
    objects: Objects,
    about: Object,
    type_: str,
    reason: str,
    message: str,
    component: str,
    *,
    new_style: bool = False,
    field_path: str = "",
) -> None:
    """Write an event about an object, or count up the one that says so already; never an error to the caller.

    `field_path` names a container (`spec.containers{ray-head}`); `new_style` is how the scheduler writes them.
    """
    message = message if len(message) <= LONGEST else message[: LONGEST - 4] + " ..."
    event = _event(objects, about, field_path)
    event |= {"type": type_, "reason": reason, "message": message}
    try:
        if new_style:
            _record_new(objects, event, component)
        else:
            _record_old(objects, event, component)
    except Refused as refused:
        log.info("an event is lost: %s", refused.message)


def _record_old(objects: Objects, event: Object, component: str) -> None:
    host = MACHINE if component == "kubelet" else ""
    source = {"component": component, **({"host": host} if host else {})}
    event |= {"source": source, "reportingComponent": component, "reportingInstance": host}
    namespace, now = event["metadata"]["namespace"], objects.clock()
    known = objects.list(EVENTS, namespace)
    if _too_many([each for each in known if _of_one_source(each, event)], now):
        return
    similar = [each for each in known if _similar(each, event)]
    recent = [each for each in similar if now - last_seen(each) <= FORGET]
    messages = {each["message"] for each in recent if not each["message"].startswith(COMBINED)}
    if len(messages) >= SIMILAR - 1 and event["message"] not in messages:
        event["message"] = COMBINED + event["message"]
        event |= {"reportingComponent": "", "reportingInstance": ""}
        same = [each for each in recent if each["message"].startswith(COMBINED)]
    else:
        part = event["involvedObject"].get("fieldPath")
        same = [each for each in similar if each["message"] == event["message"]]
        same = [each for each in same if each["involvedObject"].get("fieldPath") == part]
    stamp = objects.now()

    def count_up(known: Object) -> None:
        known |= {"count": known["count"] + 1, "lastTimestamp": stamp, "message": event["message"]}

    if same:
        objects.edit(EVENTS, namespace, same[-1]["metadata"]["name"], count_up)
        return
    event |= {"firstTimestamp": stamp, "lastTimestamp": stamp, "count": 1, "eventTime": None}
    objects.create(EVENTS, event, namespace)


def _record_new(objects: Objects, event: Object, component: str) -> None:
    instance = f"{component}-{MACHINE}"
    event |= {"source": {}, "reportingComponent": component, "reportingInstance": instance}
    event["action"] = "Binding" if event["reason"] == "Scheduled" else "Scheduling"
    namespace = event["metadata"]["namespace"]
    same = [
        each
        for each in objects.list(EVENTS, namespace)
        if _similar(each, event) and all(each.get(key) == event[key] for key in ("involvedObject", "action"))
    ]
    stamp = micro(objects.clock())

    def count_up(known: Object) -> None:
        known["series"] = {"count": known.get("series", {}).get("count", 1) + 1, "lastObservedTime": stamp}

    if same:
        objects.edit(EVENTS, namespace, same[-1]["metadata"]["name"], count_up)
        return
    event |= {"eventTime": stamp, "firstTimestamp": None, "lastTimestamp": None}
    objects.create(EVENTS, event, namespace)


def _event(objects: Objects, about: Object, field_path: str) -> Object:
    """An event about this object, with a name that is free: the object's and the time in nanoseconds."""
    meta = about["metadata"]
    namespace = meta.get("namespace") or "default"
    stamp = int(objects.clock() * 1_000_000) * 1_000
    while objects.find(EVENTS, namespace, f"{meta['name']}.{stamp:x}") is not None:
        stamp += 1
    reference = {"apiVersion": about["apiVersion"], "kind": about["kind"], "name": meta["name"]}
    reference |= {key: meta[key] for key in ("namespace", "resourceVersion", "uid") if meta.get(key)}
    if field_path:
        reference["fieldPath"] = field_path
    return {"metadata": {"name": f"{meta['name']}.{stamp:x}", "namespace": namespace}, "involvedObject": reference}


def _too_many(said: list[Object], now: float) -> bool:
    """A recorder that goes on and on about one object is not heard any more: a bucket of tokens, which fills slowly."""
    if not said:
        return False
    first = min(seconds(each.get("firstTimestamp") or "") for each in said)
    heard: int = sum(each.get("count", 1) for each in said)
    return heard >= BURST + int((now - first) / REFILL)


def _similar(known: Object, event: Object) -> bool:
    """Of the same recorder, about the same object, for the same reason."""
    return known.get("reason") == event["reason"] and _of_one_source(known, event)


def _of_one_source(known: Object, event: Object) -> bool:
    """Of the same recorder, about the same object."""
    mine, other = known["involvedObject"], event["involvedObject"]
    return (
        known.get("type") == event["type"]
        and known.get("source") == event["source"]
        and all(mine.get(key) == other.get(key) for key in ("kind", "namespace", "name", "uid", "apiVersion"))
        and (bool(event["source"]) or known.get("reportingComponent") == event["reportingComponent"])
    )


def micro(seconds: float) -> str:
    """A time with microseconds, as `eventTime` has it."""
    whole, fraction = divmod(round(seconds * 1_000_000), 1_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{fraction:06d}Z"


def last_seen(event: Object) -> float:
    """Seconds since 1970 of its last write; 0 where it does not say."""
    series = event.get("series") or {}
    for text in (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime")):
        if text:
            return seconds(text)
    return seconds(event.get("metadata", {}).get("creationTimestamp") or "")


def seconds(text: str) -> float:
    """Seconds since 1970 of a time as objects have it; 0 for what is none."""
    try:
        return float(calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")))
    except ValueError:
        return 0.0


def new_form(event: Object) -> Object:
    """A core event as `events.k8s.io/v1` shows it."""
    form = {"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": event["metadata"]}
    form |= {new: event[old] for old, new in _RENAMED if old in event}
    return form


def core_form(event: Object) -> Object:
    """An event of `events.k8s.io/v1` as a core event."""
    form = {"apiVersion": "v1", "kind": "Event", "metadata": event.get("metadata", {})}
    form |= {old: event[new] for old, new in _RENAMED if new in event}
    return {"involvedObject": {}, "source": {}, "firstTimestamp": None, "lastTimestamp": None, **form}


_RENAMED = (
    ("action", "action"),
    ("count", "deprecatedCount"),
    ("eventTime", "eventTime"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("involvedObject", "regarding"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("message", "note"),
    ("reason", "reason"),
    ("related", "related"),
    ("reportingComponent", "reportingController"),
    ("reportingInstance", "reportingInstance"),
    ("series", "series"),
    ("source", "deprecatedSource"),
    ("type", "type"),
)
