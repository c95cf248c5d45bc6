"""RayJobs by kubectl alone: what the operator makes of them, in each of its modes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.harness.conditions import until
from tests.e2e.harness.objects import container, group, raycluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.plugin import Suite

Object = dict[str, Any]

SAY = "python -c \"import ray; ray.init(); print('cpus', ray.cluster_resources()['CPU'] > 0)\""
FAIL = "python -c \"import sys; print('no luck'); sys.exit(3)\""
ENDS = {"Complete", "Failed", "ValidationFailed"}


def rayjob(name: str, entrypoint: str = SAY, **spec: Any) -> Object:
    """A RayJob; `spec` says where it runs and how."""
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": {"name": name},
        "spec": {"entrypoint": entrypoint, **spec},
    }


def on(cluster: str) -> Object:
    """The selector of a cluster that is there."""
    return {"ray.io/cluster": cluster}


@pytest.fixture
def job(suite: Suite, numbers: Iterator[int]) -> Iterator[Callable[[str], str]]:
    """Makes names of RayJobs, which are deleted after the case."""
    made: list[str] = []

    def name(beginning: str) -> str:
        made.append(f"{beginning}-{next(numbers)}")
        return made[-1]

    yield name
    suite.kubectl("delete", "rayjob", *made, "--ignore-not-found", "--wait=false")


def status(kubectl: Kubectl, name: str) -> Object:
    """Of a RayJob, as it is now."""
    found: Object = kubectl.get("rayjob", name).get("status", {})
    return found


def ended(kubectl: Kubectl, name: str, within: float = 180) -> Object:
    """Its status when it has ended."""
    until(lambda: status(kubectl, name).get("jobDeploymentStatus") in ENDS, f"{name} ends", within=within)
    return status(kubectl, name)


def test_submitter(kubectl: Kubectl, job: Callable[[str], str], ready_cluster: str) -> None:
    """K8sJobMode: a batch Job of the same name submits, and its log is the driver's."""
    name = job("sub")
    kubectl.create(rayjob(name, clusterSelector=on(ready_cluster)))
    seen = ended(kubectl, name)
    assert (seen["jobStatus"], seen["jobDeploymentStatus"]) == ("SUCCEEDED", "Complete")
    assert seen["rayClusterName"] == ready_cluster
    assert seen["jobId"].startswith(f"{name}-")
    assert "cpus True" in kubectl("logs", f"job/{name}")
    submitter = kubectl.get("job", name)
    assert submitter["metadata"]["labels"]["ray.io/originated-from-cr-name"] == name
    assert submitter["status"]["succeeded"] == 1
    (pod,) = kubectl.all("pods", f"job-name={name}")
    assert "ray.io/cluster" not in pod["metadata"]["labels"]


def test_failure(kubectl: Kubectl, job: Callable[[str], str], ready_cluster: str) -> None:
    """HTTPMode: no submitter; the driver's last lines and exit code are in the message."""
    name = job("http")
    kubectl.create(rayjob(name, FAIL, clusterSelector=on(ready_cluster), submissionMode="HTTPMode"))
    seen = ended(kubectl, name)
    assert (seen["jobStatus"], seen["jobDeploymentStatus"], seen["reason"]) == ("FAILED", "Failed", "AppFailed")
    assert "exit code 3" in seen["message"]
    assert "no luck" in seen["message"]
    assert kubectl.find("job", name) is None


def test_interactive(kubectl: Kubectl, job: Callable[[str], str], ready_cluster: str, namespace: str) -> None:
    """InteractiveMode: it waits for a submission id, and then follows that job."""
    name = job("inter")
    kubectl.create(rayjob(name, clusterSelector=on(ready_cluster), submissionMode="InteractiveMode"))
    until(lambda: status(kubectl, name).get("jobDeploymentStatus") == "Waiting", "it waits")
    path = f"/api/v1/namespaces/{namespace}/services/{ready_cluster}-head-svc:dashboard/proxy/api/jobs/"
    kubectl("create", "--raw", path, "-f", "-", feed={"entrypoint": SAY, "submission_id": f"by-hand-{name}"})
    kubectl("patch", "rayjob", name, "--type=merge", "-p", json.dumps({"spec": {"jobId": f"by-hand-{name}"}}))
    assert ended(kubectl, name)["jobStatus"] == "SUCCEEDED"


def test_invalid(kubectl: Kubectl, job: Callable[[str], str]) -> None:
    """What the operator refuses has a status and one event that say why."""
    name = job("bad")
    kubectl.create(rayjob(name))
    seen = ended(kubectl, name, 60)
    assert seen["jobDeploymentStatus"] == seen["reason"] == "ValidationFailed"
    assert "one of RayClusterSpec or ClusterSelector must be set" in seen["message"]
    until(lambda: "InvalidRayJobSpec" in kubectl("events", "--for", f"rayjob/{name}"), "the event")


def test_missing_cluster(kubectl: Kubectl, job: Callable[[str], str]) -> None:
    """A selector that finds nothing: it stays Initializing, and an event says so."""
    name = job("lost")
    kubectl.create(rayjob(name, clusterSelector=on("nosuch-cluster")))
    until(lambda: "RayClusterNotFound" in kubectl("events", "--for", f"rayjob/{name}"), "the event")
    assert status(kubectl, name)["jobDeploymentStatus"] == "Initializing"


def test_deadline(kubectl: Kubectl, job: Callable[[str], str], ready_cluster: str) -> None:
    """ActiveDeadlineSeconds counts from the start; the job's own status stays what it was."""
    name = job("slow")
    sleeper = 'python -c "import time; time.sleep(600)"'
    spec = {"clusterSelector": on(ready_cluster), "submissionMode": "HTTPMode", "activeDeadlineSeconds": 8}
    kubectl.create(rayjob(name, sleeper, **spec))
    seen = ended(kubectl, name)
    assert (seen["jobDeploymentStatus"], seen["reason"]) == ("Failed", "DeadlineExceeded")
    assert "has passed the activeDeadlineSeconds" in seen["message"]


def test_suspended(kubectl: Kubectl, job: Callable[[str], str]) -> None:
    """Created suspended, it makes no cluster."""
    name = job("sleep")
    inner = raycluster("x", group("g", 0))["spec"]
    kubectl.create(rayjob(name, rayClusterSpec=inner, suspend=True, shutdownAfterJobFinishes=True))
    until(lambda: status(kubectl, name).get("jobDeploymentStatus") == "Suspended", "it is suspended")
    assert "rayClusterName" not in status(kubectl, name)


def test_own_cluster(kubectl: Kubectl, job: Callable[[str], str]) -> None:
    """Without a selector it brings a cluster, which goes when the job is over."""
    name = job("own")
    small = {"requests": {"cpu": "200m", "memory": "2Gi"}, "limits": {"memory": "2Gi"}}
    inner = {
        "rayVersion": "2.52.0",
        "headGroupSpec": {
            "rayStartParams": {},
            "template": {"spec": {"containers": [container("ray-head", **small)]}},
        },
    }
    kubectl.create(
        rayjob(name, submissionMode="HTTPMode", rayClusterSpec=inner, shutdownAfterJobFinishes=True, backoffLimit=0)
    )
    cluster = until(lambda: str(status(kubectl, name).get("rayClusterName", "")), "its cluster")
    assert cluster.startswith(f"{name}-")
    made = kubectl.get("raycluster", cluster)
    assert made["metadata"]["labels"]["ray.io/originated-from-crd"] == "RayJob"
    assert made["metadata"]["ownerReferences"][0]["name"] == name
    assert ended(kubectl, name)["jobStatus"] == "SUCCEEDED"
    until(lambda: kubectl.find("raycluster", cluster) is None, "its cluster is gone")
    until(lambda: not kubectl.pods(cluster), "its pods are gone", within=90)


def test_deleted_while_it_runs(kubectl: Kubectl, job: Callable[[str], str], ready_cluster: str, namespace: str) -> None:
    """The operator stops the Ray job before the RayJob goes."""
    name = job("stop")
    sleeper = 'python -c "import time; time.sleep(600)"'
    kubectl.create(rayjob(name, sleeper, clusterSelector=on(ready_cluster), submissionMode="HTTPMode"))
    until(lambda: status(kubectl, name).get("jobStatus") == "RUNNING", "it runs", within=120)
    submission = status(kubectl, name)["jobId"]
    kubectl("delete", "rayjob", name)
    path = f"/api/v1/namespaces/{namespace}/services/{ready_cluster}-head-svc:dashboard/proxy/api/jobs/{submission}"
    until(lambda: json.loads(kubectl("get", "--raw", path))["status"] == "STOPPED", "Ray has stopped it")
