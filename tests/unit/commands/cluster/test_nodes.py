"""`cluster nodes` and, behind the Go plugin's words, `get node`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.kuberay import cluster, head, namespace, worker

if TYPE_CHECKING:
    from tests.kuberay import World


def test_heads_first(world: World) -> None:
    """The head stands before the workers; only Ray's pods are shown."""
    world.add(cluster("z"), worker("z", "1"), head("z"))
    world.add({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "other", "namespace": "default"}})

    ran = world.run("cluster nodes")

    assert ran.lines[0] == "NAME CLUSTER TYPE GROUP STATUS READY RESTARTS CPUS GPUS TPUS MEMORY AGE"
    assert ran.lines[1].startswith("z-head z head <none> Running 1/1 0 2 0 0 4Gi ")
    assert ran.lines[2].startswith("z-workers-worker-1 z worker workers Running 1/1 0 2 0 0 4Gi ")


@pytest.mark.parametrize("words", ["a", "--cluster a", "-c a", "--ray-cluster a"])
def test_of_one_cluster(world: World, words: str) -> None:
    """A cluster's name shows its nodes only, and needs no column for it."""
    world.add(cluster("a"), head("a"), cluster("b"), head("b"))

    ran = world.run(f"cluster nodes {words}")

    assert [row["NAME"] for row in ran.rows] == ["a-head"]
    assert "CLUSTER" not in ran.lines[0]


def test_a_near_name(world: World) -> None:
    """A cluster that does not exist meets the near names."""
    world.add(cluster("training"))

    ran = world.run("cluster nodes trainig")

    assert ran.code == 5, ran
    assert "Did you mean training?" in ran.err


def test_a_cluster_without_nodes(world: World) -> None:
    """A cluster that is there and has no nodes yet is no error."""
    world.add(cluster("a"))

    ran = world.run("cluster nodes a")

    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "There are no Ray nodes in namespace default of Ray cluster a.\n"


def test_a_namespace_that_does_not_exist(world: World) -> None:
    """Without any node the namespace is looked for."""
    ran = world.run("cluster nodes -n defalt")

    assert ran.code == 5
    assert "Did you mean -n default?" in ran.err


def test_all_namespaces(world: World) -> None:
    """`-A` puts the namespace in front and names the clusters."""
    world.add(namespace("other"), head("a"), head("a", namespace="other"))

    ran = world.run("cluster nodes a -A")

    assert [(row["NAMESPACE"], row["CLUSTER"]) for row in ran.rows] == [("default", "a"), ("other", "a")]


def test_none_in_any_namespace(world: World) -> None:
    """`-A` with nothing anywhere says so."""
    assert world.run("cluster nodes -A").err == "There are no Ray nodes in any namespace.\n"


def test_wide(world: World) -> None:
    """`-o wide` adds address and machine."""
    world.add(head("a"))

    row = world.run("cluster nodes -o wide").rows[0]

    assert (row["IP"], row["MACHINE"]) == ("10.0.0.7", "machine-1")


def test_objects_are_pods(world: World) -> None:
    """`-o json` gives the pods, with their kind."""
    world.add(head("a"))

    found = json.loads(world.run("cluster nodes a -o json").out)

    assert [(item["kind"], item["apiVersion"], item["metadata"]["name"]) for item in found["items"]] == [
        ("Pod", "v1", "a-head")
    ]


def test_objects_of_a_cluster_that_is_not_there(world: World) -> None:
    """A wrong cluster is an error for `-o json` too, not an empty List."""
    world.add(cluster("training"))

    ran = world.run("cluster nodes trainig -o json")

    assert (ran.code, ran.out) == (5, ""), ran


def test_sort_by(world: World) -> None:
    """`--sort-by` replaces the usual order."""
    world.add(head("a"), worker("a", "2"), worker("a", "1"))

    ran = world.run(["cluster", "nodes", "--sort-by", ".metadata.labels.ray\\.io/node-type"])

    assert [row["TYPE"] for row in ran.rows] == ["head", "worker", "worker"]

    world.add(head("0"))
    ran = world.run(["cluster", "nodes", "--sort-by", ".metadata.name"])

    assert [row["NAME"] for row in ran.rows] == ["0-head", "a-head", "a-workers-worker-1", "a-workers-worker-2"]


def test_objects_of_no_cluster(world: World) -> None:
    """Without any node `-o json` is an empty List."""
    assert json.loads(world.run("cluster nodes -o json").out)["items"] == []


def test_selectors(world: World) -> None:
    """`-l` and `--field-selector` narrow the nodes down."""
    world.add(head("a"), worker("a"))

    assert [row["NAME"] for row in world.run("cluster nodes -l ray.io/node-type=head").rows] == ["a-head"]
    assert [row["NAME"] for row in world.run("cluster nodes --field-selector metadata.name=a-head").rows] == ["a-head"]


def test_show_labels(world: World) -> None:
    """`--show-labels` adds them."""
    world.add(head("a"))

    assert "ray.io/node-type=head" in world.run("cluster nodes --show-labels").rows[0]["LABELS"]


def test_no_right_to_pods(world: World) -> None:
    """The pods are the answer: without the right to list them it is an error that says so."""
    world.add(cluster("a"))
    world.api.deny("list", "pods")

    ran = world.run("cluster nodes a")

    assert ran.code == 4, ran
    assert "jane may not list pods in namespace default" in ran.err


def test_watch(world: World) -> None:
    """`-w` shows all nodes, then those that come and change, and says which go."""
    world.add(head("a", ready=False))

    ran = world.run(
        "cluster nodes a -w",
        steps=[
            ("a-head ", lambda: world.add(head("a"))),
            ("1/1", lambda: world.add(worker("a"))),
            ("a-workers-worker-1 ", lambda: world.store.remove("pods", "a-workers-worker-1")),
            ("a-workers-worker-1 is gone.", lambda: world.add(worker("a", "2"))),
            ("a-workers-worker-2", None),
        ],
    )

    assert [tuple(line.split()[i] for i in (0, 4)) for line in ran.lines[1:]] == [
        ("a-head", "0/1"),
        ("a-head", "1/1"),
        ("a-workers-worker-1", "1/1"),
        ("a-workers-worker-2", "1/1"),
    ]


def test_watch_of_a_cluster_that_is_not_there(world: World) -> None:
    """`-w` with a wrong cluster ends at once, with the near names: nothing would ever come."""
    world.add(cluster("training"))

    ran = world.run("cluster nodes trainig -w")

    assert ran.code == 5, ran
    assert "Did you mean training?" in ran.err


COLUMNS = "NAME CPUS GPUS TPUS MEMORY CLUSTER TYPE WORKER GROUP AGE"


@pytest.mark.parametrize("words", ["get node", "get nodes", "list nodes"])
def test_the_other_plugins_words(world: World, words: str) -> None:
    """Behind the Go plugin's words stand its columns."""
    world.add(cluster("a"), head("a"))

    ran = world.run(words)

    assert ran.lines[0] == COLUMNS
    assert ran.lines[1].startswith("a-head 2 0 0 4Gi a head headgroup ")


def test_the_other_plugins_empty_table(world: World) -> None:
    """It prints its titles when there is nothing."""
    ran = world.run("get nodes")

    assert (ran.code, ran.lines) == (0, [COLUMNS])


def test_the_other_plugins_name_is_a_nodes(world: World) -> None:
    """Behind its words NAME is a node, and `-c` the cluster."""
    world.add(head("a"), worker("a"), head("b"))

    assert [line.split()[0] for line in world.run("get node a-head").lines] == ["NAME", "a-head"]
    assert [line.split()[0] for line in world.run("get nodes -c b").lines] == ["NAME", "b-head"]


@pytest.mark.parametrize(
    ("flags", "where"),
    [
        ("", "in namespace default in any Ray cluster"),
        (" -c a", "in namespace default in Ray cluster a"),
        (" -A", "in any namespace in any Ray cluster"),
    ],
)
def test_the_other_plugins_words_for_a_wrong_name(world: World, flags: str, where: str) -> None:
    """A node that is not there is said in its words."""
    world.add(cluster("a"), head("a"))

    ran = world.run(f"get node x{flags}")

    assert ran.code == 5, ran
    assert ran.err.startswith(f"Error: Ray node x not found {where}\n")


def test_the_other_plugins_all_namespaces(world: World) -> None:
    """`-A` puts the namespace in front."""
    world.add(namespace("other"), head("a", namespace="other"))

    ran = world.run("get nodes -A")

    assert ran.lines[0] == f"NAMESPACE {COLUMNS}"
    assert ran.lines[1].startswith("other a-head ")
