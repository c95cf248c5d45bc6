"""Tables as kubectl prints them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.results import Column
from kubectl_ray.views.table import Table, cell

COLUMNS = [
    Column("NAME", lambda row: row[0]),
    Column("STATE", lambda row: row[1]),
    Column("X", lambda row: row[2], wide=True),
]


def test_columns_line_up() -> None:
    """Three blanks behind the widest cell, nothing behind the last one."""
    assert list(Table(COLUMNS).lines([("a", "ready", ""), ("longer-name", "", "")])) == [
        "NAME          STATE",
        "a             ready",
        "longer-name",
    ]


def test_rows_are_not_kept() -> None:
    """Each row is asked for its cells once and let go."""
    seen = []

    def name(row: tuple[str, ...]) -> str:
        seen.append(row)
        return row[0]

    assert list(Table([Column("N", name)], headers=False).lines(iter([("a",), ("b",)]))) == ["a", "b"]
    assert len(seen) == 2


def test_later_rows_keep_the_widths() -> None:
    """And may widen them."""
    table = Table(COLUMNS, wide=True)
    list(table.lines([("long-name", "s", "x")]))
    assert list(table.lines([("b", "s", "x")], titles=False)) == ["b           s       x"]


def test_several_lines_in_a_cell_are_cut() -> None:
    """As kubectl does, so that a table stays a table."""
    assert cell("one\ntwo") == "one..."
    assert cell("") == ""


def test_control_characters_are_made_visible() -> None:
    """Text from the cluster must not move the cursor."""
    assert cell("\x1b[31mred\x07") == "^[[31mred^G"


@given(st.text())
def test_any_text_is_one_line(text: str) -> None:
    """Whatever a cluster holds."""
    assert len(cell(text).splitlines()) <= 1
    assert "\x1b" not in cell(text)
