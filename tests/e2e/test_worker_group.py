"""`cluster worker-group create|list`: a new group fits its cluster, and the list counts pods."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.e2e.harness.objects import container, group, raycluster, suspended, untouched

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray


def test_fits_the_cluster(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Image and Ray version are the cluster's, sizes are as said, and the first group stays as it was."""
    name = fresh("group")
    made = suspended(name, rayVersion="2.51.0")
    made["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]["image"] = "example.com/ours:7"
    before = kubectl.create(made)["spec"]
    ray(f"cluster worker-group create cpu-pool --cluster {name} -worker-replicas=4 --worker-cpus=8 -worker-memory=32GB")
    after = kubectl.get("raycluster", name)["spec"]
    assert after["workerGroupSpecs"][0] == before["workerGroupSpecs"][0]
    added = after["workerGroupSpecs"][1]
    worker = added["template"]["spec"]["containers"][0]
    assert (added["groupName"], added["replicas"]) == ("cpu-pool", 4)
    assert worker["image"] == "example.com/ours:7"
    assert worker["resources"]["requests"] == {"cpu": "8", "memory": "32G"}
    assert worker["resources"]["limits"]["memory"] == "32G"


@pytest.mark.parametrize("none", [[], None])
def test_on_a_cluster_without_groups(
    ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], none: list[None] | None
) -> None:
    """The first group of a cluster that has an empty list of them, or no list at all."""
    name = fresh("group")
    made = raycluster(name, suspend=True, workerGroupSpecs=none)
    if none is None:
        del made["spec"]["workerGroupSpecs"]
    kubectl.create(made)
    ray(f"cluster worker-group create first --cluster {name}")
    assert [each["groupName"] for each in kubectl.get("raycluster", name)["spec"]["workerGroupSpecs"]] == ["first"]


def test_existing_group(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A group of that name is not touched, and `scale` is named."""
    name = fresh("group")
    before = kubectl.create(suspended(name, group("pool", 2)))["spec"]
    assert "scale pool" in ray(f"cluster worker-group create pool --cluster {name}", code=1).err
    assert kubectl.get("raycluster", name)["spec"] == before


@pytest.mark.parametrize("pool", ["Bad_Name", "headgroup", "-x", "x" * 64])
def test_bad_names(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], pool: str) -> None:
    """Names whose pods could never be made are refused."""
    name = fresh("group")
    before = kubectl.create(suspended(name))["spec"]
    ray(f"cluster worker-group create --cluster {name} {'-- ' if pool[0] == '-' else ''}{pool}", code=2)
    assert kubectl.get("raycluster", name)["spec"] == before


def test_needs_a_name_and_a_cluster(ray: Ray) -> None:
    """No group's name, or a cluster that is not there."""
    ray("cluster worker-group create --cluster x", code=2)
    ray("cluster worker-group create pool --cluster no-such-cluster", code=5)


@pytest.mark.parametrize("mode", ["client", "server"])
def test_dry_run(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], mode: str) -> None:
    """The cluster as it would be is shown, and stays as it is."""
    name = fresh("group")
    before = kubectl.create(suspended(name))["spec"]
    shown = ray(f"cluster worker-group create pool --cluster {name} --dry-run={mode} -o yaml").out
    assert yaml.safe_load(shown)["spec"]["workerGroupSpecs"][1]["groupName"] == "pool"
    assert kubectl.get("raycluster", name)["spec"] == before


def test_waits_for_its_workers(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A group whose workers find no place: exit code 3 with the reason, and the group stays."""
    name = fresh("group")
    nowhere = {"nodeSelector": {"nowhere": "here"}, "containers": [container("ray")]}
    kubectl.create(raycluster(name, headGroupSpec={"rayStartParams": {}, "template": {"spec": nowhere}}))
    said = ray(
        f"cluster worker-group create pool --cluster {name} --worker-cpu=200m --worker-node-selectors=nowhere=here "
        "--timeout=5s",
        code=3,
        within=40,
    )
    assert "pool" in said.err
    assert "no room" in said.err
    assert len(kubectl.pods(name, "pool")) == 1


def test_list_counts_pods(ray: Ray, ready_cluster: str) -> None:
    """Ready and desired of each group."""
    rows = ray(f"cluster worker-group list --cluster {ready_cluster}").rows
    (row,) = rows[1:]
    assert "default-worker-group" in row
    assert "1/1" in row


def test_list_of_several_groups(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A row a group, in the order of the spec."""
    name = fresh("groups")
    kubectl.create(untouched(name, group("zebra", 2), group("ant", 3)))
    rows = ray(f"cluster worker-group list --cluster {name} --no-headers").rows
    assert [next(cell for cell in row if cell in {"zebra", "ant"}) for row in rows] == ["zebra", "ant"]
    assert ["0/2" in row for row in rows] == [True, False]


def test_list_of_all_clusters(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Without --cluster the groups of all clusters of the namespace, each with its cluster."""
    names = [fresh("groups"), fresh("groups")]
    for name in names:
        kubectl.create(untouched(name, group(f"of-{name}")))
    said = ray("cluster worker-group list").out
    for name in names:
        (line,) = (line for line in said.splitlines() if f"of-{name}" in line)
        assert name in line.split()


def test_list_as_json(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Something that `jq` reads."""
    name = fresh("groups")
    kubectl.create(untouched(name, group("only", 2)))
    assert "only" in json.dumps(json.loads(ray(f"cluster worker-group list --cluster {name} -o json").out))


def test_list_of_an_unknown_cluster(ray: Ray) -> None:
    """Exit code 5."""
    ray("cluster worker-group list --cluster no-such-cluster", code=5)
