"""`cluster worker-group list` and, behind the Go plugin's words, `get workergroup`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.kuberay import cluster, group, namespace, worker

if TYPE_CHECKING:
    from tests.kuberay import World


def test_a_row_a_group(world: World) -> None:
    """Each row has a group's ready and desired workers, its limits, and what its desired workers reserve."""
    world.add(cluster("a", group("cpu", 2), group("gpu", 1, least=1, most=4, gpus=2)), worker("a", group="cpu"))

    ran = world.run("cluster worker-group list")

    assert ran.code == 0, ran
    assert ran.lines == [
        "NAME CLUSTER WORKERS MIN MAX CPUS GPUS TPUS MEMORY",
        "cpu a 1/2 0 <none> 4 0 0 8Gi",
        "gpu a 0/1 1 4 2 2 0 4Gi",
    ]


def test_of_one_cluster(world: World) -> None:
    """`--cluster` shows that cluster's groups only."""
    world.add(cluster("a", group("one")), cluster("b", group("two")))

    assert [row["NAME"] for row in world.run("cluster worker-group list --cluster b").rows] == ["two"]


def test_one_group(world: World) -> None:
    """A group's name shows the groups of that name, of all clusters."""
    world.add(cluster("a", group("one"), group("two")), cluster("b", group("one")))

    ran = world.run("cluster worker-group list one")

    assert [(row["NAME"], row["CLUSTER"]) for row in ran.rows] == [("one", "a"), ("one", "b")]


def test_a_near_cluster(world: World) -> None:
    """A cluster that is not there meets the near names."""
    world.add(cluster("training"))

    ran = world.run("cluster worker-group list --cluster trainig")

    assert ran.code == 5
    assert "Did you mean training?" in ran.err


def test_a_near_group(world: World) -> None:
    """A group that is not there meets the near names."""
    world.add(cluster("a", group("workers")))

    ran = world.run("cluster worker-group list wrokers")

    assert ran.code == 5, ran
    assert ran.err == 'Error: There is no worker group wrokers in namespace default.\nDid you mean "workers"?\n'


def test_no_near_group(world: World) -> None:
    """Where none is near, the hint is the command that shows them."""
    world.add(cluster("a"))

    ran = world.run("cluster worker-group list x")

    assert ran.err.splitlines()[-1] == "See which there are:  kubectl ray cluster worker-group list"


def test_no_groups(world: World) -> None:
    """Nothing to show is said on stderr."""
    ran = world.run("cluster worker-group list")

    assert (ran.code, ran.out, ran.err) == (0, "", "There are no worker groups in namespace default.\n")


def test_a_cluster_without_groups_asks_for_no_pods(world: World) -> None:
    """Where no cluster has a group, there are no pods to count."""
    lonely = cluster("a")
    lonely["spec"]["workerGroupSpecs"] = []
    world.add(lonely)

    ran = world.run("cluster worker-group list")

    assert ran.asked == ["GET /apis/ray.io/v1/namespaces/default/rayclusters"]


def test_a_namespace_that_does_not_exist(world: World) -> None:
    """An empty answer for a namespace that is not there is an error."""
    ran = world.run("cluster worker-group list -n defalt")

    assert ran.code == 5
    assert "Did you mean -n default?" in ran.err


def test_all_namespaces(world: World) -> None:
    """`-A` puts the namespace in front."""
    world.add(namespace("other"), cluster("a"), cluster("b", namespace="other"))

    ran = world.run("cluster worker-group list -A")

    assert [(row["NAMESPACE"], row["CLUSTER"]) for row in ran.rows] == [("default", "a"), ("other", "b")]


def test_all_namespaces_and_a_cluster(world: World) -> None:
    """A cluster's name belongs to one namespace."""
    ran = world.run("cluster worker-group list -A --cluster a")

    assert (ran.code, ran.asked) == (2, [])


def test_no_right_to_pods(world: World) -> None:
    """Where pods may not be listed, the column says so."""
    world.add(cluster("a"))
    world.api.deny("list", "pods")

    ran = world.run("cluster worker-group list")

    assert ran.code == 0
    assert ran.rows[0]["WORKERS"] == "<no permission>"


def test_objects_are_the_groups_of_the_spec(world: World) -> None:
    """`-o json` gives the groups as they stand in the spec."""
    world.add(cluster("a", group("one"), group("two")))

    found = json.loads(world.run("cluster worker-group list two -o json").out)

    assert [item["groupName"] for item in found["items"]] == ["two"]


def test_names(world: World) -> None:
    """`-o name` gives each group a name, though Kubernetes has no such object."""
    world.add(cluster("a", group("one"), group("two")))

    assert world.run("cluster worker-group list -o name").out == "workergroup/one\nworkergroup/two\n"


def test_sort_by(world: World) -> None:
    """`--sort-by` orders the groups by a field of theirs."""
    world.add(cluster("a", group("one", 2), group("two", 1)))

    ran = world.run("cluster worker-group list --sort-by .replicas")

    assert [row["NAME"] for row in ran.rows] == ["two", "one"], ran


def test_show_labels(world: World) -> None:
    """`--show-labels` adds those of the cluster: groups have none of their own."""
    world.add(cluster("a", labels={"team": "vision"}))

    assert world.run("cluster worker-group list --show-labels").rows[0]["LABELS"] == "team=vision"


COLUMNS = "NAME MIN MAX REPLICAS CPUS GPUS TPUS MEMORY CLUSTER"


@pytest.mark.parametrize("words", ["get workergroup", "get workergroups", "list workergroup", "get worker-groups"])
def test_the_other_plugins_words(world: World, words: str) -> None:
    """Behind the Go plugin's words stand its columns, from two requests whatever the number of groups."""
    world.add(cluster("a", group("one", 2, gpus=1), group("two", 1, most=4)), worker("a", group="one"))

    ran = world.run(words)

    assert ran.lines == [COLUMNS, "one 0 2147483647 1/2 4 2 0 8Gi a", "two 0 4 0/1 2 0 0 4Gi a"]
    assert len(ran.requests) == 2


def test_the_other_plugins_suspended_group(world: World) -> None:
    """It counts nothing for a suspended group."""
    world.add(cluster("a", group("one", 2, suspend=True)))

    assert world.run("get workergroup").lines[1] == "one 0 2147483647 0/2 0 0 0 0 a"


def test_the_other_plugins_unknown_cluster(world: World) -> None:
    """An unknown `-c` without a group is an empty table, as it has it."""
    ran = world.run("get workergroup -c nowhere")

    assert (ran.code, ran.lines) == (0, [COLUMNS])


@pytest.mark.parametrize(
    ("flags", "where"),
    [
        ("", "in namespace default in any Ray cluster"),
        (" -c a", "in namespace default in Ray cluster a"),
        (" -A", "in any namespace in any Ray cluster"),
    ],
)
def test_the_other_plugins_words_for_a_wrong_name(world: World, flags: str, where: str) -> None:
    """A group that is not there is said in its words, with our hint behind."""
    world.add(cluster("a", group("workers")))

    ran = world.run(f"get workergroup wrokers{flags}")

    assert ran.code == 5, ran
    assert ran.err == f'Error: Ray worker group wrokers not found {where}\nDid you mean "workers"?\n'


def test_the_other_plugins_all_namespaces(world: World) -> None:
    """`-A` puts the namespace in front."""
    world.add(namespace("other"), cluster("b", namespace="other"))

    ran = world.run("get workergroups -A")

    assert ran.lines[0] == f"NAMESPACE {COLUMNS}"
    assert ran.lines[1].startswith("other workers ")
