"""What can go wrong in a cluster, on demand. Each context manager puts right again what it has broken.

Parts are `operator`, `apiserver`, `kubelet`, `scheduler`, `controller-manager`, `etcd`, `dns`.
"""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.realcluster import cluster, daemons, node
from tests.realcluster.api import Api, admin
from tests.realcluster.errors import RealClusterError
from tests.realcluster.places import RUN, Places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# in the order of starting. The forwarder goes with the API server, so that a stopped one refuses connections; a paused
# one takes them and never answers.
PARTS: Mapping[str, tuple[str, ...]] = {
    "operator": ("kuberay-operator",),
    "apiserver": ("kube-apiserver", "forward"),
    "kubelet": ("kubelet",),
    "scheduler": ("kube-scheduler",),
    "controller-manager": ("kube-controller-manager",),
    "etcd": ("etcd",),
    "dns": ("nameserver",),
}
VOLUMES = RUN / "volumes"
MIB = 1 << 20
ABRUPT = 1.0  # seconds to end by itself: the API server would wait for its watches, and a fault is sudden
KUBELET_PORT = 10248


def api() -> Api:
    """A client of the running cluster with all rights.

    Raises:
        RealClusterError: there is none.
    """
    return admin(cluster.PKI, cluster.known_facts()["port"])


def stop(part: str) -> None:
    """End a part; on return its processes are gone. Fine when it does not run."""
    for name in reversed(_daemons(part)):
        daemons.stop(name, ABRUPT)


def start(part: str) -> None:
    """Start a part again; on return it serves. Fine when it runs."""
    facts = cluster.known_facts()
    where = Places(Path(facts["cache"]))
    programs = {name: Path(program) for name, program in facts["programs"].items()}
    table = daemons.table(programs, where.state, facts["port"])
    for name in _daemons(part):
        if not daemons.running(name):
            daemons.start(table[name], where.logs)
    node.until(lambda: _serves(part), cluster.SLOW, f"{part} to serve again")


def pause(part: str) -> None:
    """Freeze a part: it keeps its connections and answers nothing."""
    daemons.send(_daemons(part)[0], signal.SIGSTOP)


def resume(part: str) -> None:
    """Let a frozen part go on; on return it serves."""
    daemons.send(_daemons(part)[0], signal.SIGCONT)
    node.until(lambda: _serves(part), cluster.SLOW, f"{part} to serve again")


@contextmanager
def stopped(part: str) -> Iterator[None]:
    """A part does not run within the block."""
    try:
        stop(part)
        yield
    finally:
        start(part)


@contextmanager
def paused(part: str) -> Iterator[None]:
    """A part is frozen within the block."""
    pause(part)
    try:
        yield
    finally:
        resume(part)


def delete_pod(namespace: str, name: str) -> None:
    """Remove a pod's object at once (grace period 0), as after the loss of its node."""
    api().delete(f"/api/v1/namespaces/{namespace}/pods/{name}", {"gracePeriodSeconds": 0})


def kill_container(namespace: str, name: str, container: str | None = None) -> None:
    """Kill a pod's container (by default its first) with SIGKILL; the kubelet restarts it as the pod's policy says.

    Raises:
        RealClusterError: no such container runs.
    """
    pod = api().request("GET", f"/api/v1/namespaces/{namespace}/pods/{name}")
    wanted = container or pod["spec"]["containers"][0]["name"]
    for status in pod["status"].get("containerStatuses", ()):
        if status["name"] == wanted and "running" in status.get("state", {}):
            identity = status["containerID"].removeprefix("containerd://")
            cluster.ctr("tasks", "kill", "--signal", "SIGKILL", identity)
            return
    raise RealClusterError(f"container {wanted} of pod {namespace}/{name} does not run")


@contextmanager
def small_volume(mebibytes: int, *, free: int = 0, in_node: bool = False) -> Iterator[Path]:
    """A folder on a file system of that size with only `free` bytes left.

    With `in_node` it is mounted in the node, for pods to use as a hostPath; otherwise on this machine.
    """
    VOLUMES.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=VOLUMES))
    within = node.enter() if in_node else []
    subprocess.run([*within, "mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "none", folder], check=True)
    try:
        if filled := mebibytes * MIB - free:
            subprocess.run([*within, "fallocate", "--length", str(filled), folder / "filler"], check=True)
        yield folder
    finally:
        subprocess.run([*within, "umount", "--lazy", folder], check=True)
        folder.rmdir()


@contextmanager
def resource_quota(namespace: str, hard: Mapping[str, str]) -> Iterator[None]:
    """A quota in a namespace, for instance `{"pods": "1"}`; on entry it counts already."""
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    body = {"metadata": {"name": "fault"}, "spec": {"hard": dict(hard)}}
    with _object(path, body):
        # until the controller has counted, the API server refuses every pod with words of its own
        node.until(lambda: "used" in api().request("GET", f"{path}/fault").get("status", {}), 30, "the quota")
        yield


@contextmanager
def limit_range(namespace: str, limits: Sequence[Mapping[str, Any]]) -> Iterator[None]:
    """Limits in a namespace, for instance `[{"type": "Container", "max": {"memory": "512Mi"}}]`."""
    body = {"metadata": {"name": "fault"}, "spec": {"limits": [dict(limit) for limit in limits]}}
    with _object(f"/api/v1/namespaces/{namespace}/limitranges", body):
        yield


@contextmanager
def _object(path: str, body: dict[str, Any]) -> Iterator[None]:
    api().create(path, body)
    try:
        yield
    finally:
        api().delete(f"{path}/{body['metadata']['name']}")


def _daemons(part: str) -> tuple[str, ...]:
    try:
        return PARTS[part]
    except KeyError:
        raise RealClusterError(f"no part {part!r}; there are {', '.join(PARTS)}") from None


def _serves(part: str) -> bool:
    if not all(daemons.running(name) for name in _daemons(part)):
        raise RealClusterError(f"{part} ended at once: see {json.dumps(daemons.status())}")
    if part == "operator":
        return cluster.operator_ready()
    if part == "kubelet":
        return daemons.answers(KUBELET_PORT, "/healthz") and cluster.node_ready(api())
    return cluster.ready(api())
