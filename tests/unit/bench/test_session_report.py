"""What a session is held to."""

from __future__ import annotations

import pytest

from bench.session_report import Line, median, percentile, table


@pytest.mark.parametrize(("ours", "holds"), [(9.0, True), (9.1, False)])
def test_a_cost_is_held_to_a_multiple_of_kubectls(ours: float, holds: bool) -> None:
    """Limits are inclusive."""
    assert Line("a further connection", 10.0, ours, most=0.9).holds is holds


@pytest.mark.parametrize(("ours", "holds"), [(100.0, True), (99.0, False)])
def test_a_rate_must_reach_a_multiple_of_kubectls(ours: float, holds: bool) -> None:
    """More is better there."""
    assert Line("MB/s", 100.0, ours, least=1.0).holds is holds


def test_an_absolute_limit_is_of_ours_alone() -> None:
    """However much kubectl needs, and where it was not measured at all."""
    assert Line("seconds", None, 0.9, most=1.0, absolute=True).holds
    assert not Line("seconds", 100.0, 1.1, most=1.0, absolute=True).holds


@pytest.mark.parametrize("line", [Line("x", None, 1.0, most=1.0), Line("x", 1.0, None, most=1.0)])
def test_what_was_not_measured_does_not_hold(line: Line) -> None:
    """A ratio needs both."""
    assert not line.holds
    assert "not measured" in str(line)


def test_nothing_left_behind_is_a_limit_of_zero() -> None:
    """Fewer than before is fine too; kubectl's zero makes no ratio."""
    assert Line("descriptors", 0.0, -2.0, most=0.0, absolute=True).holds
    assert Line("descriptors", 0.0, 1.0).ratio is None


def test_a_line_without_a_limit_is_only_shown() -> None:
    """It is part of the table, and of no verdict."""
    line = Line("each of those, ms", 3.0, 2.0)
    assert not line.limited
    assert line.holds


def test_a_percentile_is_a_value_that_was_seen() -> None:
    """Nearest rank: the 198th of 200."""
    assert percentile(list(range(200, 0, -1)), 0.99) == 198
    assert (percentile([], 0.99), median([])) == (None, None)


def test_the_verdict_shows_what_was_judged() -> None:
    """The ratio, or ours."""
    assert str(Line("start", 100.0, 90.0, most=1.0)).split() == ["pass", "start", "0.90", "x", "≤", "1", "x"]
    assert str(Line("late", None, 1.5, most=1.0, absolute=True)).split() == ["FAIL", "late", "1.50", "≤", "1"]


def test_the_table_has_a_dash_where_nothing_was_measured() -> None:
    """One line a measurement, under headings."""
    text = table("session", [Line("late", None, 0.25, most=1.0, absolute=True), Line("ms", 4.0, 2.0)])
    assert [row.split() for row in text.splitlines()] == [
        ["session", "kubectl", "kubectl-ray", "ratio", "limit"],
        ["late", "-", "0.25", "-", "≤", "1"],
        ["ms", "4", "2", "0.50"],
    ]
