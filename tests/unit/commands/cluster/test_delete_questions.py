"""`cluster delete`: what is said and asked before anything goes, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.kuberay import cluster

if TYPE_CHECKING:
    from tests.kuberay import World

READY = {"conditions": [{"type": "HeadPodReady", "status": "True"}]}


def there(world: World) -> list[str]:
    """The names of the clusters that are left."""
    return sorted(key[3] for key in world.store.objects if key[1] == "rayclusters")


def job(name: str, status: str = "RUNNING") -> dict[str, str]:
    """A job as Ray's dashboard lists it."""
    return {"submission_id": name, "status": status}


def test_asked_and_answered(world: World) -> None:
    """On a terminal it asks, and goes on at a yes."""
    world.add(cluster("a"))

    ran = world.run("cluster delete a", terminal=True, stdin="y\n")

    assert ran.code == 0, ran
    assert "Delete Ray cluster a? [y/N] " in ran.err
    assert there(world) == []


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_asked_and_refused(world: World, answer: str) -> None:
    """Anything but a yes deletes nothing; no answer is no."""
    world.add(cluster("a"))

    ran = world.run("cluster delete a", terminal=True, stdin=answer)

    assert (ran.code, ran.out) == (0, "Nothing was deleted.\n"), ran
    assert there(world) == ["a"]


def test_asked_for_several(world: World) -> None:
    """The question says how many."""
    world.add(cluster("a"), cluster("b"))

    assert "Delete these 2 Ray clusters? [y/N] " in world.run("cluster delete a b", terminal=True).err


def test_nobody_to_ask(world: World) -> None:
    """Without a terminal it refuses and names --yes; what would go has been said."""
    world.add(cluster("a"))

    ran = world.run("cluster delete a", stdin="y\n")

    assert ran.code == 2, ran
    assert ran.err.splitlines()[-1] == "Say --yes to go on without a question."
    assert there(world) == ["a"]


def test_running_jobs(world: World) -> None:
    """Jobs that run there are named before the question; those that are over are not."""
    world.add(cluster("a", status=READY))
    world.ray["/api/jobs/"] = 200, [job("train"), job("done", "SUCCEEDED"), job("next", "PENDING")]

    ran = world.run("cluster delete a", terminal=True)

    assert "Ray cluster a: the head and 1 worker; running jobs end: train, next\n" in ran.err


def test_many_running_jobs(world: World) -> None:
    """Of many jobs some are named, and the rest counted."""
    world.add(cluster("a", status=READY))
    world.ray["/api/jobs/"] = 200, [job(f"j{number}") for number in range(5)]

    assert "running jobs end: j0, j1, j2, and 2 more\n" in world.run("cluster delete a", terminal=True).err


@pytest.mark.parametrize("answer", [(403, b"no token"), (404, b"?"), (200, b"<html>"), (200, {"jobs": 1}), (500, b"")])
def test_jobs_that_cannot_be_asked_for(world: World, answer: tuple[int, Any]) -> None:
    """Where Ray does not tell its jobs, the deletion goes on without them."""
    world.add(cluster("a", status=READY))
    world.ray["/api/jobs/"] = answer

    ran = world.run("cluster delete a --yes")

    assert ran.code == 0, ran
    assert "jobs" not in ran.err


def test_no_jobs_without_a_head(world: World) -> None:
    """A head that is not ready is not asked for jobs."""
    world.add(cluster("a"))

    world.run("cluster delete a --yes")

    assert not world.api.asked("GET", "/proxy/")


def test_jobs_of_many_clusters(world: World) -> None:
    """Of many clusters only the first twenty are asked for jobs: each is one more request."""
    world.add(*(cluster(f"c{number}", status=READY) for number in range(25)))

    world.run("cluster delete --all --dry-run=client")

    assert len(world.api.asked("GET", "/proxy/")) == 20


def test_heads_that_are_silent(world: World) -> None:
    """After three heads that did not answer no more are asked: each costs some seconds."""
    world.add(*(cluster(f"c{number}", status=READY) for number in range(9)))
    world.api.fault("/proxy/", drop=True, times=None)

    ran = world.run("cluster delete --all --dry-run=client")

    assert ran.code == 0, ran
    assert len({request.path for request in world.api.asked("GET", "/proxy/")}) == 3


def test_a_jobs_name_moves_no_cursor(world: World) -> None:
    """A job may have any name; a terminal gets none that it would obey."""
    world.add(cluster("a", status=READY))
    world.ray["/api/jobs/"] = 200, [job("\x1b[2Jx")]

    ran = world.run("cluster delete a", terminal=True)

    assert "\x1b" not in ran.err
    assert "\\x1b[2Jx" in ran.err


def test_somebody_elses(world: World) -> None:
    """A cluster that somebody else created is said to be theirs."""
    world.add(cluster("a", labels={"kubectl-ray/creator": "joe"}))

    assert "(created by joe)\n" in world.run("cluster delete a", terminal=True).err


def test_my_own(world: World) -> None:
    """One's own is not."""
    world.add(cluster("a", labels={"kubectl-ray/creator": "jane"}))

    assert "created by" not in world.run("cluster delete a", terminal=True).err


@pytest.mark.parametrize(
    ("owner", "right"),
    [
        (("RayJob", "train"), "Delete its owner:  kubectl delete rayjob train -n default"),
        (("RayService", "serve"), "kubectl delete rayservice serve -n default"),
    ],
)
def test_what_owns_it(world: World, owner: tuple[str, str], right: str) -> None:
    """A cluster that something owns is refused: its owner and the right command are named."""
    world.add(cluster("a"), cluster("b", owner=owner))

    ran = world.run("cluster delete a b --yes")

    assert ran.code == 2, ran
    assert f"Ray cluster b belongs to {owner[0]} {owner[1]}" in ran.err
    assert right in ran.err
    assert there(world) == ["a", "b"]


def test_what_kueue_manages(world: World) -> None:
    """A cluster in a queue of Kueue is refused; the queue is named."""
    world.add(cluster("a", labels={"kueue.x-k8s.io/queue-name": "team"}))

    ran = world.run("cluster delete a --yes")

    assert ran.code == 2, ran
    assert "Kueue manages Ray cluster a (queue team)" in ran.err
    assert there(world) == ["a"]


def test_force_owned(world: World) -> None:
    """`--force-owned` insists, and says that the owner may make it anew."""
    world.add(cluster("a", owner=("RayJob", "train")))

    ran = world.run("cluster delete a --yes --force-owned")

    assert ran.code == 0
    assert "Warning: Ray cluster a belongs to RayJob train, which may make it anew." in ran.err
    assert there(world) == []
