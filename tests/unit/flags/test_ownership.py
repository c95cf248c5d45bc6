"""Nothing that something else owns is changed behind its owner's back."""

from __future__ import annotations

import argparse

import pytest

from kubectl_ray.errors import WrongUse
from kubectl_ray.flags.ownership import add_force_owned, refuse_owned
from kubectl_ray.models.cluster import Cluster
from tests.kuberay import cluster


def refused(made: Cluster, verb: str = "delete") -> WrongUse:
    """The refusal."""
    with pytest.raises(WrongUse) as caught:
        refuse_owned(made, force=False, verb=verb)
    return caught.value


def test_nobodys() -> None:
    """A cluster of its own may be changed."""
    refuse_owned(Cluster(cluster("a")), force=False, verb="delete")


@pytest.mark.parametrize(
    ("kind", "verb", "right"),
    [
        ("RayJob", "delete", "kubectl delete rayjob x -n team"),
        ("RayService", "delete", "kubectl delete rayservice x -n team"),
        ("RayCronJob", "delete", "kubectl delete raycronjob x -n team"),
        ("RayJob", "scale", "kubectl edit rayjob x -n team"),
        ("RayService", "change", "kubectl edit rayservice x -n team"),
    ],
)
def test_owned(kind: str, verb: str, right: str) -> None:
    """The owner is named, and the command that does it through the owner."""
    error = refused(Cluster(cluster("a", owner=(kind, "x"), namespace="team")), verb)

    assert error.message.startswith(f"Ray cluster a belongs to {kind} x,")
    assert f" its owner:  {right}\n" in error.hint
    assert error.hint.endswith("--force-owned")


def test_by_label() -> None:
    """KubeRay's labels tell the owner where a reference is missing."""
    labels = {"ray.io/originated-from-crd": "RayJob", "ray.io/originated-from-cr-name": "train"}

    assert "belongs to RayJob train" in refused(Cluster(cluster("a", labels=labels))).message


def test_kueue() -> None:
    """A queue's cluster is the queue's."""
    error = refused(Cluster(cluster("a", labels={"kueue.x-k8s.io/queue-name": "team"})), "scale")

    assert error.message == "Kueue manages Ray cluster a (queue team); it was not touched."
    assert "--force-owned to scale it all the same" in error.hint


@pytest.mark.parametrize("owner", [("RayJob", "train"), ("Kueue", "team")])
def test_forced(owner: tuple[str, str]) -> None:
    """Whoever insists may."""
    refuse_owned(Cluster(cluster("a", owner=owner)), force=True, verb="delete")


def test_flag() -> None:
    """`--force-owned` is off unless said."""
    parser = argparse.ArgumentParser()
    add_force_owned(parser)

    assert parser.parse_args([]).force_owned is False
    assert parser.parse_args(["--force-owned"]).force_owned is True
