"""One Ray cluster as it changes: the object, its pods and its events, each watched, joined into one stream of views.

Two watches run at once, each in a thread of its own over a connection of its own; the caller's thread only waits on a
queue, so that Ctrl-C reaches it at once. The threads are daemons and end with the stream.
"""

from __future__ import annotations

import queue
import threading

from kubectl_ray.errors import KubectlRayError, NotAllowed
from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.pod import Pod
from kubectl_ray.models.resources import PODS, RAYCLUSTERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from kubectl_ray.context import Context
    from kubectl_ray.models.resources import Resource


class Seen:
    """What is known of a cluster at one moment. `cluster` is None once it is gone (or was never there)."""

    def __init__(self, cluster: Cluster | None, pods: list[Pod], *, no_right_to_pods: bool = False) -> None:
        self.cluster = cluster
        self.pods = pods
        self.no_right_to_pods = no_right_to_pods


class _Watcher(threading.Thread):
    """Puts every change of one resource on a queue; an error ends it and is put there too."""

    def __init__(self, ctx: Context, resource: Resource, namespace: str, selectors: dict[str, str], out: queue.Queue[Any]) -> None:
        super().__init__(daemon=True)
        self._stream = lambda: ctx.api.list_and_watch(resource, namespace, **selectors)
        self._resource = resource
        self._out = out
        self.over = threading.Event()

    def run(self) -> None:
        try:
            for kind, what in self._stream():
                if self.over.is_set():
                    return
                self._out.put((self._resource, kind, what))
        except KubectlRayError as error:
            self._out.put((self._resource, "ERROR", error))


class _Mirror:
    """The newest state of a few objects, by name, as a list and its watch tell it."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.listed = False
        self.error: KubectlRayError | None = None

    def take(self, kind: str, what: Any) -> None:
        if kind == "ERROR":
            self.error = what
            self.listed = True
        elif kind == "LISTED":
            self.objects = {_name(item): item for item in what}
            self.listed = True
        elif kind == "DELETED":
            self.objects.pop(_name(what), None)
        else:
            self.objects[_name(what)] = what


def _name(item: dict[str, Any]) -> str:
    metadata = item.get("metadata")
    return str(metadata.get("name")) if isinstance(metadata, dict) else ""


def changes(ctx: Context, name: str, namespace: str, *, every: float = 1.0) -> Iterator[Seen]:
    """Yield what is seen of a cluster: at once when both lists are in, at each change, and every `every` seconds.

    Raises:
        KubectlRayError: the cluster itself cannot be watched. Pods that may not be listed are not an error:
            `Seen.no_right_to_pods` says so.
    """
    out: queue.Queue[Any] = queue.Queue()
    mirrors = {RAYCLUSTERS: _Mirror(), PODS: _Mirror()}
    watchers = [
        _Watcher(ctx, RAYCLUSTERS, namespace, {"field_selector": f"metadata.name={name}"}, out),
        _Watcher(ctx, PODS, namespace, {"label_selector": f"ray.io/cluster={name}"}, out),
    ]
    for watcher in watchers:
        watcher.start()
    try:
        while True:
            _drain(out, mirrors, every)
            for resource, mirror in mirrors.items():
                if mirror.error is not None and not (resource is PODS and isinstance(mirror.error, NotAllowed)):
                    raise mirror.error
            if all(mirror.listed for mirror in mirrors.values()):
                yield _seen(mirrors)
    finally:
        for watcher in watchers:
            watcher.over.set()


def _drain(out: queue.Queue[Any], mirrors: dict[Resource, _Mirror], patience: float) -> None:
    """Take what is there, waiting up to `patience` seconds for the first piece."""
    try:
        resource, kind, what = out.get(timeout=patience)
        while True:
            mirrors[resource].take(kind, what)
            resource, kind, what = out.get_nowait()
    except queue.Empty:
        return


def _seen(mirrors: dict[Resource, _Mirror]) -> Seen:
    clusters = list(mirrors[RAYCLUSTERS].objects.values())
    pods = mirrors[PODS]
    return Seen(
        Cluster(clusters[0]) if clusters else None,
        [Pod(raw) for raw in pods.objects.values()],
        no_right_to_pods=pods.error is not None,
    )
