"""What the operator would refuse, or silently change, is refused before it is sent."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_ray.errors import WrongUse
from kubectl_ray.manifests.checks import check_cluster, check_group_name, check_name, version_of
from kubectl_ray.manifests.cluster import raycluster
from kubectl_ray.manifests.shape import GroupShape, Shape
from tests.unit.models.mangled import mangled, refusal


def sound() -> dict[str, Any]:
    """An object with two groups that nobody refuses."""
    shape = Shape()
    shape.name = "c"
    shape.autoscaler = "v2"
    first, second = GroupShape(), GroupShape()
    first.name, second.name = "a", "b"
    shape.groups = [first, second]
    return raycluster(shape)


def test_sound() -> None:
    """Nothing to say."""
    check_cluster(sound())


@pytest.mark.parametrize(
    ("name", "proposal"),
    [
        ("", "NAME"),
        ("Upper", "upper"),
        ("under_score", "under-score"),
        ("1st", "ray-1st"),
        ("a.b", "a-b"),
        ("-dash", "dash"),
        ("dash-", "dash"),
        ("a" * 54, "a" * 53),
        ("Ünïcode", "n-code"),
        ("_", "ray"),
    ],
)
def test_names(name: str, proposal: str) -> None:
    """The message says the rule, the hint a name that is allowed."""
    with pytest.raises(WrongUse) as caught:
        check_name(name)
    assert proposal in caught.value.hint


@given(st.text(min_size=1, max_size=70))
def test_proposed_names_are_allowed(name: str) -> None:
    """Whatever was typed, the name proposed instead can be had."""
    for check in (check_name, check_group_name):
        refused = refusal(check, name)
        proposal = refused.hint.rpartition("  ")[2] if refused else ""
        if proposal and " " not in proposal:
            check(proposal)


@pytest.mark.parametrize("name", ["a", "a" * 53, "my-cluster-2"])
def test_names_that_are_allowed(name: str) -> None:
    """53 characters are the most."""
    check_name(name)


@pytest.mark.parametrize("name", ["", "Bad_Name", "headgroup", "-x", "x-", "x" * 64, "a.b"])
def test_group_names(name: str) -> None:
    """Pods are named after their group; the head's own group has a name already."""
    with pytest.raises(WrongUse):
        check_group_name(name)


@pytest.mark.parametrize("name", ["a", "1-gpu", "x" * 63])
def test_group_names_that_are_allowed(name: str) -> None:
    """A digit may come first."""
    check_group_name(name)


@pytest.mark.parametrize(
    ("group", "told"),
    [
        ({"groupName": "a"}, "Two worker groups"),
        ({"minReplicas": 3, "maxReplicas": 1}, "--worker-max-replicas"),
        ({"replicas": 11}, "--worker-replicas=11"),
        ({"replicas": 0, "minReplicas": 1}, "--worker-min-replicas=1"),
        ({"replicas": -1}, "negative"),
        ({"minReplicas": -1}, "negative"),
        ({"numOfHosts": 0}, "host"),
        ({"suspend": True}, "suspended"),
    ],
)
def test_groups(group: dict[str, Any], told: str) -> None:
    """Each contradiction names its flag."""
    manifest = sound()
    manifest["spec"]["workerGroupSpecs"][1].update(group)
    with pytest.raises(WrongUse, match=told) as caught:
        check_cluster(manifest)
    assert caught.value.hint


def test_idle_time_of_a_group_needs_v2() -> None:
    """Version 1 of the autoscaler does not know it."""
    manifest = sound()
    manifest["spec"]["workerGroupSpecs"][0]["idleTimeoutSeconds"] = 30
    check_cluster(manifest)
    manifest["spec"]["autoscalerOptions"]["version"] = "v1"
    with pytest.raises(WrongUse, match="version 2"):
        check_cluster(manifest)


@pytest.mark.parametrize(
    ("version", "told"),
    [("nightly", "no version"), ("v2.9.3", "no version"), ("2", "no version"), ("2.9.3", "2.10.0"), ("", "no version")],
)
def test_versions(version: str, told: str) -> None:
    """A version that is none, or too old for what is asked of it."""
    manifest = sound()
    manifest["spec"]["rayVersion"] = version
    with pytest.raises(WrongUse, match=told):
        check_cluster(manifest)


def test_tokens_need_a_new_ray() -> None:
    """Token authentication came with Ray 2.52."""
    manifest = sound()
    manifest["spec"]["authOptions"] = {"mode": "token"}
    check_cluster(manifest)
    manifest["spec"]["rayVersion"] = "2.51.2"
    with pytest.raises(WrongUse, match=r"2\.52\.0"):
        check_cluster(manifest)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("2.9.3", (2, 9)), ("2.53.0rc1", (2, 53)), ("3.0.0.dev0", (3, 0)), ("2.10", (2, 10)), ("", None), (None, None),
        ("2.x", None), ("2.9.3 ", None), ("latest", None), (2.9, None), ("2..1", None), ("9999999.1", None),
    ],
)  # fmt: skip
def test_version_of(text: object, version: tuple[int, int] | None) -> None:
    """Major and minor, compared as numbers."""
    assert version_of(text) == version


def test_tpus_need_type_and_topology() -> None:
    """GKE places TPU pods by two node selectors."""
    manifest = sound()
    pod = manifest["spec"]["workerGroupSpecs"][1]["template"]["spec"]
    pod["containers"][0]["resources"]["limits"]["google.com/tpu"] = "4"
    pod["nodeSelector"] = {"cloud.google.com/gke-tpu-accelerator": "tpu-v5-lite-podslice"}
    with pytest.raises(WrongUse, match="gke-tpu-topology"):
        check_cluster(manifest)
    pod["nodeSelector"]["cloud.google.com/gke-tpu-topology"] = "2x4"
    check_cluster(manifest)


def test_a_cluster_that_is_there() -> None:
    """Only the group added last is judged: an autoscaler may have the others' numbers anywhere."""
    manifest = sound()
    manifest["metadata"]["uid"] = "u"
    manifest["spec"]["rayVersion"] = "nightly"
    manifest["spec"]["workerGroupSpecs"][0].update({"replicas": 0, "minReplicas": 1, "groupName": "Old_One"})
    check_cluster(manifest)
    broken = copy.deepcopy(manifest)
    broken["spec"]["workerGroupSpecs"][1]["groupName"] = "Bad_Name"
    with pytest.raises(WrongUse, match="Bad_Name"):
        check_cluster(broken)
    manifest["spec"]["workerGroupSpecs"][1]["groupName"] = "Old_One"
    with pytest.raises(WrongUse, match="Two worker groups"):
        check_cluster(manifest)


def test_no_container() -> None:
    """A head without a container is refused."""
    manifest = sound()
    manifest["spec"]["headGroupSpec"]["template"]["spec"]["containers"] = []
    with pytest.raises(WrongUse, match="no container"):
        check_cluster(manifest)


@settings(max_examples=200)
@given(mangled(sound()))
def test_only_our_error(manifest: Any) -> None:
    """Whatever the object holds: nothing to say, or our error with a hint."""
    refused = refusal(check_cluster, manifest)
    assert refused is None or (refused.message and refused.hint)
