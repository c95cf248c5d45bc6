"""Tables whose columns the user names."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_ray.errors import WrongUse
from kubectl_ray.views.custom_columns import lines, printed

ITEMS: list[dict[str, Any]] = [
    {"metadata": {"name": "a"}, "hosts": ["x", "y"], "n": None},
    {"metadata": {"name": "longer"}, "map": {"b": 1, "a": True}},
]


def test_table() -> None:
    """What an object lacks is <none>; several values are joined."""
    assert list(lines("NAME:.metadata.name,HOSTS:{.hosts[*]},MAP:map", ITEMS)) == [
        "NAME     HOSTS    MAP",
        "a        x,y      <none>",
        "longer   <none>   map[a:true b:1]",
    ]


def test_without_headers() -> None:
    """The line of titles can be left out."""
    assert list(lines("N:.metadata.name", ITEMS, headers=False)) == ["a", "longer"]


@pytest.mark.parametrize("expression", ["", "NAME", "NAME:", ":.x", "A:.x,", "A:{.x"])
def test_no_columns(expression: str) -> None:
    """A column is a title and a path."""
    with pytest.raises(WrongUse):
        list(lines(expression, []))


def test_values_as_go_prints_them() -> None:
    """Null, lists and numbers too."""
    assert [printed(value) for value in (None, [1, "b"], 1.5, False)] == ["<nil>", "[1 b]", "1.5", "false"]


def test_narrow_columns() -> None:
    """A cell and its gap take six places at least, as in kubectl's."""
    assert list(lines("A:.x,B:.y", [{"x": 1, "y": 2}])) == ["A     B", "1     2"]
