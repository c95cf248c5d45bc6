"""RayServices by kubectl, and sessions to them: the first deployment, traffic, changes right and wrong, the end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.harness.conditions import until
from tests.e2e.harness.objects import container
from tests.e2e.harness.sessions import opened
from tests.e2e.harness.sockets import answered, get

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray
    from tests.e2e.plugin import Suite

Object = dict[str, Any]

ANY = "--port client=0 --port dashboard=0 --port serve=0"
APP = """\
from ray import serve


@serve.deployment
class Hello:
    def __call__(self, request):
        return "hello from serve"


app = Hello.bind()
"""
CONFIG = """\
applications:
- name: hello
  import_path: MODULE:app
  route_prefix: /
  deployments:
  - name: Hello
    num_replicas: REPLICAS
    ray_actor_options: {num_cpus: 0.1}
"""


def config(replicas: int, module: str = "hello_app") -> str:
    """A serve configuration of one application."""
    return CONFIG.replace("REPLICAS", str(replicas)).replace("MODULE", module)


def service(name: str) -> Object:
    """A RayService of a head alone; the application comes from a config map."""
    least = {"requests": {"cpu": "300m", "memory": "1Gi"}, "limits": {"memory": "3Gi"}}
    head = container("ray-head", **least) | {
        "ports": [
            {"name": "gcs-server", "containerPort": 6379},
            {"name": "dashboard", "containerPort": 8265},
            {"name": "client", "containerPort": 10001},
            {"name": "serve", "containerPort": 8000},
        ],
        "env": [{"name": "PYTHONPATH", "value": "/apps"}],
        "volumeMounts": [{"name": "apps", "mountPath": "/apps"}],
    }
    pod = {"containers": [head], "volumes": [{"name": "apps", "configMap": {"name": f"{name}-apps"}}]}
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayService",
        "metadata": {"name": name},
        "spec": {
            "serveConfigV2": config(1),
            "rayClusterConfig": {
                "rayVersion": "2.52.0",
                "headGroupSpec": {"rayStartParams": {"num-cpus": "2"}, "template": {"spec": pod}},
            },
        },
    }


def status(kubectl: Kubectl, name: str) -> Object:
    """As it is now."""
    found: Object = kubectl.get("rayservice", name).get("status", {})
    return found


def app(kubectl: Kubectl, name: str) -> Object:
    """The application of the cluster that serves."""
    active = status(kubectl, name).get("activeServiceStatus", {})
    found: Object = active.get("applicationStatuses", {}).get("hello", {})
    return found


@pytest.fixture(scope="module")
def served(suite: Suite) -> Iterator[str]:
    """A RayService that runs."""
    name = "served"
    apps = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{name}-apps"},
        "data": {"hello_app.py": APP},
    }
    suite.kubectl.create(apps)
    suite.kubectl.create(service(name))
    try:
        until(lambda: app(suite.kubectl, name).get("status") == "RUNNING", "the application runs", within=240)
        yield name
    finally:
        suite.kubectl("delete", "rayservice", name)
        suite.kubectl("delete", "configmap", f"{name}-apps")
    until(lambda: not suite.kubectl.all("rayclusters", f"ray.io/originated-from-cr-name={name}"), "its cluster is gone")


def test_status(kubectl: Kubectl, served: str) -> None:
    """Ready, promoted from pending to active, with its own services."""
    seen = status(kubectl, served)
    ready = next(each for each in seen["conditions"] if each["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "NonZeroServeEndpoints")
    assert (seen["serviceStatus"], seen["numServeEndpoints"]) == ("Running", 1)
    assert not seen.get("pendingServiceStatus", {}).get("rayClusterName")
    cluster = seen["activeServiceStatus"]["rayClusterName"]
    assert cluster.startswith(f"{served}-")
    assert kubectl.get("service", f"{served}-head-svc")["spec"]["selector"]["ray.io/cluster"] == cluster
    serve = kubectl.get("service", f"{served}-serve-svc")
    assert serve["spec"]["selector"] == {"ray.io/cluster": cluster, "ray.io/serve": "true"}


def test_traffic(kubectl: Kubectl, served: str, namespace: str) -> None:
    """The serve service answers with the application's words."""
    path = f"/api/v1/namespaces/{namespace}/services/{served}-serve-svc:serve/proxy/"
    assert kubectl("get", "--raw", path) == "hello from serve"


def test_session(ray: Ray, served: str) -> None:
    """`cluster session rayservice/NAME` opens its Serve port as well, where the application answers."""
    with opened(ray, f"rayservice/{served} {ANY}", "client", "dashboard", "serve") as session:
        assert get(session.port("serve"), "/") == (200, b"hello from serve")
        assert answered(session.port("dashboard"))["ray_version"] == "2.52.0"


def test_changed_in_place(kubectl: Kubectl, served: str) -> None:
    """Another number of replicas: the same cluster."""
    cluster = status(kubectl, served)["activeServiceStatus"]["rayClusterName"]
    generation = change(kubectl, served, config(2))
    until(lambda: status(kubectl, served).get("observedGeneration", 0) >= generation, "the operator has seen it")
    until(lambda: app(kubectl, served).get("status") == "RUNNING", "it runs again", within=90)
    assert status(kubectl, served)["activeServiceStatus"]["rayClusterName"] == cluster


def test_wrong_change(kubectl: Kubectl, served: str) -> None:
    """A module that is not there: the application tells why, and Ready stays True all the same."""
    change(kubectl, served, config(1, "no_such_module"))
    until(lambda: app(kubectl, served).get("status") == "DEPLOY_FAILED", "the application has failed", within=90)
    assert "no_such_module" in app(kubectl, served)["message"]
    ready = next(each for each in status(kubectl, served)["conditions"] if each["type"] == "Ready")
    assert ready["status"] == "True"
    change(kubectl, served, config(1))
    until(lambda: app(kubectl, served).get("status") == "RUNNING", "it runs again", within=90)


@pytest.mark.full
def test_session_follows_an_upgrade(ray: Ray, kubectl: Kubectl, served: str) -> None:
    """Another cluster takes over: the session says which, and its ports lead there."""
    before = status(kubectl, served)["activeServiceStatus"]["rayClusterName"]
    with opened(ray, f"rayservice/{served} {ANY}", "serve") as session:
        config = {"headGroupSpec": {"rayStartParams": {"num-cpus": "1"}}}
        patch = json.dumps({"spec": {"rayClusterConfig": config}})
        kubectl("patch", "rayservice", served, "--type=merge", "-p", patch)
        said = session.see("the ports lead there", within=240)
        after = status(kubectl, served)["activeServiceStatus"]["rayClusterName"]
        assert after != before
        assert f"runs on Ray cluster {after} now" in said
        until(lambda: get(session.port("serve"), "/") == (200, b"hello from serve"), "it serves there", within=60)


def change(kubectl: Kubectl, name: str, wanted: str) -> int:
    """Write another serve configuration; the generation that it became."""
    kubectl("patch", "rayservice", name, "--type=merge", "-p", json.dumps({"spec": {"serveConfigV2": wanted}}))
    generation: int = kubectl.get("rayservice", name)["metadata"]["generation"]
    return generation
