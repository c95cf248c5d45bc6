"""`cluster scale`: what an autoscaler makes of it, what is waited for, and how that ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.kuberay import cluster, group

if TYPE_CHECKING:
    from tests.kuberay import World


def replicas(world: World, name: str = "a") -> list[int]:
    """What the spec has now."""
    return [each["replicas"] for each in world.store.get("rayclusters", name)["spec"]["workerGroupSpecs"]]


def autoscaled(*groups: dict[str, Any]) -> dict[str, Any]:
    """A cluster with an autoscaler."""
    return cluster("a", *groups, enableInTreeAutoscaling=True)


def test_an_autoscaler_undoes_a_raise(world: World) -> None:
    """With an autoscaler more workers come, and it says that they go again when idle, and how to keep them."""
    world.add(autoscaled(group(replicas=1, least=0, most=5)))

    ran = world.with_operator().run("cluster scale workers --cluster a --replicas=3")

    assert ran.code == 0, ran
    assert "takes idle workers away again, down to 0" in ran.err
    assert "To keep them:  --min-replicas=3" in ran.err
    assert ran.out.splitlines()[-1] == "workers of a has 3 workers, all ready."


def test_an_autoscaler_ignores_a_cut(world: World) -> None:
    """With an autoscaler a lower number does nothing by itself; that is said, and nothing is waited for."""
    world.add(autoscaled(group(replicas=3, least=0, most=5)))

    ran = world.run("cluster scale workers --cluster a --replicas=1")

    assert ran.code == 0, ran
    assert "To have fewer:  --max-replicas=1" in ran.err
    assert not world.api.asked("GET", "/pods")


def test_an_autoscaler_keeps_the_minimum(world: World) -> None:
    """A number that is also the minimum stays: there is nothing to warn of."""
    world.add(autoscaled(group(replicas=1, least=0, most=5)))

    ran = world.run("cluster scale workers --cluster a --replicas=3 --min-replicas=3 --no-wait")

    assert "autoscaler" not in ran.err


def test_only_limits(world: World) -> None:
    """New limits alone have nothing to warn of."""
    world.add(autoscaled(group(replicas=1, least=0, most=5)))

    ran = world.run("cluster scale workers --cluster a --max-replicas=9")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "workers of a: most 5 → 9\n"


def test_a_suspended_cluster(world: World) -> None:
    """What is suspended gets no workers: the number is changed, and nothing is waited for."""
    world.add(cluster("a", suspend=True))

    ran = world.run("cluster scale workers --cluster a --replicas=3")

    assert ran.code == 0, ran
    assert ran.out == "workers of a: workers 1 → 3\n"


def test_time_is_over(world: World) -> None:
    """A time-out is exit 3 and changes nothing back."""
    world.add(cluster("a"))

    ran = world.run("cluster scale workers --cluster a --replicas=3 --timeout=1ms")

    assert ran.code == 3, ran
    assert "workers of a has not changed size after" in ran.err
    assert replicas(world) == [3]


def test_deleted_while_it_is_waited_for(world: World) -> None:
    """A cluster that somebody deletes meanwhile ends the wait: exit 5."""
    world.add(cluster("a"))

    ran = world.run(
        "cluster scale workers --cluster a --replicas=3",
        steps=[("Waiting for", lambda: world.store.remove("rayclusters", "a"))],
    )

    assert ran.code == 5, ran


def test_the_group_is_removed_while_it_is_waited_for(world: World) -> None:
    """A group that somebody removes meanwhile ends the wait: exit 5."""
    world.add(cluster("a", group("one"), group("two")))

    def remove(found: dict[str, Any]) -> None:
        del found["spec"]["workerGroupSpecs"][0]

    ran = world.run(
        "cluster scale one --cluster a --replicas=3",
        steps=[("Waiting for", lambda: world.store.edit("rayclusters", "a", remove))],
    )

    assert ran.code == 5, ran


def test_interrupted(world: World) -> None:
    """Ctrl-C says that the change goes on, and how to look at it."""
    world.add(cluster("a"))

    def interrupt() -> None:
        raise KeyboardInterrupt

    ran = world.run("cluster scale workers --cluster a --replicas=3", steps=[("Waiting for", interrupt)])

    assert ran.code == -2
    assert ran.err.splitlines()[-1] == "workers goes on changing. Look at it:  kubectl ray cluster get a -n default"


def test_a_higher_minimum(world: World) -> None:
    """A minimum above what is there makes workers come, and they are waited for."""
    world.add(autoscaled(group(replicas=1, least=0, most=5)))

    ran = world.with_operator().run("cluster scale workers --cluster a --min-replicas=3")

    assert ran.code == 0, ran
    assert ran.out == "workers of a: least 0 → 3\nworkers of a has 3 workers, all ready.\n"


def test_a_suspended_group(world: World) -> None:
    """Nor does a suspended group get any."""
    world.add(cluster("a", group(suspend=True)))

    ran = world.run("cluster scale workers --cluster a --replicas=3")

    assert (ran.code, ran.out) == (0, "workers of a: workers 1 → 3\n"), ran
