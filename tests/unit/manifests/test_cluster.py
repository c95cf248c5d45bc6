"""From a shape to the RayCluster that is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kubectl_ray.manifests import defaults
from kubectl_ray.manifests.checks import check_cluster
from kubectl_ray.manifests.cluster import creator_label, label_value, raycluster, worker_group
from kubectl_ray.manifests.shape import GcsFuse, GroupShape, Shape

if TYPE_CHECKING:
    from collections.abc import Callable

    Golden = Callable[[str, str], None]


def named(name: str = "my-cluster") -> Shape:
    """A shape that says its name only."""
    shape = Shape()
    shape.name = name
    return shape


def group(**values: Any) -> GroupShape:
    """A group shape with these values."""
    shape = GroupShape()
    for name, value in values.items():
        setattr(shape, name, value)
    return shape


def promised() -> Shape:
    """Ten workers of 8 CPUs, 32 GB and 2 GPUs."""
    shape = named()
    shape.ray_version = "2.9.3"
    shape.groups = [group(replicas=10, cpu="8", memory="32G", gpu=2)]
    return shape


def everything() -> Shape:
    """A shape that says all there is to say."""
    shape = named()
    shape.namespace = "team"
    shape.labels = {"team": "vision"}
    shape.annotations = {"why": "because"}
    shape.image = "example.com/ray:1"
    shape.service_account = "robot"
    shape.image_pull_secrets = ["registry"]
    shape.env = {"A": "1", "B": "x=y"}
    shape.autoscaler = "v2"
    shape.idle_timeout = 90
    shape.creator = "alice@example.com"
    shape.head.cpu, shape.head.memory, shape.head.gpu, shape.head.ephemeral_storage = "2", "16Gi", 1, "100G"
    shape.head.node_selectors = {"pool": "heads"}
    shape.head.ray_start_params = {"dashboard-host": "0.0.0.0"}  # noqa: S104 -- a parameter of `ray start`
    toleration = {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}
    shape.groups = [
        group(name="gpus", replicas=2, minimum=1, maximum=5, gpu=2, tolerations=[toleration], idle_timeout=30),
        group(tpu=4, hosts=2, node_selectors={"cloud.google.com/gke-tpu-topology": "2x4"}, ephemeral_storage="5Gi"),
    ]
    return shape


def with_bucket() -> Shape:
    """A shape with a Cloud Storage bucket."""
    shape = named()
    shape.gcsfuse = GcsFuse()
    shape.gcsfuse.bucket, shape.gcsfuse.mount_path = "data", "/mnt/data"
    shape.gcsfuse.mount_options = "implicit-dirs"
    shape.gcsfuse.disable_metrics, shape.gcsfuse.skip_access_check = False, True
    shape.gcsfuse.cpu, shape.gcsfuse.memory, shape.gcsfuse.ephemeral_storage = "500m", "1Gi", "10Gi"
    return shape


@pytest.mark.parametrize(
    ("name", "shape"),
    [("defaults", named), ("promised", promised), ("everything", everything), ("bucket", with_bucket)],
)
def test_golden(golden: Golden, name: str, shape: Callable[[], Shape]) -> None:
    """The whole object, as a reader sees it."""
    golden(f"manifests/{name}.yaml", yaml.safe_dump(raycluster(shape()), sort_keys=False))


def resources(part: dict[str, Any]) -> dict[str, Any]:
    """Of the Ray container."""
    found: dict[str, Any] = part["template"]["spec"]["containers"][0]["resources"]
    return found


def test_requests_and_limits() -> None:
    """Memory and devices are limits too, CPU is not."""
    found = resources(raycluster(promised())["spec"]["workerGroupSpecs"][0])
    assert found["requests"] == {"cpu": "8", "memory": "32G", "nvidia.com/gpu": "2"}
    assert found["limits"] == {"memory": "32G", "nvidia.com/gpu": "2"}


def test_image_follows_the_version() -> None:
    """Unless an image is said."""
    spec = raycluster(promised())["spec"]
    images = {
        part["template"]["spec"]["containers"][0]["image"]
        for part in (spec["headGroupSpec"], *spec["workerGroupSpecs"])
    }
    assert images == {"rayproject/ray:2.9.3"}
    shape = promised()
    shape.image = "mine:1"
    assert raycluster(shape)["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]["image"] == "mine:1"


def test_zero_asks_for_nothing() -> None:
    """A zero is neither request nor limit."""
    shape = named()
    shape.groups = [group(cpu="0", memory="0", gpu=0, tpu=0, ephemeral_storage="0")]
    assert resources(raycluster(shape)["spec"]["workerGroupSpecs"][0]) == {}


def test_without_an_autoscaler_no_limits() -> None:
    """Neither minimum nor maximum is sent."""
    (found,) = raycluster(promised())["spec"]["workerGroupSpecs"]
    assert not {"minReplicas", "maxReplicas"} & set(found)
    assert "enableInTreeAutoscaling" not in raycluster(promised())["spec"]


@pytest.mark.parametrize(
    ("said", "limits"),
    [
        ({}, (0, 1, 10)),
        ({"replicas": 25}, (0, 25, 25)),
        ({"minimum": 12}, (12, 12, 12)),
        ({"maximum": 0}, (0, 0, 0)),
        ({"replicas": 3, "minimum": 1, "maximum": 4}, (1, 3, 4)),
    ],
)
def test_with_an_autoscaler_always_bounded(said: dict[str, int], limits: tuple[int, int, int]) -> None:
    """Minimum and maximum are both sent, and fit the number of workers."""
    shape = named()
    shape.autoscaler = "default"
    shape.groups = [group(**said)]
    manifest = raycluster(shape)
    check_cluster(manifest)
    (found,) = manifest["spec"]["workerGroupSpecs"]
    assert (found["minReplicas"], found["replicas"], found["maxReplicas"]) == limits
    assert manifest["spec"]["enableInTreeAutoscaling"] is True
    assert "autoscalerOptions" not in manifest["spec"]


def test_autoscaler_off() -> None:
    """Said to be off is as if nothing was said."""
    shape = promised()
    shape.autoscaler = "off"
    assert raycluster(shape) == raycluster(promised())


@pytest.mark.parametrize(
    ("change", "value"),
    [({}, "0"), ({"ray_start_params": {"num-cpus": "4"}}, "4"), ({"gpu": 1}, None)],
)
def test_no_tasks_on_the_head(change: dict[str, Any], value: str | None) -> None:
    """A head beside workers runs no tasks, unless it is told to or has GPUs to compute with."""
    shape = promised()
    for name, new in change.items():
        setattr(shape.head, name, new)
    assert raycluster(shape)["spec"]["headGroupSpec"]["rayStartParams"].get("num-cpus") == value


def test_a_head_alone_computes() -> None:
    """Without workers somebody has to."""
    shape = named()
    shape.groups = [group(replicas=0)]
    assert raycluster(shape)["spec"]["headGroupSpec"]["rayStartParams"] == {}
    shape.autoscaler = "v2"
    assert raycluster(shape)["spec"]["headGroupSpec"]["rayStartParams"] == {"num-cpus": "0"}


def test_groups_without_names() -> None:
    """The first has the default name, later ones a number behind it."""
    shape = named()
    shape.groups = [group(), group(name="mine"), group()]
    names = [each["groupName"] for each in raycluster(shape)["spec"]["workerGroupSpecs"]]
    assert names == ["default-worker-group", "mine", "default-worker-group-3"]


def test_the_shape_stays_as_it_is() -> None:
    """Making an object twice from one shape makes it twice, equal and apart."""
    shape = everything()
    first = raycluster(shape)
    first["metadata"]["labels"]["x"] = "y"
    first["spec"]["workerGroupSpecs"][0]["template"]["spec"]["containers"][0]["env"].clear()
    assert raycluster(shape) == raycluster(everything())


def test_ports_of_the_head() -> None:
    """Named as Ray's services are, among them serve; metrics is the operator's."""
    ports = raycluster(named())["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]["ports"]
    assert {port["name"]: port["containerPort"] for port in ports} == {
        "gcs-server": 6379,
        "dashboard": 8265,
        "client": 10001,
        "serve": 8000,
    }


def test_an_added_group() -> None:
    """A group for a cluster that is there: limits are sent where they were said."""
    found = worker_group(group(name="pool", replicas=2, minimum=1, maximum=4))
    assert (found["minReplicas"], found["maxReplicas"]) == (1, 4)
    assert "maxReplicas" not in worker_group(group(name="pool", replicas=2))
    assert worker_group(group(name="pool", autoscaling=True))["maxReplicas"] == defaults.AUTOSCALER_MAX_REPLICAS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alice", "alice"),
        ("alice@example.com", "alice-example.com-99fdea29"),
        ("system:serviceaccount:ns:robot", "system-serviceaccount-ns-robot-b574807a"),
        ("-alice-", "alice-fd86cff6"),
        ("x" * 64, "x" * 54 + "-3ad2ac12"),
        ("日本", "c7b7cdcc"),
    ],
)
def test_creator_as_a_label(name: str, value: str) -> None:
    """What a label cannot hold goes; a checksum keeps the names apart."""
    found = label_value(name)
    assert len(found) <= 63
    assert found[0].isalnum()
    assert found[-1].isalnum()
    assert found == value
    assert creator_label(name) == f"kubectl-ray/creator={found}"


def test_creators_that_look_alike() -> None:
    """Two logins never share a label's value only because letters had to go."""
    assert len({label_value(name) for name in ("a@b", "a:b", "a-b", "a b", "A@b")}) == 5


def test_the_table_of_defaults_is_the_truth() -> None:
    """What help and docs show is what is taken."""
    table = {what: value for what, _, value in defaults.TABLE}
    manifest = raycluster(named())
    head, (worker,) = manifest["spec"]["headGroupSpec"], manifest["spec"]["workerGroupSpecs"]
    assert table["Ray version"] == manifest["spec"]["rayVersion"]
    assert table["head memory"] == resources(head)["limits"]["memory"]
    assert table["head CPUs"].startswith(resources(head)["requests"]["cpu"] + " ")
    assert table["memory a worker"] == resources(worker)["limits"]["memory"]
    assert table["CPUs a worker"].startswith(resources(worker)["requests"]["cpu"] + " ")
    assert table["workers"] == str(worker["replicas"])
    assert table["worker group"] == worker["groupName"]
