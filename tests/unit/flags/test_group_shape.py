"""A group that is added takes from flags what is its own, and the rest from its cluster."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.errors import WrongUse
from kubectl_ray.flags.group_shape import GroupFlags, add_group_flags, group_shape_from
from kubectl_ray.manifests.cluster import worker_group
from kubectl_ray.models.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Callable

    Recording = Callable[[str], dict[str, Any]]


def group_of(line: str, cluster: dict[str, Any]) -> dict[str, Any]:
    """What `worker-group create` makes of these words for this cluster."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("group")
    add_group_flags(parser)
    return worker_group(group_shape_from(parser.parse_args(shlex.split(line), GroupFlags()), Cluster(cluster)))


def test_a_group_fits_its_cluster(recording: Recording) -> None:
    """Image, account and secrets are those of the cluster."""
    raw = recording("ready")["cluster"]
    pod = raw["spec"]["workerGroupSpecs"][0]["template"]["spec"]
    pod.update({"serviceAccountName": "robot", "imagePullSecrets": [{"name": "s"}]})
    raw["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]["image"] = "example.com/ours:7"
    found = group_of("pool --worker-replicas=4 --worker-cpu=8", raw)
    assert (found["groupName"], found["replicas"]) == ("pool", 4)
    spec = found["template"]["spec"]
    assert spec["containers"][0]["image"] == "example.com/ours:7"
    assert spec["serviceAccountName"] == "robot"
    assert spec["imagePullSecrets"] == [{"name": "s"}]
    assert "maxReplicas" not in found


def test_a_group_of_an_autoscaled_cluster_is_bounded(recording: Recording) -> None:
    """Its limits are always sent."""
    found = group_of("pool --worker-replicas=4 --idle-timeout=30", recording("autoscaler")["cluster"])
    assert (found["minReplicas"], found["maxReplicas"], found["idleTimeoutSeconds"]) == (0, 10, 30)


def test_the_other_plugins_limits_are_taken(recording: Recording) -> None:
    """Its scripts give limits to groups of any cluster; they are sent as they are."""
    found = group_of("pool --worker-min-replicas 1 --worker-max-replicas 10", recording("ready")["cluster"])
    assert (found["minReplicas"], found["maxReplicas"]) == (1, 10)


def test_another_ray_cannot_join(recording: Recording) -> None:
    """A version that is not the cluster's is refused, unless an image is given with it."""
    raw = recording("ready")["cluster"]
    assert group_of("pool --ray-version=2.52.0", raw)
    with pytest.raises(WrongUse, match=r"2\.52\.0"):
        group_of("pool --ray-version=2.9.3", raw)
    made = group_of("pool --ray-version=2.9.3 --image=mine:1", raw)
    assert made["template"]["spec"]["containers"][0]["image"] == "mine:1"


def test_bad_group_names(recording: Recording) -> None:
    """Refused before anything else."""
    with pytest.raises(WrongUse, match="Bad_Name"):
        group_of("Bad_Name", recording("ready")["cluster"])
