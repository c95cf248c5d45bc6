"""The Ray cluster that tunnels are measured on: a head without workers, and a server in it for any amount of bytes."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.fill import Door
from bench.measure import BenchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SERVER = Path(__file__).with_name("session_server.py")
_OK = 200
_PATIENCE = 180.0  # seconds until a new head's dashboard answers
_PAUSE = 0.02  # seconds between two looks at it
DASHBOARD, CLIENT, SERVE = 8265, 10001, 8000


class Head:
    """A cluster and its head, as seen through an own door to the API server."""

    def __init__(self, kubectl: str, env: Mapping[str, str], door_port: int, namespace: str, name: str) -> None:
        self._kubectl = kubectl
        self._env = env
        self._door = Door(door_port)
        self.namespace = namespace
        self.name = name

    def close(self) -> None:
        """End the connection."""
        self._door.close()

    def pod(self, other_than: str = "") -> str:
        """The head pod's name; empty while there is none but the one named."""
        labels = f"ray.io%2Fcluster%3D{self.name}%2Cray.io%2Fnode-type%3Dhead"
        status, answer = self._door.ask("GET", f"/api/v1/namespaces/{self.namespace}/pods?labelSelector={labels}")
        if status != _OK:
            raise BenchError(f"the head pod cannot be looked for: {status} {answer.get('message')}")
        found: list[dict[str, Any]] = [pod["metadata"] for pod in answer["items"]]
        names = [pod["name"] for pod in found if "deletionTimestamp" not in pod]
        return next((name for name in names if name != other_than), "")

    def serve(self) -> None:
        """Start the server in the head; it ends with the pod.

        Raises:
            BenchError: the head has no Python, or may not be written to.
        """
        pod = self.pod()
        start = f"cat > /tmp/server.py && (nohup python /tmp/server.py {SERVE} >/tmp/server.log 2>&1 &)"
        argv = [self._kubectl, "exec", "-i", "-n", self.namespace, pod, "--", "sh", "-c", start]
        done = subprocess.run(
            argv, env=self._env, input=_SERVER.read_bytes(), capture_output=True, timeout=60, check=False
        )
        if done.returncode:
            raise BenchError(f"no server can be started in the head: {done.stderr.decode(errors='replace').strip()}")
        self._until_answers(f"{pod}:{SERVE}", "/")

    def delete(self, pod: str) -> None:
        """Ask for the head pod's end, as `kubectl delete pod --wait=false` does."""
        self._door.write("DELETE", f"/api/v1/namespaces/{self.namespace}/pods/{pod}", None)

    def replaced(self, pod: str) -> float:
        """The moment (`time.monotonic`) when the dashboard of the head that follows this one answers.

        It is asked through the API server's proxy for pods, which waits for no readiness probe.
        """
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            if new := self.pod(other_than=pod):
                return self._until_answers(f"{new}:{DASHBOARD}", "/api/version")
            time.sleep(_PAUSE)
        raise BenchError(f"no new head pod within {_PATIENCE:.0f} s")

    def _until_answers(self, place: str, path: str) -> float:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            if self._door.ask("GET", f"/api/v1/namespaces/{self.namespace}/pods/{place}/proxy{path}")[0] == _OK:
                return time.monotonic()
            time.sleep(_PAUSE)
        raise BenchError(f"{place} did not answer within {_PATIENCE:.0f} s")


@contextmanager
def cluster(plugin: str, kubectl: str, env: Mapping[str, str], door_port: int, namespace: str) -> Iterator[Head]:
    """A Ray cluster without workers, ready; it ends with the namespace.

    Raises:
        BenchError: it did not become ready: no operator, or no room.
    """
    name = "bench"
    argv = [plugin, "cluster", "create", name, "-n", namespace, "--worker-replicas=0", "--head-memory=3Gi"]
    done = subprocess.run(
        [*argv, "--timeout=5m"], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchError(f"no Ray cluster to measure on: {done.stderr.strip()}")
    head = Head(kubectl, env, door_port, namespace, name)
    try:
        yield head
    finally:
        head.close()
