"""`kubectl ray cluster create`: what is sent, what is refused, what a dry run leaves, how a wait ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray
    from tests.e2e.plugin import Suite

Object = dict[str, Any]
NOWHERE = "--head-node-selectors=nowhere=here --worker-node-selectors=nowhere=here"
"""No node is like this: the pods wait and cost nothing."""


def container(template: Object) -> Object:
    """The Ray container of a pod template."""
    found: Object = template["template"]["spec"]["containers"][0]
    return found


def test_creates_what_was_asked_for(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Sizes reach the API server as said, with memory and GPUs as requests and as limits."""
    name = fresh("asked")
    said = ray(
        f"cluster create {name} --ray-version=2.52.0 --worker-replicas=3 --worker-cpus=4 --worker-memory=32GB "
        f"--worker-gpus=2 --no-wait {NOWHERE}"
    )
    assert name in said.out
    made = kubectl.get("raycluster", name)
    assert made["spec"]["rayVersion"] == "2.52.0"
    (group,) = made["spec"]["workerGroupSpecs"]
    assert group["groupName"] == "default-worker-group"
    assert group["replicas"] == 3
    resources = container(group)["resources"]
    assert resources["requests"] == {"cpu": "4", "memory": "32G", "nvidia.com/gpu": "2"}
    assert resources["limits"]["memory"] == "32G"
    assert resources["limits"]["nvidia.com/gpu"] == "2"


def test_says_what_it_sent(ray: Ray, fresh: Callable[[str], str]) -> None:
    """Sizes typed in one unit and sent in another are shown as sent."""
    said = ray(f"cluster create {fresh('said')} --worker-memory=1.5TB --worker-gpus=1 --no-wait {NOWHERE}")
    assert "1500G" in said.out + said.err


def test_names_this_plugin_as_manager(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """The fields are owned by kubectl-ray, through a plain create."""
    name = fresh("owner")
    ray(f"cluster create {name} --no-wait {NOWHERE}")
    made = json.loads(kubectl("get", "raycluster", name, "-o", "json", "--show-managed-fields"))
    managers = {(entry["manager"], entry["operation"]) for entry in made["metadata"]["managedFields"]}
    assert ("kubectl-ray", "Update") in managers


def test_refuses_an_existing_name(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A cluster of that name is not touched: its resource version stays."""
    name = fresh("there")
    ray(f"cluster create {name} --no-wait --dry-run=none {NOWHERE}")
    kubectl("wait", f"raycluster/{name}", "--for=jsonpath={.status.observedGeneration}=1", "--timeout=30s")
    kubectl("annotate", "raycluster", name, "by-hand=yes")
    before = kubectl.get("raycluster", name)["metadata"]
    said = ray(f"cluster create {name} --worker-replicas=9 --no-wait", code=1)
    assert name in said.err
    assert "already" in said.err
    after = kubectl.get("raycluster", name)
    assert after["metadata"]["generation"] == before["generation"]
    assert after["metadata"]["uid"] == before["uid"]
    assert after["spec"]["workerGroupSpecs"][0]["replicas"] == 1


def test_existing_name_keeps_its_resource_version(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Nothing at all is written to the cluster that is there; the operator leaves this one alone too."""
    from tests.e2e.harness.objects import untouched

    name = fresh("still")
    before = kubectl.create(untouched(name))["metadata"]["resourceVersion"]
    ray(f"cluster create {name} --no-wait", code=1)
    assert kubectl.get("raycluster", name)["metadata"]["resourceVersion"] == before


def test_image_follows_the_ray_version(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Another Ray version means another image, on the head and on the workers."""
    name = fresh("image")
    ray(f"cluster create {name} --ray-version=2.9.3 --no-wait {NOWHERE}")
    spec = kubectl.get("raycluster", name)["spec"]
    assert container(spec["headGroupSpec"])["image"] == "rayproject/ray:2.9.3"
    assert container(spec["workerGroupSpecs"][0])["image"] == "rayproject/ray:2.9.3"


def test_an_image_is_taken_as_it_is(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """--image wins over what the Ray version would give."""
    name = fresh("image")
    ray(f"cluster create {name} --ray-version=2.9.3 --image=example.com/mine:1 --no-wait {NOWHERE}")
    spec = kubectl.get("raycluster", name)["spec"]
    assert container(spec["headGroupSpec"])["image"] == "example.com/mine:1"
    assert container(spec["workerGroupSpecs"][0])["image"] == "example.com/mine:1"


def test_default_head_has_room_for_ray(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A head without flags gets a memory limit that Ray lives with, equal to its request."""
    name = fresh("head")
    ray(f"cluster create {name} --no-wait {NOWHERE}")
    resources = container(kubectl.get("raycluster", name)["spec"]["headGroupSpec"])["resources"]
    assert resources["limits"]["memory"] == resources["requests"]["memory"]
    assert int(resources["limits"]["memory"].removesuffix("i").removesuffix("G")) >= 2


def test_without_an_autoscaler_limits_are_not_sent(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Minimum and maximum are the CRD's own defaults, and no autoscaler is asked for."""
    name = fresh("plain")
    ray(f"cluster create {name} --worker-replicas=2 --no-wait {NOWHERE}")
    spec = kubectl.get("raycluster", name)["spec"]
    (group,) = spec["workerGroupSpecs"]
    assert (group["minReplicas"], group["maxReplicas"]) == (0, 2147483647)
    assert not spec.get("enableInTreeAutoscaling")


def test_autoscaler_with_both_limits(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """The limits and the idle time go into the spec."""
    name = fresh("auto")
    ray(
        f"cluster create {name} --autoscaler=v2 --worker-min-replicas=1 --worker-max-replicas=7 --worker-replicas=2 "
        f"--idle-timeout=90 --no-wait {NOWHERE}"
    )
    spec = kubectl.get("raycluster", name)["spec"]
    (group,) = spec["workerGroupSpecs"]
    assert spec["enableInTreeAutoscaling"] is True
    assert spec["autoscalerOptions"]["version"] == "v2"
    assert spec["autoscalerOptions"]["idleTimeoutSeconds"] == 90
    assert (group["minReplicas"], group["replicas"], group["maxReplicas"]) == (1, 2, 7)


def test_autoscaler_is_never_unbounded(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """With an autoscaler and no maximum given, either a finite one is sent or one is asked for."""
    name = fresh("bound")
    said = ray.outcome(f"cluster create {name} --autoscaler=v2 --worker-replicas=2 --no-wait {NOWHERE}")
    if said.code:
        said.expect(2)
        assert "--worker-max-replicas" in said.err
    else:
        assert kubectl.group(name, "default-worker-group")["maxReplicas"] < 2147483647


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--autoscaler=v2 --worker-min-replicas=5 --worker-max-replicas=2", "min"),
        ("--autoscaler=v2 --worker-replicas=9 --worker-max-replicas=2", "max"),
        ("--autoscaler=v3", "v3"),
        ("--worker-replicas=-1", "-1"),
        ("--worker-replicas=many", "many"),
        ("--worker-memory=32XB", "32XB"),
        ("--worker-cpus=lots", "lots"),
        ("--worker-gpus=-2", "-2"),
        ("--labels=novalue", "novalue"),
        ("--timeout=soon", "soon"),
        ("--nosuch=1", "--nosuch"),
    ],
)
def test_refuses_bad_values(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], words: str, told: str) -> None:
    """A value that cannot be meant is named, exit code 2, and nothing is created."""
    name = fresh("bad")
    said = ray(f"cluster create {name} {words} --no-wait", code=2)
    assert told in said.err
    assert kubectl.find("raycluster", name) is None


@pytest.mark.parametrize("name", ["Upper", "under_score", "1st", "a.b", "a" * 54, "-dash", "dash-"])
def test_refuses_bad_names(ray: Ray, suite: Suite, name: str) -> None:
    """Names that the operator would refuse later without a word are refused before anything is sent."""
    ray(f"cluster create --no-wait -- {name}" if name.startswith("-") else f"cluster create {name} --no-wait", code=2)
    assert name not in suite.kubectl.names("raycluster")


def test_longest_name(ray: Ray, kubectl: Kubectl) -> None:
    """53 characters are allowed."""
    name = "longest-" + "x" * 45
    ray(f"cluster create {name} --no-wait {NOWHERE}")
    assert kubectl.find("raycluster", name)
    kubectl("delete", "raycluster", name, "--wait=false")


def test_needs_a_name(ray: Ray) -> None:
    """Without a name there is nothing to create."""
    assert "name" in ray("cluster create --no-wait", code=2).err.lower()


@pytest.mark.parametrize("mode", ["client", "server"])
def test_dry_run_leaves_nothing(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], mode: str) -> None:
    """A dry run shows the object that would be made, and makes none."""
    name = fresh("dry")
    shown = yaml.safe_load(ray(f"cluster create {name} --worker-replicas=4 --dry-run={mode} -o yaml").out)
    assert shown["kind"] == "RayCluster"
    assert shown["metadata"]["name"] == name
    assert shown["spec"]["workerGroupSpecs"][0]["replicas"] == 4
    assert ("uid" in shown["metadata"]) == (mode == "server")
    assert kubectl.find("raycluster", name) is None


def test_dry_run_output_can_be_applied(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """What a client dry run prints is what kubectl can create, strictly checked."""
    name = fresh("apply")
    shown = ray(
        f"cluster create {name} --worker-gpus=1 --autoscaler=v2 --worker-max-replicas=3 --dry-run=client -o yaml"
    )
    feed = yaml.safe_load(shown.out)
    assert kubectl("create", "-f", "-", "--dry-run=server", "--validate=strict", "-o", "name", feed=feed).strip() == (
        f"raycluster.ray.io/{name}"
    )


def test_client_dry_run_asks_nobody(ray: Ray, suite: Suite) -> None:
    """A client dry run works without a cluster that answers."""
    nobody = suite.folder / "nobody.kubeconfig"
    nobody.write_text(
        "{apiVersion: v1, kind: Config, current-context: c, users: [{name: u, user: {}}],"
        " clusters: [{name: k, cluster: {server: 'http://127.0.0.1:1'}}],"
        " contexts: [{name: c, context: {cluster: k, user: u, namespace: mine}}]}"
    )
    shown = yaml.safe_load(ray.having(KUBECONFIG=str(nobody))("cluster create c --dry-run=client -o yaml").out)
    assert shown["metadata"]["name"] == "c"


@pytest.mark.parametrize("format_", ["json", "yaml", "name"])
def test_output_formats(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], format_: str) -> None:
    """-o prints the object as the API server has it, and nothing else on stdout."""
    name = fresh("out")
    said = ray(f"cluster create {name} --no-wait -o {format_} {NOWHERE}").out
    if format_ == "name":
        assert said.strip() == f"raycluster.ray.io/{name}"
    else:
        shown = json.loads(said) if format_ == "json" else yaml.safe_load(said)
        assert shown["metadata"]["uid"] == kubectl.get("raycluster", name)["metadata"]["uid"]


def test_shape_flags_reach_the_pods(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Labels, annotations, environment, accounts, tolerations, selectors and start parameters, as kubectl sees them."""
    name = fresh("shape")
    ray(
        f"cluster create {name} --no-wait --labels=team=vision,kind=test --annotations=why=because "
        "--head-cpu=1 --head-memory=3Gi --head-gpu=1 --head-ephemeral-storage=4Gi "
        "--worker-ephemeral-storage=5Gi --worker-cpu=2 "
        "--head-ray-start-params=num-cpus=0 --worker-ray-start-params=block=true "
        "--head-node-selectors=pool=heads --worker-node-selectors=pool=workers "
        "--service-account=robot --image-pull-secret=registry --env=A=1 --env=B=x=y "
        "--head-tolerations=nvidia.com/gpu=present:NoSchedule --worker-tolerations=nvidia.com/gpu=present:NoSchedule"
    )
    made = kubectl.get("raycluster", name)
    assert {"team": "vision", "kind": "test"}.items() <= made["metadata"]["labels"].items()
    assert made["metadata"]["annotations"]["why"] == "because"
    head, (worker,) = made["spec"]["headGroupSpec"], made["spec"]["workerGroupSpecs"]
    assert container(head)["resources"]["requests"] == {
        "cpu": "1",
        "memory": "3Gi",
        "nvidia.com/gpu": "1",
        "ephemeral-storage": "4Gi",
    }
    assert container(worker)["resources"]["requests"]["ephemeral-storage"] == "5Gi"
    assert head["rayStartParams"]["num-cpus"] == "0"
    assert worker["rayStartParams"]["block"] == "true"
    for part, pool in ((head, "heads"), (worker, "workers")):
        pod = part["template"]["spec"]
        assert pod["nodeSelector"] == {"pool": pool}
        assert pod["serviceAccountName"] == "robot"
        assert pod["imagePullSecrets"] == [{"name": "registry"}]
        assert {"name": "A", "value": "1"} in container(part)["env"]
        assert {"name": "B", "value": "x=y"} in container(part)["env"]
        assert pod["tolerations"] == [
            {"key": "nvidia.com/gpu", "operator": "Equal", "value": "present", "effect": "NoSchedule"}
        ]


def test_tpu_hosts(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """TPUs need GKE's two node selectors; the number of hosts goes to the group."""
    name = fresh("tpu")
    selectors = "cloud.google.com/gke-tpu-accelerator=tpu-v5-lite-podslice,cloud.google.com/gke-tpu-topology=2x4"
    refused = ray(f"cluster create {name} --worker-tpu=4 --num-of-hosts=2 --no-wait", code=2)
    assert "--worker-tpu-topology" in refused.err
    ray(f"cluster create {name} --worker-tpu=4 --num-of-hosts=2 --worker-node-selectors={selectors} --no-wait")
    group = kubectl.group(name, "default-worker-group")
    assert group["numOfHosts"] == 2
    assert container(group)["resources"]["limits"]["google.com/tpu"] == "4"


def test_time_is_over(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A wait that ends by --timeout has exit code 3, says why it lasts, and leaves the cluster there."""
    name = fresh("late")
    said = ray(f"cluster create {name} --timeout=4s {NOWHERE}", code=3, within=30)
    assert "no room" in said.err
    assert f"kubectl ray cluster describe {name}" in said.err
    assert kubectl.find("raycluster", name)


def test_one_argument_error_is_not_a_page(ray: Ray) -> None:
    """A wrong use is told in a few lines, the last one saying what to do."""
    said = ray("cluster create a b --no-wait", code=2)
    assert said.out == ""
    assert len(said.err.splitlines()) <= 6


def test_creator_is_noted(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """The cluster carries a label with the creator's name, by which --mine finds it."""
    name = fresh("mine")
    ray(f"cluster create {name} --no-wait {NOWHERE}")
    label = {
        key: value for key, value in kubectl.get("raycluster", name)["metadata"]["labels"].items() if "creat" in key
    }
    assert len(label) == 1
    ((key, value),) = label.items()
    assert name in kubectl.names("raycluster", f"{key}={value}")
    assert name in ray("cluster list --mine -o name").out


def test_ready_cluster_is_really_ready(ready_cluster: str, kubectl: Kubectl) -> None:
    """When create has waited, kubectl sees the head and every worker ready, and Ray answers through the service."""
    assert kubectl.ready(ready_cluster, "headgroup") == 1
    assert kubectl.ready(ready_cluster, "default-worker-group") == 1
    service = kubectl.get("raycluster", ready_cluster)["status"]["head"]["serviceName"]
    namespace = kubectl.get("raycluster", ready_cluster)["metadata"]["namespace"]
    path = f"/api/v1/namespaces/{namespace}/services/{service}:dashboard/proxy/api/version"
    assert json.loads(kubectl("get", "--raw", path))["ray_version"] == "2.52.0"
