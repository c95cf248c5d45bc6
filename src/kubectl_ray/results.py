"""What commands hand to the terminal: `run(ctx, args)` returns one of these or yields several.

Nothing here knows a terminal; `cli/show.py` decides how each looks on a screen, in a pipe, as JSON.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


class Event:
    """Anything a command may return or yield."""

    __slots__ = ()


class Line(Event):
    """One line of the answer: stdout."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Note(Event):
    """One remark beside the answer (a choice made, a next step): stderr."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Warn(Event):
    """Something the reader should not miss, though the command goes on: stderr, marked as a warning."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Progress(Event):
    """How far a wait is: one live line on a terminal's stderr, a new line at each change elsewhere."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class IfInterrupted(Event):
    """From here on, a Ctrl-C is answered with this text (what goes on, how to come back)."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Exit(Event):
    """The command ends with this exit code, though nothing failed: that of a program which it ran. Comes last."""

    __slots__ = ("code",)

    def __init__(self, code: int) -> None:
        self.code = code


class Column:
    """A column of a table: its title and how a row's cell is made.

    `wide` columns appear with `-o wide` only.
    """

    __slots__ = ("cell", "title", "wide")

    def __init__(self, title: str, cell: Callable[[Any], str], *, wide: bool = False) -> None:
        self.title = title
        self.cell = cell
        self.wide = wide


class Rows(Event):
    """A table. `empty` is said on stderr when there is no row; `more` continues the table before it (watching).

    With `headers_when_empty` an empty table still prints its header line on stdout.
    """

    __slots__ = ("columns", "empty", "headers_when_empty", "more", "rows")

    def __init__(
        self,
        columns: Iterable[Column],
        rows: Iterable[Any],
        *,
        empty: str = "",
        more: bool = False,
        headers_when_empty: bool = False,
    ) -> None:
        self.columns = tuple(columns)
        self.rows = rows
        self.empty = empty
        self.more = more
        self.headers_when_empty = headers_when_empty


class Objects(Event):
    """Kubernetes objects for `-o json|yaml|name|jsonpath|custom-columns`.

    `single`: the object itself is printed, not a `List` with one item.
    """

    __slots__ = ("items", "single")

    def __init__(self, items: Iterable[dict[str, Any]], *, single: bool = False) -> None:
        self.items = items
        self.single = single


class Page(Event):
    """A page of text (describe): stdout."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text
