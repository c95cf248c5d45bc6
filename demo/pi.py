"""Real work for the cluster, until the plugin has `job submit`: a job is handed to Ray as that will do it.

Run inside a session, `kubectl ray cluster session NAME -- python3 demo/pi.py`: Ray's address, and its token where it
wants one, are then in the environment. Source: Ray's jobs REST API.
"""

from __future__ import annotations

import inspect
import json
import os
import shlex
import sys
import time
import urllib.request
from typing import Any

OVER = {"SUCCEEDED", "FAILED", "STOPPED"}
FAILED = 10
_PATIENCE = 180.0


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


def ask(method: str, path: str = "", body: object = None) -> Any:
    """What Ray's jobs API answers; an answer that is no success raises OSError."""
    headers = {"Content-Type": "application/json", "User-Agent": "kubectl-ray-demo"}
    if "RAY_AUTH_TOKEN" in os.environ:
        headers["Authorization"] = f"Bearer {os.environ['RAY_AUTH_TOKEN']}"
    url = f"{os.environ['RAY_API_SERVER_ADDRESS']}/api/jobs/{path}"
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 -- the session's own address
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
        return json.load(answer)


def followed(pause: float = 1.0) -> int:
    """Send it, and say each change of its status; 0, or 10 when it failed, as `job submit` will have it."""
    code = f"{inspect.getsource(driver)}\ndriver()\n"
    print(inspect.getsource(driver).rstrip())
    job = ask("POST", body={"entrypoint": f"python -c {shlex.quote(code)}"})["submission_id"]
    print(f"\nPOST /api/jobs/ -> {job}")
    until = time.monotonic() + _PATIENCE
    status = ""
    while status not in OVER and time.monotonic() < until:
        now = ask("GET", job)["status"]
        if now != status:
            print(f"GET /api/jobs/{job} -> {now}", flush=True)
        status = now
        if status not in OVER:
            time.sleep(pause)
    lines = str(ask("GET", f"{job}/logs")["logs"]).strip().splitlines()
    result = [line for line in lines if line.startswith("pi is")]
    print(*(result or lines), sep="\n")  # Ray has remarks of its own in a log
    return 0 if status == "SUCCEEDED" and result else FAILED


if __name__ == "__main__":
    sys.exit(followed())
