"""Our operator does to RayClusters what the recorded KubeRay 1.6.2 did, but for the differences that are listed."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import functools
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.sandbox.parity import differences, normal, recordings
from tests.unit.sandbox.parity.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterable

COMPONENT = "raycluster-controller"
CASES = recordings.names()
WATCHED = [case for case in CASES if not case.startswith(("driven-", "variants"))]
"""Of the others a status was seen only now and then, not each one."""

SNAPSHOTS = [
    (case, kind, number)
    for case in CASES
    for kind, held in recordings.load(case).objects.items()
    for number in range(len(held))
]
KINDS = {
    "pod": ("Pod", normal.pod),
    "service": ("Service", normal.service),
    "serviceaccount": ("ServiceAccount", normal.plain),
    "role": ("Role", normal.plain),
    "rolebinding": ("RoleBinding", normal.plain),
}
GROUP = ("ray.io/cluster", "ray.io/group", "ray.io/worker-group-replica-index")


def played(recording: recordings.Recording) -> Replay:
    """A recording, played to its end."""
    replay = Replay(recording)
    asyncio.run(replay.run())
    return replay


@functools.cache
def replay_of(case: str) -> Replay:
    """Each case is played once."""
    return played(recordings.load(case))


@pytest.mark.parametrize("case", CASES)
def test_statuses_follow_each_other_as_recorded(case: str) -> None:
    """Each recorded status is ours at the same point, each recorded object was made and deleted at the same point."""
    assert replay_of(case).problems == []


@pytest.mark.parametrize("case", WATCHED)
def test_no_other_status_is_written(case: str) -> None:
    """The operator writes a status only when one of some fields changed: nothing beyond what was recorded."""
    assert replay_of(case).unrecorded() == []


@pytest.mark.parametrize(("case", "kind", "number"), SNAPSHOTS)
def test_objects_are_as_recorded(case: str, kind: str, number: int) -> None:
    """Pods, services and rights field by field; statuses with the order of their conditions."""
    theirs = recordings.load(case).objects[kind][number]
    replay = replay_of(case)
    if kind == "raycluster":
        assert normal.ordered_status(theirs["status"]) in replay.statuses[theirs["metadata"]["name"]]
        return
    name, normalised = KINDS[kind]
    ours = replay.made.get((name, theirs["metadata"]["name"])) or same_place(replay, theirs)
    assert normalised(ours) == normalised(theirs)


def same_place(replay: Replay, theirs: dict[str, Any]) -> dict[str, Any]:
    """A pod of another run of the same cluster."""
    wanted = [theirs["metadata"]["labels"].get(key) for key in GROUP]
    return next(
        pod
        for (kind, _name), pod in replay.made.items()
        if kind == "Pod" and [pod["metadata"]["labels"].get(key) for key in GROUP] == wanted
    )


@pytest.mark.parametrize("case", CASES)
def test_events_are_told_as_recorded(case: str) -> None:
    """Types, reasons, messages and their order; how often depends on how often the operator looked."""
    recorded = recordings.load(case).events
    theirs = comparable((type_, reason, normal.message(text)) for type_, reason, _, text, _ in recorded)
    ours = comparable(replay_of(case).events(COMPONENT))
    if case in differences.DROPPED_EVENTS:
        ours = [event for event in ours if event in theirs]
    assert ours == theirs


def comparable(events: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Each once; without the combined ones, which depend on how many there were."""
    told = [(*event[:2], differences.any_pod(event[2])) for event in events]
    once = dict.fromkeys(event for event in told if not event[2].startswith("(combined from similar events)"))
    return differences.any_order(once)


def test_a_replay_sees_a_wrong_status() -> None:
    """A recording whose operator had counted otherwise is told apart from ours."""
    recording = recordings.load("lifecycle")
    timeline = copy.deepcopy(recording.timeline)
    line = next(each for each in timeline if each.get("changed", {}).get("status.readyWorkerReplicas") == 2)
    line["changed"]["status.readyWorkerReplicas"] = 3
    assert played(dataclasses.replace(recording, timeline=timeline)).problems


def test_a_replay_sees_a_pod_that_was_not_made() -> None:
    """A recording with one pod more is told apart from ours."""
    recording = recordings.load("lifecycle")
    timeline = copy.deepcopy(recording.timeline)
    at = next(number for number, each in enumerate(timeline) if each.get("kind") == "Pod")
    timeline.insert(at + 1, {**timeline[at], "name": "lc-head-other"})
    assert played(dataclasses.replace(recording, timeline=timeline)).problems


def test_recorded_cases_are_here_or_have_a_reason() -> None:
    """All but those with a reason: five folders and the cases of a cluster that is not ready."""
    assert not {f"notready-{name}" for name in differences.NOT_REPLAYED} & set(CASES)
    assert {"autoscaler", "head-deletion", "lifecycle", "token-auth"} < set(CASES)
    assert len(recordings.names("notready-")) == 40 - len(differences.NOT_REPLAYED)
