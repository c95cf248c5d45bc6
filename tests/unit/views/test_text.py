"""Foreign text on a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.views.text import clean, count, folded


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines\there", "two lines here"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("bell\x07", "bell\\x07"),
        ("right\u202eleft", "right\\u202eleft"),
        ("\x9b2J", "\\x9b2J"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("größe ✓", "größe ✓"),
        ("", ""),
    ],
)
def test_clean(text: str, shown: str) -> None:
    """What a terminal would obey is shown instead."""
    assert clean(text) == shown


@given(st.text())
def test_clean_is_one_printable_line(text: str) -> None:
    """Whatever a server writes: nothing but letters and blanks."""
    assert clean(text).isprintable()


@given(st.text(alphabet="ab \n\x1b", max_size=120), st.integers(20, 80))
def test_folded(text: str, width: int) -> None:
    """No line is longer than asked for, unless a word is; all words are there, in order."""
    lines = list(folded(text, "    ", "!   ", width))
    assert lines[0].startswith("!")
    assert all(len(line) <= width or " " not in line[4:] for line in lines)
    assert " ".join(" ".join(line[4:] for line in lines).split()) == " ".join(clean(text).split())


def test_count() -> None:
    """One and several."""
    assert (count(1, "worker"), count(0, "worker"), count(2, "entry", "entries")) == (
        "1 worker",
        "0 workers",
        "2 entries",
    )
