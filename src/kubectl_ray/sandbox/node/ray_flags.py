"""What `ray start` is told in a pod of the sandbox, so that many fit on one address. Pure.

Wrong flags are left as they are, so that Ray refuses them in its own words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOOPBACK = "127.0.0.1"
LEAST_STORE = 80 * 1024 * 1024
"""Bytes below which Ray refuses an object store."""

STORE_PART = 0.3
"""Of the memory limit, as Ray itself takes."""

FIXED = {
    "node-ip-address": LOOPBACK,
    "min-worker-port": "0",
    "max-worker-port": "0",
}
ANYWHERE = ("dashboard-agent-grpc-port", "runtime-env-agent-port", "node-manager-port", "object-manager-port")
"""Ports that nobody outside asks for: Ray chooses."""

HEAD_PORTS = {"port": 6379, "dashboard-port": 8265, "ray-client-server-port": 10001}
ALL_PORTS = {"dashboard-agent-listen-port": 52365, "metrics-export-port": 8080}
DROPPED = ("worker-port-list", "redis-shard-ports")

_ADDRESS = re.compile(r"(?:(?P<scheme>ray|https?)://)?(?P<host>[A-Za-z0-9.-]+):(?P<port>\d{1,5})(?P<rest>/.*)?")


@dataclass(frozen=True)
class Pod:
    """What the sandbox said of the pod: see `surroundings`."""

    folder: str = ""
    memory: int = 0
    ports: Mapping[int, int] = field(default_factory=dict)
    services: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    """By `service.namespace`: ports and what stands for them."""
    namespace: str = "default"

    def moved(self, port: int) -> int:
        """What stands for a port of this pod."""
        return self.ports.get(port, port)

    def address(self, text: str) -> str:
        """An address of a service, or of this pod, as it is on this machine."""
        found = _ADDRESS.fullmatch(text)
        if found is None:
            return text
        host, port = found["host"], int(found["port"])
        name = re.sub(r"\.svc(\.cluster\.local)?$", "", host)
        known = self.services.get(name) or self.services.get(f"{name}.{self.namespace}") or {}
        own = host in {"localhost", LOOPBACK} and port in self.ports
        number = self.ports[port] if own else known.get(port)
        if number is None:
            return text
        scheme = f"{found['scheme']}://" if found["scheme"] else ""
        return f"{scheme}{LOOPBACK}:{number}{found['rest'] or ''}"


def start_arguments(arguments: Sequence[str], pod: Pod, *, shared_memory: int = 0) -> list[str]:
    """The arguments after `ray start`; `shared_memory` is what is free of it, in bytes, 0 where nobody knows."""
    flags, others = _read(arguments)
    head = "head" in flags
    _move_ports(flags, {**ALL_PORTS, **(HEAD_PORTS if head else {})}, pod)
    flags |= FIXED
    if head:
        flags |= {"dashboard-host": LOOPBACK, "temp-dir": pod.folder}
    else:
        flags.pop("dashboard-host", None)
    if flags.get("address"):
        flags["address"] = pod.address(flags["address"] or "")
    if "object-store-memory" not in flags:
        store = _store(pod.memory, shared_memory)
        if store:
            flags["object-store-memory"] = str(store)
    return [*others, *(f"--{name}" if value is None else f"--{name}={value}" for name, value in flags.items())]


def _move_ports(flags: dict[str, str | None], wanted: Mapping[str, int], pod: Pod) -> None:
    for name, usual in wanted.items():
        flags[name] = _port(flags.get(name) or str(usual), pod)
    for name in flags.keys() & (HEAD_PORTS.keys() - wanted.keys()):
        flags[name] = _port(flags[name] or "", pod)
    for name in flags.keys() & set(ANYWHERE):
        flags[name] = "0"
    for name in DROPPED:
        flags.pop(name, None)


SWITCHES = frozenset(
    {
        "head",
        "block",
        "no-monitor",
        "no-redirect-output",
        "disable-usage-stats",
        "enable-resource-isolation",
        "ray-debugger-external",
        "enable-object-reconstruction",
        "help",
        "log-color-off",
        "verbose",
    }
)
"""Flags without a value."""


def _read(arguments: Sequence[str]) -> tuple[dict[str, str | None], list[str]]:
    """Flags with their values in order, and what is none."""
    flags: dict[str, str | None] = {}
    others: list[str] = []
    left = list(arguments)
    while left:
        first = left.pop(0)
        if not first.startswith("--") or first == "--":
            others.append(first)
            continue
        name, equals, value = first[2:].partition("=")
        if equals:
            flags[name] = value
        elif name in SWITCHES or not left or left[0].startswith("--"):
            flags[name] = None
        else:
            flags[name] = left.pop(0)
    return flags, others


def _port(text: str, pod: Pod) -> str:
    return str(pod.moved(int(text))) if text.isascii() and text.isdecimal() else text


def _store(limit: int, shared_memory: int) -> int:
    """Bytes for the object store; 0 leaves it to Ray."""
    if not limit:
        return 0
    store = int(limit * STORE_PART)
    if shared_memory:
        store = min(store, shared_memory // 2)
    return max(store, LEAST_STORE)
