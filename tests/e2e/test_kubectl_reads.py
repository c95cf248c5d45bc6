"""What kubectl reads: this judge is only as good as the cluster behind it, so each way of asking is a case."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness.boxes import config_map
from tests.e2e.harness.live import Live
from tests.e2e.harness.objects import suspended
from tests.e2e.harness.running import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.plugin import Suite

NAMES = ["read-a", "read-b", "read-c"]


@pytest.fixture(scope="module", autouse=True)
def things(suite: Suite) -> Iterator[None]:
    """Three config maps with labels, and a Ray cluster that stays suspended."""
    for place, name in enumerate(NAMES):
        suite.kubectl.create(config_map(name, {"shelf": "read", "place": str(3 - place)}, number=str(place)))
    suite.kubectl.create(suspended("read-ray"))
    suite.kubectl("wait", "raycluster/read-ray", "--for=condition=RayClusterSuspended", "--timeout=60s")
    yield
    suite.kubectl("delete", "configmap", "-l", "shelf=read")
    suite.kubectl("delete", "raycluster", "read-ray", "--wait=false")


def rows(said: str) -> list[list[str]]:
    """The words of each line."""
    return [line.split() for line in said.splitlines()]


def test_table(kubectl: Kubectl) -> None:
    """Titles and cells as the server prints them."""
    titles, *found = rows(kubectl("get", "configmaps", "-l", "shelf=read"))
    assert titles == ["NAME", "DATA", "AGE"]
    assert [row[:2] for row in found] == [[name, "1"] for name in NAMES]


def test_table_of_ray_clusters(kubectl: Kubectl) -> None:
    """The CRD's own columns; those of lower priority come with -o wide."""
    narrow = kubectl("get", "rayclusters", "read-ray").splitlines()[0].split()
    assert narrow == ["NAME", "DESIRED", "WORKERS", "AVAILABLE", "WORKERS", "CPUS", "MEMORY", "GPUS", "STATUS", "AGE"]
    wide = kubectl("get", "rayclusters", "read-ray", "-o", "wide").splitlines()[0].split()
    assert wide == [*narrow[:8], "TPUS", *narrow[8:], "HEAD", "POD", "IP", "HEAD", "SERVICE", "IP"]
    assert "suspended" in kubectl("get", "rayclusters", "read-ray")


def test_wide_pods_and_services(kubectl: Kubectl) -> None:
    """What -o wide adds to the built-in kinds."""
    titles = kubectl("get", "services", "-A", "-o", "wide").splitlines()[0].split()
    assert titles == ["NAMESPACE", "NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE", "SELECTOR"]
    titles = kubectl("get", "nodes", "-o", "wide").splitlines()[0].split()
    assert titles[:5] == ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]


def test_yaml_and_json(kubectl: Kubectl) -> None:
    """The whole object, in both."""
    assert 'number: "1"' in kubectl("get", "configmap", "read-b", "-o", "yaml")
    assert json.loads(kubectl("get", "configmap", "read-b", "-o", "json"))["data"] == {"number": "1"}


def test_jsonpath_name_and_columns(kubectl: Kubectl) -> None:
    """The formats that scripts use."""
    picked = kubectl("get", "configmaps", "-l", "shelf=read", "-o", "jsonpath={.items[*].data.number}")
    assert picked == "0 1 2"
    assert kubectl("get", "configmap", "read-a", "-o", "name").strip() == "configmap/read-a"
    assert kubectl("get", "raycluster", "read-ray", "-o", "name").strip() == "raycluster.ray.io/read-ray"
    columns = "custom-columns=N:.metadata.name,V:.data.number"
    assert rows(kubectl("get", "configmaps", "-l", "shelf=read,place=1", "-o", columns)) == [
        ["N", "V"],
        ["read-c", "2"],
    ]


def test_label_selectors(kubectl: Kubectl) -> None:
    """Equality, sets, existence and their opposites."""
    assert kubectl.names("configmaps", "shelf=read,place!=3") == {"read-b", "read-c"}
    assert kubectl.names("configmaps", "place in (2,3),shelf") == {"read-a", "read-b"}
    assert kubectl.names("configmaps", "shelf,!place") == set()


def test_field_selectors(kubectl: Kubectl) -> None:
    """By name everywhere; by what each kind offers; a field that it does not offer is refused."""
    said = kubectl("get", "configmaps", "--field-selector", "metadata.name=read-b", "-o", "name")
    assert said.split() == ["configmap/read-b"]
    said = kubectl("get", "rayclusters", "--field-selector", "metadata.name!=read-ray", "-o", "name")
    assert "read-ray" not in said
    refused = run("kubectl get rayclusters --field-selector status.state=ready", kubectl.env, kubectl.cwd).expect(1)
    assert "field label not supported: status.state" in refused.err


def test_sorted(kubectl: Kubectl) -> None:
    """--sort-by is kubectl's own work on the server's table."""
    said = kubectl("get", "configmaps", "-l", "shelf=read", "--sort-by=.metadata.labels.place", "--no-headers")
    assert [row[0] for row in rows(said)] == ["read-c", "read-b", "read-a"]


def test_all_namespaces_and_several_kinds(kubectl: Kubectl, namespace: str) -> None:
    """-A, a list of kinds, and the category `all`, which Ray's kinds belong to."""
    said = rows(kubectl("get", "configmaps", "-A", "--no-headers"))
    assert [namespace, "read-a"] in [row[:2] for row in said]
    assert {"read-ray"} < {row[0].rpartition("/")[2] for row in rows(kubectl("get", "rayclusters,cm", "--no-headers"))}
    assert "raycluster.ray.io/read-ray" in kubectl("get", "all")


def test_show_labels(kubectl: Kubectl) -> None:
    """Labels in a column."""
    assert "place=3,shelf=read" in kubectl("get", "configmap", "read-a", "--show-labels")


def test_not_found(kubectl: Kubectl) -> None:
    """A name, and a kind, that are not there."""
    said = run("kubectl get rayclusters nosuch", kubectl.env, kubectl.cwd).expect(1).err
    assert said.strip() == 'Error from server (NotFound): rayclusters.ray.io "nosuch" not found'
    said = run("kubectl get nosuchkind", kubectl.env, kubectl.cwd).expect(1).err
    assert said.strip() == 'error: the server doesn\'t have a resource type "nosuchkind"'


def test_watch(kubectl: Kubectl) -> None:
    """-w shows what is there, then each change as it happens."""
    line = "kubectl get configmaps -l shelf=read -w"
    with Live(line, shlex.split(line), kubectl.env, str(kubectl.cwd), terminal=False) as seen:
        seen.see("read-c")
        kubectl.create(config_map("read-d", {"shelf": "read"}))
        seen.see("read-d")
        kubectl("delete", "configmap", "read-d")


def test_paging(kubectl: Kubectl) -> None:
    """--chunk-size: several pages make one list."""
    said = kubectl("get", "configmaps", "-l", "shelf=read", "--chunk-size=1", "-o", "name")
    assert said.split() == [f"configmap/{name}" for name in NAMES]


def test_describe(kubectl: Kubectl, namespace: str) -> None:
    """Pages of a Ray cluster with its events, of a node, of a namespace, of a config map."""
    page = kubectl("describe", "raycluster", "read-ray")
    assert "Kind:         RayCluster" in page
    assert "Head Group Spec:" in page
    node = kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
    page = kubectl("describe", "node", node)
    assert "Allocatable:" in page
    assert "Non-terminated Pods:" in page
    assert f"Name:         {namespace}" in kubectl("describe", "namespace", namespace)
    assert "number:" in kubectl("describe", "configmap", "read-a")


def test_events(kubectl: Kubectl) -> None:
    """`kubectl events` and `get events` see what the controllers say."""
    kubectl("wait", "--for=create", "service/read-ray-head-svc", "--timeout=30s")
    said = kubectl("events", "--for=raycluster/read-ray")
    assert "CreatedService" in said
    listed = kubectl("get", "events", "--field-selector", "involvedObject.name=read-ray,reason=CreatedService")
    assert "raycluster/read-ray" in listed


def test_api_resources(kubectl: Kubectl) -> None:
    """Discovery: short names, groups, kinds, verbs."""
    found = {row[0]: row for row in rows(kubectl("api-resources", "--api-group=ray.io", "--no-headers"))}
    assert {"rayclusters", "rayjobs", "rayservices"} <= set(found)
    assert found["rayclusters"][1:] == ["ray.io/v1", "true", "RayCluster"]
    core = {row[0]: row for row in rows(kubectl("api-resources", "--api-group=", "--no-headers"))}
    assert core["pods"][1:] == ["po", "v1", "true", "Pod"]
    assert core["nodes"][1:] == ["no", "v1", "false", "Node"]
    assert "ray.io/v1" in kubectl("api-versions").split()


def test_explain(kubectl: Kubectl) -> None:
    """OpenAPI: the fields of a Ray cluster."""
    said = kubectl("explain", "raycluster.spec.headGroupSpec")
    assert "GROUP:      ray.io" in said
    assert "rayStartParams" in said


def test_can_i(kubectl: Kubectl) -> None:
    """Access reviews: the suite's login may do these; the words are yes and no."""
    assert kubectl("auth", "can-i", "create", "rayclusters.ray.io").strip() == "yes"
    assert kubectl("auth", "can-i", "get", "pods", "--subresource=log").strip() == "yes"
    refused = run("kubectl auth can-i create pods --as=nobody-at-all", kubectl.env, kubectl.cwd).expect(1)
    assert refused.out.strip() == "no"
    assert "Username" in kubectl("auth", "whoami")


def test_server_and_raw_paths(kubectl: Kubectl) -> None:
    """Version, readiness, and a path that does not exist."""
    assert "Server Version: v1." in kubectl("version")
    assert kubectl("get", "--raw", "/readyz") == "ok"
    said = run("kubectl get --raw /apis/nosuch.example.com/v1", kubectl.env, kubectl.cwd).expect(1)
    assert "could not find the requested resource" in said.err
