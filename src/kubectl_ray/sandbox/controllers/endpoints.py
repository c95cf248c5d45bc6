"""Endpoint slices: where the pods of each service really listen.

Source: Kubernetes' `staging/src/k8s.io/endpointslice` (reconciler.go, utils.go). Each pod has ports of its own on this
machine, so pods whose ports differ stand in slices of their own; the real controller does that for named ports.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Change, Object

    Address = Callable[[str, str, int], tuple[str, int] | None]

OWNER = "endpointslice-controller.k8s.io"
SERVICE, MANAGER = "kubernetes.io/service-name", "endpointslice.kubernetes.io/managed-by"
HEADLESS = "service.kubernetes.io/headless"
CHANGED = "endpoints.kubernetes.io/last-change-trigger-time"


class Endpoints:
    """`address` gives host and port on this machine of a pod's port; None where nothing runs."""

    def __init__(self, objects: Objects, address: Address) -> None:
        self._objects = objects
        self._address = address

    def keys(self, change: Change) -> Iterable[Hashable]:
        """The service, or those that choose a pod by what it is or was."""
        meta = change.object["metadata"]
        namespace = meta.get("namespace", "")
        if change.kind is kinds.SERVICES and change.what != "DELETED":
            return ((namespace, meta["name"]),)
        labels = meta.get("labels") or {}
        if change.kind is kinds.ENDPOINT_SLICES and change.what == "DELETED" and labels.get(MANAGER) == OWNER:
            return ((namespace, labels.get(SERVICE, "")),)
        if change.kind is not kinds.PODS:
            return ()
        before = (change.before or change.object)["metadata"].get("labels") or {}
        return [
            (namespace, each["metadata"]["name"])
            for each in self._objects.list(kinds.SERVICES, namespace)
            if (selector := each["spec"].get("selector"))
            and (selector.items() <= labels.items() or selector.items() <= before.items())
        ]

    async def reconcile(self, key: Hashable) -> float | None:
        """Make the slices of a service say what is so."""
        assert isinstance(key, tuple)  # noqa: S101 - our own keys
        namespace, name = key
        service = self._objects.find(kinds.SERVICES, namespace, name)
        if service is None or service["metadata"].get("deletionTimestamp") or not service["spec"].get("selector"):
            return None
        if service["spec"].get("type") != "ExternalName":
            self._write(service, self._wanted(service))
        return None

    def _wanted(self, service: Object) -> list[Object]:
        """What each slice should list; one that lists nothing where there is nothing to list."""
        meta, spec = service["metadata"], service["spec"]
        groups: dict[str, Object] = {}
        for pod in self._objects.list(kinds.PODS, meta["namespace"], spec["selector"]):
            status = pod.get("status") or {}
            if not status.get("podIP") or status.get("phase") in {"Failed", "Succeeded"}:
                continue
            ports = self._ports(service, pod)
            group = groups.setdefault(json.dumps(ports), {"ports": ports, "endpoints": []})
            group["endpoints"].append(_endpoint(pod, published=bool(spec.get("publishNotReadyAddresses"))))
        return list(groups.values()) or [{"ports": None, "endpoints": None}]

    def _ports(self, service: Object, pod: Object) -> list[Object]:
        """The service's ports, each with the number that it has on this machine for that pod."""
        meta = pod["metadata"]
        found = []
        for port in service["spec"].get("ports") or []:
            number = target(pod, port)
            address = self._address(meta["namespace"], meta["name"], number) if number is not None else None
            if address is None:
                continue
            entry = {"name": port.get("name", ""), "protocol": port.get("protocol", "TCP"), "port": address[1]}
            if port.get("appProtocol"):
                entry["appProtocol"] = port["appProtocol"]
            found.append(entry)
        return found

    def _write(self, service: Object, wanted: list[Object]) -> None:
        meta = service["metadata"]
        labels = {
            key: value for key, value in (meta.get("labels") or {}).items() if key not in {SERVICE, MANAGER, HEADLESS}
        }
        labels |= {MANAGER: OWNER, SERVICE: meta["name"]}
        if service["spec"].get("clusterIP") == "None":
            labels[HEADLESS] = ""
        held = self._objects.list(kinds.ENDPOINT_SLICES, meta["namespace"], {MANAGER: OWNER, SERVICE: meta["name"]})
        free = {each["metadata"]["name"]: each for each in held}
        for slice_ in sorted(wanted, key=lambda each: each["ports"] not in [known["ports"] for known in held]):
            same = [name for name, each in free.items() if each["ports"] == slice_["ports"]] or list(free)
            if not same:
                self._create(service, labels, slice_)
            elif _differs(free.pop(same[0]), slice_, labels):
                self._change(meta["namespace"], same[0], slice_, labels)
        for name in free:
            self._objects.delete(kinds.ENDPOINT_SLICES, meta["namespace"], name)

    def _create(self, service: Object, labels: dict[str, str], slice_: Object) -> None:
        meta = service["metadata"]
        owner = {"apiVersion": "v1", "kind": "Service", "name": meta["name"], "uid": meta["uid"]}
        body = {
            "metadata": {
                "generateName": f"{meta['name']}-",
                "labels": labels,
                "annotations": {CHANGED: self._objects.now()},
                "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}],
            },
            "addressType": "IPv4",
            **slice_,
        }
        self._objects.create(kinds.ENDPOINT_SLICES, body, meta["namespace"])

    def _change(self, namespace: str, name: str, slice_: Object, labels: dict[str, str]) -> None:
        def write(body: Object) -> None:
            body.update(slice_)
            meta = body["metadata"]
            meta["labels"] = labels
            meta["annotations"] = {**(meta.get("annotations") or {}), CHANGED: self._objects.now()}

        self._objects.edit(kinds.ENDPOINT_SLICES, namespace, name, write)


def target(pod: Object, port: Object) -> int | None:
    """The pod's own number for a service's port; None where it has no port of that name."""
    wanted = port.get("targetPort") or port.get("port")
    if isinstance(wanted, int):
        return wanted
    for container in [*(pod["spec"].get("containers") or []), *(pod["spec"].get("initContainers") or [])]:
        for each in container.get("ports") or []:
            if each.get("name") == wanted and each.get("protocol", "TCP") == port.get("protocol", "TCP"):
                number: int = each["containerPort"]
                return number
    return None


def _endpoint(pod: Object, *, published: bool) -> Object:
    meta = pod["metadata"]
    conditions = (pod.get("status") or {}).get("conditions") or []
    serving = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    terminating = bool(meta.get("deletionTimestamp"))
    ready = published or (serving and not terminating)
    reference = {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        "targetRef": reference,
        "nodeName": pod["spec"].get("nodeName", ""),
    }


def _differs(held: Object, slice_: Object, labels: dict[str, str]) -> bool:
    same = held["metadata"].get("labels") == labels
    return not same or any(held[key] != slice_[key] for key in ("ports", "endpoints"))
