"""A RayService as far as its cluster goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given

from kubectl_ray.models.ray_service import RayService
from tests.unit.models.mangled import mangled

SOUND = {
    "metadata": {"name": "s", "uid": "1"},
    "spec": {},
    "status": {
        "conditions": [{"type": "Ready", "status": "False", "reason": "ValidationFailed", "message": "too long"}],
        "activeServiceStatus": {"rayClusterName": "s-old"},
        "pendingServiceStatus": {"rayClusterName": "s-new"},
    },
}
RECORDED = Path(__file__).parents[2] / "recordings" / "rayservices"


def seen() -> list[RayService]:
    """A recorded RayService, as far as its clusters go, as it was at each step; recorded as `path.to.field: value`."""
    steps = json.loads((RECORDED / "hs.json").read_text(encoding="utf-8"))["steps"]
    parts = ("activeServiceStatus", "pendingServiceStatus")
    return [
        RayService({"status": {part: {"rayClusterName": step["saw"].get(f"{part}.rayClusterName")} for part in parts}})
        for step in steps
        if isinstance(step.get("saw"), dict)
    ]


def test_an_upgrade() -> None:
    """Its first cluster from the start, then its second; never back, and never none in between."""
    names = [service.cluster for service in seen()]

    first, *_, last = names
    assert first != last
    assert names == [name for name in (first, last) for _ in range(names.count(name))]


def test_the_cluster_that_serves() -> None:
    """During an upgrade the old cluster serves until the new one is active."""
    assert RayService(SOUND).cluster == "s-old"


def test_the_first_cluster() -> None:
    """On the first start the pending one is all there is."""
    assert RayService({"status": {"pendingServiceStatus": {"rayClusterName": "s-new"}}}).cluster == "s-new"
    assert RayService({"status": {"activeServiceStatus": {}}}).cluster == ""


def test_refused() -> None:
    """The operator's words when it will not run it."""
    service = RayService(SOUND)

    assert (service.refused, service.ended, service.suspended) == ("too long", True, False)
    assert RayService({"status": {"conditions": [{"type": "Ready", "reason": "Initializing"}]}}).refused == ""


def test_no_status() -> None:
    """Nobody has looked at it yet."""
    assert not RayService({}).has_status
    assert RayService(SOUND).has_status


@given(mangled(SOUND))
def test_anything(raw: Any) -> None:
    """No property raises, whatever the object holds."""
    service = RayService(raw)
    parts = (service.cluster, service.ended, service.suspended, service.refused, service.has_status)

    assert [type(part) for part in parts] == [str, bool, bool, str, bool]
