"""Medians, ratios and limits, and the tables that show them. Pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.subjects import OURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.measure import Sample

MEASURES = ("wall", "cpu", "memory")
_HEADINGS = ("wall ms", "CPU ms", "peak MB", "requests", "bytes", "wall x", "CPU x", "memory x")


@dataclass(frozen=True)
class Limit:
    """How much of what the first subject of a task needs, the plugin may need."""

    task: str
    measure: str
    most: float


LIMITS = (
    Limit("list", "cpu", 1.3),
    Limit("list", "wall", 1.1),
    Limit("help", "wall", 0.8),
    Limit("many", "wall", 0.6),
    Limit("many", "cpu", 0.6),
    Limit("many", "memory", 0.35),
)


@dataclass(frozen=True)
class Row:
    """One subject's medians. `requests` and `traffic` (bytes both ways, on the wire) are of one separate run."""

    name: str
    wall: float
    cpu: float
    memory: float
    requests: int | None = None
    traffic: int | None = None
    failure: str = ""

    def measure(self, name: str) -> float:
        """One of MEASURES."""
        return {"wall": self.wall, "cpu": self.cpu, "memory": self.memory}[name]


@dataclass(frozen=True)
class Verdict:
    """Whether a limit holds. `ratio` is None where the plugin could not be measured."""

    limit: Limit
    ratio: float | None

    @property
    def holds(self) -> bool:
        """Not measured is not reached."""
        return self.ratio is not None and self.ratio <= self.limit.most

    def __str__(self) -> str:
        ratio = "not measured" if self.ratio is None else f"{self.ratio:.2f} x"
        word = "pass" if self.holds else "FAIL"
        return f"{word}  {self.limit.task:<5} {self.limit.measure:<7} {ratio:>12}   at most {self.limit.most:.2f} x"


def row(name: str, samples: Sequence[Sample], requests: int | None = None, traffic: int | None = None) -> Row:
    """The medians of a subject's samples."""
    wall, cpu, memory = (statistics.median(getattr(sample, measure) for sample in samples) for measure in MEASURES)
    return Row(name, wall, cpu, memory, requests, traffic)


def failed(name: str, words: str) -> Row:
    """The row of a subject that does not do the task."""
    return Row(name, 0.0, 0.0, 0.0, failure=words)


def ratio(rows: Sequence[Row], name: str, measure: str) -> float | None:
    """A subject's measure over the first row's; None where either could not be measured."""
    first = rows[0]
    mine = next((row for row in rows if row.name == name), None)
    if mine is None or mine.failure or first.failure or not first.measure(measure):
        return None
    return mine.measure(measure) / first.measure(measure)


def verdicts(task: str, rows: Sequence[Row]) -> list[Verdict]:
    """The limits on a task, and whether the plugin keeps them."""
    return [Verdict(limit, ratio(rows, OURS, limit.measure)) for limit in LIMITS if limit.task == task]


def table(title: str, rows: Sequence[Row]) -> str:
    """A task's rows under headings, as wide as their longest word."""
    width = max(len(text) for text in (title, *(row.name for row in rows)))
    lines = ["  ".join([title.ljust(width), *(heading.rjust(9) for heading in _HEADINGS)])]
    for one in rows:
        cells = [f"fails: {one.failure}"] if one.failure else [cell.rjust(9) for cell in _cells(one, rows)]
        lines.append("  ".join([one.name.ljust(width), *cells]))
    return "\n".join(lines)


def _cells(one: Row, rows: Sequence[Row]) -> list[str]:
    ratios = [ratio(rows, one.name, measure) for measure in MEASURES]
    return [
        f"{one.wall * 1e3:.1f}",
        f"{one.cpu * 1e3:.1f}",
        f"{one.memory / 1e6:.1f}",
        "-" if one.requests is None else str(one.requests),
        "-" if one.traffic is None else str(one.traffic),
        *("-" if value is None else f"{value:.2f}" for value in ratios),
    ]
