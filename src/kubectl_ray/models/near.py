"""Did you mean: the known names that look like a mistyped one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MOST = 3  # names in one hint


def _distance(one: str, other: str, limit: int) -> int:
    """How many letters differ: insert, delete, replace, or swap two neighbours; `limit + 1` when more than `limit`.

    Source: optimal string alignment, the restricted form of Damerau and Levenshtein's distance.
    """
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        line = [row]
        for column, against in enumerate(other, 1):
            cost = min(last[column] + 1, line[column - 1] + 1, last[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        if min(line) > limit:
            return limit + 1
        before, last = last, line
    return min(last[-1], limit + 1)


def near(name: str, names: Iterable[str]) -> list[str]:
    """At most three of `names` that are likely meant by `name`, the likeliest first.

    Likely: a third of the letters or fewer differ, or one is the beginning of the other (three letters at least).
    """
    wanted = name.lower()
    limit = max(1, len(wanted) // 3)
    found: list[tuple[int, str]] = []
    for known in sorted(set(names)):
        candidate = known.lower()
        distance = _distance(wanted, candidate, limit)
        begins = len(wanted) > 2 and (candidate.startswith(wanted) or wanted.startswith(candidate))  # noqa: PLR2004 -- shorter ones begin everything
        if distance <= limit or (begins and candidate):
            found.append((min(distance, limit + 1), known))
    return [known for _, known in sorted(found)[:MOST]]


def suggestion(name: str, names: Iterable[str], written: str = '"{}"') -> str:
    """A hint: `Did you mean "a" or "b"?`, or "" when nothing is near. `written`: how a name is shown."""
    shown = [written.format(known) for known in near(name, names)]
    return f"Did you mean {' or '.join(shown)}?" if shown else ""
