"""RayClusters by kubectl alone: how the operator follows a spec, what its status tells and what it does not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.e2e.harness.conditions import until
from tests.e2e.harness.objects import container, group, raycluster
from tests.e2e.harness.oracle import is_ready
from tests.e2e.harness.running import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.harness.oracle import Kubectl

Object = dict[str, Any]

TINY = {"requests": {"cpu": "200m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}


def small(name: str, *groups: Object, **spec: Any) -> Object:
    """A cluster that finds room anywhere."""
    head = {"rayStartParams": {}, "template": {"spec": {"containers": [container("ray-head", **TINY)]}}}
    return raycluster(name, *groups, headGroupSpec=head, **spec)


def workers(name: str, replicas: int) -> Object:
    """A group of small workers."""
    return group(name, replicas, template={"spec": {"containers": [container("ray-worker", **TINY)]}})


def conditions(kubectl: Kubectl, name: str) -> dict[str, tuple[str, str]]:
    """Type → status and reason."""
    held = kubectl.get("raycluster", name).get("status", {}).get("conditions", [])
    return {each["type"]: (each["status"], each["reason"]) for each in held}


def ready(kubectl: Kubectl, name: str) -> bool:
    """The operator calls it ready."""
    return bool(kubectl.get("raycluster", name).get("status", {}).get("state") == "ready")


def test_a_cluster_is_made(kubectl: Kubectl, ready_cluster: str) -> None:
    """Names, labels, owners, service and status of a cluster that is ready."""
    made = kubectl.get("raycluster", ready_cluster)
    (head,) = kubectl.pods(ready_cluster, "headgroup")
    (worker,) = kubectl.pods(ready_cluster, "default-worker-group")
    assert head["metadata"]["name"].startswith(f"{ready_cluster}-head-")
    assert worker["metadata"]["name"].startswith(f"{ready_cluster}-default-worker-group-worker-")
    assert (
        head["metadata"]["labels"].items()
        >= {
            "app.kubernetes.io/created-by": "kuberay-operator",
            "app.kubernetes.io/name": "kuberay",
            "ray.io/identifier": f"{ready_cluster}-head",
            "ray.io/is-ray-node": "yes",
            "ray.io/node-type": "head",
        }.items()
    )
    for pod in (head, worker):
        (owner,) = pod["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["uid"]) == ("RayCluster", made["metadata"]["uid"])
    status = made["status"]
    assert (status["state"], status["readyWorkerReplicas"], status["availableWorkerReplicas"]) == ("ready", 1, 1)
    assert status["head"]["podName"] == head["metadata"]["name"]
    assert status["endpoints"]["dashboard"] == "8265"
    assert conditions(kubectl, ready_cluster) == {
        "HeadPodReady": ("True", "HeadPodRunningAndReady"),
        "RayClusterProvisioned": ("True", "AllPodRunningAndReadyFirstTime"),
        "RayClusterSuspending": ("False", "RayClusterSuspending"),
        "RayClusterSuspended": ("False", "RayClusterSuspended"),
    }
    service = kubectl.get("service", f"{ready_cluster}-head-svc")
    assert service["spec"]["clusterIP"] == "None"
    assert {port["name"]: port["port"] for port in service["spec"]["ports"]} == {
        "client": 10001,
        "dashboard": 8265,
        "gcs-server": 6379,
        "metrics": 8080,
        "serve": 8000,
    }
    said = kubectl("events", "--for", f"raycluster/{ready_cluster}")
    assert {"CreatedService", "CreatedHeadPod", "CreatedWorkerPod"} <= set(said.split())


def test_suspend_and_resume(kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Suspended: no pods, the service stays. Resumed: new pods, and ready once more."""
    name = fresh("susp")
    kubectl.create(small(name))
    until(lambda: ready(kubectl, name), "it is ready", within=120)
    (before,) = kubectl.names("pods", f"ray.io/cluster={name}")
    kubectl("patch", "raycluster", name, "--type=merge", "-p", '{"spec":{"suspend":true}}')
    kubectl("wait", f"raycluster/{name}", "--for=condition=RayClusterSuspended", "--timeout=90s")
    assert not kubectl.pods(name)
    assert kubectl.get("raycluster", name)["status"]["state"] == "suspended"
    assert kubectl.find("service", f"{name}-head-svc")
    kubectl("patch", "raycluster", name, "--type=merge", "-p", '{"spec":{"suspend":false}}')
    until(lambda: ready(kubectl, name), "it is ready again", within=120)
    assert before not in kubectl.names("pods", f"ray.io/cluster={name}")


def test_a_lost_head_is_replaced(kubectl: Kubectl, fresh: Callable[[str], str], namespace: str) -> None:
    """A new pod of another name; the state never goes back; Ray's session is another one."""
    name = fresh("head")
    kubectl.create(small(name))
    until(lambda: ready(kubectl, name), "it is ready", within=120)
    (before,) = kubectl.pods(name)
    path = f"/api/v1/namespaces/{namespace}/services/{name}-head-svc:dashboard/proxy/api/version"
    session = json.loads(kubectl("get", "--raw", path))["session_name"]
    kubectl("delete", "pod", before["metadata"]["name"], "--wait=false")

    def replaced() -> bool:
        assert ready(kubectl, name)
        pods = kubectl.pods(name)
        return len(pods) == 1 and pods[0]["metadata"]["uid"] != before["metadata"]["uid"] and is_ready(pods[0])

    until(replaced, "a new head is ready", within=150)
    until(lambda: conditions(kubectl, name)["HeadPodReady"][0] == "True", "the status says so")
    assert json.loads(kubectl("get", "--raw", path))["session_name"] != session
    assert "DeletedHeadPod" in kubectl("events", "--for", f"raycluster/{name}")


def test_a_removed_group_keeps_its_pods(kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Pods of a group that is taken out of the spec run on; scaled down first, they go."""
    name = fresh("left")
    nowhere = {"nodeSelector": {"nowhere": "here"}, "containers": [container("ray", **TINY)]}
    groups = [group(each, 1, template={"spec": nowhere}) for each in ("stays", "goes")]
    made = raycluster(name, *groups, headGroupSpec={"rayStartParams": {}, "template": {"spec": nowhere}})
    kubectl.create(made)
    until(lambda: len(kubectl.pods(name)) == 3, "its pods")
    operations = [{"op": "remove", "path": "/spec/workerGroupSpecs/1"}]
    kubectl("patch", "raycluster", name, "--type=json", "-p", json.dumps(operations))
    seen = until(
        lambda: kubectl.get("raycluster", name)["status"].get("desiredWorkerReplicas") == 1, "the operator has seen it"
    )
    assert seen
    assert len(kubectl.pods(name, "goes")) == 1


def test_workers_to_delete(kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """scaleStrategy.workersToDelete chooses which worker goes."""
    name = fresh("pick")
    nowhere = {"nodeSelector": {"nowhere": "here"}, "containers": [container("ray", **TINY)]}
    head = {"rayStartParams": {}, "template": {"spec": nowhere}}
    kubectl.create(raycluster(name, group("g", 3, template={"spec": nowhere}), headGroupSpec=head))
    until(lambda: len(kubectl.pods(name, "g")) == 3, "its workers")
    *_, chosen = sorted(pod["metadata"]["name"] for pod in kubectl.pods(name, "g"))
    operations = [
        {"op": "add", "path": "/spec/workerGroupSpecs/0/scaleStrategy", "value": {"workersToDelete": [chosen]}},
        {"op": "replace", "path": "/spec/workerGroupSpecs/0/replicas", "value": 2},
    ]
    kubectl("patch", "raycluster", name, "--type=json", "-p", json.dumps(operations))
    until(lambda: len(kubectl.pods(name, "g")) == 2, "one goes")
    assert chosen not in kubectl.names("pods", f"ray.io/cluster={name}")


def test_refused_without_a_status(kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A spec that the operator refuses gets one event and nothing else."""
    name = fresh("wrong")
    kubectl.create(raycluster(name, group("g", 2, minimum=3, maximum=1)))
    until(lambda: "InvalidRayClusterSpec" in kubectl("events", "--for", f"raycluster/{name}"), "the event")
    assert "status" not in kubectl.get("raycluster", name)
    assert not kubectl.pods(name)


def test_token_authentication(kubectl: Kubectl, fresh: Callable[[str], str], namespace: str) -> None:
    """A Secret of the cluster's name holds the token; without it Ray says 401."""
    name = fresh("auth")
    kubectl.create(small(name, authOptions={"mode": "token"}))
    secret = until(lambda: kubectl.find("secret", name), "its secret")
    assert secret is not None
    assert set(secret["data"]) == {"auth_token"}
    until(lambda: ready(kubectl, name), "it is ready", within=120)
    path = f"/api/v1/namespaces/{namespace}/services/{name}-head-svc:dashboard/proxy/api/version"
    refused = run(f"kubectl get --raw {path}", kubectl.env, kubectl.cwd).expect(1)
    assert "You must be logged in" in refused.err  # Ray's own 401, handed on
    open_to_all = path.replace("/api/version", "/api/authentication_mode")
    assert json.loads(kubectl("get", "--raw", open_to_all)) == {"authentication_mode": "token"}


def test_autoscaler_objects(kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """An autoscaler gets an account with rights of its own, and a place beside the head."""
    name = fresh("auto")
    nowhere = {"nodeSelector": {"nowhere": "here"}, "containers": [container("ray", **TINY)]}
    head = {"rayStartParams": {}, "template": {"spec": nowhere}}
    kubectl.create(
        raycluster(
            name,
            group("g", 0, maximum=3, template={"spec": nowhere}),
            headGroupSpec=head,
            enableInTreeAutoscaling=True,
            autoscalerOptions={"version": "v2"},
        )
    )
    (pod,) = until(lambda: kubectl.pods(name), "its head")
    assert [each["name"] for each in pod["spec"]["containers"]] == ["ray", "autoscaler"]
    assert (pod["spec"]["serviceAccountName"], pod["spec"]["restartPolicy"]) == (name, "Never")
    for kind in ("serviceaccount", "role", "rolebinding"):
        assert kubectl.find(kind, name)
    kubectl("delete", "raycluster", name)
    until(lambda: kubectl.find("role", name) is None, "its role goes with it")
