"""What a pod gets by its service account and its priority class."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.api.store import Store


@pytest.fixture
def objects() -> Objects:
    """The namespace n."""
    made = Objects(Store())
    made.create(kinds.NAMESPACES, {"metadata": {"name": "n"}})
    return made


def spec_of(objects: Objects, **spec: Any) -> dict[str, Any]:
    """What becomes of the spec of a new pod."""
    body = {"metadata": {"generateName": "p-"}, "spec": {"containers": [{"name": "a", "image": "i"}], **spec}}
    found: dict[str, Any] = objects.create(kinds.PODS, body, "n")["spec"]
    return found


def test_pull_secrets_come_from_the_account(objects: Objects) -> None:
    """A pod that names its own keeps them."""
    account = {"metadata": {"name": "sa"}, "imagePullSecrets": [{"name": "theirs"}]}
    objects.create(kinds.SERVICE_ACCOUNTS, account, "n")
    assert spec_of(objects, serviceAccountName="sa")["imagePullSecrets"] == [{"name": "theirs"}]
    own = [{"name": "own"}]
    assert spec_of(objects, serviceAccountName="sa", imagePullSecrets=own)["imagePullSecrets"] == own


def test_the_old_name_of_the_field(objects: Objects) -> None:
    """`serviceAccount` means the same."""
    objects.create(kinds.SERVICE_ACCOUNTS, {"metadata": {"name": "sa"}}, "n")
    spec = spec_of(objects, serviceAccount="sa")
    assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("sa", "sa")


def test_priority_classes(objects: Objects) -> None:
    """Their number; the one for everybody where none is named; 0 where there is none."""
    assert spec_of(objects)["priority"] == 0
    objects.create(kinds.PRIORITY_CLASSES, {"metadata": {"name": "high"}, "value": 7, "preemptionPolicy": "Never"})
    spec = spec_of(objects, priorityClassName="high")
    assert (spec["priority"], spec["preemptionPolicy"]) == (7, "Never")
    objects.create(kinds.PRIORITY_CLASSES, {"metadata": {"name": "all"}, "value": 3, "globalDefault": True})
    spec = spec_of(objects)
    assert (spec["priority"], spec["priorityClassName"]) == (3, "all")
    assert spec_of(objects, priorityClassName="system-node-critical")["priority"] == 2_000_001_000


def test_the_number_of_a_class_stays(objects: Objects) -> None:
    """Pods have been ranked by it."""
    objects.create(kinds.PRIORITY_CLASSES, {"metadata": {"name": "high"}, "value": 7})
    with pytest.raises(Refused, match="may not be changed in an update"):
        objects.edit(kinds.PRIORITY_CLASSES, "", "high", lambda held: held.update(value=8))
