"""What was reported of a cluster and its pods lately, each thing once: what repeats is folded and counted."""

from __future__ import annotations

import re

from kubectl_ray.models.age import since
from kubectl_ray.views.text import clean, folded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_ray.models.cluster import Cluster
    from kubectl_ray.models.event import Event
    from kubectl_ray.models.pod import Pod

SHOWN = 15
REFUSALS = ("InvalidRayClusterSpec", "InvalidRayClusterMetadata")
NAME_LENGTH = 50  # of cluster and group in a pod's name

# How the operator writes the end of a container: a Go struct with everything in it.
_ENDED = re.compile(r"&ContainerStateTerminated\{ExitCode:(-?\d+),Signal:\d+,Reason:(\w*),[^}]*\}?")

# What the API server draws the five letters behind a generated name from.
_DRAWN = "[bcdfghjklmnpqrstvwxz2456789]{5}"


class Happening:
    """One thing that happened, once or many times."""

    __slots__ = ("about", "count", "last", "message", "reason", "warning")

    def __init__(self, event: Event) -> None:
        self.reason = event.reason
        self.message = event.message
        self.warning = event.warning
        self.about = event.about
        self.count = 0
        self.last: float | None = None
        self.add(event)

    def add(self, event: Event) -> None:
        """Count the same thing again; the newest words win."""
        self.count += event.count
        if event.last is not None and (self.last is None or event.last >= self.last):
            self.last = event.last
            self.message = event.message
            self.about = event.about


def about(cluster: Cluster, pods: Iterable[Pod], events: Iterable[Event]) -> Iterator[Event]:
    """Those events that are about this cluster, its pods, or pods it had; not about an older one of the same name."""
    names = {pod.name for pod in pods}
    generated = _generated(cluster)
    for event in events:
        kind, name = event.about
        ours = kind == "RayCluster" and name == cluster.name and event.uid in {"", cluster.uid}
        a_pod = kind == "Pod" and (name in names or (not _older(cluster, event) and generated.fullmatch(name)))
        if ours or a_pod:
            yield event


def _older(cluster: Cluster, event: Event) -> bool:
    return cluster.created is not None and event.last is not None and event.last < cluster.created


def _generated(cluster: Cluster) -> re.Pattern[str]:
    """The names that the operator's pods of this cluster get."""
    names = [f"{cluster.name}-{group.name}-worker".lower() for group in cluster.groups]
    beginnings = [re.escape(cluster.name[:NAME_LENGTH]) + "-(?:head|worker)", *map(re.escape, names)]
    return re.compile(f"(?:{'|'.join(beginnings)})-{_DRAWN}")


def fold(cluster: Cluster, events: Iterable[Event]) -> list[Happening]:
    """Each thing once, the newest first. Two texts are the same thing when they differ in generated names only."""
    generated = _generated(cluster)
    found: dict[tuple[str, str, str], Happening] = {}
    for event in events:
        key = (event.about[0], event.reason, generated.sub("<pod>", event.message))
        if key in found:
            found[key].add(event)
        else:
            found[key] = Happening(event)
    return sorted(found.values(), key=lambda happening: (-(happening.last or 0.0), happening.reason))


def refusal(cluster: Cluster, events: Iterable[Event]) -> str:
    """The operator's own words when it refused the cluster; nothing but an event tells."""
    refused = [event for event in about(cluster, (), events) if event.reason in REFUSALS]
    return refused[-1].message if refused else ""


def lines(cluster: Cluster, pods: Iterable[Pod], events: Iterable[Event], now: float) -> Iterator[str]:
    """The newest things that happened, each in a line or more of text; `now` is epoch seconds."""
    all_of_them = fold(cluster, about(cluster, pods, events))
    for happening in all_of_them[:SHOWN]:
        times = f" (x{happening.count})" if happening.count > 1 else ""
        mark = "!" if happening.warning else " "
        first = f"{mark} {since(happening.last, now):>6}  {clean(happening.reason)}{times}: "
        yield from folded(_ENDED.sub(r"exit code \1 \2", happening.message), " " * 10, first)
    if len(all_of_them) > SHOWN:
        yield f"          … and {len(all_of_them) - SHOWN} older"
