"""Of a RayService: what is refused, durations, and what Serve is given and says."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.operator.dashboard import NoAnswer
from kubectl_ray.sandbox.operator.rayservices_serve import read, statuses
from kubectl_ray.sandbox.operator.rayservices_validation import TIMEOUT, duration, fault, written_duration
from tests.unit.sandbox.operator.world import SPEC

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object

BAD = "The RayService spec is invalid: "


def service(name: str = "hs", annotations: dict[str, str] | None = None, **spec: Any) -> Object:
    """A RayService that is fine but for what is given."""
    meta = {"name": name, "annotations": annotations or {}}
    return {"metadata": meta, "spec": {"rayClusterConfig": copy.deepcopy(SPEC), **spec}}


def test_a_good_one() -> None:
    """Nothing is wrong with the one that the others vary."""
    assert fault(service(annotations={TIMEOUT: "30m"}, upgradeStrategy={"type": "NewCluster"})) is None


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (
            {"rayClusterConfig": {**SPEC, "authOptions": {"enableK8sTokenAuth": True}}},
            "K8s token auth mode is currently not supported for RayService",
        ),
        (
            {"rayClusterConfig": {"headGroupSpec": {"template": {"spec": {"containers": []}}}}},
            "headGroupSpec should have at least one container",
        ),
        (
            {"upgradeStrategy": {"type": "Soon"}},
            (
                "Spec.UpgradeStrategy.Type value Soon is invalid, valid options are NewClusterWithIncrementalUpgrade,"
                " NewCluster, or None"
            ),
        ),
        (
            {"rayClusterDeletionDelaySeconds": -1},
            "Spec.RayClusterDeletionDelaySeconds should be a non-negative integer, got -1",
        ),
    ],
)
def test_specs(spec: Object, text: str) -> None:
    """Each rule has its words."""
    found = fault(service(**spec))
    assert found is not None
    assert (found.reason, found.text) == ("InvalidRayServiceSpec", BAD + text)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("-5m", "must be a positive duration, got: -5m"),
        ("0", "must be a positive duration, got: 0"),
        ("-5", "must be a positive integer (seconds), got: -5"),
        (
            "soon",
            "has invalid format: soon. Expected Go duration format (e.g., '5m', '1h') or positive integer seconds",
        ),
    ],
)
def test_times_to_start(given: str, why: str) -> None:
    """It is a duration, or seconds."""
    found = fault(service(annotations={TIMEOUT: given}))
    assert found is not None
    start = "The RayService metadata is invalid: RayService annotations is invalid: annotation "
    assert (found.reason, found.text) == ("InvalidRayServiceMetadata", f"{start}{TIMEOUT} {why}")


def test_a_long_name() -> None:
    """The cluster's name is made of it."""
    found = fault(service("x" * 48))
    assert found is not None
    assert found.text == "The RayService metadata is invalid: RayService name should be no more than 47 characters"


@pytest.mark.parametrize(
    ("text", "seconds", "again"),
    [
        ("5m", 300, "5m0s"),
        ("1h2m3.5s", 3723.5, "1h2m3.5s"),
        ("90s", 90, "1m30s"),
        ("250ms", 0.25, "250ms"),
        ("0", 0, "0s"),
    ],
)
def test_durations(text: str, seconds: float, again: str) -> None:
    """They are read and written as Go does."""
    assert duration(text) == seconds
    assert written_duration(seconds) == again


@given(st.text())
def test_any_duration(text: str) -> None:
    """It is a number, or none."""
    found = duration(text)
    assert found is None or isinstance(found, float)


@given(st.text())
def test_any_config(text: str) -> None:
    """It is a map, or refused in words."""
    with suppress(NoAnswer):
        assert isinstance(read(text), dict)


@pytest.mark.parametrize("text", ["a: [", "- 1", "words"])
def test_a_config_that_is_none(text: str) -> None:
    """The operator's words begin so."""
    with pytest.raises(NoAnswer, match=r"^error (converting YAML|unmarshaling JSON)"):
        read(text)


def test_statuses() -> None:
    """All have to run; an application without a name is the default one; what is empty is left out."""
    running = {"status": "RUNNING", "message": "", "deployments": {"D": {"status": "HEALTHY", "message": ""}}}
    assert statuses({"": running}) == (
        True,
        {"default": {"status": "RUNNING", "serveDeploymentStatuses": {"D": {"status": "HEALTHY"}}}},
    )
    assert statuses({"a": running, "b": {"status": "DEPLOYING"}})[0] is False
    assert statuses({}) == (False, {})
