"""Ray clusters as they change: the objects and their pods, each watched, joined into one stream of views.

Two watches run at once, each in a thread of its own over a connection of its own; the caller's thread only waits on a
queue, so that Ctrl-C reaches it at once. The threads are daemons and end with the stream.
"""

from __future__ import annotations

import queue
import threading

from kubectl_ray.errors import NotAllowed, NotLoggedIn
from kubectl_ray.kube.watch import TICK
from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.fields import dig, text
from kubectl_ray.models.pod import RAY_PODS, Pod
from kubectl_ray.models.resources import PODS, RAYCLUSTERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

    from kubectl_ray.kube.client import Client
    from kubectl_ray.models.resources import Resource

    class Inbox(Protocol):
        """A queue, as far as somebody who puts things there sees it."""

        def put(self, item: Any) -> None:
            """Take it."""


TICKS = 1.0
"""Seconds after which a watcher sees that nobody waits for it any more, and gives its connection back."""

POLLED = 2
"""Where watching is not allowed, one list for so many quiet views."""


class View:
    """All clusters and pods of a namespace (or of all) at one moment, as raw objects."""

    def __init__(self, clusters: list[dict[str, Any]], pods: list[dict[str, Any]], *, no_right_to_pods: bool) -> None:
        self.clusters = clusters
        self.pods = pods
        self.no_right_to_pods = no_right_to_pods


class Seen:
    """What is known of one cluster at one moment. `cluster` is None once it is gone (or was never there)."""

    def __init__(self, cluster: Cluster | None, pods: list[Pod], *, no_right_to_pods: bool = False) -> None:
        self.cluster = cluster
        self.pods = pods
        self.no_right_to_pods = no_right_to_pods


def views(
    api: Client,
    namespace: str,
    *,
    label_selector: str = "",
    field_selector: str = "",
    pod_selector: str = RAY_PODS,
    every: float = 1.0,
) -> Iterator[View]:
    """Yield a view: at once when both lists are in, at each change, and every `every` seconds without one.

    Raises:
        KubectlRayError: the clusters cannot be watched. Pods that may not be listed are not an error:
            `View.no_right_to_pods` says so.
    """
    out: queue.Queue[Any] = queue.Queue()
    mirrors = {RAYCLUSTERS: _Mirror(), PODS: _Mirror()}
    watchers = [
        Watcher(api, RAYCLUSTERS, (namespace, label_selector, field_selector), out, every),
        Watcher(api, PODS, (namespace, pod_selector, ""), out, every),
    ]
    for watcher in watchers:
        watcher.start()
    try:
        while True:
            _drain(out, mirrors, every)
            for resource, mirror in mirrors.items():
                if mirror.error is not None and not (resource is PODS and mirror.refused):
                    raise mirror.error
            if all(mirror.listed for mirror in mirrors.values()):
                clusters, pods = mirrors[RAYCLUSTERS], mirrors[PODS]
                yield View(list(clusters.objects.values()), list(pods.objects.values()), no_right_to_pods=pods.refused)
    finally:
        for watcher in watchers:
            watcher.over.set()


def changes(api: Client, name: str, namespace: str) -> Iterator[Seen]:
    """Yield what is seen of one cluster, as `views` does."""
    for view in views(api, namespace, field_selector=f"metadata.name={name}", pod_selector=f"ray.io/cluster={name}"):
        yield Seen(
            Cluster(view.clusters[0]) if view.clusters else None,
            [Pod(raw) for raw in view.pods],
            no_right_to_pods=view.no_right_to_pods,
        )


class Watcher(threading.Thread):
    """Puts every change of one resource on a queue; an error ends it and is put there too.

    What it puts: `(resource, "LISTED" | "ADDED" | "MODIFIED" | "DELETED" | "ERROR", items, item or error)`. `place` is
    (namespace, label selector, field selector). `over` ends it within `TICKS`.
    """

    def __init__(self, api: Client, resource: Resource, place: tuple[str, str, str], out: Inbox, every: float) -> None:
        super().__init__(daemon=True)
        self._api = api
        self._resource = resource
        self._namespace, self._labels, self._fields = place
        self._out = out
        self._every = every
        self.over = threading.Event()

    def run(self) -> None:
        """The thread's work."""
        listed = False
        try:
            try:
                for kind, what in self._api.list_and_watch(
                    self._resource,
                    self._namespace,
                    label_selector=self._labels,
                    field_selector=self._fields,
                    tick=TICKS,
                ):
                    if self.over.is_set():
                        return
                    if kind == TICK:
                        continue
                    listed = True
                    self._out.put((self._resource, kind, what))
            except NotAllowed as error:
                if not listed or isinstance(error, NotLoggedIn):
                    raise
                self._poll()
        except Exception as error:  # noqa: BLE001 -- raised in the caller's thread, which would wait for ever otherwise
            self._out.put((self._resource, "ERROR", error))

    def _poll(self) -> None:
        """A login that may list but not watch sees changes all the same, a little later."""
        while not self.over.wait(self._every * POLLED):
            found = self._api.list(
                self._resource, self._namespace, label_selector=self._labels, field_selector=self._fields
            )
            self._out.put((self._resource, "LISTED", list(found)))


class _Mirror:
    """The newest state of a few objects, as a list and its watch tell it."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.listed = False
        self.error: Exception | None = None

    @property
    def refused(self) -> bool:
        """This login may not list them (a login that expired is another matter)."""
        return isinstance(self.error, NotAllowed) and not isinstance(self.error, NotLoggedIn)

    def take(self, kind: str, what: Any) -> None:
        if kind == "ERROR":
            self.error = what
            self.listed = True
        elif kind == "LISTED":
            self.objects = {_key(item): item for item in what}
            self.listed = True
        elif kind == "DELETED":
            self.objects.pop(_key(what), None)
        else:
            self.objects[_key(what)] = what


def _key(item: dict[str, Any]) -> tuple[str, str]:
    return text(dig(item, "metadata", "namespace")), text(dig(item, "metadata", "name"))


def _drain(out: queue.Queue[Any], mirrors: dict[Resource, _Mirror], patience: float) -> None:
    """Take what is there, waiting up to `patience` seconds for the first piece."""
    try:
        resource, kind, what = out.get(timeout=patience)
        while True:
            mirrors[resource].take(kind, what)
            resource, kind, what = out.get_nowait()
    except queue.Empty:
        return
