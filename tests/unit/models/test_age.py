"""Points in time and lengths of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.models.age import epoch, human, length, limit, since

EARLIEST = datetime(1, 1, 2, tzinfo=UTC).replace(tzinfo=None)
LATEST = datetime(9999, 12, 30, tzinfo=UTC).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "<invalid>"),
        (-1.9, "0s"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (599, "9m59s"),
        (600, "10m"),
        (659, "10m"),
        (10799, "179m"),
        (10800, "3h"),
        (10860, "3h1m"),
        (28799, "7h59m"),
        (28800, "8h"),
        (172799, "47h"),
        (172800, "2d"),
        (176400, "2d1h"),
        (691199, "7d23h"),
        (691200, "8d"),
        (63071999, "729d"),
        (63072000, "2y"),
        (63158400, "2y1d"),
        (252287999, "7y364d"),
        (252288000, "8y"),
        (1e9, "31y"),
        (1.99, "1s"),
    ],
)
def test_human(seconds: float, shown: str) -> None:
    """At every edge as Kubernetes' HumanDuration."""
    assert human(seconds) == shown


@given(
    st.datetimes(EARLIEST, LATEST),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from([0, 3, 6, 9]),
)
def test_epoch_equals_datetime(moment: datetime, minutes: int, places: int) -> None:
    """The hand-written calendar is the standard library's, for every date, zone and fraction."""
    aware = moment.replace(
        tzinfo=timezone(timedelta(minutes=minutes)), microsecond=0 if places == 0 else moment.microsecond
    )
    fraction = f".{aware.microsecond * 1000:09d}"[: places + 1] if places else ""
    zone = "Z" if minutes == 0 else aware.strftime("%z")
    text = f"{aware.year:04d}-{aware.month:02d}-{aware.day:02d}T{aware.hour:02d}:{aware.minute:02d}:{aware.second:02d}"
    expected = (aware - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)
    found = epoch(text + fraction + zone)
    assert found == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2026",
        "2026-11-23",
        "2026-11-23T11:52:02",
        "2026-13-23T11:52:02Z",
        "2026-11-23T11:52:02+1",
        "2026-11-23T24:52:02Z",
        "2026-11-23T11:52:02.Z",
        "2026/11/23T11:52:02Z",
        "٢٠٢٦-11-23T11:52:02Z",
        "2026-11-23T11:52:02.5",
        "now",
        None,
        5,
        [],
        {},
    ],
)
def test_no_time(value: object) -> None:
    """Anything else is None."""
    assert epoch(value) is None


@given(
    st.one_of(
        st.text(), st.none(), st.integers(), st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.{0,6}", fullmatch=True)
    )
)
def test_epoch_never_raises(value: object) -> None:
    """Whatever stands in the place of a time."""
    assert epoch(value) is None or isinstance(epoch(value), float)


@pytest.mark.parametrize(("seconds", "shown"), [(0.001, "0.001s"), (0.5, "0.5s"), (1, "1s"), (1800, "30m"), (0, "0s")])
def test_limit(seconds: float, shown: str) -> None:
    """What was given as 1 ms is not said to have been nothing."""
    assert limit(seconds) == shown


def test_since() -> None:
    """An age, or kubectl's word where there is no date."""
    assert since(100.0, 190.0) == "90s"
    assert since(None, 190.0) == "<unknown>"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("1.5h", 5400), ("500ms", 0.5), ("2d", 172800), ("0", 0)],
)
def test_length(text: str, seconds: float) -> None:
    """A length of time as people write it."""
    assert length(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "5x", "5m3", "-5", ".", "1..5h", "9" * 20, "9999999999s", "٣"])
def test_no_length(text: str) -> None:
    """Anything else is None."""
    assert length(text) is None
