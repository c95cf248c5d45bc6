"""`cluster delete`: says what goes, asks, refuses what is owned, and waits until all is gone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.harness.conditions import until
from tests.e2e.harness.objects import container, group, owner, raycluster, reference, suspended, untouched

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.harness.logins import Logins
    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray

Object = dict[str, Any]


def pending(name: str) -> Object:
    """A cluster whose pods are there, and wait for a node that does not exist."""
    nowhere = {"nodeSelector": {"nowhere": "here"}, "containers": [container("ray")]}
    return raycluster(
        name,
        group("g", 2, template={"spec": nowhere}),
        headGroupSpec={"rayStartParams": {}, "template": {"spec": nowhere}},
    )


def test_waits_until_pods_are_gone(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """When it returns, neither the cluster nor a pod of it is there."""
    name = fresh("gone")
    kubectl.create(pending(name))
    until(lambda: len(kubectl.pods(name)) == 3, "its pods are there")
    assert name in ray(f"cluster delete {name} --yes").out
    assert kubectl.find("raycluster", name) is None
    assert kubectl.pods(name) == []


def test_says_what_goes(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Workers and GPUs are named before."""
    name = fresh("what")
    kubectl.create(untouched(name, group("g", 6)))
    said = ray.outcome(f"cluster delete {name} --yes --force-owned").expect(0)
    assert "6 workers" in said.err
    assert "6 GPU" in said.err


def test_without_terminal_it_needs_yes(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Nobody to ask: exit code 2, the flag is named, nothing is deleted."""
    name = fresh("ask")
    kubectl.create(suspended(name))
    assert "--yes" in ray(f"cluster delete {name}", code=2).err
    assert "--yes" in ray(f"cluster delete {name}", code=2, stdin="yes\n").err
    assert kubectl.find("raycluster", name)


@pytest.mark.parametrize(("answer", "goes"), [("y", True), ("yes", True), ("n", False), ("", False)])
def test_asks_on_a_terminal(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], answer: str, goes: bool) -> None:
    """Only yes deletes; anything else keeps it and is exit code 0."""
    name = fresh("ask")
    kubectl.create(suspended(name))
    with ray.on_terminal(f"cluster delete {name}") as running:
        running.see("[y/N]", within=20)
        running.keys(f"{answer}\n")
        running.ended(within=60).expect(0)
    assert (kubectl.find("raycluster", name) is None) == goes


def test_interrupted_question(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Ctrl-C at the question is a no, and the process dies of SIGINT."""
    name = fresh("ask")
    kubectl.create(suspended(name))
    with ray.on_terminal(f"cluster delete {name}") as running:
        running.see("[y/N]", within=20)
        running.interrupt()
        assert running.ended(within=2).code == -2
    assert kubectl.find("raycluster", name)


def test_several_names(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """All that are named go; the others stay."""
    names = [fresh("several") for _ in range(3)]
    for name in names:
        kubectl.create(suspended(name))
    ray(f"cluster delete {names[0]} {names[2]} --yes")
    assert kubectl.names("raycluster") & set(names) == {names[1]}


def test_one_unknown_name_deletes_nothing(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A wrong name among several stops all of it, before anything is deleted."""
    name = fresh("careful")
    kubectl.create(suspended(name))
    said = ray(f"cluster delete {name} {name}x --yes", code=5)
    assert f"no Ray cluster {name}x" in said.err
    assert name in said.err.replace(f"{name}x", "")
    assert kubectl.find("raycluster", name)


def test_by_label(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """-l takes those with the label."""
    red, blue = fresh("label"), fresh("label")
    kubectl.create(suspended(red, metadata={"labels": {"colour": "red"}}))
    kubectl.create(suspended(blue, metadata={"labels": {"colour": "blue"}}))
    ray("cluster delete -l colour=red --yes")
    assert kubectl.find("raycluster", red) is None
    assert kubectl.find("raycluster", blue)


def test_by_label_that_nothing_has(ray: Ray) -> None:
    """Nothing to delete is not an error."""
    assert ray("cluster delete -l colour=none --yes").out == ""


def test_all_of_a_namespace(ray: Ray, kubectl: Kubectl, namespace: str) -> None:
    """--all takes every cluster of the namespace in force, and of no other."""
    other = f"{namespace}-b"
    kubectl("create", "namespace", other)
    try:
        for name in ("one", "two"):
            kubectl("create", "-n", other, "-f", "-", feed=suspended(name))
        before = kubectl.names("raycluster")
        ray(f"cluster delete --all --yes -n {other}")
        assert kubectl("get", "raycluster", "-n", other, "-o", "name") == ""
        assert kubectl.names("raycluster") == before
    finally:
        kubectl("delete", "namespace", other, "--wait=false")


@pytest.mark.parametrize("words", ["", "a --all", "a -l x=y"])
def test_which_one(ray: Ray, words: str) -> None:
    """Neither a name nor a rule, or both: exit code 2."""
    ray(f"cluster delete {words} --yes", code=2)


def test_mine(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """--mine takes only what this login created."""
    mine, other = fresh("mine"), fresh("mine")
    ray(f"cluster create {mine} --no-wait --labels=pair={mine} --head-node-selectors=nowhere=here --worker-replicas=0")
    kubectl.create(suspended(other, metadata={"labels": {"pair": mine}}))
    ray(f"cluster delete --mine -l pair={mine} --yes")
    assert kubectl.find("raycluster", mine) is None
    assert kubectl.find("raycluster", other)


def test_anothers_cluster_is_named_as_such(ray: Ray, logins: Logins, fresh: Callable[[str], str]) -> None:
    """Before a cluster goes that somebody else created, their name is said."""
    name = fresh("theirs")
    theirs = logins.with_rights("ada", ("ray.io", "rayclusters", "*"))
    ray.having(KUBECONFIG=theirs)(
        f"cluster create {name} --no-wait --head-node-selectors=nowhere=here --worker-replicas=0"
    )
    assert "ada" in ray(f"cluster delete {name} --yes").err


@pytest.mark.parametrize("kind", ["RayJob", "RayService"])
def test_owned_is_refused(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], kind: str) -> None:
    """The owner is named with the right command, and the cluster stays; --force-owned insists."""
    name = fresh("owned")
    boss = kubectl.create(owner(kind, f"{name}-boss"))
    kubectl.create(suspended(name, metadata={"ownerReferences": [reference(boss)]}))
    try:
        said = ray(f"cluster delete {name} --yes", code=2)
        assert f"{kind} {name}-boss" in said.err
        assert f"delete {kind.lower()} {name}-boss" in said.err
        assert kubectl.find("raycluster", name)
        ray(f"cluster delete {name} --yes --force-owned")
        assert kubectl.find("raycluster", name) is None
    finally:
        kubectl("delete", kind.lower(), f"{name}-boss", "--wait=false")


def test_kueues_cluster_is_refused(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A cluster in one of Kueue's queues is named as such."""
    name = fresh("queued")
    kubectl.create(suspended(name, metadata={"labels": {"kueue.x-k8s.io/queue-name": "gpus"}}))
    said = ray(f"cluster delete {name} --yes", code=2)
    assert "Kueue" in said.err
    assert "gpus" in said.err
    assert kubectl.find("raycluster", name)


@pytest.mark.parametrize("mode", ["client", "server"])
def test_dry_run(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], mode: str) -> None:
    """It says what would go, asks nothing, and deletes nothing."""
    name = fresh("dry")
    kubectl.create(suspended(name))
    assert name in ray(f"cluster delete {name} --dry-run={mode}").out
    assert "deletionTimestamp" not in kubectl.get("raycluster", name)["metadata"]


def test_no_wait(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """--no-wait returns once the API server has it."""
    name = fresh("nowait")
    kubectl.create(suspended(name))
    ray(f"cluster delete {name} --yes --no-wait")
    until(lambda: kubectl.find("raycluster", name) is None, "the cluster is gone")


def test_a_finalizer_is_named(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A cluster that something holds back: exit code 3, and what holds it."""
    name = fresh("held")
    kubectl.create(suspended(name, metadata={"finalizers": ["example.com/hold"]}))
    try:
        assert "example.com/hold" in ray(f"cluster delete {name} --yes --timeout=3s", code=3, within=30).err
    finally:
        kubectl("patch", "raycluster", name, "--type=merge", "-p", '{"metadata": {"finalizers": null}}')


def test_type_slash_name(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Kubectl's way to write a name works; another kind is named with the command that deletes it."""
    name = fresh("slash")
    kubectl.create(suspended(name))
    assert "kubectl delete" in ray("cluster delete rayjob/x --yes", code=2).err
    ray(f"cluster delete raycluster/{name} --yes")
    assert kubectl.find("raycluster", name) is None


def test_a_reader_that_left(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Nobody reads stdout: the deletion is done all the same, or it was not begun; never a traceback."""
    name = fresh("pipe")
    kubectl.create(suspended(name))
    reading, writing = os.pipe()
    os.close(reading)
    try:
        said = ray.into(f"cluster delete {name} --yes", writing)
    finally:
        os.close(writing)
    assert "Traceback" not in said.err
