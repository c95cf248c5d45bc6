"""What a session is held to, beside `kubectl port-forward` in the same run. Pure."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEADINGS = ("kubectl", "kubectl-ray", "ratio", "limit")


@dataclass(frozen=True)
class Line:
    """One measurement of both. `most` and `least` are of the ratio to kubectl's, or of ours where `absolute`."""

    what: str
    theirs: float | None
    ours: float | None
    most: float | None = None
    least: float | None = None
    absolute: bool = False

    @property
    def ratio(self) -> float | None:
        """Ours over kubectl's; None where one of them was not measured."""
        return None if self.ours is None or not self.theirs else self.ours / self.theirs

    @property
    def limited(self) -> bool:
        """Whether this is held to anything."""
        return self.most is not None or self.least is not None

    @property
    def holds(self) -> bool:
        """Not measured is not reached."""
        judged = self.ours if self.absolute else self.ratio
        if not self.limited:
            return True
        if judged is None:
            return False
        return (self.most is None or judged <= self.most) and (self.least is None or judged >= self.least)

    @property
    def limit(self) -> str:
        """The limit in words."""
        if not self.limited:
            return ""
        bound = f"≤ {_number(self.most)}" if self.most is not None else f"≥ {_number(self.least)}"
        return bound if self.absolute else f"{bound} x"

    def __str__(self) -> str:
        judged = self.ours if self.absolute else self.ratio
        shown = "not measured" if judged is None else _number(judged) + ("" if self.absolute else " x")
        return f"{'pass' if self.holds else 'FAIL'}  {self.what:<44} {shown:>12}   {self.limit}"


def table(title: str, lines: Sequence[Line]) -> str:
    """The lines under headings."""
    width = max(len(text) for text in (title, *(line.what for line in lines)))
    rows = ["  ".join([title.ljust(width), *(heading.rjust(11) for heading in _HEADINGS)])]
    for line in lines:
        cells = (_number(line.theirs), _number(line.ours), _number(line.ratio), line.limit)
        rows.append("  ".join([line.what.ljust(width), *(cell.rjust(11) for cell in cells)]).rstrip())
    return "\n".join(rows)


def median(values: Sequence[float]) -> float | None:
    """The one in the middle; None of nothing."""
    return statistics.median(values) if values else None


def percentile(values: Sequence[float], share: float) -> float | None:
    """The least value that this share of all does not exceed (nearest rank); None of nothing."""
    return sorted(values)[math.ceil(share * len(values)) - 1] if values else None


def _number(value: float | None) -> str:
    """A number as short as it can be told apart."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.2f}"  # noqa: PLR2004 - digits
