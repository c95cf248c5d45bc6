"""Where a service or pod proxy request goes: `[SCHEME:]NAME[:PORT]` to an address of this machine.

Source: Kubernetes' `pkg/registry/core/service/storage/storage.go` and `pkg/registry/core/pod/strategy.go`, v1.36; the
addresses of a service are reckoned as its endpoints controller does.
"""

from __future__ import annotations

import random
import ssl
from typing import TYPE_CHECKING, NamedTuple

from kubectl_ray.sandbox.api.kinds import PODS, SERVICES
from kubectl_ray.sandbox.api.refusals import Refused, bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object

    Address = Callable[[str, str, int], tuple[str, int] | None]

MAX_PORT = 65_535
_MOST_PARTS, _MOST_DIGITS = 3, 18


class Unreachable(Exception):
    """There is no connection to be had; the words are those of Go's net package."""


class Target(NamedTuple):
    """Where to connect to."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"


def refused(host: str, port: int) -> Unreachable:
    """Nobody listens there."""
    return Unreachable(f"dial tcp {host}:{port}: connect: connection refused")


def unverified() -> ssl.SSLContext:
    """TLS as the API server speaks it here: it cannot know the certificates of pods."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def unavailable(message: str) -> Refused:
    """503."""
    return Refused(503, "ServiceUnavailable", message)


def find(objects: Objects, address: Address, kind: Kind, namespace: str, identifier: str) -> Target:
    """The target of a request.

    Raises:
        Refused: 404 no such object; 400 the name makes no sense; 503 no endpoint, or no such port.
        Unreachable: the pod has no process at that port.
    """
    scheme, name, port = _split(kind, identifier)
    if kind is SERVICES:
        pod, number = _endpoint(objects, namespace, name, port, identifier)
    else:
        pod = objects.get(PODS, namespace, name)
        if not pod.get("status", {}).get("podIP"):
            raise bad_request("address not allowed")
        number = _pod_port(pod, scheme, port)
    found = address(namespace, pod["metadata"]["name"], number)
    if found is None:
        raise refused(pod["status"]["podIP"], number)
    return Target(scheme, *found)


def _split(kind: Kind, identifier: str) -> tuple[str, str, str]:
    parts = identifier.split(":")
    scheme, name, port = "", parts[0], ""
    if len(parts) == _MOST_PARTS:
        scheme, name, port = parts
    elif len(parts) > 1:
        port = parts[1]
    if len(parts) > _MOST_PARTS or not name or scheme not in ("", "http", "https"):
        raise bad_request(f'invalid {kind.singular} request "{identifier}"')
    return scheme or "http", name, port


def _number(port: str) -> int | None:
    """A port that is given as a number; None when it is a name, or more than 64 bits."""
    return int(port) if port.isascii() and port.isdigit() and len(port) <= _MOST_DIGITS else None


def _pod_port(pod: Object, scheme: str, port: str) -> int:
    if port:
        number = _number(port)
        if number is None or number > MAX_PORT:
            raise Unreachable(f"dial tcp: address {port}: invalid port")
        return number
    for container in pod["spec"]["containers"]:
        for each in container.get("ports") or ():
            return int(each["containerPort"])
    return 443 if scheme == "https" else 80


def _endpoint(objects: Objects, namespace: str, name: str, port: str, identifier: str) -> tuple[Object, int]:
    """A pod that the service leads to, and its container's port."""
    service = objects.get(SERVICES, namespace, name)
    if (wanted := _number(port)) is not None:
        ports = [each for each in service["spec"].get("ports") or () if each["port"] == wanted]
        if not ports:
            raise unavailable(f'no service port {wanted} found for service "{name}"')
        port = ports[0].get("name", "")
    behind = [
        (pod, service_port.get("name", ""), number)
        for pod in _pods(objects, service, namespace)
        for service_port in service["spec"].get("ports") or ()
        if (number := _target_port(pod, service_port)) is not None
    ]
    if not behind:
        raise unavailable(f'no endpoints available for service "{name}"')
    always = service["spec"].get("publishNotReadyAddresses", False)
    fit = [(pod, number) for pod, called, number in behind if called == port and (always or _is_ready(pod))]
    if not fit:
        raise unavailable(f'no endpoints available for service "{identifier}"')
    return random.choice(fit)  # noqa: S311 - spreads the load, guards nothing


def _pods(objects: Objects, service: Object, namespace: str) -> Iterator[Object]:
    """Those that the endpoints controller counts in, ready or not."""
    selector = service["spec"].get("selector")
    if not selector:
        return
    for pod in objects.list(PODS, namespace, selector):
        status = pod.get("status", {})
        going = "deletionTimestamp" in pod["metadata"] and not service["spec"].get("publishNotReadyAddresses")
        if status.get("podIP") and status.get("phase") not in ("Succeeded", "Failed") and not going:
            yield pod


def _target_port(pod: Object, service_port: Object) -> int | None:
    wanted = service_port.get("targetPort") or service_port["port"]
    if isinstance(wanted, int):
        return wanted
    for container in pod["spec"]["containers"]:
        for each in container.get("ports") or ():
            if each.get("name") == wanted:
                return int(each["containerPort"])
    return None


def _is_ready(pod: Object) -> bool:
    return any(
        each["type"] == "Ready" and each["status"] == "True" for each in pod.get("status", {}).get("conditions") or ()
    )
