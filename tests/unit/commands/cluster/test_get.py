"""`cluster get` and, behind the Go plugin's words, `get cluster`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.kuberay import cluster, group, head, namespace, worker

if TYPE_CHECKING:
    from tests.kuberay import World


def test_one(world: World) -> None:
    """A name gives that cluster's row, counted from its own pods only."""
    world.add(cluster("a"), head("a"), worker("a"), cluster("ab"), head("ab"))

    ran = world.run("cluster get a")

    assert ran.code == 0, ran
    assert [(row["NAME"], row["STATUS"], row["WORKERS"]) for row in ran.rows] == [("a", "ready", "1/1")]


def test_several(world: World) -> None:
    """Several names give their rows in the order named, each once."""
    world.add(cluster("a"), cluster("b"), worker("b"))

    ran = world.run("cluster get b a b")

    assert [(row["NAME"], row["WORKERS"]) for row in ran.rows] == [("b", "1/1"), ("a", "0/1")]


def test_without_a_name(world: World) -> None:
    """Without a name it is `cluster list`."""
    world.add(cluster("a"), cluster("b"))

    assert world.run("cluster get").out == world.run("cluster list").out


def test_mine(world: World) -> None:
    """`--mine` shows the clusters that this login created."""
    world.add(cluster("a", labels={"kubectl-ray/creator": "jane"}), cluster("b"))

    assert [row["NAME"] for row in world.run("cluster get --mine").rows] == ["a"]


def test_a_near_name(world: World) -> None:
    """A name that does not exist meets the near ones."""
    world.add(cluster("training"), cluster("serving"))

    ran = world.run("cluster get trainig")

    assert ran.code == 5, ran
    assert ran.err == "Error: There is no Ray cluster trainig in namespace default.\nDid you mean training?\n"


def test_no_near_name(world: World) -> None:
    """Where no name is near, the hint is the command that shows them."""
    world.add(cluster("training"), cluster("serving"))

    ran = world.run("cluster get xyz")

    assert ran.err.splitlines()[-1] == "See the 2 there are:  kubectl ray cluster list -n default"


def test_no_clusters_at_all(world: World) -> None:
    """In a namespace without clusters the hint looks in all of them."""
    ran = world.run("cluster get a")

    assert ran.code == 5
    assert "kubectl ray cluster list -A" in ran.err.splitlines()[-1]


def test_a_namespace_that_does_not_exist(world: World) -> None:
    """A name in a namespace that is not there: the namespace is what is wrong."""
    ran = world.run("cluster get a -n defautl")

    assert ran.code == 5
    assert ran.err == "Error: There is no namespace defautl.\nDid you mean -n default?\n"


def test_names_may_not_be_listed(world: World) -> None:
    """Without the right to list clusters a wrong name is still not found, and nothing else."""
    world.add(cluster("a"))
    world.api.deny("list", "rayclusters")

    ran = world.run("cluster get b")

    assert ran.code == 5, ran
    assert "There is no Ray cluster b in namespace default." in ran.err


def test_no_right_to_the_cluster(world: World) -> None:
    """A login that may not read the cluster reads what it lacks."""
    world.add(cluster("a"))
    world.api.deny("get", "rayclusters")

    ran = world.run("cluster get a")

    assert ran.code == 4, ran
    assert "jane may not get rayclusters" in ran.err


def test_kuberay_is_not_installed(world: World) -> None:
    """A named cluster where KubeRay is missing: that is what the error says."""
    world.api.missing_groups.add("ray.io")

    ran = world.run("cluster get a")

    assert ran.code == 5
    assert "KubeRay is not installed" in ran.err


def test_no_right_to_pods(world: World) -> None:
    """Where pods may not be listed, the column says so."""
    world.add(cluster("a"))
    world.api.deny("list", "pods")

    assert world.run("cluster get a").rows[0]["WORKERS"] == "<no permission>"


@pytest.mark.parametrize("flags", ["-l team=vision", "--field-selector metadata.name=a", "--mine", "-A"])
def test_a_name_and_a_rule(world: World, flags: str) -> None:
    """A name and a rule do not go together, and nothing is asked."""
    ran = world.run(f"cluster get a {flags}")

    assert (ran.code, ran.out, ran.asked) == (2, "", []), ran


def test_one_object(world: World) -> None:
    """`-o json` with one name is the object itself, as kubectl has it."""
    world.add(cluster("a"))

    found = json.loads(world.run("cluster get a -o json").out)

    assert (found["kind"], found["metadata"]["name"]) == ("RayCluster", "a")


def test_several_objects(world: World) -> None:
    """`-o json` with several names is a List."""
    world.add(cluster("a"), cluster("b"))

    found = json.loads(world.run("cluster get a b -o json").out)

    assert [item["metadata"]["name"] for item in found["items"]] == ["a", "b"]


def test_managed_fields(world: World) -> None:
    """`-o yaml` leaves managedFields out unless they are asked for."""
    world.add(cluster("a", metadata={"managedFields": [{"manager": "someone"}]}))

    assert "managedFields" not in world.run("cluster get a -o yaml").out
    assert "manager: someone" in world.run("cluster get a -o yaml --show-managed-fields").out


def test_show_labels(world: World) -> None:
    """`--show-labels` adds them for a named cluster too."""
    world.add(cluster("a", labels={"team": "vision"}))

    assert world.run("cluster get a --show-labels").rows[0]["LABELS"] == "team=vision"


def test_watch_one(world: World) -> None:
    """`-w` with a name follows that cluster only."""
    world.add(cluster("a"), head("a"), cluster("b"))

    ran = world.run("cluster get a -w", steps=[("a ", lambda: world.add(worker("b"), worker("a"))), ("1/1", None)])

    assert {line.split()[0] for line in ran.lines[1:]} == {"a"}


def test_watch_one_that_is_not_there(world: World) -> None:
    """`-w` with a wrong name ends at once, with the near ones."""
    world.add(cluster("training"))

    ran = world.run("cluster get trainig -w")

    assert ran.code == 5
    assert "Did you mean training?" in ran.err


def test_watch_two(world: World) -> None:
    """Only one cluster, or all, can be watched."""
    assert world.run("cluster get a b -w").code == 2


COLUMNS = "NAME NAMESPACE DESIRED WORKERS AVAILABLE WORKERS CPUS GPUS TPUS MEMORY CONDITION STATUS AGE"
STATUS = {
    "desiredWorkerReplicas": 2,
    "availableWorkerReplicas": 1,
    "desiredCPU": "4500m",
    "desiredGPU": "2",
    "desiredMemory": "16Gi",
    "state": "ready",
    "conditions": [
        {"type": "HeadPodReady", "status": "True"},
        {"type": "RayClusterProvisioned", "status": "True"},
    ],
}


@pytest.mark.parametrize("words", ["get cluster", "get clusters", "list cluster", "get raycluster", "list rayclusters"])
def test_the_other_plugins_words(world: World, words: str) -> None:
    """Behind the Go plugin's words stand its columns, filled from the status as it does, from one request."""
    world.add(cluster("a", group(replicas=5), status=STATUS))

    ran = world.run(words)

    assert ran.code == 0, ran
    assert ran.lines[0] == COLUMNS
    assert ran.lines[1].startswith("a default 2 1 4500m 2 0 16Gi RayClusterProvisioned ready ")
    assert len(ran.requests) == 1


def test_the_other_plugins_empty_table(world: World) -> None:
    """It prints its titles when there is nothing."""
    ran = world.run("get cluster")

    assert (ran.code, ran.lines) == (0, [COLUMNS])


def test_the_other_plugins_name(world: World) -> None:
    """It takes one name."""
    world.add(cluster("a"), cluster("b"))

    assert [line.split()[0] for line in world.run("get cluster b").lines] == ["NAME", "b"]


@pytest.mark.parametrize(("flag", "where"), [("", "in namespace default"), (" -A", "in any namespace")])
def test_the_other_plugins_words_for_a_wrong_name(world: World, flag: str, where: str) -> None:
    """A wrong name is said in its words, with our hint behind."""
    world.add(cluster("training"))

    ran = world.run(f"get cluster trainig{flag}")

    assert ran.code == 5, ran
    assert ran.err == f"Error: Ray cluster trainig not found {where}\nDid you mean training?\n"


def test_the_other_plugins_single_name(world: World) -> None:
    """Two names are refused, with our command that takes several."""
    ran = world.run("get cluster a b")

    assert ran.code == 2
    assert "kubectl ray cluster get NAME NAME" in ran.err


def test_the_other_plugins_all_namespaces(world: World) -> None:
    """`-A` looks everywhere; the namespace is a column anyway."""
    world.add(namespace("other"), cluster("a"), cluster("b", namespace="other"))

    ran = world.run("get cluster -A")

    assert [tuple(line.split()[:2]) for line in ran.lines[1:]] == [("a", "default"), ("b", "other")]


def test_the_other_plugins_words_with_our_formats(world: World) -> None:
    """Formats that it does not have are ours behind its words too."""
    world.add(cluster("a"))

    assert world.run("get cluster -o name").out == "raycluster.ray.io/a\n"


def test_the_other_plugins_words_with_mine(world: World) -> None:
    """Selectors that it does not have work behind its words too."""
    world.add(cluster("a", labels={"kubectl-ray/creator": "jane"}), cluster("b"))

    assert [line.split()[0] for line in world.run("get cluster --mine").lines] == ["NAME", "a"]
