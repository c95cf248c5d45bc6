"""Changes as JSON patches: small, and with tests."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_ray.errors import Conflict, KubectlRayError, NotFound, WrongUse
from kubectl_ray.manifests.change import add_group, applied, scale
from kubectl_ray.models.cluster import Cluster
from tests.unit.models.mangled import mangled

if TYPE_CHECKING:
    from collections.abc import Callable

    Recording = Callable[[str], dict[str, Any]]


def cluster(*groups: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """An object with these groups."""
    return {"metadata": {"name": "c", "generation": 7}, "spec": {"workerGroupSpecs": list(groups), **spec}}


A = {"groupName": "a", "replicas": 1}
B = {"groupName": "b", "replicas": 2, "minReplicas": 1, "maxReplicas": 5}


def test_scale_is_small() -> None:
    """The group's name and the old value are tested, one value is replaced."""
    assert scale(cluster(A, B), "b", replicas=4) == [
        {"op": "test", "path": "/spec/workerGroupSpecs/1/groupName", "value": "b"},
        {"op": "test", "path": "/spec/workerGroupSpecs/1/replicas", "value": 2},
        {"op": "replace", "path": "/spec/workerGroupSpecs/1/replicas", "value": 4},
    ]


def test_scale_adds_what_is_absent() -> None:
    """A field that is not there cannot be replaced."""
    assert scale(cluster({"groupName": "a"}), "a", replicas=4)[1:] == [
        {"op": "add", "path": "/spec/workerGroupSpecs/0/replicas", "value": 4}
    ]


def test_nothing_to_change() -> None:
    """The numbers are there already: no patch."""
    assert scale(cluster(A, B), "b", replicas=2, minimum=1, maximum=5) == []
    assert scale(cluster(A, B), "b") == []


def test_all_three() -> None:
    """Limits and number in one patch, each with its test."""
    after = applied(cluster(A, B), scale(cluster(A, B), "b", replicas=9, minimum=3, maximum=9))
    assert after["spec"]["workerGroupSpecs"] == [A, {**B, "replicas": 9, "minReplicas": 3, "maxReplicas": 9}]


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ({"replicas": 6}, "--replicas=6 --max-replicas=6"),
        ({"replicas": 0}, "--replicas=0 --min-replicas=0"),
        ({"minimum": 6}, "--min-replicas=6 --max-replicas=6"),
        ({"maximum": 0}, "--min-replicas=0 --max-replicas=0"),
        ({"minimum": 4, "maximum": 3}, "--min-replicas=4 --max-replicas=4"),
        ({"replicas": 3, "maximum": 2}, "--max-replicas=3"),
    ],
)
def test_outside_the_limits(wanted: dict[str, int], hint: str) -> None:
    """Refused with the flags that would widen them, and those are then accepted."""
    with pytest.raises(WrongUse) as caught:
        scale(cluster(A, B), "b", **wanted)
    assert hint in caught.value.hint
    names = {"--replicas": "replicas", "--min-replicas": "minimum", "--max-replicas": "maximum"}
    flags = dict(flag.split("=") for flag in caught.value.hint.rpartition("  ")[2].split())
    assert scale(cluster(A, B), "b", **{names[flag]: int(value) for flag, value in flags.items()})


def test_new_limits_take_the_number_along() -> None:
    """Without an autoscaler; with one the number is the autoscaler's."""
    raw = cluster(A, B)
    assert applied(raw, scale(raw, "b", minimum=3))["spec"]["workerGroupSpecs"][1]["replicas"] == 3
    assert applied(raw, scale(raw, "b", maximum=1))["spec"]["workerGroupSpecs"][1]["replicas"] == 1
    auto = cluster(A, B, enableInTreeAutoscaling=True)
    assert applied(auto, scale(auto, "b", maximum=1))["spec"]["workerGroupSpecs"][1]["replicas"] == 2


def test_unknown_group() -> None:
    """The hint names those there are."""
    with pytest.raises(NotFound) as caught:
        scale(cluster(A, B), "c", replicas=1)
    assert "a, b" in caught.value.hint


@pytest.mark.parametrize("groups", [None, [], "absent", [A]])
def test_add_group(groups: Any) -> None:
    """Appended, also to an empty list and where there is none; the generation is tested."""
    raw = cluster()
    if groups == "absent":
        del raw["spec"]["workerGroupSpecs"]
    else:
        raw["spec"]["workerGroupSpecs"] = groups
    operations = add_group(raw, B)
    assert operations[0] == {"op": "test", "path": "/metadata/generation", "value": 7}
    assert len(operations) == 2
    after = applied(raw, operations)
    assert [each["groupName"] for each in after["spec"]["workerGroupSpecs"]] == ([*("a" if groups == [A] else ""), "b"])


def test_applied_leaves_the_object_alone() -> None:
    """A dry run changes a copy."""
    raw = cluster(copy.deepcopy(A))
    before = copy.deepcopy(raw)
    after = applied(raw, scale(raw, "a", replicas=5))
    after["spec"]["workerGroupSpecs"][0]["groupName"] = "x"
    assert raw == before


def test_applied_notices_that_somebody_was_faster() -> None:
    """A failing test is a conflict, as it is on the server."""
    operations = scale(cluster(A, B), "b", replicas=4)
    for newer in (cluster(B, A), cluster(A, {**B, "replicas": 3}), cluster(A)):
        with pytest.raises(Conflict):
            applied(newer, operations)


def test_applied_knows_pointers() -> None:
    """RFC 6901: ~1 is a slash, ~0 a tilde; `add` at an index inserts."""
    raw = {"metadata": {"labels": {"a/b": "1", "c~d": "2"}}, "list": [1, 2]}
    assert (
        applied(raw, [{"op": "replace", "path": "/metadata/labels/a~1b", "value": "3"}])["metadata"]["labels"]["a/b"]
        == "3"
    )
    assert applied(raw, [{"op": "test", "path": "/metadata/labels/c~0d", "value": "2"}]) == raw
    assert applied(raw, [{"op": "add", "path": "/list/0", "value": 0}])["list"] == [0, 1, 2]
    assert applied(raw, [{"op": "replace", "path": "/list/1", "value": 5}])["list"] == [1, 5]


@settings(max_examples=200)
@given(mangled(cluster(A, B)), st.one_of(st.none(), st.integers(0, 9)), st.one_of(st.none(), st.integers(0, 9)))
def test_scale_of_anything(raw: Any, replicas: int | None, maximum: int | None) -> None:
    """Whatever the object holds: a patch that does what it says, or our error."""
    try:
        operations = scale(raw, "b", replicas=replicas, maximum=maximum)
    except KubectlRayError:
        return
    after = Cluster(applied(raw, operations)).group("b")
    assert replicas is None or after.replicas == replicas
    assert maximum is None or after.maximum == maximum


def test_recorded(recording: Recording) -> None:
    """On a real object."""
    raw = recording("ready")["cluster"]
    assert Cluster(applied(raw, scale(raw, "wg", replicas=3))).desired_workers == 3
