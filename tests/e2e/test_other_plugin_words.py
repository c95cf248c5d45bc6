"""The Go plugin's words: scripts written for it find its commands, flags, columns and lines here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.e2e.harness.objects import group, suspended, untouched

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray

NOWHERE = "--head-node-selectors nowhere=here --worker-node-selectors nowhere=here"


def titles(line: str) -> list[str]:
    """The titles of a table."""
    return re.split(r"\s{2,}", line.strip())


@pytest.mark.parametrize("words", ["get cluster", "get clusters", "list cluster", "list clusters"])
def test_get_cluster(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], words: str) -> None:
    """Its columns, filled from the status."""
    name = fresh("their")
    kubectl.create(untouched(name))
    counts = {"desiredWorkerReplicas": 3, "availableWorkerReplicas": 2, "state": "ready"}
    sizes = {"desiredCPU": "5", "desiredGPU": "3", "desiredTPU": "0", "desiredMemory": "10Gi"}
    ready = {
        "type": "HeadPodReady",
        "status": "True",
        "reason": "Ok",
        "message": "",
        "lastTransitionTime": "2025-01-01T00:00:00Z",
    }
    kubectl.set_status("raycluster", name, {**counts, **sizes, "conditions": [ready]})
    lines = ray(words).lines
    assert titles(lines[0]) == [
        "NAME",
        "NAMESPACE",
        "DESIRED WORKERS",
        "AVAILABLE WORKERS",
        "CPUS",
        "GPUS",
        "TPUS",
        "MEMORY",
        "CONDITION",
        "STATUS",
        "AGE",
    ]
    (row,) = (titles(line) for line in lines if name in line)
    assert row[0] == name
    assert row[2:10] == ["3", "2", "5", "3", "0", "10Gi", "HeadPodReady", "ready"]


def test_get_one_cluster(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A name that is not there has its line."""
    name = fresh("their")
    kubectl.create(untouched(name))
    assert len(ray(f"get cluster {name}").lines) == 2
    said = ray.outcome(f"get cluster {name}x")
    assert said.code == 5
    assert f"{name}x" in said.err


def test_get_cluster_in_an_empty_namespace(ray: Ray) -> None:
    """Headers only, exit code 0."""
    assert len(ray("get clusters -n kube-node-lease").lines) == 1


@pytest.mark.parametrize("words", ["get workergroup", "get workergroups", "list workergroups"])
def test_get_workergroup(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], words: str) -> None:
    """Its columns; resources are for all replicas."""
    name = fresh("their")
    kubectl.create(untouched(name, group("pool", 3, minimum=1, maximum=7)))
    lines = ray(f"{words} -c {name}").lines
    assert titles(lines[0]) == ["NAME", "MIN", "MAX", "REPLICAS", "CPUS", "GPUS", "TPUS", "MEMORY", "CLUSTER"]
    assert titles(lines[1]) == ["pool", "1", "7", "0/3", "3", "3", "0", "6Gi", name]


def test_get_workergroup_everywhere(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], namespace: str) -> None:
    """-A adds the namespace."""
    name = fresh("their")
    kubectl.create(untouched(name, group("pool", 3)))
    lines = ray("get workergroups -A").lines
    assert titles(lines[0])[:2] == ["NAMESPACE", "NAME"]
    assert any(titles(line)[:2] == [namespace, "pool"] and name in line for line in lines)


@pytest.mark.parametrize("words", ["get node", "get nodes", "list nodes"])
def test_get_node(ray: Ray, kubectl: Kubectl, ready_cluster: str, words: str) -> None:
    """Its columns, with the requests of the Ray container."""
    lines = ray(f"{words} --ray-cluster {ready_cluster}").lines
    assert titles(lines[0]) == ["NAME", "CPUS", "GPUS", "TPUS", "MEMORY", "CLUSTER", "TYPE", "WORKER GROUP", "AGE"]
    rows = {titles(line)[0]: titles(line) for line in lines[1:]}
    assert set(rows) == kubectl.names("pods", f"ray.io/cluster={ready_cluster}")
    worker = next(row for row in rows.values() if row[6] == "worker")
    assert worker[1] == "200m"
    assert worker[5:8] == [ready_cluster, "worker", "default-worker-group"]


def test_get_one_node(ray: Ray, kubectl: Kubectl, ready_cluster: str) -> None:
    """Its argument is the node's name."""
    (head,) = kubectl.names("pods", f"ray.io/cluster={ready_cluster},ray.io/node-type=head")
    lines = ray(f"get node {head}").lines
    assert len(lines) == 2
    assert titles(lines[1])[0] == head


def test_create_cluster(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Its flags and its line."""
    name = fresh("their")
    said = ray(
        f"create cluster {name} --no-wait --ray-version 2.51.0 --worker-replicas 2 --worker-cpu 3 --worker-memory 5Gi "
        f"--worker-gpu 1 --head-cpu 1 --head-memory 4Gi {NOWHERE}"
    )
    assert said.out.splitlines()[0] == f"Created Ray cluster: {name}"
    spec = kubectl.get("raycluster", name)["spec"]
    worker = spec["workerGroupSpecs"][0]["template"]["spec"]["containers"][0]
    assert worker["image"] == "rayproject/ray:2.51.0"
    assert worker["resources"]["limits"] == {"memory": "5Gi", "nvidia.com/gpu": "1"}


def test_create_cluster_dry_run(ray: Ray, fresh: Callable[[str], str]) -> None:
    """A bare --dry-run prints YAML."""
    name = fresh("their")
    assert yaml.safe_load(ray(f"create cluster {name} --dry-run").out)["metadata"]["name"] == name


def test_create_workergroup(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], namespace: str) -> None:
    """Its flags and its line."""
    name = fresh("their")
    kubectl.create(suspended(name))
    said = ray(f"create workergroup pool --ray-cluster {name} --worker-replicas 2 --worker-cpu 1 --worker-memory 1Gi")
    assert said.out.strip() == f"Updated Ray cluster {namespace}/{name} with new worker group"
    assert kubectl.group(name, "pool")["replicas"] == 2


def test_scale_cluster(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], namespace: str) -> None:
    """`scale cluster NAME -w GROUP`: here -w is the worker group."""
    name = fresh("their")
    kubectl.create(suspended(name, group("pool", 1)))
    said = ray(f"scale cluster {name} -w pool -r 4")
    where = f"orker group pool in Ray cluster {name} in namespace {namespace}"
    assert said.out.splitlines()[0] == f"Updated w{where} (Scaled replicas: 1 to 4)"
    assert kubectl.group(name, "pool")["replicas"] == 4
    again = ray(f"scale cluster {name} --worker-group pool --replicas 4").out.strip()
    assert again == f"W{where} already matches the requested configuration. Skipping."


@pytest.mark.parametrize("written", ["{}", "raycluster/{}", "RayCluster/{}"])
def test_delete(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], written: str) -> None:
    """A name with or without its type, and its line."""
    name = fresh("their")
    kubectl.create(suspended(name))
    assert ray(f"delete {written.format(name)} --yes").out.splitlines()[0] == f"Deleted raycluster {name}"
    assert kubectl.find("raycluster", name) is None


def test_delete_asked_and_refused(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """No is `Canceled deletion.`, exit code 0."""
    name = fresh("their")
    kubectl.create(suspended(name))
    with ray.on_terminal(f"delete {name}") as running:
        running.see("y", within=20)
        running.see("]", within=20)
        running.keys("n\n")
        assert "Canceled deletion." in running.ended(within=20).expect(0).out
    assert kubectl.find("raycluster", name)
