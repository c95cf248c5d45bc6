"""Our RayServices against recordings of the real operator's: statuses in order, objects, events."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.sandbox.api import kinds
from tests.unit.sandbox.parity import normal
from tests.unit.sandbox.parity.rayjob_replay import timeless
from tests.unit.sandbox.parity.rayservice_replay import FOLDER, RayServiceReplay, load

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
HASH = "ray.io/hash-without-replicas-and-workers-to-delete"
"""Ours is of the same form, but another number: the operator's depends on how Go writes JSON."""

SLOW = ("FailedToUpdateServeApplications",)
"""Of a Serve that takes more than two seconds to begin; the fake one does not. A unit test has it."""

_CUT = 500

_POD = re.compile(r"(Head Pod \S+-)[a-z0-9]{5}$")


@pytest.fixture(scope="module")
def replays() -> dict[str, RayServiceReplay]:
    """Each played once."""
    return {}


@pytest.fixture
def replay(request: pytest.FixtureRequest, replays: dict[str, RayServiceReplay]) -> RayServiceReplay:
    """The recording of the parameter's name, played."""
    name = request.param
    if name not in replays:
        replays[name] = RayServiceReplay(load(name))
        asyncio.run(replays[name].run())
    return replays[name]


def _each(test: Callable[..., None]) -> Callable[..., None]:
    decorated: Callable[..., None] = pytest.mark.parametrize("replay", NAMES, indirect=True)(test)
    return decorated


@_each
def test_statuses(replay: RayServiceReplay) -> None:
    """The same statuses in the same order."""
    assert [replay.as_theirs(each) for each in replay.ours] == [timeless(each) for each in replay.theirs]


@_each
def test_objects(replay: RayServiceReplay) -> None:
    """Cluster, services and the RayService itself as they were made."""
    for kind, theirs in replay.recording["objects"].items():
        shape = _SHAPES[kind]
        assert shape(replay.as_theirs(replay.objects[kind])) == shape(timeless(theirs)), kind


@_each
def test_events(replay: RayServiceReplay) -> None:
    """Kinds, reasons and texts; how often something was said depends on how often it was looked at."""
    found = replay.world.objects.list(kinds.EVENTS, replay.world.namespace)
    ours = {(each["type"], each["reason"], _text(replay.as_theirs(each["message"]))) for each in found}
    theirs = {(kind, reason, _text(text)) for kind, reason, text in replay.recording["events"] if reason not in SLOW}
    assert ours == theirs


def test_there_are_recordings() -> None:
    """The whole way, one that never serves, and one that is refused."""
    assert set(NAMES) == {"hs", "boom", "toolong"}


def _text(message: str) -> str:
    return _POD.sub(r"\1XXXXX", message)


def _owners(seen: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["kind"], each["name"]) for each in seen["metadata"].get("ownerReferences", ())]


def _cluster(seen: dict[str, Any]) -> Any:
    meta = {part: seen["metadata"].get(part) for part in ("name", "labels", "annotations")}
    meta["annotations"] = {**meta["annotations"], HASH: len(meta["annotations"][HASH])}
    return meta, _owners(seen), seen["spec"]


def _service(seen: dict[str, Any]) -> Any:
    shape = normal.service(seen)
    if shape["spec"].get("clusterIP") != "None":
        shape["spec"].pop("clusterIP", None)  # an address
    return shape, _owners(seen), seen["metadata"]["name"]


def _rayservice(seen: dict[str, Any]) -> Any:
    status = dict(seen["status"])
    for side in ("activeServiceStatus", "pendingServiceStatus"):
        status[side] = {field: value for field, value in status[side].items() if field != "rayClusterStatus"}
        for application in status[side].get("applicationStatuses", {}).values():
            for said in application.get("serveDeploymentStatuses", {}).values():
                # What a watch saw of long messages was cut when it was recorded.
                said["message"] = said.get("message", "")[:_CUT]
    return seen["metadata"].get("finalizers"), seen["spec"], status


_SHAPES = {
    "raycluster": _cluster,
    "headservice": _service,
    "serveservice": _service,
    "rayservice": _rayservice,
    "upgraded": _rayservice,
}
