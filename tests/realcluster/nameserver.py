"""The cluster's DNS: names of services, and of the pods behind headless ones, as the API server tells them.

It runs in the node, as `python3 -m tests.realcluster.nameserver`, and costs nothing while nothing changes. Rules of
names: Kubernetes DNS-Based Service Discovery, version 1.1.0, §2.3 and §2.4, addresses of IPv4 only.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from tests.realcluster import dns
from tests.realcluster.api import Api, ApiError, admin
from tests.realcluster.places import API_PORT, NODE_ADDRESS, RUN

if TYPE_CHECKING:
    from collections.abc import Iterable

DOMAIN = "svc.cluster.local"
SERVICES = "/api/v1/services"
SLICES = "/apis/discovery.k8s.io/v1/endpointslices"
PATIENCE = 0.2  # seconds before the API server is asked again after a failure


def table(services: Iterable[dict[str, Any]], slices: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """Addresses by name."""
    names: dict[str, list[str]] = {}
    headless = set()
    for service in services:
        name = f"{service['metadata']['name']}.{service['metadata']['namespace']}.{DOMAIN}"
        address = service["spec"].get("clusterIP")
        if address == "None":
            headless.add(name)
            names[name] = []
        elif address:
            names[name] = [address]
    for piece in slices:
        service_name = piece["metadata"].get("labels", {}).get("kubernetes.io/service-name")
        name = f"{service_name}.{piece['metadata']['namespace']}.{DOMAIN}"
        if name not in headless or piece.get("addressType") != "IPv4":
            continue
        for endpoint in piece.get("endpoints") or ():
            if endpoint.get("conditions", {}).get("ready", True):
                names[name] += endpoint["addresses"]
                if endpoint.get("hostname"):
                    names.setdefault(f"{endpoint['hostname']}.{name}", []).extend(endpoint["addresses"])
    return names


class Names:
    """The current table, kept up to date by two watches."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[str, dict[str, Any]]] = {SERVICES: {}, SLICES: {}}
        self._lock = threading.Lock()
        self._table: dict[str, list[str]] = {}

    def addresses(self, name: str) -> list[str] | None:
        """The addresses of a name, or None where there is no such name."""
        return self._table.get(name)

    def follow(self, api: Api, path: str) -> None:
        """List one kind and watch it, for ever."""
        while True:
            with contextlib.suppress(ApiError, OSError, ValueError, KeyError):
                listed = api.request("GET", path)
                self._replace(path, listed["items"])
                since = listed["metadata"]["resourceVersion"]
                for event in api.watch(f"{path}?watch=1&resourceVersion={since}"):
                    if event["type"] == "ERROR":
                        break
                    self._change(path, event["type"], event["object"])
            time.sleep(PATIENCE)

    def _replace(self, path: str, items: list[dict[str, Any]]) -> None:
        with self._lock:
            self._objects[path] = {item["metadata"]["uid"]: item for item in items}
            self._rebuild()

    def _change(self, path: str, what: str, item: dict[str, Any]) -> None:
        with self._lock:
            if what == "DELETED":
                self._objects[path].pop(item["metadata"]["uid"], None)
            else:
                self._objects[path][item["metadata"]["uid"]] = item
            self._rebuild()

    def _rebuild(self) -> None:
        self._table = table(self._objects[SERVICES].values(), self._objects[SLICES].values())


def serve(names: Names, endpoint: socket.socket) -> None:
    """Answer queries for ever."""
    while True:
        message, client = endpoint.recvfrom(4096)
        with contextlib.suppress(dns.Malformed, OSError):
            asked = dns.question(message)
            endpoint.sendto(dns.answer(asked, names.addresses(asked.name)), client)


def main() -> None:
    """Follow services and serve their names on the node's address."""
    names = Names()
    for path in (SERVICES, SLICES):
        # a connection each: a watch keeps its own busy
        api = admin(RUN / "pki", API_PORT)
        threading.Thread(target=names.follow, args=(api, path), daemon=True).start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
        endpoint.bind((NODE_ADDRESS, 53))
        serve(names, endpoint)


if __name__ == "__main__":
    main()
