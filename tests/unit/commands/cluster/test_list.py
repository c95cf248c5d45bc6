"""`cluster list`: rows, objects, which of them, and what a login may not see."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.kuberay import cluster, group, head, namespace, worker

if TYPE_CHECKING:
    from tests.kuberay import World


def test_a_row_a_cluster(world: World) -> None:
    """Each row has status and workers as the pods tell, and what head and desired workers reserve."""
    world.add(cluster("a", group(replicas=2, gpus=1)), head("a"), worker("a", "1"), worker("a", "2"))

    ran = world.run("cluster list")

    assert ran.code == 0, ran
    assert ran.lines[0] == "NAME STATUS WORKERS CPUS GPUS TPUS MEMORY RAY VERSION AGE"
    assert ran.lines[1].startswith("a ready 2/2 4500m 2 0 16Gi 2.52.0 ")
    assert ran.err == ""


def test_workers_are_counted_from_pods(world: World) -> None:
    """A status that claims more than runs is not believed."""
    claims = {"state": "ready", "readyWorkerReplicas": 2, "desiredWorkerReplicas": 2, "observedGeneration": 1}
    world.add(cluster("a", group(replicas=2), status=claims), head("a"), worker("a"))

    assert world.run("cluster list").rows[0]["WORKERS"] == "1/2"


def test_no_clusters(world: World) -> None:
    """An empty list is said on stderr; stdout stays empty, for scripts."""
    ran = world.run("cluster list")

    assert (ran.code, ran.out, ran.err) == (0, "", "There are no Ray clusters in namespace default.\n")


def test_no_clusters_of_this_kind(world: World) -> None:
    """With a selector an empty list does not claim that there are none at all."""
    world.add(cluster("a"))

    ran = world.run("cluster list -l team=vision")

    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "There are no Ray clusters in namespace default that are like that.\n"


def test_a_namespace_that_does_not_exist(world: World) -> None:
    """An empty list in a namespace that is not there is an error, with the near names."""
    ran = world.run("cluster list -n defalt")

    assert ran.code == 5, ran
    assert ran.err == "Error: There is no namespace defalt.\nDid you mean -n default?\n"


def test_a_namespace_that_may_not_be_looked_at(world: World) -> None:
    """A login that may not see namespaces gets its empty list."""
    world.api.deny("get", "namespaces")

    ran = world.run("cluster list -n elsewhere")

    assert (ran.code, ran.err) == (0, "There are no Ray clusters in namespace elsewhere.\n")


def test_namespaces_may_not_be_listed(world: World) -> None:
    """Without the right to list namespaces the hint names the command to see them."""
    world.api.deny("list", "namespaces")

    ran = world.run("cluster list -n defalt")

    assert ran.code == 5
    assert ran.err.splitlines()[-1] == "See which there are:  kubectl get namespaces"


def test_all_namespaces(world: World) -> None:
    """`-A` puts the namespace in front, and counts each cluster's own pods."""
    world.add(namespace("other"), cluster("a"), cluster("a", namespace="other"))
    world.add(head("a", namespace="other"), worker("a", namespace="other"))

    ran = world.run("cluster list -A")

    assert [(row["NAMESPACE"], row["NAME"], row["WORKERS"]) for row in ran.rows] == [
        ("default", "a", "0/1"),
        ("other", "a", "1/1"),
    ]


def test_none_in_any_namespace(world: World) -> None:
    """`-A` says so when there is nothing anywhere."""
    assert world.run("cluster list -A").err == "There are no Ray clusters in any namespace.\n"


def test_selector(world: World) -> None:
    """`-l` shows the clusters with these labels."""
    world.add(cluster("a", labels={"team": "vision"}), cluster("b"))

    assert [row["NAME"] for row in world.run("cluster list -l team=vision").rows] == ["a"]


def test_field_selector(world: World) -> None:
    """`--field-selector` goes to the API server."""
    world.add(cluster("a"), cluster("b"))

    assert [row["NAME"] for row in world.run("cluster list --field-selector metadata.name=b").rows] == ["b"]


def test_mine(world: World) -> None:
    """`--mine` shows the clusters whose label names this login."""
    world.add(cluster("a", labels={"kubectl-ray/creator": "jane"}), cluster("b", labels={"kubectl-ray/creator": "joe"}))

    assert [row["NAME"] for row in world.run("cluster list --mine").rows] == ["a"]


def test_mine_and_a_selector(world: World) -> None:
    """`--mine` and `-l` both hold."""
    mine = {"kubectl-ray/creator": "jane"}
    world.add(cluster("a", labels=mine), cluster("b", labels={**mine, "team": "vision"}))

    assert [row["NAME"] for row in world.run("cluster list --mine -l team=vision").rows] == ["b"]


def test_mine_for_a_login_without_a_name(world: World) -> None:
    """Where the server does not tell who is logged in, nobody knows what is mine; an empty list would be a lie."""
    world.add(cluster("a"))
    world.api.fail(404, "NotFound", path="selfsubjectreviews")

    ran = world.run("cluster list --mine")

    assert (ran.code, ran.out) == (2, "")


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (".metadata.labels.rank", ["c", "b", "a"]),
        ("{.metadata.labels.rank}", ["c", "b", "a"]),
        (".spec.workerGroupSpecs[0].replicas", ["b", "a", "c"]),
        (".spec.size", ["a", "c", "b"]),
    ],
)
def test_sort_by(world: World, path: str, names: list[str]) -> None:
    """`--sort-by` orders by text, number or quantity; what has no value stays first, in the server's order."""
    world.add(
        cluster("a", group(replicas=9), labels={"rank": "z"}),
        cluster("b", group(replicas=1), labels={"rank": "y"}, size="1Gi"),
        cluster("c", group(replicas=10), labels={"rank": "x"}, size="500M"),
    )

    ran = world.run(["cluster", "list", "--sort-by", path])

    assert [row["NAME"] for row in ran.rows] == names, ran


@pytest.mark.parametrize("output", ["table", "json"])
def test_sort_by_a_field_that_nothing_has(world: World, output: str) -> None:
    """A mistyped path is an error, as it is for kubectl; with no cluster there is nothing to sort."""
    argv = ["cluster", "list", "--sort-by", ".spec.nothing", "-o", output]
    assert world.run(argv).code == 0

    world.add(cluster("a"))

    ran = world.run(argv)
    assert (ran.code, ran.out) == (2, "")
    assert ".spec.nothing: none of them has such a field" in ran.err


def test_objects_are_sorted_too(world: World) -> None:
    """`--sort-by` orders objects as it orders rows."""
    world.add(cluster("a", group(replicas=2)), cluster("b", group(replicas=1)))

    ran = world.run("cluster list -o name --sort-by .spec.workerGroupSpecs[0].replicas")

    assert ran.out == "raycluster.ray.io/b\nraycluster.ray.io/a\n"


def test_json_is_kubernetes_own(world: World) -> None:
    """`-o json` is the List that kubectl prints, from one request."""
    world.add(cluster("a"), cluster("b"))

    ran = world.run("cluster list -o json")
    found = json.loads(ran.out)

    assert (found["kind"], found["apiVersion"]) == ("List", "v1")
    assert [(item["kind"], item["metadata"]["name"]) for item in found["items"]] == [
        ("RayCluster", "a"),
        ("RayCluster", "b"),
    ]
    assert len(ran.requests) == 1


def test_jsonpath(world: World) -> None:
    """`-o jsonpath=` sees the same List."""
    world.add(cluster("a"), cluster("b"))

    ran = world.run(["cluster", "list", "-o", "jsonpath={.items[*].metadata.name}"])

    assert ran.out == "a b"


def test_custom_columns(world: World) -> None:
    """`-o custom-columns=` shows fields of the objects."""
    world.add(cluster("a"))

    assert world.run("cluster list -o custom-columns=WHO:.metadata.name").lines == ["WHO", "a"]


def test_wide(world: World) -> None:
    """`-o wide` adds why, the groups, the owner and the creator."""
    world.add(cluster("a", owner=("RayJob", "train"), labels={"kubectl-ray/creator": "jane"}), head("a"))

    row = world.run("cluster list -o wide").rows[0]

    assert (row["GROUPS"], row["OWNER"], row["CREATOR"]) == ("workers:0/1", "RayJob/train", "jane")


def test_no_headers(world: World) -> None:
    """`--no-headers` leaves the titles out."""
    world.add(cluster("a"))

    ran = world.run("cluster list --no-headers")

    assert len(ran.lines) == 1
    assert ran.lines[0].startswith("a ")


def test_show_labels(world: World) -> None:
    """`--show-labels` adds them as the last column."""
    world.add(cluster("a", labels={"team": "vision"}))

    assert world.run("cluster list --show-labels").rows[0]["LABELS"] == "team=vision"


def test_no_right_to_pods(world: World) -> None:
    """Where pods may not be listed, the column says so; the list goes on."""
    world.add(cluster("a"))
    world.api.deny("list", "pods")

    ran = world.run("cluster list")

    assert ran.code == 0, ran
    assert ran.rows[0]["WORKERS"] == "<no permission>"


def test_no_right_to_clusters(world: World) -> None:
    """A login that may not list clusters reads what it lacks."""
    world.api.deny("list", "rayclusters")

    ran = world.run("cluster list")

    assert ran.code == 4, ran
    assert "jane may not list rayclusters in namespace default" in ran.err


def test_kuberay_is_not_installed(world: World) -> None:
    """Where the server knows no Ray clusters, the error says that KubeRay is missing and how to get it."""
    world.api.missing_groups.add("ray.io")

    ran = world.run("cluster list")

    assert ran.code == 5, ran
    assert "KubeRay is not installed" in ran.err
    assert "helm install kuberay-operator" in ran.err


def test_a_login_that_expires_between_two_lists(world: World) -> None:
    """401 is never taken for a missing right: nothing is shown as if it were an answer."""
    world.add(cluster("a"))
    world.api.fail(401, "Unauthorized", "Unauthorized", path="/pods", times=None)

    ran = world.run("cluster list")

    assert (ran.code, ran.out) == (4, "")
    assert "does not accept the login" in ran.err


def test_more_than_can_be_counted(world: World) -> None:
    """Beyond 300 clusters no pods are asked for: a status is shown only where it agrees with the spec."""
    status = {
        "observedGeneration": 1,
        "desiredWorkerReplicas": 1,
        "readyWorkerReplicas": 1,
        "conditions": [{"type": "HeadPodReady", "status": "True"}],
    }
    world.add(*(cluster(f"c{number:03}", status=status) for number in range(300)))
    world.add(cluster("d", status={**status, "observedGeneration": 7}))

    ran = world.run("cluster list")
    rows = {row["NAME"]: (row["STATUS"], row["WORKERS"]) for row in ran.rows}

    assert len(ran.requests) == 1
    assert rows["c000"] == ("ready", "1/1")
    assert rows["d"] == ("<unknown>", "?/1")


def test_watch_shows_what_changes(world: World) -> None:
    """`-w` shows all rows, then only the row that changed, without titles."""
    world.add(cluster("a"), head("a"), cluster("b"), head("b"))

    ran = world.run("cluster list -w", steps=[("b ", lambda: world.add(worker("a"))), ("1/1", None)])

    assert [(row.split()[0], row.split()[2]) for row in ran.lines] == [
        ("NAME", "WORKERS"),
        ("a", "0/1"),
        ("b", "0/1"),
        ("a", "1/1"),
    ]


def test_watch_passes_over_what_is_not_shown(world: World) -> None:
    """A change in a column of `-o wide` makes no second row that looks like the first."""
    world.add(cluster("a"), head("a"))

    def change() -> None:
        world.add(cluster("a", status={"head": {"podIP": "10.1.1.1"}}))
        world.add(cluster("b"))

    ran = world.run("cluster list -w", steps=[("a ", change), ("b ", None)])

    assert [line.split()[0] for line in ran.lines] == ["NAME", "a", "b"]


def test_watch_says_what_is_gone(world: World) -> None:
    """A cluster that goes while it is watched is said to be gone."""
    world.add(cluster("a"), head("a"))

    ran = world.run(
        "cluster list -w",
        steps=[
            ("a ", lambda: world.store.remove("rayclusters", "a")),
            ("a is gone.", lambda: world.add(cluster("b"))),
            ("b ", None),
        ],
    )

    assert "a is gone." in ran.err


def test_watch_objects(world: World) -> None:
    """`-w -o name` prints each object as it comes and changes."""
    world.add(cluster("a"))

    ran = world.run(
        "cluster list -w -o name",
        steps=[("/a\n", lambda: world.add(cluster("b"))), ("/b\n", None)],
    )

    assert ran.out == "raycluster.ray.io/a\nraycluster.ray.io/b\n"


def test_watch_without_the_right_to_pods(world: World) -> None:
    """`-w` goes on without pods where they may not be seen."""
    world.add(cluster("a"))
    world.api.deny("list", "pods")

    ran = world.run("cluster list -w", steps=[("<no permission>", None)])

    assert ran.lines[1].split()[2:4] == ["<no", "permission>"]


def test_watch_without_the_right_to_clusters(world: World) -> None:
    """`-w` ends with the error of a list where clusters may not be seen."""
    world.api.deny("list", "rayclusters")

    ran = world.run("cluster list -w")

    assert ran.code == 4, ran
