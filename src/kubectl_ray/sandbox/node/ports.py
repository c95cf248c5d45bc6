"""Which port of this machine stands for a port of a Ray pod: all pods share one address.

Only ports that our `ray` wrapper can tell Ray about are moved (`RAY_PORTS`, and those named in `ray start`'s flags);
what other programs listen on is where they say, and counts as the pod's when one of its processes listens there.
A cluster's head keeps its ports when its pod is replaced, so that addresses handed out before stay good.
"""

from __future__ import annotations

import random
import re
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kubectl_ray.sandbox.api.store import Object

GCS, DASHBOARD, CLIENT, METRICS, SERVE, AGENT = 6379, 8265, 10001, 8080, 8000, 52365
AUTOSCALER_METRICS, DASHBOARD_METRICS = 44217, 44227
RAY_PORTS = (GCS, DASHBOARD, CLIENT, METRICS, SERVE, AGENT, AUTOSCALER_METRICS, DASHBOARD_METRICS)

FLAGS = (
    "port",
    "dashboard-port",
    "ray-client-server-port",
    "dashboard-agent-listen-port",
    "dashboard-agent-grpc-port",
    "metrics-export-port",
    "runtime-env-agent-port",
    "node-manager-port",
    "object-manager-port",
)
"""Flags of `ray start` whose port is moved."""

FIRST, LAST = 20_000, 29_999
"""Below what systems give out by themselves, above what a Ray by hand takes for its workers."""

_FLAG = re.compile(r"--(" + "|".join(FLAGS) + r")[= ]\s*['\"]?(\d{1,5})\b")
_TRIES = 200


class Ports:
    """Ports that were given out. A key is what keeps them: a pod, or a cluster's head."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, int], int] = {}
        self._taken: set[int] = set()

    def of(self, key: str, ports: Iterable[int]) -> dict[int, int]:
        """The machine's port for each; the same again for the same key."""
        return {port: self._one(key, port) for port in ports}

    def release(self, key: str) -> None:
        """Nobody needs them any more."""
        for known in [each for each in self._given if each[0] == key]:
            self._taken.discard(self._given.pop(known))

    def renew(self, key: str) -> None:
        """Give up those that somebody else listens on meanwhile."""
        for known in [each for each in self._given if each[0] == key and not free(self._given[each])]:
            self._taken.discard(self._given.pop(known))

    def _one(self, key: str, port: int) -> int:
        found = self._given.get((key, port))
        if found is not None:
            return found
        for _ in range(_TRIES):
            found = random.randint(FIRST, LAST)  # noqa: S311 - no secret
            if found not in self._taken and free(found):
                break
        else:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                found = probe.getsockname()[1]
        self._taken.add(found)
        self._given[key, port] = found
        return found


def free(port: int) -> bool:
    """Nobody listens there, on this address or on all."""
    for address in ("127.0.0.1", ""):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def runs_ray(pod: Object) -> bool:
    """It is a head or a worker."""
    labels: Mapping[str, str] = pod["metadata"].get("labels") or {}
    return labels.get("ray.io/node-type") in {"head", "worker"}


def key(pod: Object) -> str:
    """What keeps the ports of a pod."""
    labels = pod["metadata"].get("labels") or {}
    if labels.get("ray.io/node-type") == "head" and labels.get("ray.io/cluster"):
        return head_key(pod["metadata"]["namespace"], labels["ray.io/cluster"])
    return str(pod["metadata"]["uid"])


def head_key(namespace: str, cluster: str) -> str:
    """What keeps the ports of a cluster's head."""
    return f"head {namespace}/{cluster}"


def moved(pod: Object) -> list[int]:
    """The ports of a pod that are moved: Ray's, and those in its `ray start`."""
    if not runs_ray(pod):
        return []
    text = " ".join(
        part for each in pod["spec"]["containers"] for part in [*(each.get("command") or []), *(each.get("args") or [])]
    )
    named = [int(number) for _flag, number in _FLAG.findall(text)]
    return list(dict.fromkeys([*RAY_PORTS, *(port for port in named if 0 < port < 1 << 16)]))
