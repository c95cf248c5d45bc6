"""`cluster delete` and, behind the Go plugin's words, `delete`: which clusters, and how long it waits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.kuberay import cluster, event, group, head, worker

if TYPE_CHECKING:
    from tests.kuberay import World


def there(world: World) -> list[str]:
    """The names of the clusters that are left."""
    return sorted(key[3] for key in world.store.objects if key[1] == "rayclusters")


def test_said_deleted_and_waited_for(world: World) -> None:
    """It says what goes, deletes, and waits until the pods are gone too."""
    world.add(cluster("a", group(replicas=2, gpus=1)))
    world.with_operator()

    ran = world.run("cluster delete a --yes")

    assert ran.code == 0, ran
    assert ran.out == "Ray cluster a is being deleted.\nGone, with all workers: a\n"
    assert ran.err.splitlines()[0] == "Ray cluster a: the head and 2 workers, 2 GPUs"
    assert there(world) == []
    assert not world.store.has("pods", "a-head")


def test_pods_outlive_their_cluster(world: World) -> None:
    """The cluster is gone at once, its pods later: it waits for them, and says how many."""
    world.add(cluster("a"), head("a"), worker("a"))

    def stop_worker() -> None:
        world.store.remove("pods", "a-workers-worker-1")

    ran = world.run(
        "cluster delete a --yes",
        steps=[
            ("2 nodes to stop", stop_worker),
            ("the head to stop", lambda: world.store.remove("pods", "a-head")),
        ],
    )

    assert ran.code == 0, ran
    assert ran.out.splitlines()[-1] == "Gone, with all workers: a"


def test_no_wait(world: World) -> None:
    """`--no-wait` ends when the deletion is accepted."""
    world.add(cluster("a"), head("a"))

    ran = world.run("cluster delete a --yes --no-wait")

    assert (ran.code, ran.out) == (0, "Ray cluster a is being deleted.\n")


def test_this_cluster_and_no_other(world: World) -> None:
    """What is deleted is the cluster that was seen: its uid goes along."""
    world.add(cluster("a"))

    ran = world.run("cluster delete a --yes --no-wait")

    assert ran.requests[-1].json["preconditions"] == {"uid": "uid-of-a"}


def test_made_anew_meanwhile(world: World) -> None:
    """A cluster that was made anew between question and deletion is not touched."""
    world.add(cluster("a"))
    world.meanwhile("DELETE", "rayclusters/a", lambda: world.add(cluster("a", metadata={"uid": "another"})))

    ran = world.run("cluster delete a --yes")

    assert ran.code == 1, ran
    assert there(world) == ["a"]


def test_gone_already(world: World) -> None:
    """A cluster that somebody else deletes first is said to be gone; that is what was wanted."""
    world.add(cluster("a"))
    world.meanwhile("DELETE", "rayclusters/a", lambda: world.store.remove("rayclusters", "a"))

    ran = world.run("cluster delete a --yes")

    assert ran.code == 0, ran
    assert "Ray cluster a was gone already.\n" in ran.err


def test_made_anew_while_it_is_waited_for(world: World) -> None:
    """A new cluster of the same name is somebody else's: its pods are not waited for."""
    world.add(cluster("a"), head("a"))

    ran = world.run(
        "cluster delete a --yes",
        steps=[("the head to stop", lambda: world.add(cluster("a", metadata={"uid": "another"})))],
    )

    assert ran.code == 0, ran


def test_finalizers(world: World) -> None:
    """A cluster that finalizers keep is said to be, and waited for."""
    world.add(cluster("a", metadata={"finalizers": ["ray.io/gcs-ft-redis-cleanup-finalizer"]}))

    ran = world.run(
        "cluster delete a --yes",
        steps=[("Waiting for", lambda: world.store.remove("rayclusters", "a"))],
    )

    assert ran.code == 0, ran
    assert "the clean-up of a (ray.io/gcs-ft-redis-cleanup-finalizer)" in ran.err


def test_time_is_over(world: World) -> None:
    """A time-out is exit 3; the deletion goes on."""
    world.add(cluster("a"), head("a"))

    ran = world.run("cluster delete a --yes --timeout=1ms")

    assert ran.code == 3, ran
    assert "Ray cluster a is not gone after" in ran.err
    assert ran.err.splitlines()[-1].startswith("The deletion goes on.")
    assert there(world) == []


def test_no_right_to_pods(world: World) -> None:
    """Without the right to see pods it waits for the cluster alone, and does not claim that the workers are gone."""
    world.add(cluster("a"), head("a"))
    world.api.deny("list", "pods")

    ran = world.run("cluster delete a --yes")

    assert ran.code == 0, ran
    assert "with all workers" not in ran.out


def test_interrupted(world: World) -> None:
    """Ctrl-C while waiting says that the deletion goes on by itself."""
    world.add(cluster("a"), head("a"))

    def interrupt() -> None:
        raise KeyboardInterrupt

    ran = world.run("cluster delete a --yes", steps=[("the head to stop", interrupt)])

    assert ran.code == -2
    assert ran.err.splitlines()[-1] == "The deletion goes on by itself."


def test_several(world: World) -> None:
    """Several names go together, each once, and each is said."""
    world.add(cluster("a"), cluster("b"), cluster("c"))

    ran = world.run("cluster delete b a b --yes")

    assert ran.code == 0, ran
    assert ran.out.splitlines()[-1] == "Gone, with all workers: b, a"
    assert there(world) == ["c"]


def test_a_wrong_name_among_them(world: World) -> None:
    """When one of the names does not exist, nothing is deleted."""
    world.add(cluster("training"), cluster("b"))

    ran = world.run("cluster delete b trainig --yes")

    assert ran.code == 5, ran
    assert "Did you mean training?" in ran.err
    assert there(world) == ["b", "training"]


def test_by_label(world: World) -> None:
    """`-l` deletes all with these labels."""
    world.add(cluster("a", labels={"team": "vision"}), cluster("b"))

    assert world.run("cluster delete -l team=vision --yes").code == 0
    assert there(world) == ["b"]


def test_all(world: World) -> None:
    """`--all` deletes all of the namespace, and of no other."""
    world.add(cluster("a"), cluster("b"), cluster("c", namespace="other"))

    assert world.run("cluster delete --all --yes").code == 0
    assert there(world) == ["c"]


def test_mine(world: World) -> None:
    """`--mine` deletes what this login created."""
    world.add(cluster("a", labels={"kubectl-ray/creator": "jane"}), cluster("b"))

    assert world.run("cluster delete --mine --yes").code == 0
    assert there(world) == ["b"]


def test_mine_is_asked_once(world: World) -> None:
    """Who is logged in is asked once."""
    world.add(cluster("a", labels={"kubectl-ray/creator": "jane"}))

    ran = world.run("cluster delete --mine --dry-run=client")

    assert [request.method for request in ran.requests].count("POST") == 1
    assert "created by" not in ran.err


def test_all_of_mine(world: World) -> None:
    """`--all --mine` and `-l --mine` are of these only mine."""
    mine = {"kubectl-ray/creator": "jane"}
    world.add(cluster("a", labels=mine), cluster("b", labels={**mine, "team": "vision"}), cluster("c"))

    assert world.run("cluster delete -l team=vision --mine --yes").code == 0
    assert there(world) == ["a", "c"]
    assert world.run("cluster delete --all --mine --yes").code == 0
    assert there(world) == ["c"]


def test_mine_for_a_login_without_a_name(world: World) -> None:
    """Where the server does not tell who is logged in, nobody knows what is mine: nothing is deleted."""
    world.add(cluster("a"), cluster("b", labels={"kubectl-ray/creator": ""}))
    world.api.fail(404, "NotFound", path="selfsubjectreviews", times=None)

    ran = world.run("cluster delete --mine --yes")

    assert ran.code == 2, ran
    assert there(world) == ["a", "b"]


def test_nothing_meant(world: World) -> None:
    """Without a name or a rule nothing can be meant."""
    ran = world.run("cluster delete --yes")

    assert (ran.code, ran.asked) == (2, [])


@pytest.mark.parametrize("rule", ["--all", "-l a=b", "--mine"])
def test_a_name_and_a_rule(world: World, rule: str) -> None:
    """Names and a rule do not go together: nobody knows which was meant."""
    ran = world.run(f"cluster delete a {rule} --yes")

    assert (ran.code, ran.asked) == (2, [])


def test_nothing_to_delete(world: World) -> None:
    """A rule that fits nothing deletes nothing, and says so."""
    ran = world.run("cluster delete --all --yes")

    assert (ran.code, ran.out, ran.err) == (0, "", "There is nothing to delete in namespace default.\n")


def test_a_namespace_that_does_not_exist(world: World) -> None:
    """A rule in a namespace that is not there is an error."""
    ran = world.run("cluster delete --all --yes -n defalt")

    assert ran.code == 5
    assert "Did you mean -n default?" in ran.err


def test_dry_run_on_this_side(world: World) -> None:
    """`--dry-run=client` says what would go, asks no question, and deletes nothing."""
    world.add(cluster("a"))

    ran = world.run("cluster delete a --dry-run=client")

    assert ran.code == 0, ran
    assert ran.out == "Ray cluster a would be deleted (dry run).\n"
    assert not world.api.asked("DELETE")


@pytest.mark.parametrize("tried", ["client", "server"])
def test_dry_run_as_objects(world: World, tried: str) -> None:
    """`-o` shows the clusters that would go, as one document."""
    world.add(cluster("a"), cluster("b"))

    one = json.loads(world.run(f"cluster delete a --dry-run={tried} -o json").out)
    both = json.loads(world.run(f"cluster delete a b --dry-run={tried} -o json").out)

    assert one["metadata"]["name"] == "a"
    assert [item["metadata"]["name"] for item in both["items"]] == ["a", "b"]
    assert there(world) == ["a", "b"]


def test_deleted_as_names(world: World) -> None:
    """Behind `-o` stdout holds the objects alone; what happens is told beside it."""
    world.add(cluster("a"))

    ran = world.run("cluster delete a --yes -o name")

    assert (ran.code, ran.out) == (0, "raycluster.ray.io/a\n")
    assert ran.err.splitlines()[-2:] == ["Ray cluster a is being deleted.", "Gone, with all workers: a"]


def test_dry_run_on_the_server(world: World) -> None:
    """`--dry-run=server` lets the server check it, and deletes nothing."""
    world.add(cluster("a"))

    ran = world.run("cluster delete a --dry-run=server")

    assert ran.code == 0, ran
    assert ran.out == "Ray cluster a would be deleted (server dry run).\n"
    assert ran.requests[-1].json["dryRun"] == ["All"]
    assert there(world) == ["a"]


def test_no_right(world: World) -> None:
    """A login that may not delete reads what it lacks."""
    world.add(cluster("a"))
    world.api.deny("delete", "rayclusters")

    ran = world.run("cluster delete a --yes")

    assert ran.code == 4
    assert "jane may not delete rayclusters" in ran.err


@pytest.mark.parametrize("name", ["raycluster/a", "rayclusters/a", "RayCluster/a", "raycluster.ray.io/a"])
def test_a_name_with_its_type(world: World, name: str) -> None:
    """A name may be written as kubectl's `-o name` prints it."""
    world.add(cluster("a"))

    assert world.run(f"cluster delete {name} --yes").code == 0
    assert there(world) == []


@pytest.mark.parametrize("name", ["rayjob/train", "pod/x", "raycluster/"])
def test_a_name_of_another_type(world: World, name: str) -> None:
    """Other things are not deleted here; kubectl's command is named."""
    ran = world.run(f"cluster delete {name} --yes")

    assert (ran.code, ran.asked) == (2, [])


@pytest.mark.parametrize("name", ["a", "raycluster/a"])
def test_the_other_plugins_words(world: World, name: str) -> None:
    """Behind the Go plugin's words stands its line, and no other."""
    world.add(cluster("a"))

    ran = world.run(f"delete {name} -y")

    assert ran.code == 0, ran
    assert ran.out == "Deleted raycluster a\n"


def test_the_other_plugins_words_for_no(world: World) -> None:
    """A no is said in its words."""
    world.add(cluster("a"))

    assert world.run("delete a", terminal=True, stdin="n\n").out == "Canceled deletion.\n"


def test_events_are_not_asked_for(world: World) -> None:
    """A deletion has nothing to read in events."""
    world.add(cluster("a"), event("a", "InvalidRayClusterSpec", "bad"))

    world.run("cluster delete a --yes")

    assert not world.api.asked("GET", "events")
