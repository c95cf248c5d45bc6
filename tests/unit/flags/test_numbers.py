"""Whole numbers on the command line."""

from __future__ import annotations

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.flags.numbers import count


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("2147483647", 2**31 - 1)])
def test_count(text: str, number: int) -> None:
    """From 0 to what Kubernetes' int32 holds."""
    assert count(text) == number


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "1e3", " 1", "1_000", "²", "٣", "2147483648", "9" * 5000, "x"])
def test_no_count(text: str) -> None:
    """Anything else is refused, digits of other scripts and numbers of any length among it."""
    with pytest.raises(argparse.ArgumentTypeError, match="whole number"):
        count(text)


@given(st.text() | st.text("0123456789"))
def test_any_text(text: str) -> None:
    """Every text is a number in range, or refused."""
    try:
        assert 0 <= count(text) < 2**31
    except argparse.ArgumentTypeError:
        assert not (text.isascii() and text.isdigit() and len(text) < 10)
