"""The config file of `cluster create --file`."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from kubectl_ray.errors import WrongUse
from kubectl_ray.manifests.checks import check_cluster
from kubectl_ray.manifests.cluster import raycluster
from kubectl_ray.manifests.config_file import shape_of
from kubectl_ray.manifests.shape import Shape
from tests.unit.models.mangled import JUNK, mangled, refusal

COMPLETE = """
namespace: team
name: mine
labels: {team: vision, year: 2026}
annotations: {spot: true}
ray-version: 2.51.0
image: example.com/ray:1
service-account: robot
head:
  cpu: "1"
  gpu: "0"
  memory: 3Gi
  ephemeral-storage: 10Gi
  ray-start-params: {metrics-export-port: 8082}
  node-selectors: {cloud.google.com/gke-spot: "true"}
worker-groups:
- name: gpus
  replicas: 2
  cpu: "8"
  gpu: 2
  memory: 32GB
  num-of-hosts: 1
  ephemeral-storage: 100G
  ray-start-params: {}
  node-selectors: {pool: gpu}
- name: tpus
  replicas: 1
  tpu: "4"
  num-of-hosts: 2
  tpu-type: tpu-v5-lite-podslice
  tpu-topology: 2x4
autoscaler: {version: v2}
gke:
  gcsfuse:
    bucket-name: data
    mount-path: /mnt/data
    mount-options: implicit-dirs
    disable-metrics: true
    gcsfuse-metadata-prefetch-on-mount: false
    skip-csi-bucket-access-check: true
    resources: {cpu: 250m, memory: 256Mi, ephemeral-storage: 5Gi}
"""
OURS = """
env: {A: 1, B: text}
image-pull-secrets: [one, two]
head: {cpus: 2, tolerations: ["pool=head:NoSchedule"]}
worker-groups:
- {cpus: 0.5, gpus: 1, tpus: 0, min-replicas: 1, max-replicas: 4, idle-timeout: 30s, tolerations: [{key: x}]}
autoscaler: {version: v2, idle-timeout: 2m}
"""


def read(text: str) -> Shape:
    """The shape of a YAML text."""
    return shape_of(yaml.safe_load(text))


def test_the_other_plugins_file() -> None:
    """Every key of its schema is understood, and the result is a cluster that nobody refuses."""
    shape = read(COMPLETE)
    assert (shape.name, shape.namespace, shape.ray_version, shape.image) == (
        "mine",
        "team",
        "2.51.0",
        "example.com/ray:1",
    )
    assert shape.labels == {"team": "vision", "year": "2026"}
    assert shape.annotations == {"spot": "true"}
    assert shape.autoscaler == "v2"
    assert shape.head.ray_start_params == {"metrics-export-port": "8082"}
    first, second = shape.groups
    assert (first.memory, first.gpu, first.cpu, first.hosts) == ("32G", 2, "8", 1)
    assert second.node_selectors["cloud.google.com/gke-tpu-topology"] == "2x4"
    assert shape.gcsfuse is not None
    assert (shape.gcsfuse.bucket, shape.gcsfuse.memory, shape.gcsfuse.disable_metrics) == ("data", "256Mi", True)
    manifest = raycluster(shape)
    check_cluster(manifest)
    annotations = manifest["spec"]["headGroupSpec"]["template"]["metadata"]["annotations"]
    assert annotations["gke-gcsfuse/volumes"] == "true"


def test_our_keys() -> None:
    """What has a flag here has a key too."""
    shape = read(OURS)
    assert shape.env == {"A": "1", "B": "text"}
    assert shape.image_pull_secrets == ["one", "two"]
    assert (shape.head.cpu, shape.head.tolerations[0]["key"]) == ("2", "pool")
    (group,) = shape.groups
    assert (group.cpu, group.gpu, group.minimum, group.maximum, group.idle_timeout) == ("500m", 1, 1, 4, 30)
    assert group.tolerations == [{"key": "x"}]
    assert (shape.autoscaler, shape.idle_timeout) == ("v2", 120)
    check_cluster({**raycluster(shape), "metadata": {"name": "c"}})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("autoscaler: {}", None),
        ("autoscaler: {version: ''}", None),
        ("autoscaler: v1", "v1"),
        ("autoscaler: true", "default"),
        ("autoscaler: false", "off"),
        ("autoscaler: {idle-timeout: 60}", "default"),
        ("autoscaler:", None),
    ],
)
def test_autoscaler(text: str, found: str | None) -> None:
    """A mapping, or the version alone; an empty one asks for none."""
    assert read(text).autoscaler == found


@pytest.mark.parametrize(("written", "hint"), [("3", '"3"'), ("2.10", "2.10 is 2.1")])
def test_versions_without_quotes(written: str, hint: str) -> None:
    """YAML reads a number; what a fraction was written like is lost, so it is not proposed."""
    with pytest.raises(WrongUse, match="read as a number") as caught:
        read(f"ray-version: {written}")
    assert hint in caught.value.hint


def test_empty() -> None:
    """An empty file says nothing."""
    assert read("") == Shape()
    assert read("head:\nworker-groups:\n") == Shape()


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("nmae: x", "nmae", '"name"'),
        ("worker-groups: [{replica: 1}]", "worker-groups[0].replica", '"replicas"'),
        ("head: {cpu: [1]}", "head.cpu", "--help"),
        ("worker-groups: 5", "worker-groups", "--help"),
        ("worker-groups: [5]", "worker-groups[0]", "--help"),
        ("worker-groups: [{memory: 32}]", "worker-groups[0].memory", "32GB"),
        ("head: {cpu: 1, cpus: 2}", "head.cpus", "once"),
        ("name: true", "name", "--help"),
        ("gke: {gcsfuse: {bucket-name: b}}", "mount-path is missing", "mount-path"),
        ("gke: {gcsfuse: {bucket-name: b, mount-path: /m, disable-metrics: 'yes'}}", "disable-metrics", "--help"),
        ("autoscaler: {version: v3}", "v3", ""),
        ("labels: [a]", "labels", "--help"),
        ("labels: {a: [b]}", "labels.a", "--help"),
        ("image-pull-secrets: {a: b}", "image-pull-secrets", "--help"),
        ("- a", "a mapping", "--help"),
        ("text", "a mapping", "--help"),
        ("{apiVersion: ray.io/v1, kind: RayCluster}", "RayCluster", "kubectl create -f"),
        ("5: x", "5", ""),
        ("head: {tolerations: x}", "head.tolerations", "--help"),
    ],
)
def test_what_cannot_be_meant(text: str, message: str, hint: str) -> None:
    """The place in the file is named, and the near key."""
    with pytest.raises(WrongUse) as caught:
        read(text)
    assert message in caught.value.message
    assert hint in caught.value.hint


@settings(max_examples=300)
@given(mangled(yaml.safe_load(COMPLETE)))
def test_only_our_error(document: Any) -> None:
    """Whatever a file holds: a shape that becomes an object, or our error."""
    refused = refusal(lambda: raycluster(shape_of(document)))
    assert refused is None or refused.message


@given(JUNK)
def test_only_our_error_on_junk(document: object) -> None:
    """Not even a mapping."""
    refused = refusal(shape_of, document)
    assert refused is None or refused.message
