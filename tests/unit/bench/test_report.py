"""The benchmark's arithmetic and its table."""

from __future__ import annotations

import pytest

from bench.measure import Sample
from bench.report import LIMITS, Limit, Verdict, failed, ratio, row, table, verdicts


def sample(wall: float, cpu: float = 0.05, memory: float = 50e6) -> Sample:
    """One run that went well."""
    return Sample(wall, cpu, memory, 0)


def test_a_row_holds_medians_so_that_one_slow_run_does_not_count() -> None:
    """Medians, not means."""
    one = row("a", [sample(0.1), sample(9.0), sample(0.3)])
    assert one.wall == 0.3


def test_each_measure_has_its_own_median() -> None:
    """The median of CPU time may come from another run than that of wall time."""
    one = row("a", [sample(0.1, 3, 20), sample(0.2, 1, 30), sample(0.3, 2, 10)])
    assert (one.wall, one.cpu, one.memory) == (0.2, 2, 20)


def test_a_ratio_is_over_the_first_row() -> None:
    """The first subject is what the others are compared with."""
    rows = [row("kubectl get", [sample(0.2)]), row("kubectl-ray", [sample(0.1)])]
    assert ratio(rows, "kubectl-ray", "wall") == pytest.approx(0.5)


@pytest.mark.parametrize("broken", [0, 1])
def test_there_is_no_ratio_with_what_failed(broken: int) -> None:
    """A program that does not do the task is not quick."""
    rows = [row("kubectl get", [sample(0.2)]), row("kubectl-ray", [sample(0.1)])]
    rows[broken] = failed(rows[broken].name, "exit code 1")
    assert ratio(rows, "kubectl-ray", "wall") is None


def test_a_ratio_at_the_limit_holds_and_one_above_does_not() -> None:
    """Limits are inclusive."""
    limit = Limit("list", "cpu", 1.3)
    assert Verdict(limit, 1.3).holds
    assert not Verdict(limit, 1.301).holds


def test_what_could_not_be_measured_does_not_hold() -> None:
    """A failing plugin never passes the benchmark."""
    rows = [row("kubectl get", [sample(0.2)]), failed("kubectl-ray", "exit code 1")]
    assert [verdict.holds for verdict in verdicts("list", rows)] == [False, False]


def test_only_the_plugins_own_process_is_limited() -> None:
    """`kubectl ray` pays for kubectl's start too, which no plugin can shorten."""
    rows = [row("kubectl get", [sample(0.2)]), row("kubectl-ray", [sample(0.1)]), row("kubectl ray", [sample(9)])]
    assert all(verdict.holds for verdict in verdicts("help", rows))


def test_the_limits_are_those_that_were_promised() -> None:
    """CPU and wall of a small list, wall of the help, all three of thousands of clusters."""
    assert {(limit.task, limit.measure): limit.most for limit in LIMITS} == {
        ("list", "cpu"): 1.3,
        ("list", "wall"): 1.1,
        ("help", "wall"): 0.8,
        ("many", "wall"): 0.6,
        ("many", "cpu"): 0.6,
        ("many", "memory"): 0.35,
    }


def test_the_table_aligns_and_marks_what_is_not_known() -> None:
    """Milliseconds, megabytes, a dash for counts that were not taken, words for a failure."""
    rows = [
        row("kubectl get", [sample(0.2, 0.1, 40e6)], requests=1, traffic=1234),
        row("kubectl-ray", [sample(0.1, 0.05, 20e6)]),
        failed("other", "exit code 1: no"),
    ]
    assert table("list", rows).splitlines() == [
        "list           wall ms     CPU ms    peak MB   requests      bytes     wall x      CPU x   memory x",
        "kubectl get      200.0      100.0       40.0          1       1234       1.00       1.00       1.00",
        "kubectl-ray      100.0       50.0       20.0          -          -       0.50       0.50       0.50",
        "other        fails: exit code 1: no",
    ]
