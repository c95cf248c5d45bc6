"""What a person names, and which pod is the head of it."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_ray.errors import WrongUse
from kubectl_ray.flows.head import choose, serves, target
from kubectl_ray.models.pod import Pod
from tests.kuberay import head


def pod(name: str, **metadata: Any) -> Pod:
    """A head that runs."""
    raw = head("a")
    raw["metadata"].update(name=name, uid=name, **metadata)
    return Pod(raw)


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("a", "raycluster"),
        ("raycluster/a", "raycluster"),
        ("rayclusters/a", "raycluster"),
        ("RayCluster.ray.io/a", "raycluster"),
        ("rayclusters.v1.ray.io/a", "raycluster"),
        ("rayjob/a", "rayjob"),
        ("RAYJOBS/a", "rayjob"),
        ("rayservice.ray.io/a", "rayservice"),
    ],
)
def test_target(written: str, kind: str) -> None:
    """A name alone is a RayCluster's; a type may be written as for kubectl."""
    found = target(written, "here")

    assert (found.kind, found.name, found.namespace) == (kind, "a", "here")
    assert found.resource.singular == kind


@pytest.mark.parametrize(
    ("written", "words"), [("pod/a", "not to pod"), ("rayjob/", "names no RayJob"), ("/a", "nothing"), ("", "names no")]
)
def test_no_target(written: str, words: str) -> None:
    """Another type, or no name, is a mistake."""
    with pytest.raises(WrongUse, match=words):
        target(written, "here")


@pytest.mark.parametrize("name", ["ü", "a b", "a,b", "a!=b", "a%2fb", "a\nb", "a\x1b[2J"])
def test_no_name(name: str) -> None:
    """What no object can be named is refused before it gets into a selector of pods."""
    with pytest.raises(WrongUse, match="cannot be the name of a RayJob"):
        target(f"rayjob/{name}", "here")


def test_words() -> None:
    """Said as the reader says it."""
    assert target("a", "x").words == "Ray cluster a"
    assert target("rayservice/a", "x").words == "RayService a"


def test_the_newest_head() -> None:
    """Of several, the newest that lives."""
    old = pod("old", creationTimestamp="2026-01-01T00:00:00Z")
    new = pod("new", creationTimestamp="2026-01-01T00:00:01Z")

    assert choose([new, old]) is new
    assert choose([old, new]) is new


def test_a_living_head_before_a_newer_one_that_stops() -> None:
    """One that is being stopped counts only while there is no other."""
    stops = pod("stops", creationTimestamp="2026-01-01T00:00:01Z", deletionTimestamp="2026-01-01T00:00:02Z")
    lives = pod("lives", creationTimestamp="2026-01-01T00:00:00Z")

    assert choose([stops, lives]) is lives
    assert choose([stops]) is stops


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_head_that_ended(phase: str) -> None:
    """What has ended is no head."""
    ended = Pod(head("a", phase=phase))

    assert choose([ended]) is None


def test_heads_of_another_cluster() -> None:
    """A pod that an earlier cluster of the same name left does not count."""
    theirs = pod("theirs", ownerReferences=[{"controller": True, "uid": "other"}])
    ours = pod("ours", ownerReferences=[{"controller": True, "uid": "mine"}])

    assert choose([theirs], "mine") is None
    assert choose([theirs, ours], "mine") is ours
    assert choose([theirs]) is theirs


def test_serves() -> None:
    """Only a pod that runs can be connected to."""
    assert serves(Pod(head("a")))
    assert not serves(Pod(head("a", ready=False)))
    assert not serves(None)
