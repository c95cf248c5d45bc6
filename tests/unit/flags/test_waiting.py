"""How a length of time is read."""

from __future__ import annotations

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.flags.waiting import DEFAULT_TIMEOUT, add_waiting, duration
from kubectl_ray.manifests.defaults import TABLE


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30m", 1800),
        ("90s", 90),
        ("1h30m", 5400),
        ("90", 90),
        ("0", 0),
        ("0s", 0),
        ("1.5h", 5400),
        ("500ms", 0.5),
        ("2d", 172800),
        (".5", 0.5),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    """As Go reads them, days, and bare numbers as seconds."""
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", " ", "soon", "-1s", "1x", "m", "1h30", "1e3", "1..5s", "9999999d", "\u0661s", "1 h"]
)
def test_no_durations(text: str) -> None:
    """Anything else is said to be none."""
    with pytest.raises(argparse.ArgumentTypeError):
        duration(text)


@given(st.text(max_size=10))
def test_any_text(text: str) -> None:
    """Read or refused, and never negative."""
    try:
        assert duration(text) >= 0
    except argparse.ArgumentTypeError:
        return


def test_defaults() -> None:
    """Waiting is what happens unless it is refused; half an hour."""
    parser = argparse.ArgumentParser()
    add_waiting(parser)
    assert vars(parser.parse_args([])) == {"wait": True, "timeout": 1800.0}
    assert vars(parser.parse_args(["--no-wait", "--timeout=0"])) == {"wait": False, "timeout": 0.0}


def test_the_table_of_defaults_tells_the_truth() -> None:
    """The time to wait stands in the table for readers too."""
    told = next(value for _what, flag, value in TABLE if flag == "--timeout")
    assert duration(told) == DEFAULT_TIMEOUT
