"""A head and a worker as the operator makes them are one Ray."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.sandbox.api.kinds import PODS, SERVICES
from kubectl_ray.sandbox.node.processes import POD, Belonging
from kubectl_ray.sandbox.node.settings import Pace
from tests.unit.sandbox.node import machine as machines
from tests.unit.sandbox.node.machine import NAMESPACE, Object, running

if TYPE_CHECKING:
    from pathlib import Path

HEAD_SERVICE = "c-head-svc.ns.svc.cluster.local"
AGENT = "wget --tries 1 -T 2 -q -O- http://localhost:52365/api/local_raylet_healthz | grep success"
DASHBOARD = "wget --tries 1 -T 10 -q -O- http://localhost:8265/api/gcs_healthz | grep success"
START = (
    "ulimit -n 65536; ray start --block --dashboard-agent-listen-port=52365 --metrics-export-port=8080 --num-cpus=1 "
)
WAIT = (
    f"while true; do if ray health-check --address {HEAD_SERVICE}:6379 > /dev/null 2>&1; then echo 'GCS is ready.';"
    " break; fi; sleep 5; done"
)
CODE = """
import ray
ray.init()
print(sum(node["Alive"] for node in ray.nodes()), ray.get(ray.remote(lambda: 41 + 1).remote()))
"""


def ray_pod(kind: str, start: str, looks: str, address: str, **spec: Any) -> Object:
    """As the operator makes it, but for what does not matter here."""
    labels = {"ray.io/cluster": "c", "ray.io/node-type": kind, "ray.io/identifier": f"c-{kind}"}
    probe = {"exec": {"command": ["bash", "-c", looks]}, "initialDelaySeconds": 10, "periodSeconds": 5}
    container = {
        "name": f"ray-{kind}",
        "image": "rayproject/ray:2.52.0",
        "command": ["/bin/bash", "-c", "--"],
        "args": [START + start],
        "env": [{"name": "RAY_ADDRESS", "value": address}],
        "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "2Gi"}},
        "readinessProbe": {**probe, "timeoutSeconds": 5},
    }
    return {"metadata": {"name": kind, "labels": labels}, "spec": {"containers": [container], **spec}}


def head() -> Object:
    """With its dashboard."""
    return ray_pod("head", "--head --dashboard-host=0.0.0.0", f"{AGENT} && {DASHBOARD}", "127.0.0.1:6379")


def worker() -> Object:
    """That waits for the head."""
    wait = {"name": "wait-gcs-ready", "image": "r", "command": ["/bin/bash", "-c", "--"], "args": [WAIT]}
    address = f"{HEAD_SERVICE}:6379"
    return ray_pod("worker", f"--address={address}", AGENT, address, initContainers=[wait])


@pytest.mark.slow
def test_a_head_and_a_worker_are_one_ray(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ready by the operator's probes; jobs reach both from either; nothing is left when they are gone."""
    monkeypatch.setattr(machines, "PATIENCE", 90.0)

    async def live() -> None:
        async with running(folder, pace=Pace()) as machine:
            selector = {"ray.io/cluster": "c", "ray.io/node-type": "head"}
            ports = [{"name": "gcs-server", "port": 6379}, {"name": "dashboard", "port": 8265}]
            spec = {"clusterIP": "None", "selector": selector, "ports": ports}
            service = {"metadata": {"name": "c-head-svc"}, "spec": spec}
            machine.objects.create(SERVICES, service, NAMESPACE)
            began = time.monotonic()
            uids = [machine.make(each)["metadata"]["uid"] for each in (worker(), head())]
            await machine.until(
                lambda: all(machine.container(each, f"ray-{each}").get("ready") for each in ("head", "worker"))
            )
            assert await machine.text("wait-gcs-ready", pod="worker") == "GCS is ready.\n"
            assert time.monotonic() - began < 90
            process = await machine.node.exec(
                NAMESPACE, "worker", "ray-worker", ["python", "-c", CODE], stdin=False, tty=False
            )
            assert await process.read_stdout(100) == b"2 42\n"
            assert await process.wait() == 0
            for name in ("worker", "head"):
                machine.objects.delete(PODS, NAMESPACE, name)
            await machine.until(lambda: not machine.objects.list(PODS))
            last = machine.seen["head"][-1]["status"]
            assert last["phase"] == "Failed"
            assert last["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 1
            assert [process for uid in uids for process in Belonging(POD, uid).find()] == []

    asyncio.run(live())


@pytest.mark.slow
def test_wrong_flags_are_refused_by_ray_itself(folder: Path) -> None:
    """Exit code 2, and Ray's words in the log."""

    async def live() -> None:
        async with running(folder) as machine:
            bad = head()
            bad["spec"]["containers"][0]["args"] = ["ray start --head --bogus=1"]
            bad["spec"]["restartPolicy"] = "Never"
            machine.make(bad)
            await machine.until(lambda: machine.phase("head") == "Failed")
            assert machine.container("head", "ray-head")["state"]["terminated"]["exitCode"] == 2
            assert "No such option" in await machine.text(pod="head")
            assert "--bogus" in await machine.text(pod="head")

    asyncio.run(live())
