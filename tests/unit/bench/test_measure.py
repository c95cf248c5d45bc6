"""Starting and weighing programs."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from bench.measure import BenchError, Launcher, interleaved, quiet
from bench.subjects import Subject


def test_the_launchers_size_is_not_counted_as_the_programs() -> None:
    """A tiny program weighs little even where the benchmark itself has grown large."""
    ballast = b"x" * 100_000_000
    with Launcher() as launcher:
        assert launcher.run([str(shutil.which("true"))], {}).memory < len(ballast) / 3


def test_time_of_children_counts() -> None:
    """CPU time is that of the whole process tree."""
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}], check=True)"
    with Launcher() as launcher:
        assert launcher.run([sys.executable, "-c", parent], dict(os.environ)).cpu >= 0.3


def test_a_program_that_is_not_there_is_an_error() -> None:
    """With its name in it."""
    with Launcher() as launcher, pytest.raises(BenchError, match="/no/such/program"):
        launcher.run(["/no/such/program"], {})


def test_subjects_take_turns_and_the_warm_up_does_not_count() -> None:
    """A B A B, so that a slow moment of the machine falls on all alike."""
    turns: list[int] = []
    true = str(shutil.which("true"))
    with Launcher() as launcher:
        samples = interleaved(launcher, [Subject("a", (true,)), Subject("b", (true,))], {}, 3, turns.append)
    assert turns == [0, 1, 2, 3]
    assert {name: len(each) for name, each in samples.items()} == {"a": 3, "b": 3}


def test_a_subject_that_fails_while_it_is_measured_ends_the_run() -> None:
    """A quick failure is not a quick success."""
    with Launcher() as launcher, pytest.raises(BenchError, match="broken ended with 1"):
        interleaved(launcher, [Subject("broken", (str(shutil.which("false")),))], {}, 3, lambda _: None)


@pytest.mark.parametrize(("busy", "found"), [([90, 21, 20], True), ([90, 50, 21, 5], False)])
def test_quiet(busy: list[float], found: bool) -> None:
    """It looks until little is used, as often as it may."""
    looks = iter(busy)
    assert quiet(lambda: next(looks), seconds=3) is found
