"""A RayCluster as its spec and its status have it."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from kubectl_ray.errors import KubectlRayError, NotFound, WrongUse
from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.sizes import of_resources
from kubectl_ray.models.worker_group import Group
from tests.unit.models.mangled import JUNK, mangled

if TYPE_CHECKING:
    from collections.abc import Callable

    Recording = Callable[[str], dict[str, Any]]

READY = json.loads((Path(__file__).parents[2] / "recordings/clusters/ready.json").read_text(encoding="utf-8"))[
    "cluster"
]


def names_of_properties(kind: type) -> list[str]:
    """Every public property of a model."""
    return [name for name, value in vars(kind).items() if isinstance(value, property) and not name.startswith("_")]


def test_desired_of_recordings(recording: Recording) -> None:
    """What is computed is what the operator wrote once it had caught up."""
    for case in (
        "ready",
        "multihost",
        "scaled-up",
        "autoscaler",
        "worker-quota",
        "workers-many-causes",
        "group-removed",
    ):
        cluster = Cluster(recording(case)["cluster"])
        assert cluster.desired_workers == cluster.claimed_workers, case


def test_sizes_of_recordings(recording: Recording) -> None:
    """The sum over head and desired workers is the operator's; a limit counts where no request stands."""
    for case in ("ready", "multihost", "scaled-up", "worker-quota", "workers-many-causes"):
        cluster = Cluster(recording(case)["cluster"])
        claimed = of_resources(
            {
                "requests": {
                    "cpu": cluster.status["desiredCPU"],
                    "memory": cluster.status["desiredMemory"],
                    "nvidia.com/gpu": cluster.status["desiredGPU"],
                }
            }
        )
        assert cluster.sizes == claimed, case


def test_a_ready_one(recording: Recording) -> None:
    """Everything that other layers ask of a healthy cluster."""
    cluster = Cluster(recording("ready")["cluster"])
    assert (cluster.name, cluster.namespace, cluster.ray_version) == ("lc", "rec-s1", "2.52.0")
    assert cluster.agrees
    assert cluster.provisioned
    assert cluster.head_ready
    assert (cluster.ready_workers, cluster.desired_workers) == (1, 1)
    assert cluster.head_service == "lc-head-svc"
    assert cluster.ports["dashboard"] == "8265"
    assert not cluster.autoscaling
    assert not cluster.auth_token
    assert not cluster.deleting
    assert not cluster.replica_failure
    assert cluster.owner is None


def test_replica_failure(recording: Recording) -> None:
    """Only the API server's words are kept of the condition's message."""
    cluster = Cluster(recording("worker-quota")["cluster"])
    assert cluster.replica_failure.startswith('pods "c-wg-worker-fn96v" is forbidden: exceeded quota')


def test_no_status(recording: Recording) -> None:
    """A refused spec has no status at all, and agrees with nothing."""
    cluster = Cluster(recording("bad-minmax")["cluster"])
    assert not cluster.has_status
    assert not cluster.agrees
    assert cluster.head_service == "c-head-svc"


@pytest.mark.parametrize(
    ("metadata", "owner"),
    [
        ({}, None),
        ({"ownerReferences": [{"kind": "RayJob", "name": "train"}]}, ("RayJob", "train")),
        (
            {"labels": {"ray.io/originated-from-crd": "RayService", "ray.io/originated-from-cr-name": "s"}},
            ("RayService", "s"),
        ),
        ({"labels": {"kueue.x-k8s.io/queue-name": "team"}}, ("Kueue", "team")),
        ({"ownerReferences": ["x"], "labels": 5}, None),
    ],
)
def test_owner(metadata: dict[str, Any], owner: tuple[str, str] | None) -> None:
    """A controller's reference, the operator's labels, or Kueue's queue."""
    assert Cluster({"metadata": metadata}).owner == owner


@pytest.mark.parametrize(
    ("spec", "version"),
    [
        ({"rayVersion": "2.9.3"}, "2.9.3"),
        (
            {"headGroupSpec": {"template": {"spec": {"containers": [{"image": "reg:5000/ray:2.41.0-py311-gpu"}]}}}},
            "2.41.0",
        ),
        ({"headGroupSpec": {"template": {"spec": {"containers": [{"image": "ray:nightly"}]}}}}, ""),
        ({"headGroupSpec": {"template": {"spec": {"containers": [{"image": "ray@sha256:00"}]}}}}, ""),
    ],
)
def test_ray_version(spec: dict[str, Any], version: str) -> None:
    """As the spec states it, else as the image's tag does."""
    assert Cluster({"spec": spec}).ray_version == version


def test_group_by_name() -> None:
    """A group is found by its name, and the only one without."""
    cluster = Cluster(
        {"metadata": {"name": "c"}, "spec": {"workerGroupSpecs": [{"groupName": "a"}, {"groupName": "b"}]}}
    )
    assert cluster.group("b").index == 1
    assert Cluster({"spec": {"workerGroupSpecs": [{"groupName": "only"}]}}).group().name == "only"


def test_group_that_is_not_there() -> None:
    """An unknown name meets the near one; no name, those to choose from; a cluster without groups, how to add one."""
    cluster = Cluster(
        {"metadata": {"name": "c"}, "spec": {"workerGroupSpecs": [{"groupName": "gpus"}, {"groupName": "b"}]}}
    )
    with pytest.raises(NotFound, match="no worker group gpu") as caught:
        cluster.group("gpu")
    assert '"gpus"' in caught.value.hint
    with pytest.raises(WrongUse, match="2 worker groups: gpus, b"):
        cluster.group()
    for name in (None, "x"):
        with pytest.raises(NotFound) as none:
            Cluster({"metadata": {"name": "c"}}).group(name)
        assert "worker-group create" in none.value.hint


@settings(max_examples=300)
@given(mangled(READY))
def test_never_raises(raw: object) -> None:
    """Whatever is missing or of another type, every property gives an answer of its type."""
    cluster = Cluster(raw)
    for name in names_of_properties(Cluster):
        getattr(cluster, name)
    for group in cluster.groups:
        for name in names_of_properties(Group):
            getattr(group, name)
    assert isinstance(cluster.name, str)
    assert isinstance(cluster.desired_workers, int)
    assert isinstance(cluster.sizes.memory_text, str)
    with contextlib.suppress(KubectlRayError):
        cluster.group("wg")


@given(JUNK)
def test_never_raises_on_junk(raw: object) -> None:
    """Not even an object."""
    cluster = Cluster(raw)
    for name in names_of_properties(Cluster):
        getattr(cluster, name)
