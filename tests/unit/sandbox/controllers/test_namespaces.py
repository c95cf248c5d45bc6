"""The life of namespaces."""

from __future__ import annotations

from functools import partial

import pytest

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.controllers.namespaces import Namespaces, begin
from tests.unit.sandbox.controllers.world import World

CONTROLLER = partial(Namespaces, authority="PEM")


@pytest.fixture
def world() -> World:
    """The namespace n, nothing in it."""
    return World()


def test_the_first_namespaces() -> None:
    """A new cluster has four; one that a user deleted comes back with the next start."""
    objects = Objects(Store())
    begin(objects)
    begin(objects)
    held = objects.list(kinds.NAMESPACES)
    assert [each["metadata"]["name"] for each in held] == ["default", "kube-node-lease", "kube-public", "kube-system"]
    assert held[0]["metadata"]["labels"] == {"kubernetes.io/metadata.name": "default"}
    assert (held[0]["spec"], held[0]["status"]) == ({"finalizers": ["kubernetes"]}, {"phase": "Active"})


def test_what_a_new_namespace_gets(world: World) -> None:
    """The account that pods run as, and the certificate of the API server; both come back when they are deleted."""

    def delete() -> None:
        world.objects.delete(kinds.SERVICE_ACCOUNTS, "n", "default")
        world.objects.delete(kinds.CONFIG_MAPS, "n", "kube-root-ca.crt")

    world.run(CONTROLLER, between=delete)
    assert world.names(kinds.SERVICE_ACCOUNTS) == ["default"]
    assert world.objects.get(kinds.CONFIG_MAPS, "n", "kube-root-ca.crt")["data"] == {"ca.crt": "PEM"}


def test_the_certificate_follows(world: World) -> None:
    """A new certificate of the server replaces the old one everywhere."""
    world.run(CONTROLLER)
    world.run(partial(Namespaces, authority="NEW"))
    assert world.objects.get(kinds.CONFIG_MAPS, "n", "kube-root-ca.crt")["data"] == {"ca.crt": "NEW"}


def test_an_empty_namespace_goes(world: World) -> None:
    """With what it always has."""
    world.run(CONTROLLER, between=lambda: world.objects.delete(kinds.NAMESPACES, "", "n"))
    assert world.objects.find(kinds.NAMESPACES, "", "n") is None
    assert world.names(kinds.SERVICE_ACCOUNTS) == world.names(kinds.CONFIG_MAPS) == []


def test_pods_go_first(world: World) -> None:
    """A namespace waits for the processes of its pods before it deletes anything else."""
    world.pod("p", node="m")
    world.make(kinds.CONFIG_MAPS, "c", meta={"finalizers": ["a.b/c"]})
    world.run(CONTROLLER, between=lambda: world.objects.delete(kinds.NAMESPACES, "", "n"))
    assert world.objects.get(kinds.PODS, "n", "p")["metadata"]["deletionTimestamp"]
    assert "deletionTimestamp" not in world.objects.get(kinds.CONFIG_MAPS, "n", "c")["metadata"]

    world.run(CONTROLLER, between=lambda: world.objects.delete(kinds.PODS, "n", "p", grace=0))
    assert world.objects.get(kinds.CONFIG_MAPS, "n", "c")["metadata"]["deletionTimestamp"]
    held = world.objects.get(kinds.NAMESPACES, "", "n")
    told = {each["type"]: (each["status"], each["reason"], each["message"]) for each in held["status"]["conditions"]}
    assert held["status"]["phase"] == "Terminating"
    assert told["NamespaceContentRemaining"] == (
        "True",
        "SomeResourcesRemain",
        "Some resources are remaining: configmaps. has 1 resource instances",
    )
    assert told["NamespaceFinalizersRemaining"] == (
        "True",
        "SomeFinalizersRemain",
        "Some content in the namespace has finalizers remaining: a.b/c in 1 resource instances",
    )

    def release() -> None:
        world.objects.edit(kinds.CONFIG_MAPS, "n", "c", lambda body: body["metadata"].pop("finalizers"))

    world.run(CONTROLLER, between=release)
    assert world.objects.find(kinds.NAMESPACES, "", "n") is None


def test_a_label_does_not_end_a_namespace(world: World) -> None:
    """An edit of one that waits leaves it waiting."""
    world.objects.delete(kinds.NAMESPACES, "", "n")
    world.objects.edit(kinds.NAMESPACES, "", "n", lambda body: body["metadata"]["labels"].update(a="b"))
    assert world.objects.get(kinds.NAMESPACES, "", "n")["status"]["phase"] == "Terminating"


def test_nothing_new_in_a_namespace_that_ends(world: World) -> None:
    """403 with its own cause; neither a second namespace of that name."""
    world.objects.delete(kinds.NAMESPACES, "", "n")
    with pytest.raises(Refused) as caught:
        world.make(kinds.RAY_CLUSTERS, "z", spec={})
    why = "unable to create new content in namespace n because it is being terminated"
    assert (caught.value.code, caught.value.message) == (403, f'rayclusters.ray.io "z" is forbidden: {why}')
    cause = {"reason": "NamespaceTerminating", "message": "namespace n is being terminated"}
    assert caught.value.status["details"]["causes"] == [{**cause, "field": "metadata.namespace"}]
    with pytest.raises(Refused, match='object is being deleted: namespaces "n" already exists'):
        world.objects.create(kinds.NAMESPACES, {"metadata": {"name": "n"}})


def test_the_default_namespace_stays() -> None:
    """403."""
    objects = Objects(Store())
    begin(objects)
    with pytest.raises(Refused, match='namespaces "default" is forbidden: this namespace may not be deleted'):
        objects.delete(kinds.NAMESPACES, "", "default")
