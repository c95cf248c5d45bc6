"""Our RayJobs against recordings of the real operator's: statuses in order, objects, events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.sandbox.api.kinds import EVENTS as _EVENTS
from tests.unit.sandbox.parity import normal, rayjob_differences
from tests.unit.sandbox.parity.rayjob_replay import FOLDER, RayJobReplay, load, timeless

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


@pytest.fixture(scope="module")
def replays() -> dict[str, RayJobReplay]:
    """Each played once."""
    return {}


@pytest.fixture
def replay(request: pytest.FixtureRequest, replays: dict[str, RayJobReplay]) -> RayJobReplay:
    """The recording of the parameter's name, played."""
    name = request.param
    if name not in replays:
        replays[name] = RayJobReplay(load(name))
        asyncio.run(replays[name].run())
    return replays[name]


def _each(test: Callable[..., None]) -> Callable[..., None]:
    decorated: Callable[..., None] = pytest.mark.parametrize("replay", NAMES, indirect=True)(test)
    return decorated


@_each
def test_statuses(replay: RayJobReplay) -> None:
    """The same statuses in the same order."""
    ours = [replay.as_theirs(each) for each in replay.ours]
    theirs = [timeless(each) for each in replay.theirs]
    assert rayjob_differences.without_skipped(ours, theirs) == theirs


@_each
def test_objects(replay: RayJobReplay) -> None:
    """Cluster, services, submitter and the RayJob itself as they were made."""
    for kind, theirs in replay.recording["objects"].items():
        shape = _SHAPES[kind]
        assert shape(replay.as_theirs(replay.objects[kind])) == shape(timeless(theirs)), kind


@_each
def test_events(replay: RayJobReplay) -> None:
    """Kinds, reasons and texts; how often something was said depends on how often it was looked at."""
    found = replay.world.objects.store.list(_EVENTS, replay.world.namespace)
    ours = {
        (each["involvedObject"]["kind"], each["type"], each["reason"], replay.as_theirs(each["message"]))
        for each in found
        if each["involvedObject"]["kind"] in {"RayJob", "Job"}
    }
    theirs = {tuple(each[:4]) for each in replay.recording["events"]}
    name = replay.recording["name"]
    assert rayjob_differences.events(ours, name) == rayjob_differences.events(theirs, name)


def test_there_are_recordings() -> None:
    """Each way that a RayJob can take is among them."""
    assert {"ok", "bad", "bo", "su", "sc", "scf", "ht", "sel", "stopme", "dl", "dl2", "inter"} <= set(NAMES)


def _owned(seen: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["kind"], each["name"]) for each in seen["metadata"].get("ownerReferences", ())]


def _cluster(seen: dict[str, Any]) -> Any:
    meta = {part: seen["metadata"].get(part) for part in ("name", "labels", "annotations")}
    return meta, _owned(seen), seen["spec"]


def _service(seen: dict[str, Any]) -> Any:
    return normal.service(seen), _owned(seen)


def _job(seen: dict[str, Any]) -> Any:
    return seen["metadata"]["labels"], _owned(seen), seen["spec"], seen["status"]


def _pod(seen: dict[str, Any]) -> Any:
    return normal.pod(seen), _owned(seen), seen["metadata"].get("generateName")


def _rayjob(seen: dict[str, Any]) -> Any:
    status = {field: value for field, value in seen["status"].items() if field != "rayClusterStatus"}
    return seen["metadata"].get("finalizers"), seen["spec"], status


_SHAPES = {"raycluster": _cluster, "service": _service, "job": _job, "pod": _pod, "rayjob": _rayjob}
