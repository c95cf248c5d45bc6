"""`cluster worker-group create` and, behind the Go plugin's words, `create workergroup`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.kuberay import cluster, group

if TYPE_CHECKING:
    from tests.kuberay import World


def groups(world: World, name: str = "a") -> list[dict[str, Any]]:
    """What the spec has now."""
    found: list[dict[str, Any]] = world.store.get("rayclusters", name)["spec"]["workerGroupSpecs"]
    return found


def test_added_and_waited_for(world: World) -> None:
    """The group is appended, what was sent is said, and its workers are waited for."""
    world.add(cluster("a"))

    ran = world.with_operator().run("cluster worker-group create cpu --cluster a --worker-replicas=2 --worker-cpus=8")

    assert ran.code == 0, ran
    assert ran.out == "Worker group cpu added to Ray cluster a.\ncpu has 2 workers, all ready.\n"
    assert "cpu: 2 workers, each 8 CPU, 4Gi memory\n" in ran.err
    assert [each["groupName"] for each in groups(world)] == ["workers", "cpu"]


def test_the_clusters_image(world: World) -> None:
    """Image and Ray version are the cluster's own: head and workers always fit together."""
    made = cluster("a")
    made["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]["image"] = "mine/ray:2.52.0-py312"
    world.add(made)

    world.run("cluster worker-group create cpu --cluster a --no-wait")

    assert groups(world)[1]["template"]["spec"]["containers"][0]["image"] == "mine/ray:2.52.0-py312"


def test_another_ray_version(world: World) -> None:
    """Workers of another Ray version cannot join, and are refused."""
    world.add(cluster("a"))

    ran = world.run("cluster worker-group create cpu --cluster a --ray-version=2.9.3")

    assert ran.code == 2, ran
    assert len(groups(world)) == 1


@pytest.mark.parametrize("lacking", ["absent", "empty"])
def test_the_first_group(world: World, lacking: str) -> None:
    """A cluster that has no groups yet gets its first one."""
    made = cluster("a")
    if lacking == "absent":
        del made["spec"]["workerGroupSpecs"]
    else:
        made["spec"]["workerGroupSpecs"] = []
    world.add(made)

    ran = world.run("cluster worker-group create cpu --cluster a --no-wait")

    assert ran.code == 0, ran
    assert [each["groupName"] for each in groups(world)] == ["cpu"]


def test_a_name_that_is_taken(world: World) -> None:
    """A group of this name is not touched; the way to change it is named."""
    world.add(cluster("a"))

    ran = world.run("cluster worker-group create workers --cluster a")

    assert ran.code == 1, ran
    assert "has a worker group workers already; it was not touched." in ran.err
    assert "kubectl ray cluster scale workers --cluster a --replicas=N" in ran.err
    assert not world.api.asked("PATCH")


@pytest.mark.parametrize("name", ["A_b", "headgroup", "-x"])
def test_a_name_that_cannot_be(world: World, name: str) -> None:
    """What the operator would refuse is refused before anything is sent."""
    world.add(cluster("a"))

    ran = world.run(["cluster", "worker-group", "create", "--cluster", "a", name])

    assert ran.code == 2, ran
    assert not world.api.asked("PATCH")


def test_the_only_cluster(world: World) -> None:
    """The cluster need not be named where there is one; the choice is said."""
    world.add(cluster("a"))

    ran = world.run("cluster worker-group create cpu --no-wait")

    assert "Adding cpu to Ray cluster a.\n" in ran.err


def test_a_near_cluster(world: World) -> None:
    """A wrong cluster meets the near names."""
    world.add(cluster("training"))

    ran = world.run("cluster worker-group create cpu --cluster trainig")

    assert ran.code == 5
    assert "Did you mean training?" in ran.err


def test_with_an_autoscaler(world: World) -> None:
    """Where an autoscaler runs, the group is never without an upper limit."""
    world.add(cluster("a", enableInTreeAutoscaling=True))

    ran = world.run("cluster worker-group create cpu --cluster a --worker-min-replicas=1 --no-wait")

    assert ran.code == 0, ran
    assert (groups(world)[1]["minReplicas"], groups(world)[1]["maxReplicas"]) == (1, 10)


def test_somebody_was_faster(world: World) -> None:
    """A group that somebody adds meanwhile stays; ours comes behind it."""
    world.add(cluster("a"))

    def add(found: dict[str, Any]) -> None:
        found["spec"]["workerGroupSpecs"].append(group("theirs"))
        found["metadata"]["generation"] += 1

    world.meanwhile("PATCH", "rayclusters/a", lambda: world.store.edit("rayclusters", "a", add))

    ran = world.run("cluster worker-group create cpu --cluster a --no-wait")

    assert ran.code == 0, ran
    assert [each["groupName"] for each in groups(world)] == ["workers", "theirs", "cpu"]


def test_somebody_was_faster_with_the_same_name(world: World) -> None:
    """A group of the same name that somebody adds meanwhile is not doubled."""
    world.add(cluster("a"))

    def add(found: dict[str, Any]) -> None:
        found["spec"]["workerGroupSpecs"].append(group("cpu"))
        found["metadata"]["generation"] += 1

    world.meanwhile("PATCH", "rayclusters/a", lambda: world.store.edit("rayclusters", "a", add))

    ran = world.run("cluster worker-group create cpu --cluster a --no-wait")

    assert ran.code == 1, ran
    assert [each["groupName"] for each in groups(world)] == ["workers", "cpu"]


@pytest.mark.parametrize("kind", ["RayJob", "RayService"])
def test_what_owns_it(world: World, kind: str) -> None:
    """A cluster that something owns is refused."""
    world.add(cluster("a", owner=(kind, "train")))

    ran = world.run("cluster worker-group create cpu --cluster a")

    assert ran.code == 2
    assert f"kubectl edit {kind.lower()} train -n default" in ran.err
    assert len(groups(world)) == 1


def test_force_owned(world: World) -> None:
    """`--force-owned` insists."""
    world.add(cluster("a", owner=("RayJob", "train")))

    assert world.run("cluster worker-group create cpu --cluster a --force-owned --no-wait").code == 0


def test_dry_run_on_this_side(world: World) -> None:
    """`--dry-run=client` says what would be and sends nothing but the read."""
    world.add(cluster("a"))

    ran = world.run("cluster worker-group create cpu --cluster a --dry-run=client")

    assert ran.out == "Worker group cpu added to Ray cluster a (dry run).\n"
    assert len(ran.requests) == 1


def test_dry_run_as_yaml(world: World) -> None:
    """`--dry-run=client -o yaml` shows the cluster as it would be."""
    world.add(cluster("a"))

    made = yaml.safe_load(world.run("cluster worker-group create cpu --cluster a --dry-run=client -o yaml").out)

    assert [each["groupName"] for each in made["spec"]["workerGroupSpecs"]] == ["workers", "cpu"]


def test_dry_run_on_the_server(world: World) -> None:
    """`--dry-run=server` lets the server check it and keeps nothing."""
    world.add(cluster("a"))

    ran = world.run("cluster worker-group create cpu --cluster a --dry-run=server")

    assert ran.out == "Worker group cpu added to Ray cluster a (server dry run).\n"
    assert len(groups(world)) == 1


def test_output_is_all_of_stdout(world: World) -> None:
    """With `-o json` stdout is one document, also when it is waited for."""
    world.add(cluster("a"))

    ran = world.with_operator().run("cluster worker-group create cpu --cluster a -o json")

    assert ran.code == 0, ran
    assert json.loads(ran.out)["kind"] == "RayCluster"


def test_a_suspended_cluster(world: World) -> None:
    """What is suspended gets no workers: nothing is waited for."""
    world.add(cluster("a", suspend=True))

    ran = world.run("cluster worker-group create cpu --cluster a")

    assert (ran.code, ran.out) == (0, "Worker group cpu added to Ray cluster a.\n")


def test_no_workers_yet(world: World) -> None:
    """A group of none is ready at once."""
    world.add(cluster("a"))

    ran = world.with_operator().run("cluster worker-group create cpu --cluster a --worker-replicas=0")

    assert ran.code == 0, ran
    assert ran.out.splitlines()[-1] == "cpu has 0 workers, all ready."


def test_time_is_over(world: World) -> None:
    """A time-out is exit 3 and takes nothing back."""
    world.add(cluster("a"))

    ran = world.run("cluster worker-group create cpu --cluster a --timeout=1ms")

    assert ran.code == 3, ran
    assert len(groups(world)) == 2


def test_interrupted(world: World) -> None:
    """Ctrl-C says that the group is still being made, and how to look at it."""
    world.add(cluster("a"))

    def interrupt() -> None:
        raise KeyboardInterrupt

    ran = world.run("cluster worker-group create cpu --cluster a", steps=[("Waiting for", interrupt)])

    assert ran.code == -2
    assert ran.err.splitlines()[-1] == "cpu is still being made. Look at it:  kubectl ray cluster get a -n default"


@pytest.mark.parametrize("words", ["create workergroup", "create workergroups", "create worker-group"])
def test_the_other_plugins_words(world: World, words: str) -> None:
    """Behind the Go plugin's words stand its line and its flags."""
    world.add(cluster("a"))

    ran = world.with_operator().run(f"{words} cpu -c a --worker-cpu=8 --worker-gpu=0")

    assert ran.code == 0, ran
    assert ran.out == "Updated Ray cluster default/a with new worker group\n"


def test_the_other_plugins_words_in_a_dry_run(world: World) -> None:
    """What only might be is not told as done."""
    world.add(cluster("a"))

    ran = world.run("create workergroup cpu -c a --dry-run=server")

    assert ran.out == "Updated Ray cluster default/a with new worker group (server dry run)\n"
