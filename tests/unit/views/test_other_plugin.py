"""The Go plugin's tables and lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.pod import Pod
from kubectl_ray.views import other_plugin
from tests.unit.models.mangled import mangled
from tests.unit.views.tables import CASES, cluster_of, now_of, pods_of, printed

if TYPE_CHECKING:
    from collections.abc import Callable

    Recording = Callable[[str], dict[str, Any]]
    Golden = Callable[[str, str], None]

CASE = json.loads((Path(__file__).parents[2] / "recordings/clusters/ready.json").read_text(encoding="utf-8"))


def test_get_cluster(golden: Golden, recording: Recording) -> None:
    """Everything is read off the status, as it reads it."""
    rows = [other_plugin.ClusterRow(cluster_of(case), now_of(case)) for case in map(recording, CASES)]
    golden("tables/other-plugin-clusters.txt", printed(other_plugin.CLUSTER_COLUMNS, rows))


def test_get_workergroup(golden: Golden, recording: Recording) -> None:
    """Pods that run and are ready; resources times the spec's replicas."""
    rows: list[other_plugin.GroupRow] = []
    for case in map(recording, ("ready", "multihost", "autoscaler", "workers-many-causes")):
        rows += other_plugin.group_rows(cluster_of(case), other_plugin.ready_by_group(pods_of(case)))
    golden("tables/other-plugin-groups.txt", printed(other_plugin.group_columns(all_namespaces=True), rows))


def test_get_node(golden: Golden, recording: Recording) -> None:
    """The requests of the Ray container."""
    rows = [
        other_plugin.NodeRow(pod, now_of(case))
        for case in map(recording, ("ready", "autoscaler", "workers-many-causes"))
        for pod in pods_of(case)
    ]
    golden("tables/other-plugin-nodes.txt", printed(other_plugin.node_columns(all_namespaces=False), rows))


def test_condition_is_the_first_that_holds() -> None:
    """In its own order, whatever the status' is."""
    conditions = [
        {"type": "HeadPodReady", "status": "True"},
        {"type": "RayClusterProvisioned", "status": "False"},
        {"type": "ReplicaFailure", "status": "True"},
    ]
    row = other_plugin.ClusterRow(Cluster({"status": {"conditions": conditions}}), 0.0)
    assert row.condition == "HeadPodReady"
    assert not other_plugin.ClusterRow(Cluster({}), 0.0).condition


def test_sizes_are_multiplied() -> None:
    """Exactly, in the unit in which they were written; a suspended group has none."""
    resources = {"limits": {"memory": "2Gi", "nvidia.com/gpu": "2"}, "requests": {"cpu": "1500m", "memory": "1Gi"}}
    spec = {"containers": [{"resources": resources}, {"resources": {"requests": {"memory": "512Mi"}}}]}
    group = {"groupName": "g", "replicas": 3, "template": {"spec": spec}}
    raw = {"spec": {"workerGroupSpecs": [group, {**group, "suspend": True}]}}
    first, second = other_plugin.group_rows(Cluster(raw), {("", "", "g"): 2})
    assert (first.cpus, first.memory, first.gpus, first.tpus, first.replicas) == ("4500m", "4608Mi", "6", "0", "2/3")
    assert (second.cpus, second.memory, second.gpus) == ("0", "0", "0")
    assert (first.minimum, first.maximum) == ("0", "2147483647")


def test_one_group_by_name() -> None:
    """Only those of that name."""
    cluster = Cluster({"spec": {"workerGroupSpecs": [{"groupName": "a"}, {"groupName": "b"}]}})
    assert [row.name for row in other_plugin.group_rows(cluster, {}, "b")] == ["b"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (other_plugin.cluster_not_found("x", "ns"), "Ray cluster x not found in namespace ns"),
        (other_plugin.cluster_not_found("x", ""), "Ray cluster x not found in any namespace"),
        (
            other_plugin.group_not_found("g", "ns", None),
            "Ray worker group g not found in namespace ns in any Ray cluster",
        ),
        (
            other_plugin.group_not_found("g", "", "c"),
            "Ray worker group g not found in any namespace in Ray cluster c",
        ),
        (other_plugin.node_not_found("n", "ns", "c"), "Ray node n not found in namespace ns in Ray cluster c"),
    ],
)
def test_not_found(line: str, words: str) -> None:
    """To the letter."""
    assert line == words


@settings(max_examples=200)
@given(mangled(CASE["cluster"]), mangled(CASE["pods"][0]))
def test_never_raises(raw: object, raw_pod: object) -> None:
    """Whatever the objects hold, every cell is text."""
    cluster, pod = Cluster(raw), Pod(raw_pod)
    for columns, rows in (
        (other_plugin.CLUSTER_COLUMNS, [other_plugin.ClusterRow(cluster, 0.0)]),
        (
            other_plugin.group_columns(all_namespaces=True),
            [*other_plugin.group_rows(cluster, other_plugin.ready_by_group([pod]))],
        ),
        (other_plugin.node_columns(all_namespaces=True), [other_plugin.NodeRow(pod, 0.0)]),
    ):
        assert all(isinstance(column.cell(row), str) for column in columns for row in rows)
