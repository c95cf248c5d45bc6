"""Rows as kubectl's table: upper-case titles, three blanks between columns, nothing behind the last cell.

Source of the look: k8s.io/cli-runtime/pkg/printers (tableprinter.go, terminal.go) and its tabwriter settings.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from kubectl_ray.results import Column

GAP = "   "

# What stands where there is nothing to show, and where this login may not look; as kubectl and the API server have it.
NONE = "<none>"
NO_PERMISSION = "<no permission>"
# kubectl's tabwriter has cells of six at least, the gap included.
_NARROWEST = 3

#: Control characters as a terminal would not show them; a table of foreign text must not move the cursor.
_VISIBLE = {code: f"^{chr(code + 64)}" for code in range(32)} | {127: "^?"} | dict.fromkeys(range(128, 160), "?")


def cell(text: str) -> str:
    """Text as one cell: cut at the first line's end with `...`, control characters made visible."""
    if text.isprintable():
        return text
    first = text.splitlines()[0] if text.splitlines() else ""
    cut = first + "..." if len(first) < len(text) else first
    return cut.translate(_VISIBLE)


class Table:
    """Lays out rows. It remembers the columns' widths, so that a watch's later rows stay below the first ones."""

    __slots__ = ("_columns", "_headers", "_widths")

    def __init__(self, columns: Iterable[Column], *, wide: bool = False, headers: bool = True) -> None:
        self._columns = [column for column in columns if wide or not column.wide]
        self._headers = headers
        self._widths = [_NARROWEST] * len(self._columns)

    def cells(self, row: Any) -> tuple[str, ...]:
        """One row's cells; the row itself need not be kept."""
        return tuple([cell(column.cell(row)) for column in self._columns])

    def lines(self, rows: Iterable[Any], *, titles: bool = True) -> Iterator[str]:
        """The lines of these rows, the titles first where wanted. No row is held, only its cells."""
        shown = [tuple(column.title for column in self._columns)] if titles and self._headers else []
        shown += [self.cells(row) for row in rows]
        if shown:
            self._widths = [
                max(width, *map(len, each)) for width, each in zip(self._widths, zip(*shown, strict=True), strict=True)
            ]
        return map(self._line, shown)

    def _line(self, cells: Sequence[str]) -> str:
        *padded, last = [text.ljust(width) for text, width in zip(cells, self._widths, strict=True)]
        return GAP.join((*padded, last)).rstrip()
