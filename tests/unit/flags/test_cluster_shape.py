"""Flags and file become one shape."""

from __future__ import annotations

import argparse
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import WrongUse
from kubectl_ray.flags.cluster_shape import ClusterFlags, add_cluster_flags, shape_from
from kubectl_ray.manifests.checks import check_cluster
from kubectl_ray.manifests.cluster import raycluster
from kubectl_ray.manifests.shape import GroupShape, Shape
from tests.unit.models.mangled import refusal

FILE = """
name: mine
ray-version: 2.51.0
labels: {team: file, kind: x}
head: {cpu: "1", memory: 3Gi}
worker-groups:
- {name: pool, replicas: 2, cpu: "1", memory: 2Gi, node-selectors: {disk: ssd}}
"""


def parsed(line: str) -> ClusterFlags:
    """The words of `cluster create` as its parser reads them."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("name", nargs="?")
    add_cluster_flags(parser)
    return parser.parse_args(shlex.split(line), ClusterFlags())


def shape(line: str, file_text: str | None = None) -> Shape:
    """The shape that words and file make."""
    return shape_from(parsed(line), file_text)


def test_nothing_said() -> None:
    """No flag has a default here."""
    assert shape("") == Shape()
    assert shape("c").name == "c"


PROMISED = GroupShape()
PROMISED.replicas, PROMISED.cpu, PROMISED.memory, PROMISED.gpu = 10, "8", "32G", 2


@pytest.mark.parametrize(
    "line",
    [
        "c --worker-replicas=10 --worker-cpus=8 --worker-memory=32GB --worker-gpus=2",
        "c --worker-replicas 10 --worker-cpu 8 --worker-memory 32G --worker-gpu 2",
    ],
)
def test_both_spellings(line: str) -> None:
    """Ours and the other plugin's are the same flags."""
    assert shape(line).groups == [PROMISED]


def test_every_flag() -> None:
    """Each flag reaches its place in the object."""
    found = shape(
        "c --ray-version=2.50.0 --image=i:1 --labels=a=1,b=2 --label c=3 --annotations=d=4 --service-account=robot "
        "--image-pull-secret=s1 --image-pull-secret=s2,s3 --env A=1,2 --env B= --autoscaler=v2 --idle-timeout=2m "
        "--head-cpus=1 --head-memory=3Gi --head-gpus=1 --head-ephemeral-storage=4Gi --head-ray-start-params=num-cpus=2 "
        "--head-node-selectors=p=h --head-tolerations=t:NoExecute "
        "--worker-replicas=3 --worker-min-replicas=2 --worker-max-replicas=5 --worker-cpus=500m --worker-memory=1.5TB "
        "--worker-gpus=2 --worker-ephemeral-storage=100GB --worker-ray-start-params=block=true "
        "--worker-node-selectors=p=w --worker-tolerations=t=v --worker-tolerations=u "
        "--worker-tpus=4 --worker-tpu-type=tpu-v5p-slice --worker-tpu-topology=2x2x1 --num-of-hosts=2"
    )
    manifest = raycluster(found)
    check_cluster(manifest)
    spec = manifest["spec"]
    head, (worker,) = spec["headGroupSpec"], spec["workerGroupSpecs"]
    assert manifest["metadata"]["labels"] == {"a": "1", "b": "2", "c": "3"}
    assert manifest["metadata"]["annotations"] == {"d": "4"}
    assert spec["rayVersion"] == "2.50.0"
    assert spec["autoscalerOptions"] == {"version": "v2", "idleTimeoutSeconds": 120}
    assert head["rayStartParams"] == {"num-cpus": "2"}
    assert head["template"]["spec"]["containers"][0]["resources"]["requests"] == {
        "cpu": "1",
        "memory": "3Gi",
        "ephemeral-storage": "4Gi",
        "nvidia.com/gpu": "1",
    }
    assert head["template"]["spec"]["nodeSelector"] == {"p": "h"}
    assert head["template"]["spec"]["tolerations"] == [{"key": "t", "operator": "Exists", "effect": "NoExecute"}]
    assert (worker["replicas"], worker["minReplicas"], worker["maxReplicas"], worker["numOfHosts"]) == (3, 2, 5, 2)
    pod = worker["template"]["spec"]
    assert pod["containers"][0]["env"] == [{"name": "A", "value": "1,2"}, {"name": "B", "value": ""}]
    assert pod["containers"][0]["image"] == "i:1"
    assert pod["containers"][0]["resources"]["limits"] == {
        "memory": "1500G",
        "ephemeral-storage": "100G",
        "nvidia.com/gpu": "2",
        "google.com/tpu": "4",
    }
    assert pod["imagePullSecrets"] == [{"name": "s1"}, {"name": "s2"}, {"name": "s3"}]
    assert pod["serviceAccountName"] == "robot"
    assert len(pod["tolerations"]) == 2
    assert pod["nodeSelector"] == {
        "p": "w",
        "cloud.google.com/gke-tpu-accelerator": "tpu-v5p-slice",
        "cloud.google.com/gke-tpu-topology": "2x2x1",
    }


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--worker-memory=32", "--worker-memory=32"),
        ("--head-memory=lots", "--head-memory"),
        ("--worker-cpus=x", "--worker-cpus"),
        ("--worker-gpus=-2", "--worker-gpus"),
        ("--worker-replicas=many", "--worker-replicas"),
        ("--labels=novalue", "--labels"),
        ("--env=X", "--env"),
        ("--env==x", "--env"),
        ("--autoscaler=v3", "--autoscaler"),
        ("--idle-timeout=soon --autoscaler", "--idle-timeout"),
        ("--idle-timeout=60", "--idle-timeout"),
        ("--worker-max-replicas=3", "--worker-max-replicas"),
        ("--worker-min-replicas=0", "--worker-min-replicas"),
        ("--worker-tolerations=a:b", "--worker-tolerations"),
        ("--num-of-hosts=1.5", "--num-of-hosts"),
        ("--worker-ephemeral-storage=5", "--worker-ephemeral-storage"),
    ],
)
def test_what_cannot_be_meant(line: str, told: str) -> None:
    """The flag is named, and there is a way out."""
    with pytest.raises(WrongUse, match=told) as caught:
        shape(line)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("line", "version"), [("--autoscaler", "default"), ("--autoscaler=v1", "v1"), ("--autoscaler=false", "off")]
)
def test_autoscaler(line: str, version: str) -> None:
    """With or without a value."""
    assert shape(line).autoscaler == version


def test_flags_win_over_the_file() -> None:
    """Value by value; maps key by key; what no flag says stays as in the file."""
    found = shape(
        "--ray-version=2.52.0 --head-memory=5Gi --labels=team=flag --worker-cpus=4 --worker-node-selectors=gpu=yes",
        FILE,
    )
    assert (found.name, found.ray_version) == ("mine", "2.52.0")
    assert (found.head.cpu, found.head.memory) == ("1", "5Gi")
    assert found.labels == {"team": "flag", "kind": "x"}
    (group,) = found.groups
    assert (group.name, group.replicas, group.cpu, group.memory) == ("pool", 2, "4", "2Gi")
    assert group.node_selectors == {"disk": "ssd", "gpu": "yes"}


def test_an_autoscaler_can_be_switched_off() -> None:
    """A flag wins, also when it says no."""
    assert not shape("--autoscaler=false", FILE + "autoscaler: {version: v2}\n").autoscaling


def test_a_zero_wins() -> None:
    """Zero is something said."""
    (group,) = shape("--worker-replicas=0", FILE).groups
    assert group.replicas == 0


def test_name_in_both_places() -> None:
    """The same name twice is fine, two names are not."""
    assert shape("mine", FILE).name == "mine"
    with pytest.raises(WrongUse, match="other"):
        shape("other", FILE)


def test_worker_flags_with_several_groups() -> None:
    """Nobody can say which group they are for."""
    several = FILE + "- {name: more, replicas: 1}\n"
    assert len(shape("", several).groups) == 2
    with pytest.raises(WrongUse, match="2 worker groups"):
        shape("--worker-cpus=4", several)


def test_limits_in_a_file_without_an_autoscaler() -> None:
    """The same rule as for flags."""
    with pytest.raises(WrongUse, match="autoscaler"):
        shape("", "worker-groups: [{max-replicas: 3}]")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "line"),
        ("name: a\nname: b\n", "twice"),
        ("a: b\n---\nc: d\n", "document"),
        ("\x00", "YAML"),
        ("head: {cpu: 1, cpu: 2}", "twice"),
        ("a: !!python/object:os.system x", "YAML"),
        ("&a [*a]", "mapping"),
        ("2026-99-99: x", "2026-99-99: there is no such key"),
        ("a: 2026-99-99", "a: there is no such key"),
    ],
)
def test_no_file_that_can_be_read(text: str, told: str) -> None:
    """Broken YAML, a key said twice, several documents: the line or the key is named."""
    with pytest.raises(WrongUse, match=told):
        shape("c", text)


@given(st.text(alphabet="ab:-{}[]&*!|>%@#'\"\n ,01.~?", max_size=40))
def test_any_file_is_our_error(text: str) -> None:
    """Whatever the file holds."""
    refused = refusal(shape, "c", text)
    assert refused is None or refused.message
