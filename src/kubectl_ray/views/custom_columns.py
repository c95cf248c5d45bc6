"""`-o custom-columns=NAME:.metadata.name,…`: a table whose columns the user names.

Source: k8s.io/kubectl/pkg/cmd/get/customcolumn.go. What an object lacks is `<none>`.
"""

from __future__ import annotations

from kubectl_ray.errors import WrongUse
from kubectl_ray.results import Column
from kubectl_ray.views.json_text import short_number
from kubectl_ray.views.jsonpath import Path
from kubectl_ray.views.table import NONE, Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

_EXAMPLE = "For example: -o custom-columns=NAME:.metadata.name,STATE:.status.state"


def columns(expression: str) -> list[Column]:
    """The columns that `TITLE:PATH,TITLE:PATH` names.

    Raises:
        WrongUse: a title or a path is missing, or the path cannot be read.
    """
    found = []
    for part in expression.split(","):
        title, colon, path = part.partition(":")
        if not colon or not title or not path:
            raise WrongUse(f"{part!r} is no column: a title, a colon and a path are needed", hint=_EXAMPLE)
        found.append(Column(title, _cell(Path(path))))
    return found


def lines(expression: str, items: Iterable[dict[str, Any]], *, headers: bool = True) -> Iterator[str]:
    """The table's lines.

    Raises:
        WrongUse: the expression cannot be read.
    """
    return Table(columns(expression), headers=headers).lines(items)


def _cell(path: Path) -> Callable[[Any], str]:
    def cell(item: Any) -> str:
        return ",".join(map(printed, path.values(item))) or NONE

    return cell


def printed(value: Any) -> str:
    """A value as Go's fmt.Sprint has it: `map[a:1 b:2]`, `[x y]`, `<nil>`."""
    if isinstance(value, str):
        return value
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{printed(value[key])}' for key in sorted(value, key=str))}]"
    if isinstance(value, (list, tuple)):
        return f"[{' '.join(map(printed, value))}]"
    return short_number(value) if isinstance(value, (int, float)) else str(value)
