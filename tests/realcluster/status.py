"""How the node is, in words."""

from __future__ import annotations

from typing import Any

from tests.realcluster import cluster, daemons, node
from tests.realcluster.api import Api, admin
from tests.realcluster.errors import RealClusterError


def healthy() -> bool:
    """Whether API server, node and operator answer."""
    return all(answer for _, answer in answers())


def answers() -> list[tuple[str, bool]]:
    """Who answers; nobody when there is no node."""
    try:
        api = _api()
    except (RealClusterError, OSError):
        return [("real cluster", False)]
    serving = cluster.ready(api)
    return [
        ("API server", serving),
        ("node", serving and cluster.node_ready(api)),
        ("operator", cluster.operator_ready()),
    ]


def lines() -> list[str]:
    """A table of the daemons, and who answers."""
    if node.pid() is None:
        return ["the real cluster is not running"]
    outer = node.host_pids()
    rows = ["DAEMON                    PID     MEMORY"]
    rows += [f"{name:<24}  {row(state, outer)}" for name, state in daemons.status().items()]
    rows += [f"{name}: {'answers' if good else 'does not answer'}" for name, good in answers()]
    told = cluster.known_facts()
    rows += [f"operator v{told['operator']}, kubeconfig {cluster.KUBECONFIG}"]
    return rows


def row(state: dict[str, Any], outer: dict[int, int]) -> str:
    """One daemon's process on this machine and its memory, or how it ended."""
    if not state["running"]:
        return f"ended with {state['code']}"
    number = outer.get(state["pid"], 0)
    paused = " paused" if state["paused"] else ""
    return f"{number:<6}  {state['memory'] / 2**20:>4.0f} MiB{paused}"


def _api() -> Api:
    return admin(cluster.PKI, cluster.known_facts()["port"])
