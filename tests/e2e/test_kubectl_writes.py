"""What kubectl writes: create, apply in both ways, patch, edit, scale, delete in every way, wait."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness.boxes import STAY, config_map, pod, shell
from tests.e2e.harness.conditions import until
from tests.e2e.harness.live import Live
from tests.e2e.harness.objects import raycluster, suspended
from tests.e2e.harness.running import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.harness.live import Outcome
    from tests.e2e.harness.oracle import Kubectl, Object


@pytest.fixture
def maps(kubectl: Kubectl) -> Iterator[Callable[[str], str]]:
    """Names of config maps, deleted afterwards."""
    made: list[str] = []

    def name(beginning: str) -> str:
        made.append(f"{beginning}-map")
        return made[-1]

    yield name
    kubectl("delete", "configmap", *made, "--ignore-not-found")


def refused(kubectl: Kubectl, line: str, feed: Object | None = None) -> str:
    """What kubectl says of something that must fail."""
    stdin = None if feed is None else json.dumps(feed)
    return run(f"kubectl {line}", kubectl.env, kubectl.cwd, stdin=stdin).expect(1).err


def test_create_twice(kubectl: Kubectl, maps: Callable[[str], str]) -> None:
    """The second is refused by name."""
    made = config_map(maps("twice"))
    kubectl.create(made)
    said = refused(kubectl, "create -f -", made)
    assert said.strip() == (
        'Error from server (AlreadyExists): error when creating "STDIN": configmaps "twice-map" already exists'
    )


def test_generate_name(kubectl: Kubectl) -> None:
    """The server ends the name with five characters of its own."""
    made = config_map("x")
    made["metadata"] = {"generateName": "made-"}
    name = kubectl.create(made)["metadata"]["name"]
    assert len(name) == len("made-") + 5
    kubectl("delete", "configmap", name)


def test_strict_fields(kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A field that the CRD does not know is an error, with its path."""
    wrong = raycluster(fresh("strict"), hedGroup=1)
    assert 'unknown field "spec.hedGroup"' in refused(kubectl, "create -f - --validate=strict", wrong)
    said = run("kubectl create -f - --validate=warn", kubectl.env, kubectl.cwd, stdin=json.dumps(wrong)).expect(0)
    assert 'unknown field "spec.hedGroup"' in said.err


def test_schema(kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Wrong types and missing fields are refused with their paths; the CRD's defaults are filled in."""
    name = fresh("schema")
    wrong = raycluster(name, {"groupName": "g", "template": {}, "replicas": "many"})
    assert "spec.workerGroupSpecs[0].replicas" in refused(kubectl, "create -f - --validate=false", wrong)
    made = kubectl.create(suspended(name, {"groupName": "g", "template": {"spec": {"containers": []}}}))
    (group,) = made["spec"]["workerGroupSpecs"]
    assert (group["replicas"], group["minReplicas"], group["maxReplicas"]) == (0, 0, 2147483647)
    assert group["numOfHosts"] == 1


def test_apply(kubectl: Kubectl, maps: Callable[[str], str]) -> None:
    """Client side: created, unchanged, configured; a key that is no longer there goes."""
    name = maps("apply")
    assert kubectl("apply", "-f", "-", feed=config_map(name, a="1", b="2")).strip() == f"configmap/{name} created"
    assert kubectl("apply", "-f", "-", feed=config_map(name, a="1", b="2")).strip() == f"configmap/{name} unchanged"
    assert kubectl("apply", "-f", "-", feed=config_map(name, a="3")).strip() == f"configmap/{name} configured"
    assert kubectl.get("configmap", name)["data"] == {"a": "3"}


def test_apply_ray_cluster(kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Client side on a kind without a strategy: three-way merge patches."""
    name = fresh("apply")
    first = suspended(name)
    assert "created" in kubectl("apply", "-f", "-", feed=first)
    first["spec"]["workerGroupSpecs"][0]["replicas"] = 4
    assert "configured" in kubectl("apply", "-f", "-", feed=first)
    assert kubectl.group(name, "default-worker-group")["replicas"] == 4


def test_apply_on_the_server(kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Managers own fields: another one's value is a conflict, which --force-conflicts takes over."""
    name = fresh("server")
    wanted = suspended(name)
    assert "serverside-applied" in kubectl("apply", "--server-side", "-f", "-", feed=wanted)
    path = "/spec/workerGroupSpecs/0/replicas"
    operations = json.dumps([{"op": "replace", "path": path, "value": 3}])
    kubectl("patch", "raycluster", name, "--type=json", "-p", operations, "--field-manager=somebody")
    said = refused(kubectl, "apply --server-side -f -", wanted)
    assert 'conflict with "somebody"' in said
    assert ".spec.workerGroupSpecs" in said
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", feed=wanted)
    assert kubectl.group(name, "default-worker-group")["replicas"] == 1


def test_apply_on_the_server_removes(kubectl: Kubectl, maps: Callable[[str], str]) -> None:
    """What a manager no longer applies goes; what others own stays."""
    name = maps("owned")
    kubectl("apply", "--server-side", "-f", "-", feed=config_map(name, a="1", b="2"))
    kubectl("apply", "--server-side", "--field-manager=other", "-f", "-", feed=config_map(name, c="3"))
    kubectl("apply", "--server-side", "-f", "-", feed=config_map(name, a="1"))
    assert kubectl.get("configmap", name)["data"] == {"a": "1", "c": "3"}


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("json", '[{"op":"add","path":"/data/new","value":"x"}]'),
        ("merge", '{"data":{"new":"x","old":null}}'),
        ("strategic", '{"data":{"new":"x"}}'),
    ],
)
def test_patch(kubectl: Kubectl, maps: Callable[[str], str], kind: str, patch: str) -> None:
    """The three kinds of patches on a built-in kind."""
    name = maps(kind)
    kubectl.create(config_map(name, old="1"))
    assert "patched" in kubectl("patch", "configmap", name, f"--type={kind}", "-p", patch)
    assert kubectl.get("configmap", name)["data"]["new"] == "x"


def test_patches_that_are_refused(kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A test that fails, and a strategic merge on a CRD, as the real server says it."""
    name = fresh("patch")
    kubectl.create(suspended(name))
    operations = json.dumps([{"op": "test", "path": "/spec/rayVersion", "value": "1"}])
    assert "server rejected our request" in refused(
        kubectl, f"patch raycluster {name} --type=json -p {shlex.quote(operations)}"
    )
    said = refused(kubectl, f"patch raycluster {name} --type=strategic -p '{{}}'")
    assert "application/strategic-merge-patch+json is not supported by ray.io/v1" in said


def test_dry_run(kubectl: Kubectl, maps: Callable[[str], str]) -> None:
    """--dry-run=server answers as if, and keeps nothing."""
    name = maps("dry")
    assert "server dry run" in kubectl("create", "-f", "-", "--dry-run=server", feed=config_map(name))
    assert kubectl.find("configmap", name) is None


def test_edit(kubectl: Kubectl, maps: Callable[[str], str]) -> None:
    """An editor's change is sent as a patch."""
    name = maps("edit")
    kubectl.create(config_map(name, word="before"))
    editor = {**kubectl.env, "KUBE_EDITOR": "sed -i s/before/after/"}
    run(f"kubectl edit configmap {name}", editor, kubectl.cwd).expect(0)
    assert kubectl.get("configmap", name)["data"] == {"word": "after"}


def test_label_annotate_replace(kubectl: Kubectl, maps: Callable[[str], str]) -> None:
    """Further ways to change something; a stale version is a conflict."""
    name = maps("label")
    first = kubectl.create(config_map(name, a="1"))
    kubectl("label", "configmap", name, "colour=red")
    kubectl("annotate", "configmap", name, "why=because")
    assert kubectl.names("configmaps", "colour=red") == {name}
    assert "the object has been modified" in refused(kubectl, "replace -f -", first)
    kubectl("replace", "-f", "-", feed=config_map(name, a="2"))
    assert kubectl.get("configmap", name)["data"] == {"a": "2"}


def test_scale(kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """RayCluster offers no scale subresource, here as there."""
    name = fresh("scale")
    kubectl.create(suspended(name))
    said = refused(kubectl, f"scale raycluster {name} --replicas=3")
    assert f'Error from server (NotFound): rayclusters.ray.io "{name}" not found' in said


def test_status_is_a_place_of_its_own(kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A patch of the object leaves its status alone; generation counts specs only."""
    name = fresh("status")
    before = kubectl.create(suspended(name))["metadata"]["generation"]
    kubectl("patch", "raycluster", name, "--type=merge", "-p", '{"status":{"reason":"mine"}}')
    assert kubectl.get("raycluster", name).get("status", {}).get("reason") != "mine"
    kubectl.set_status("raycluster", name, {"reason": "theirs"})
    kubectl("label", "raycluster", name, "a=b")
    assert kubectl.get("raycluster", name)["metadata"]["generation"] == before
    kubectl("patch", "raycluster", name, "--type=merge", "-p", '{"spec":{"rayVersion":"2.51.0"}}')
    assert kubectl.get("raycluster", name)["metadata"]["generation"] == before + 1


def delete(kubectl: Kubectl, line: str) -> Outcome:
    """Delete as a person does."""
    return run(f"kubectl delete {line}", kubectl.env, kubectl.cwd).expect(0)


def owned_pods(kubectl: Kubectl, name: str) -> None:
    """A Ray cluster whose head's pod waits for a node that does not exist."""
    nowhere = {"nodeSelector": {"nowhere": "here"}, "containers": [shell("ray-head", STAY)]}
    kubectl.create(raycluster(name, headGroupSpec={"rayStartParams": {}, "template": {"spec": nowhere}}))
    until(lambda: len(kubectl.pods(name)) == 1, "its pod")


def test_delete_in_the_background(kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """What it owns goes after it."""
    name = fresh("back")
    owned_pods(kubectl, name)
    assert f'"{name}" deleted' in delete(kubectl, f"raycluster {name}").out
    until(lambda: not kubectl.pods(name) and kubectl.find("service", f"{name}-head-svc") is None, "all is gone")


def test_delete_in_the_foreground(kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """What it owns goes first; when it is gone, so are they."""
    name = fresh("fore")
    owned_pods(kubectl, name)
    delete(kubectl, f"raycluster {name} --cascade=foreground")
    assert not kubectl.pods(name)


def test_delete_orphans(kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """What it owned stays, without an owner."""
    name = fresh("orphan")
    owned_pods(kubectl, name)
    delete(kubectl, f"raycluster {name} --cascade=orphan")
    (left,) = kubectl.pods(name)
    assert not left["metadata"].get("ownerReferences")
    kubectl("delete", "pod,service", "-l", f"ray.io/cluster={name}")


def test_delete_by_force(kubectl: Kubectl) -> None:
    """--force does not wait for the pod's processes."""
    stubborn = pod("stubborn", shell("main", "trap '' TERM; while :; do sleep 0.2; done"))
    stubborn["spec"]["terminationGracePeriodSeconds"] = 60
    kubectl.create(stubborn)
    kubectl("wait", "pod/stubborn", "--for=condition=Ready", "--timeout=60s")
    delete(kubectl, "pod stubborn --force --grace-period=0")
    assert kubectl.find("pod", "stubborn") is None


def test_delete_gracefully(kubectl: Kubectl) -> None:
    """A pod is marked, its processes are asked to end, then it is gone."""
    kubectl.create(pod("polite", shell("main", "trap 'sleep 1; exit 0' TERM; while :; do sleep 0.1; done")))
    kubectl("wait", "pod/polite", "--for=condition=Ready", "--timeout=60s")
    kubectl("delete", "pod", "polite", "--grace-period=20", "--wait=false")
    assert kubectl.get("pod", "polite")["metadata"]["deletionGracePeriodSeconds"] == 20
    kubectl("wait", "pod/polite", "--for=delete", "--timeout=15s")


def test_finalizers(kubectl: Kubectl, maps: Callable[[str], str]) -> None:
    """An object with a finalizer stays, marked, until the finalizer is taken off."""
    name = maps("held")
    held = config_map(name)
    held["metadata"]["finalizers"] = ["example.com/hold"]
    kubectl.create(held)
    kubectl("delete", "configmap", name, "--wait=false")
    assert kubectl.get("configmap", name)["metadata"]["deletionTimestamp"]
    kubectl("patch", "configmap", name, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert kubectl.find("configmap", name) is None


def test_wait(kubectl: Kubectl, maps: Callable[[str], str]) -> None:
    """Waits for a field, and for the end."""
    name = maps("wait")
    kubectl.create(config_map(name, state="no"))
    line = f"kubectl wait configmap/{name} --for=jsonpath={{.data.state}}=yes --timeout=30s"
    with Live(line, shlex.split(line), kubectl.env, str(kubectl.cwd), terminal=False) as waiting:
        kubectl("patch", "configmap", name, "--type=merge", "-p", '{"data":{"state":"yes"}}')
        assert "condition met" in waiting.ended().expect(0).out
    late = run(f"kubectl wait configmap/{name} --for=delete --timeout=1s", kubectl.env, kubectl.cwd).expect(1)
    assert "timed out waiting" in late.err


def test_namespaces(kubectl: Kubectl, namespace: str) -> None:
    """A namespace takes all that is in it along; into one that is missing nothing can be put."""
    other = f"{namespace}-short"
    kubectl("create", "namespace", other)
    until(lambda: "default" in kubectl("get", "serviceaccounts", "-n", other, "-o", "name"), "its service account")
    kubectl("create", "configmap", "inside", "-n", other)
    kubectl("create", "secret", "generic", "hidden", "--from-literal=k=v", "-n", other)
    assert kubectl("get", "secret", "hidden", "-n", other, "-o", "jsonpath={.data.k}") == "dg=="
    kubectl("delete", "namespace", other, "--timeout=60s")
    assert kubectl("get", "configmaps", "-n", other, "-o", "name") == ""
    assert f'namespaces "{other}" not found' in refused(kubectl, f"create configmap late -n {other}")
