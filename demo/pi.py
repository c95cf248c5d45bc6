"""Real work for the cluster, until the plugin has `job submit`: a job is handed to Ray as that will do it.

The way is the API server's service proxy, so that it works wherever kubectl works; source: Ray's jobs REST API.
"""

from __future__ import annotations

import inspect
import json
import shlex
import sys
import time
from typing import TYPE_CHECKING, Any

from kubectl_ray.errors import KubectlRayError
from kubectl_ray.kube.client import Client
from kubectl_ray.kube.credentials import Credentials
from kubectl_ray.kube.kubeconfig import Overrides, load
from kubectl_ray.models.fields import dig
from kubectl_ray.models.resources import RAYCLUSTERS, SERVICES

if TYPE_CHECKING:
    from collections.abc import Mapping

REMARK = """Real work: pi, on all workers. `job submit` is still to come; until then a few lines of Python
# (demo/pi.py) hand this program to Ray, through the API server, as it will."""
OVER = {"SUCCEEDED", "FAILED", "STOPPED"}
_PATIENCE = 180.0
_OK = 200


def driver() -> None:
    """What runs on the cluster: each task throws darts at a square; a quarter circle in it catches pi/4 of them."""
    import random

    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On

    @ray.remote
    def hits(darts: int) -> int:
        return sum(random.random() ** 2 + random.random() ** 2 < 1 for _ in range(darts))

    ray.init(log_to_driver=False, logging_level="ERROR")
    workers = [node["NodeID"] for node in ray.nodes() if node["Alive"] and "CPU" in node["Resources"]]
    darts, places = 500_000, [On(worker, soft=False) for worker in workers for _task in range(4)]
    found = ray.get([hits.options(scheduling_strategy=place).remote(darts) for place in places])
    pi = 4 * sum(found) / (len(found) * darts)
    print(f"pi is about {pi:.4f}: {len(workers)} workers, {len(found)} tasks, {darts:,} darts each")


class Jobs:
    """Ray's own jobs API, behind the API server's service proxy."""

    def __init__(self, client: Client, namespace: str, service: str) -> None:
        self._client = client
        self._base = SERVICES.path(namespace, f"{service}:dashboard", "proxy") + "/api/jobs/"

    def ask(self, method: str, path: str = "", body: object = None) -> Any:
        """Ray's answer.

        Raises:
            KubectlRayError: it is no success.
        """
        data = json.dumps(body).encode() if body else b""
        headers = [("Content-Type", "application/json")] if body else []
        answer = self._client.raw(method, self._base + path, headers=headers, body=data, timeout=30)
        if answer.status != _OK:
            raise KubectlRayError(f"Ray answered {answer.status}: {answer.body.decode(errors='replace')[:500]}")
        return json.loads(answer.body)


def compute(env: Mapping[str, str], context: str, namespace: str, cluster: str) -> int:
    """Hand the job to the cluster, wait for its end and show its output."""
    target = load(Overrides(context=context, namespace=namespace), env)
    client = Client(target, Credentials(target, env, interactive=False, stderr=sys.stderr), env)
    try:
        found = client.get(RAYCLUSTERS, cluster, target.namespace)
        jobs = Jobs(client, target.namespace, str(dig(found, "status", "head", "serviceName")))
        return followed(jobs)
    except KubectlRayError as error:
        print(f"Error: {error.message}", file=sys.stderr)
        return error.exit_code
    finally:
        client.close()


def followed(jobs: Jobs, pause: float = 1.0) -> int:
    """Send it, and say each change of its status; 0, or 10 when it failed, as `job submit` will have it."""
    code = f"{inspect.getsource(driver)}\ndriver()\n"
    print(inspect.getsource(driver).rstrip())
    job = jobs.ask("POST", body={"entrypoint": f"python -c {shlex.quote(code)}"})["submission_id"]
    print(f"\nPOST /api/jobs/ -> {job}")
    until = time.monotonic() + _PATIENCE
    status = ""
    while status not in OVER and time.monotonic() < until:
        now = jobs.ask("GET", job)["status"]
        if now != status:
            print(f"GET /api/jobs/{job} -> {now}")
        status = now
        if status not in OVER:
            time.sleep(pause)
    lines = str(jobs.ask("GET", f"{job}/logs")["logs"]).strip().splitlines()
    result = [line for line in lines if line.startswith("pi is")]
    print(*(result or lines), sep="\n")  # Ray has remarks of its own in a log
    return 0 if status == "SUCCEEDED" and result else 10
