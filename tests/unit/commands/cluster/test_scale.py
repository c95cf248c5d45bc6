"""`cluster scale` and, behind the Go plugin's words, `scale cluster`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.kuberay import cluster, group

if TYPE_CHECKING:
    from tests.kuberay import World

PLACE = "/spec/workerGroupSpecs/0"


def replicas(world: World, name: str = "a") -> list[int]:
    """What the spec has now."""
    return [each["replicas"] for each in world.store.get("rayclusters", name)["spec"]["workerGroupSpecs"]]


def autoscaled(*groups: dict[str, Any]) -> dict[str, Any]:
    """A cluster with an autoscaler."""
    return cluster("a", *groups, enableInTreeAutoscaling=True)


def test_more_workers(world: World) -> None:
    """It says what changed, waits, and says that all are ready."""
    world.add(cluster("a"))

    ran = world.with_operator().run("cluster scale workers --cluster a --replicas=3")

    assert ran.code == 0, ran
    assert ran.out == "workers of a: workers 1 → 3\nworkers of a has 3 workers, all ready.\n"
    assert replicas(world) == [3]


def test_fewer_workers(world: World) -> None:
    """It waits until the surplus workers are gone."""
    world.add(cluster("a", group(replicas=3)))

    ran = world.with_operator().run("cluster scale workers --cluster a --replicas=1")

    assert ran.out.splitlines()[-1] == "workers of a has 1 worker, all ready."
    assert not world.store.has("pods", "a-workers-worker-2")


def test_the_smallest_change(world: World) -> None:
    """What is sent is one number, with tests that it is the group and the number that were seen."""
    world.add(cluster("a", group("one"), group("two", 4)))

    ran = world.run("cluster scale two --cluster a --replicas=5 --no-wait")

    patch = ran.requests[-1]
    assert patch.headers["content-type"] == "application/json-patch+json"
    assert patch.query == {"fieldManager": "kubectl-ray", "fieldValidation": "Strict"}
    assert patch.json == [
        {"op": "test", "path": "/spec/workerGroupSpecs/1/groupName", "value": "two"},
        {"op": "test", "path": "/spec/workerGroupSpecs/1/replicas", "value": 4},
        {"op": "replace", "path": "/spec/workerGroupSpecs/1/replicas", "value": 5},
    ]


def test_the_only_cluster_and_group(world: World) -> None:
    """Neither need be named where there is one; the choice made is said."""
    world.add(cluster("a"))

    ran = world.run("cluster scale --replicas=2 --no-wait")

    assert ran.code == 0, ran
    assert "Scaling workers of Ray cluster a.\n" in ran.err


def test_names_given_are_not_said_again(world: World) -> None:
    """Where both are named there is no choice to say."""
    world.add(cluster("a"))

    assert world.run("cluster scale workers --cluster a --replicas=2 --no-wait").err == ""


def test_which_of_several_clusters(world: World) -> None:
    """Where there are several clusters, they are named and none is touched."""
    world.add(cluster("a"), cluster("b"))

    ran = world.run("cluster scale workers --replicas=2")

    assert ran.code == 2, ran
    assert "There are 2 Ray clusters in namespace default: a, b." in ran.err
    assert ran.err.splitlines()[-1] == "Say which one with --cluster NAME."


def test_which_of_several_groups(world: World) -> None:
    """Where there are several groups, they are named and none is touched."""
    world.add(cluster("a", group("one"), group("two")))

    ran = world.run("cluster scale --replicas=2")

    assert ran.code == 2, ran
    assert "one, two" in ran.err
    assert not world.api.asked("PATCH")


def test_a_near_cluster(world: World) -> None:
    """A wrong cluster meets the near names."""
    world.add(cluster("training"))

    ran = world.run("cluster scale workers --cluster trainig --replicas=2")

    assert ran.code == 5
    assert "Did you mean training?" in ran.err


def test_a_near_group(world: World) -> None:
    """A wrong group meets the near names, and those there are."""
    world.add(cluster("a"))

    ran = world.run("cluster scale wrokers --cluster a --replicas=2")

    assert ran.code == 5
    assert ran.err.splitlines()[-1] == 'Did you mean "workers"? It has: workers.'


def test_two_groups_named(world: World) -> None:
    """The same group may be named twice, two may not."""
    world.add(cluster("a"))

    assert world.run("cluster scale workers -w workers --cluster a --replicas=2 --no-wait").code == 0
    ran = world.run("cluster scale workers -w others --cluster a --replicas=2")
    assert (ran.code, ran.asked) == (2, [])


def test_the_group_as_a_flag(world: World) -> None:
    """`-w GROUP` names the group too."""
    world.add(cluster("a", group("one"), group("two")))

    assert world.run("cluster scale -w two --cluster a --replicas=2 --no-wait").code == 0
    assert replicas(world) == [1, 2]


def test_nothing_to_change(world: World) -> None:
    """Without a number nothing can be meant; nothing is asked."""
    ran = world.run("cluster scale workers --cluster a")

    assert (ran.code, ran.asked) == (2, [])
    assert ran.err.splitlines()[-1] == "Say --replicas N, or --min-replicas and --max-replicas."


@pytest.mark.parametrize("number", ["-1", "2.5", "x", "2147483648", "²"])
def test_no_number(world: World, number: str) -> None:
    """What is no whole number from 0 on is refused."""
    ran = world.run(["cluster", "scale", "workers", "--cluster", "a", f"--replicas={number}"])

    assert (ran.code, ran.asked) == (2, []), ran


def test_like_that_already(world: World) -> None:
    """Where nothing would change, nothing is sent; it still waits until the workers are there."""
    world.add(cluster("a"))

    ran = world.with_operator().run("cluster scale workers --cluster a --replicas=1")

    assert ran.code == 0, ran
    assert ran.out.splitlines()[0] == "workers of a is like that already: nothing to change."
    assert not world.api.asked("PATCH")


@pytest.mark.parametrize(
    ("flags", "way_out"),
    [
        ("--replicas=5", "Raise it too:  --replicas=5 --max-replicas=5"),
        ("--replicas=1", "Lower it too:  --replicas=1 --min-replicas=1"),
        ("--min-replicas=6", "Raise both:  --min-replicas=6 --max-replicas=6"),
        ("--max-replicas=1", "Lower both:  --min-replicas=1 --max-replicas=1"),
    ],
)
def test_outside_the_limits(world: World, flags: str, way_out: str) -> None:
    """A number outside the group's limits is refused with the flags that would widen them."""
    world.add(autoscaled(group(replicas=3, least=2, most=4)))

    ran = world.run(f"cluster scale workers --cluster a {flags}")

    assert ran.code == 2, ran
    assert ran.err.splitlines()[-1] == way_out
    assert not world.api.asked("PATCH")


def test_limits(world: World) -> None:
    """All three numbers change in one patch, and all are said."""
    world.add(autoscaled(group(replicas=3, least=2, most=4)))

    ran = world.run("cluster scale workers --cluster a --replicas=6 --min-replicas=5 --max-replicas=9 --no-wait")

    assert ran.out == "workers of a: workers 3 → 6, least 2 → 5, most 4 → 9\n"
    assert len(world.api.asked("PATCH")) == 1


@pytest.mark.parametrize(
    ("owner", "right"),
    [
        (("RayJob", "train"), "kubectl edit rayjob train -n default"),
        (("RayService", "serve"), "kubectl edit rayservice serve -n default"),
    ],
)
def test_what_owns_it(world: World, owner: tuple[str, str], right: str) -> None:
    """A cluster that something owns is refused: its owner and the right command are named."""
    world.add(cluster("a", owner=owner))

    ran = world.run("cluster scale workers --cluster a --replicas=3")

    assert ran.code == 2, ran
    assert f"belongs to {owner[0]} {owner[1]}" in ran.err
    assert right in ran.err
    assert replicas(world) == [1]


def test_force_owned(world: World) -> None:
    """`--force-owned` insists."""
    world.add(cluster("a", owner=("RayJob", "train")))

    assert world.run("cluster scale workers --cluster a --replicas=3 --force-owned --no-wait").code == 0
    assert replicas(world) == [3]


def test_dry_run_on_this_side(world: World) -> None:
    """`--dry-run=client` says what would change and sends nothing but the read."""
    world.add(cluster("a"))

    ran = world.run("cluster scale workers --cluster a --replicas=3 --dry-run=client")

    assert ran.out == "workers of a: workers 1 → 3 (dry run)\n"
    assert ran.asked == ["GET /apis/ray.io/v1/namespaces/default/rayclusters/a"]
    assert replicas(world) == [1]


def test_dry_run_as_yaml(world: World) -> None:
    """`--dry-run=client -o yaml` shows the object as it would be."""
    world.add(cluster("a"))

    made = yaml.safe_load(world.run("cluster scale workers --cluster a --replicas=3 --dry-run=client -o yaml").out)

    assert made["spec"]["workerGroupSpecs"][0]["replicas"] == 3


def test_dry_run_on_the_server(world: World) -> None:
    """`--dry-run=server` lets the server check it and keeps nothing."""
    world.add(cluster("a"))

    ran = world.run("cluster scale workers --cluster a --replicas=3 --dry-run=server")

    assert ran.out == "workers of a: workers 1 → 3 (server dry run)\n"
    assert ran.requests[-1].query["dryRun"] == "All"
    assert replicas(world) == [1]


def test_nothing_would_change(world: World) -> None:
    """A dry run of nothing says that nothing would change."""
    world.add(cluster("a"))

    ran = world.run("cluster scale workers --cluster a --replicas=1 --dry-run=client")

    assert ran.out == "workers of a is like that already: nothing to change (dry run).\n"


def test_output_is_all_of_stdout(world: World) -> None:
    """With `-o json` stdout is one document, also when it is waited for."""
    world.add(cluster("a"))

    ran = world.with_operator().run("cluster scale workers --cluster a --replicas=2 -o json")

    assert ran.code == 0, ran
    assert json.loads(ran.out)["spec"]["workerGroupSpecs"][0]["replicas"] == 2


def test_the_other_plugins_words(world: World) -> None:
    """Behind the Go plugin's words stands its line, and no other."""
    world.add(cluster("a", group(replicas=2, least=1)))

    ran = world.with_operator().run("scale cluster a -w workers --replicas=3 --min-replicas=2")

    assert ran.code == 0, ran
    assert ran.out == (
        "Updated worker group workers in Ray cluster a in namespace default "
        "(Scaled replicas: 2 to 3, Scaled minReplicas: 1 to 2)\n"
    )


def test_the_other_plugins_words_for_nothing(world: World) -> None:
    """Where nothing would change it says so in its words."""
    world.add(cluster("a"))

    ran = world.run("scale cluster a -w workers -r 1 --no-wait")

    assert ran.out == (
        "Worker group workers in Ray cluster a in namespace default already matches the requested configuration. "
        "Skipping.\n"
    )


def test_the_other_plugins_words_in_a_dry_run(world: World) -> None:
    """What only might be is not told as done."""
    world.add(cluster("a"))

    ran = world.run("scale cluster a -w workers -r 3 --dry-run")

    assert ran.out.endswith("(Scaled replicas: 1 to 3) (dry run)\n")


def test_limits_that_move_the_number(world: World) -> None:
    """Without an autoscaler a limit changes how many there are: that is said beside it."""
    world.add(cluster("a"))

    ran = world.run("cluster scale workers --cluster a --max-replicas=0 --dry-run")

    assert "workers 1 → 0" in ran.out


def test_no_limit(world: World) -> None:
    """The number that stands for no limit is not shown."""
    world.add(cluster("a", group(most=2**31 - 1)))

    ran = world.run("cluster scale workers --cluster a --max-replicas=9 --dry-run")

    assert ran.out == "workers of a: most no limit → 9 (dry run)\n"
