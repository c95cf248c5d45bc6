"""Fills namespaces with RayClusters that weigh what real ones weigh, and removes them again."""

from __future__ import annotations

import http.client
import json
import queue
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.measure import BenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_DATA = Path(__file__).with_name("data")
_AT_ONCE = 8  # connections
_PATIENCE = 60  # seconds, for the namespace's service account and for its end
_CREATED = 201
_OK = 200
_NOT_FOUND = 404
_SERVER_FAILS = 500
_WRITTEN = (_OK, _CREATED)


class Door:
    """One connection to a `kubectl proxy`."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        """One request; its status and the object that came back."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        sent = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, sent, {"Content-Type": kind})
        answer = self._connection.getresponse()
        content = answer.read()
        try:
            return answer.status, json.loads(content)
        except ValueError:
            return answer.status, {"message": content.decode(errors="replace")}

    def write(self, method: str, path: str, body: object) -> dict[str, Any]:
        """One request that has to succeed.

        Raises:
            BenchError: it did not.
        """
        status, answer = self.ask(method, path, body)
        if status not in _WRITTEN:
            raise BenchError(f"{method} {path}: {status} {answer.get('message')}")
        return answer

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


@contextmanager
def namespace(port: int, name: str) -> Iterator[str]:
    """A namespace of our own, ready for pods; afterwards it and all in it are removed."""
    full = f"kubectl-ray-bench-{name}-{secrets.token_hex(3)}"
    door = Door(port)
    try:
        door.write("POST", "/api/v1/namespaces", {"metadata": {"name": full}})
        _until(lambda: door.ask("GET", f"/api/v1/namespaces/{full}/serviceaccounts/default")[0] == _OK, "its account")
        yield full
    finally:
        door.close()  # the block may have ended in the middle of an answer
        _remove(port, full)


def _remove(port: int, name: str) -> None:
    door, path = Door(port), f"/api/v1/namespaces/{name}"
    try:
        if door.ask("GET", path)[0] >= _SERVER_FAILS:
            raise BenchError(f"the API server went away: namespace {name} may be left there")
        door.ask("DELETE", f"/apis/ray.io/v1/namespaces/{name}/rayclusters")
        door.ask("DELETE", f"{path}/pods", {"gracePeriodSeconds": 0})
        door.ask("DELETE", path)
        _until(lambda: door.ask("GET", path)[0] == _NOT_FOUND, f"the end of {name}")
    finally:
        door.close()


def _until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + _PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise BenchError(f"waited {_PATIENCE} s for {what}")
        time.sleep(0.1)


def fill(port: int, where: str, names: Sequence[str], *, pods: bool, progress: Callable[[int], None]) -> None:
    """Create a cluster a name, each with its recorded status, and its pods if they are wanted.

    The operator leaves them alone (`spec.managedBy`), and no scheduler knows the pods' scheduler, so nothing starts.

    Raises:
        BenchError: the API server refused one.
    """
    doors: queue.SimpleQueue[Door] = queue.SimpleQueue()
    everyone = [Door(port) for _ in range(_AT_ONCE)]
    for door in everyone:
        doors.put(door)

    def one(name: str) -> None:
        door = doors.get()
        try:
            _create(door, where, name, with_pods=pods)
        finally:
            doors.put(door)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            for done, _ in enumerate(pool.map(one, names), 1):
                progress(done)
        finally:
            pool.shutdown(cancel_futures=True)
    for door in everyone:
        door.close()


def _create(door: Door, where: str, name: str, *, with_pods: bool) -> None:
    wanted = recorded("raycluster.json", where, name)
    path = f"/apis/ray.io/v1/namespaces/{where}/rayclusters"
    made = door.write("POST", path, wanted)
    door.write("PATCH", f"{path}/{name}/status", {"status": wanted["status"]})
    for pod in recorded("pods.json", where, name) if with_pods else ():
        owner = {"apiVersion": "ray.io/v1", "kind": "RayCluster", "name": name, "controller": True}
        pod["metadata"]["ownerReferences"] = [{**owner, "uid": made["metadata"]["uid"]}]
        status = pod.pop("status")
        path_of_pods = f"/api/v1/namespaces/{where}/pods"
        door.write("POST", path_of_pods, pod)
        door.write("PATCH", f"{path_of_pods}/{pod['metadata']['name']}/status", {"status": status})


def recorded(file: str, where: str, name: str) -> Any:
    """A recording from a real cluster, under this namespace's and cluster's names."""
    text = (_DATA / file).read_text(encoding="utf-8")
    return json.loads(text.replace("@namespace@", where).replace("@cluster@", name))
