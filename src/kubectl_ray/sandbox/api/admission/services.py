"""What the API server writes into services, and what it refuses of them.

Source: `pkg/apis/core/v1/defaults.go`, `pkg/registry/core/service`, `pkg/apis/core/validation/validation.go`. Cluster
addresses are unique but lead nowhere: the sandbox's way to a service is the proxy of its API server.
"""

from __future__ import annotations

import ipaddress
import json
import random
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.metadata import duplicate, label_causes, required, unsupported, wrong
from kubectl_ray.sandbox.api.names import label_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_ray.sandbox.api.metadata import Cause
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object

ADDRESSES = ipaddress.ip_network("10.96.0.0/16")
NODE_PORTS = range(30000, 32768)
TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
AFFINITIES = ("ClientIP", "None")
PROTOCOLS = ("SCTP", "TCP", "UDP")
LAST_PORT = 65535
OUTSIDE = ("NodePort", "LoadBalancer")


def fill(service: Object, before: Object | None = None) -> None:
    """Defaults; an address that a writer leaves out stays as it was."""
    spec = service["spec"] = service.get("spec") or {}
    spec["type"] = spec.get("type") or "ClusterIP"
    spec["sessionAffinity"] = spec.get("sessionAffinity") or "None"
    if spec["sessionAffinity"] == "ClientIP":
        spec.setdefault("sessionAffinityConfig", {"clientIP": {"timeoutSeconds": 10800}})
    for port in spec.get("ports") or []:
        port["protocol"] = port.get("protocol") or "TCP"
        if port.get("targetPort") in {None, "", 0} and "port" in port:
            port["targetPort"] = port["port"]
    if spec["type"] in OUTSIDE:
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    if spec["type"] == "ExternalName":
        return
    spec.setdefault("internalTrafficPolicy", "Cluster")
    _fill_address(spec, before)


def _fill_address(spec: Object, before: Object | None) -> None:
    held = (before or {}).get("spec") or {}
    for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if not spec.get(key) and held.get(key):
            spec[key] = held[key]
    if not spec.get("clusterIP") and spec.get("clusterIPs"):
        spec["clusterIP"] = spec["clusterIPs"][0]
    if spec.get("clusterIP") and (not spec.get("clusterIPs") or before is not None):
        spec["clusterIPs"] = [spec["clusterIP"]]


def allocate(objects: Objects, service: Object) -> None:
    """Give a new service an address, and node ports where it is to be reached from outside."""
    spec = service["spec"]
    service["status"] = {"loadBalancer": {}}
    if spec["type"] == "ExternalName":
        return
    if not spec.get("clusterIP"):
        taken = {each["spec"].get("clusterIP") for each in objects.list(kinds.SERVICES)}
        spec["clusterIP"] = next(each for each in _addresses() if each not in taken)
        spec["clusterIPs"] = [spec["clusterIP"]]
    dual = spec["clusterIP"] == "None" and not spec.get("selector")
    spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if dual else ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "RequireDualStack" if dual else "SingleStack")
    allocate_ports(objects, service)


def allocate_ports(objects: Objects, service: Object) -> None:
    """Node ports for a service that is to be reached from outside; none for one that is not any more."""
    spec = service["spec"]
    if spec["type"] not in OUTSIDE:
        for port in spec.get("ports") or []:
            port.pop("nodePort", None)
        return
    others = [each["spec"] for each in objects.list(kinds.SERVICES)]
    taken = {port.get("nodePort") for each in others for port in each.get("ports") or []}
    for port in spec.get("ports") or []:
        if not port.get("nodePort"):
            port["nodePort"] = next(each for each in random.sample(NODE_PORTS, len(NODE_PORTS)) if each not in taken)
        taken.add(port["nodePort"])


def causes(objects: Objects, service: Object) -> list[Cause]:
    """What is wrong with a service; for a new one also with the address that it asks for."""
    spec = service["spec"]
    found: list[Cause] = []
    ports = spec.get("ports") or []
    if not ports and spec["type"] != "ExternalName" and spec.get("clusterIP") != "None":
        found.append(required("spec.ports"))
    names: set[str] = set()
    for index, port in enumerate(ports):
        found += _port(port, f"spec.ports[{index}]", named=len(ports) > 1, taken=names)
    found += _same_ports(ports)
    found += [each for each in label_causes(spec.get("selector") or {}, "spec.selector") if each not in found]
    if spec["sessionAffinity"] not in AFFINITIES:
        found.append(unsupported(spec["sessionAffinity"], AFFINITIES, "spec.sessionAffinity"))
    if spec["type"] not in TYPES:
        found.append(unsupported(spec["type"], TYPES, "spec.type"))
    if spec["type"] == "ExternalName" and not spec.get("externalName"):
        found.append(required("spec.externalName"))
    return found or _address(objects, service)


def changed_causes(before: Object, after: Object) -> list[Cause]:
    """The address of a service stays."""
    old, new = before["spec"], after["spec"]
    if "ExternalName" in {old.get("type"), new.get("type")} or old.get("clusterIP") == new.get("clusterIP"):
        return []
    return [wrong(new.get("clusterIPs") or [], "may not change once set", "spec.clusterIPs[0]")]


def _port(port: Object, at: str, *, named: bool, taken: set[str]) -> list[Cause]:
    found: list[Cause] = []
    name = port.get("name") or ""
    if name:
        found += [wrong(name, why, f"{at}.name") for why in label_errors(name)]
        if name in taken:
            found.append(duplicate(name, f"{at}.name"))
        taken.add(name)
    elif named:
        found.append(required(f"{at}.name"))
    number, target = port.get("port") or 0, port.get("targetPort", port.get("port") or 0)
    inclusive = f"must be between 1 and {LAST_PORT}, inclusive"
    if not 1 <= number <= LAST_PORT:
        found.append(wrong(number, inclusive, f"{at}.port"))
    if port["protocol"] not in PROTOCOLS:
        found.append(unsupported(port["protocol"], PROTOCOLS, f"{at}.protocol"))
    if isinstance(target, int) and not 1 <= target <= LAST_PORT:
        found.append(wrong(target, inclusive, f"{at}.targetPort"))
    return found


def _same_ports(ports: list[Object]) -> list[Cause]:
    found: list[Cause] = []
    seen: set[tuple[str, object]] = set()
    for index, port in enumerate(ports):
        key = (port["protocol"], port.get("port"))
        if key in seen:
            shown = {
                "Name": "",
                "Protocol": key[0],
                "AppProtocol": None,
                "Port": key[1],
                "TargetPort": 0,
                "NodePort": 0,
            }
            text = json.dumps(shown, separators=(",", ":"))
            found.append(("FieldValueDuplicate", f"Duplicate value: {text}", f"spec.ports[{index}]"))
        seen.add(key)
    return found


def _address(objects: Objects, service: Object) -> list[Cause]:
    wanted = service["spec"].get("clusterIP")
    if not wanted or wanted == "None" or service["spec"]["type"] == "ExternalName":
        return []
    meta = service["metadata"]
    holders = [
        (each["metadata"]["namespace"], each["metadata"]["name"])
        for each in objects.list(kinds.SERVICES)
        if each["spec"].get("clusterIP") == wanted
    ]
    if holders == [(meta["namespace"], meta.get("name"))]:
        return []
    try:
        inside = ipaddress.ip_address(wanted) in ADDRESSES
    except ValueError:
        why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        return [wrong(wanted, why, "spec.clusterIPs[0]")]
    why = "provided IP is already allocated" if holders else ""
    if not inside:
        why = "the provided network does not match the current range"
    if not why:
        return []
    return [wrong([wanted], f"failed to allocate IP {wanted}: {why}", "spec.clusterIPs")]


def _addresses() -> Iterator[str]:
    """Addresses in no order; the first ones of the range are the cluster's own."""
    first, count = int(ADDRESSES.network_address), ADDRESSES.num_addresses
    for offset in random.sample(range(16, count - 1), count - 17):
        yield str(ipaddress.ip_address(first + offset))
