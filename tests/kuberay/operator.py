"""What KubeRay's operator and Kubernetes do with a RayCluster, at once: pods come ready, surplus ones go."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tests.kuberay.objects import head, worker

if TYPE_CHECKING:
    from tests.wire import Store


READY = ("HeadPodReady", "RayClusterProvisioned")


class Operator:
    """Follows every change of a RayCluster in the store, from a thread of its own, until stopped."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(store.version,), daemon=True)

    def start(self) -> None:
        """Look at what is there, then at every change."""
        for key, item in list(self._store.objects.items()):
            if key[1] == "rayclusters":
                self._reconcile(item)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._over.set()
        self._thread.join()

    def _run(self, version: int) -> None:
        for _number, kind, key, item in self._store.since(version, self._over.is_set):
            if key[1] != "rayclusters":
                continue
            if kind == "DELETED":
                self._keep(item, {})
            else:
                self._reconcile(item)

    def _reconcile(self, item: dict[str, Any]) -> None:
        about, spec = item["metadata"], item["spec"]
        name, place = about["name"], about["namespace"]
        wanted: dict[str, dict[str, Any]] = {}
        if not spec.get("suspend"):
            wanted[f"{name}-head"] = head(name, namespace=place)
            for each in spec["workerGroupSpecs"]:
                for number in range(_desired(each)):
                    pod = worker(name, str(number), group=each["groupName"], namespace=place)
                    wanted[pod["metadata"]["name"]] = pod
        self._keep(item, wanted)
        status = {
            "observedGeneration": about["generation"],
            "desiredWorkerReplicas": len(wanted) - 1,
            "readyWorkerReplicas": len(wanted) - 1,
            "head": {"serviceName": f"{name}-head-svc"},
            "conditions": [{"type": kind, "status": "True", "reason": "Ready"} for kind in READY],
        }
        if item.get("status") != status and self._store.has("rayclusters", name, place):
            self._store.edit("rayclusters", name, lambda found: found.update(status=status), place)

    def _keep(self, item: dict[str, Any], wanted: dict[str, dict[str, Any]]) -> None:
        """Exactly these pods are there for a cluster."""
        name, place = item["metadata"]["name"], item["metadata"]["namespace"]
        there = {
            key[3]
            for key, pod in list(self._store.objects.items())
            if key[1:3] == ("pods", place) and pod["metadata"]["labels"].get("ray.io/cluster") == name
        }
        for pod in there - set(wanted):
            self._store.remove("pods", pod, place)
        self._store.add(*(wanted[pod] for pod in sorted(set(wanted) - there)))


def _desired(group: dict[str, Any]) -> int:
    if group.get("suspend"):
        return 0
    most = group.get("maxReplicas", 2**31 - 1)
    return int(min(max(group.get("replicas", 0), group.get("minReplicas", 0)), most) * group.get("numOfHosts", 1))
