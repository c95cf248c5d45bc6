"""`cluster describe`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.kuberay import cluster, event, group, head, worker

if TYPE_CHECKING:
    from tests.kuberay import World


def test_a_page(world: World) -> None:
    """The page has the cluster, its head, each group with its pods, and what happened."""
    world.add(cluster("a", group("one")), head("a"), worker("a", group="one"), head("b"))
    world.add(event("a", "CreatedHeadPod", "Created head Pod default/a-head", kind="Normal"))

    ran = world.run("cluster describe a")

    assert ran.code == 0, ran
    assert "Name:" in ran.out
    assert "a-head" in ran.out
    assert "b-head" not in ran.out
    assert "Worker group one: 1 of 1 ready" in ran.out
    assert "Created head Pod default/a-head" in ran.out


def test_the_only_cluster(world: World) -> None:
    """The cluster need not be named where there is one."""
    world.add(cluster("a"))

    assert "a" in world.run("cluster describe").lines[0].split()


def test_which_of_several(world: World) -> None:
    """Where there are several, they are named; a choice is not made."""
    world.add(*(cluster(f"c{number}") for number in range(7)))

    ran = world.run("cluster describe")

    assert ran.code == 2, ran
    assert "There are 7 Ray clusters in namespace default: c0, c1, c2, c3, c4, …." in ran.err


def test_none_at_all(world: World) -> None:
    """Where there is none, the next step is to create one."""
    ran = world.run("cluster describe")

    assert ran.code == 5
    assert ran.err.splitlines()[-1] == "Create one:  kubectl ray cluster create NAME"


def test_none_in_a_namespace_that_does_not_exist(world: World) -> None:
    """Where the namespace is not there, that is what is said."""
    ran = world.run("cluster describe -n defalt")

    assert ran.code == 5
    assert "Did you mean -n default?" in ran.err


def test_a_near_name(world: World) -> None:
    """A wrong name meets the near ones."""
    world.add(cluster("training"))

    ran = world.run("cluster describe trainig")

    assert ran.code == 5
    assert "Did you mean training?" in ran.err


def test_no_right_to_pods(world: World) -> None:
    """Pods that may not be listed are `<no permission>`, and the page goes on."""
    world.add(cluster("a"))
    world.api.deny("list", "pods")

    ran = world.run("cluster describe a")

    assert ran.code == 0
    assert "<no permission>" in ran.out


def test_no_right_to_events(world: World) -> None:
    """Events that may not be listed are `<no permission>`."""
    world.add(cluster("a"))
    world.api.deny("list", "events")

    ran = world.run("cluster describe a")

    assert ran.code == 0
    assert "Events: <no permission>" in ran.out


def test_a_login_that_expires(world: World) -> None:
    """401 is never taken for a missing right."""
    world.add(cluster("a"))
    world.api.fail(401, "Unauthorized", "Unauthorized", path="/events", times=None)

    ran = world.run("cluster describe a")

    assert (ran.code, ran.out) == (4, "")
