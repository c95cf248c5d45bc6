"""Events as recorders write them: counted, combined, in both styles."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.events import COMBINED, core_form, last_seen, new_form, record
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.store import Store


class Clock:
    """A time that only the test moves, in seconds."""

    def __init__(self) -> None:
        self.now = 1_000_000_000.25

    def __call__(self) -> float:
        """The time now."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """It stands until it is moved."""
    return Clock()


@pytest.fixture
def objects(clock: Clock) -> Objects:
    """Nothing but the namespace n."""
    made = Objects(Store(), clock)
    made.create(kinds.NAMESPACES, {"metadata": {"name": "n"}})
    return made


def about(version: str = "5") -> dict[str, Any]:
    """RayCluster n/c as it is in one version."""
    meta = {"name": "c", "namespace": "n", "uid": "u", "resourceVersion": version}
    return {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": meta}


def test_an_event_is_written_as_the_operator_writes_it(objects: Objects) -> None:
    """Recorded: component in source and reportingComponent, both times, count 1, no event time."""
    record(objects, about(), "Normal", "CreatedService", "Created service n/c-head-svc", "raycluster-controller")
    (event,) = objects.list(kinds.EVENTS, "n")
    assert event["metadata"]["name"] == f"c.{1_000_000_000_250_000_000:x}"
    assert {key: event[key] for key in event if key not in {"metadata", "apiVersion", "kind"}} == {
        "involvedObject": {
            "apiVersion": "ray.io/v1",
            "kind": "RayCluster",
            "name": "c",
            "namespace": "n",
            "uid": "u",
            "resourceVersion": "5",
        },
        "type": "Normal",
        "reason": "CreatedService",
        "message": "Created service n/c-head-svc",
        "source": {"component": "raycluster-controller"},
        "reportingComponent": "raycluster-controller",
        "reportingInstance": "",
        "firstTimestamp": "2001-09-09T01:46:40Z",
        "lastTimestamp": "2001-09-09T01:46:40Z",
        "count": 1,
        "eventTime": None,
    }


def test_the_same_event_is_counted(objects: Objects, clock: Clock) -> None:
    """The second one moves the last time and the count of the first, whatever version the object has by then."""
    for version in "567":
        record(objects, about(version), "Normal", "A", "text", "x")
        clock.now += 1
    (event,) = objects.list(kinds.EVENTS, "n")
    assert (event["count"], event["firstTimestamp"][-3:], event["lastTimestamp"][-3:]) == (3, "40Z", "42Z")


def test_many_similar_events_are_combined(objects: Objects, clock: Clock) -> None:
    """The tenth message of one reason and all after it share one event, which keeps the last message."""
    for number in range(13):
        record(objects, about(), "Warning", "Failed", f"pod {number}", "x")
        clock.now += 1
    events = objects.list(kinds.EVENTS, "n")
    assert len(events) == 10
    combined = events[-1]
    assert (combined["message"], combined["count"]) == (f"{COMBINED}pod 12", 4)
    assert combined["reportingComponent"] == ""


def test_similar_events_are_forgotten_after_ten_minutes(objects: Objects, clock: Clock) -> None:
    """What was said long ago does not count as similar."""
    for number in range(9):
        record(objects, about(), "Warning", "Failed", f"pod {number}", "x")
    clock.now += 700
    record(objects, about(), "Warning", "Failed", "pod 9", "x")
    assert {event["message"] for event in objects.list(kinds.EVENTS, "n")} == {f"pod {n}" for n in range(10)}


def test_a_recorder_is_not_heard_for_ever(objects: Objects, clock: Clock) -> None:
    """25 at once about one object and of one type, then one more every five minutes; others are heard."""
    for _ in range(40):
        record(objects, about(), "Warning", "Failed", "text", "x")
    record(objects, about(), "Warning", "Other", "text", "x")
    (event,) = objects.list(kinds.EVENTS, "n")
    assert event["count"] == 25
    clock.now += 300
    for _ in range(3):
        record(objects, about(), "Warning", "Failed", "text", "x")
    record(objects, about(), "Normal", "Other", "text", "x")
    record(objects, about(), "Warning", "Other", "text", "y")
    assert sorted(each["count"] for each in objects.list(kinds.EVENTS, "n")) == [1, 1, 26]


def test_the_scheduler_writes_the_new_style(objects: Objects, clock: Clock) -> None:
    """Recorded: event time, action, instance, null times; what repeats becomes a series, per version of the pod."""
    for version in ("5", "6", "6"):
        record(objects, about(version), "Warning", "FailedScheduling", "0/1", "default-scheduler", new_style=True)
        clock.now += 1
    first, second = objects.list(kinds.EVENTS, "n")
    assert (first["eventTime"], first["firstTimestamp"], first["lastTimestamp"], first["source"], first["action"]) == (
        "2001-09-09T01:46:40.250000Z",
        None,
        None,
        {},
        "Scheduling",
    )
    assert first["reportingInstance"] == "default-scheduler-kubectl-ray-sandbox"
    assert "count" not in first
    assert second["series"] == {"count": 2, "lastObservedTime": "2001-09-09T01:46:42.250000Z"}


def test_the_kubelet_says_its_machine_and_the_container(objects: Objects) -> None:
    """Recorded: source.host, and fieldPath of the container that an event is about."""
    record(objects, about(), "Warning", "Unhealthy", "x", "kubelet", field_path="spec.containers{ray-head}")
    (event,) = objects.list(kinds.EVENTS, "n")
    assert event["source"] == {"component": "kubelet", "host": "kubectl-ray-sandbox"}
    assert event["involvedObject"]["fieldPath"] == "spec.containers{ray-head}"


def test_events_about_a_cluster_wide_object_are_in_default(objects: Objects) -> None:
    """A node's events have to be somewhere."""
    objects.create(kinds.NAMESPACES, {"metadata": {"name": "default"}})
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "m"}}
    record(objects, node, "Normal", "Starting", "Starting kubelet.", "kubelet")
    assert [event["involvedObject"] for event in objects.list(kinds.EVENTS, "default")] == [
        {"apiVersion": "v1", "kind": "Node", "name": "m"}
    ]


def test_an_event_that_cannot_be_kept_is_no_error(objects: Objects) -> None:
    """Whoever records goes on with its work: here the namespace is gone."""
    record(objects, {**about(), "metadata": {"name": "c", "namespace": "gone"}}, "Normal", "A", "text", "x")
    assert objects.list(kinds.EVENTS) == []


def test_a_long_message_is_cut(objects: Objects) -> None:
    """At 1024 characters, as the API server wants it."""
    record(objects, about(), "Normal", "A", "x" * 2000, "c")
    (event,) = objects.list(kinds.EVENTS, "n")
    assert len(event["message"]) == 1024


def test_both_forms_say_the_same(objects: Objects) -> None:
    """An event read through events.k8s.io and written back is the one that it was."""
    record(objects, about(), "Normal", "A", "text", "x")
    (event,) = objects.list(kinds.EVENTS, "n")
    assert new_form(event)["note"] == "text"
    assert new_form(event)["regarding"]["name"] == "c"
    assert core_form(new_form(event)) == event


def test_when_an_event_was_last_seen() -> None:
    """The series tells first, then the last time, then the event's own time, then when it was made."""
    times = [f"2001-09-09T01:46:4{digit}Z" for digit in range(4)]
    event: dict[str, Any] = {"metadata": {"creationTimestamp": times[0]}}
    seen = [last_seen(event)]
    for key, value in (
        ("eventTime", times[1]),
        ("lastTimestamp", times[2]),
        ("series", {"lastObservedTime": times[3]}),
    ):
        event[key] = value
        seen.append(last_seen(event))
    assert seen == [1_000_000_000.0, 1_000_000_001.0, 1_000_000_002.0, 1_000_000_003.0]
    assert last_seen({}) == 0.0
