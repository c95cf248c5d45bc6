"""Events, whose reporters fill different fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from kubectl_ray.models.event import Event
from tests.unit.models.mangled import JUNK, mangled

if TYPE_CHECKING:
    from collections.abc import Callable

    Recording = Callable[[str], dict[str, Any]]

SOUND: dict[str, Any] = {
    "metadata": {"creationTimestamp": "1970-01-01T00:00:01Z"},
    "involvedObject": {"kind": "Pod", "name": "p", "uid": "u"},
    "reason": "BackOff",
    "message": "Back-off",
    "type": "Warning",
    "count": 3,
    "series": {"count": 5, "lastObservedTime": "1970-01-01T00:00:09.5Z"},
    "eventTime": "1970-01-01T00:00:02Z",
    "source": {"component": "kubelet"},
}


def test_of_the_scheduler(recording: Recording) -> None:
    """It leaves first and last time empty, and says who it is in another field."""
    event = next(Event(raw) for raw in recording("head-cpu")["events"] if raw["reason"] == "FailedScheduling")
    assert event.warning
    assert event.about[0] == "Pod"
    assert event.count == 1


@pytest.mark.parametrize(
    ("raw", "last"),
    [
        (SOUND, 9.5),
        ({"lastTimestamp": "1970-01-01T00:00:07Z", "eventTime": None}, 7.0),
        ({"lastTimestamp": None, "eventTime": "1970-01-01T00:00:02Z"}, 2.0),
        ({"firstTimestamp": "1970-01-01T00:00:03Z"}, 3.0),
        ({"metadata": {"creationTimestamp": "1970-01-01T00:00:01Z"}}, 1.0),
        ({"deprecatedLastTimestamp": "1970-01-01T00:00:04Z", "regarding": {"kind": "Pod", "name": "p"}}, 4.0),
        ({}, None),
    ],
)
def test_last_time(raw: dict[str, Any], last: float | None) -> None:
    """The newest time that any of the fields has."""
    assert Event(raw).last == last


def test_count() -> None:
    """A series counts for itself; nothing said is once."""
    assert Event(SOUND).count == 5
    assert Event({"count": 3}).count == 3
    assert Event({}).count == 1


def test_combined_message() -> None:
    """The mark of combined events is not part of the words."""
    assert Event({"message": "(combined from similar events): Created Pod x"}).message == "Created Pod x"
    assert (
        Event({"note": "of the newer kind", "regarding": {"kind": "Pod", "name": "p"}}).message == "of the newer kind"
    )


def everything(raw: object) -> None:
    """Ask an event for everything."""
    event = Event(raw)
    assert isinstance(event.reason + event.message + event.uid + "".join(event.about), str)
    assert event.count >= 1
    assert event.last is None or isinstance(event.last, float)
    assert isinstance(event.warning, bool)


@given(mangled(SOUND))
def test_never_raises(raw: object) -> None:
    """Whatever is missing or of another type."""
    everything(raw)


@given(JUNK)
def test_never_raises_on_junk(raw: object) -> None:
    """Not even an object."""
    everything(raw)
