"""Amounts of resources: exact, canonical, and refused in the server's words."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.api.quantities import (
    BINARY,
    LARGEST,
    NANO,
    WRONG_FORM,
    WRONG_SUFFIX,
    Quantity,
    canonical,
    parse,
)

SUFFIXES = {
    "n": Fraction(1, 10**9),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    "k": Fraction(1000),
    "Gi": Fraction(2**30),
}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1.5Gi", "1536Mi"),
        ("1024Mi", "1Gi"),
        ("0.5Ki", "512"),
        ("1000k", "1M"),
        ("1500", "1500"),
        ("1E3", "1e3"),
        ("-5m", "-5m"),
        ("0.1n", "1n"),
        ("1.1Ki", "1126400m"),
        ("Ki", "0"),
        (2, "2"),
        (0.25, "250m"),
        (" 1 ", "1"),
    ],
)
def test_canonical(written: object, kept: str) -> None:
    """An amount comes back without a fraction and with the largest suffix that needs none."""
    assert canonical(written) == kept


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", WRONG_FORM),
        ("ten", WRONG_FORM),
        ("1 Gi", WRONG_FORM),
        ("1.5.2", WRONG_FORM),
        (True, WRONG_FORM),
        (None, WRONG_FORM),
        ([], WRONG_FORM),
        (float("nan"), WRONG_FORM),
        (float("inf"), WRONG_FORM),
        ("1mm", WRONG_SUFFIX),
        ("1e", WRONG_SUFFIX),
    ],
)
def test_refused(written: object, why: str) -> None:
    """What is no amount is a ValueError with the server's own words."""
    with pytest.raises(ValueError, match=r".") as caught:
        parse(written)
    assert str(caught.value) == why


def test_units_are_counted_up() -> None:
    """A fraction of a CPU or of a byte counts as one more."""
    assert (parse("1100m").whole, parse("0.1m").milli, parse("-1100m").whole) == (2, 1, -2)


def test_two_spellings_of_one_amount_are_equal() -> None:
    """How an amount was written does not matter when it is compared."""
    assert parse("1") == parse("1000m") < parse("1Ki") == parse("1024")


def test_a_sum_is_written_like_its_first_part() -> None:
    """The form of the first amount stays, unless it is nothing."""
    assert str(parse("1Gi") + parse("1G")) == str(Quantity(parse("1Gi").nanos + parse("1G").nanos, BINARY))
    assert str(parse("0") + parse("1Gi")) == "1Gi"
    assert str(parse("1") - parse("300m")) == "700m"


def amount(text: str) -> str:
    """The word "amount" for one that is not too large, else what is wrong with it."""
    try:
        return "amount" if abs(parse(text).nanos) <= LARGEST else "too large"
    except ValueError as error:
        return str(error)


@given(st.text())
def test_any_text_is_an_amount_or_a_value_error(text: str) -> None:
    """Nothing else can come of a text."""
    assert amount(text) in {"amount", WRONG_FORM, WRONG_SUFFIX}


@given(st.from_regex(r"[+-]?[0-9]{0,60}(\.[0-9]{0,60})?(e|E|Ki|Ei|n|m|k|E)?[-+]?[0-9]{0,12}", fullmatch=True))
def test_any_size_of_number_is_read(text: str) -> None:
    """However long or large it is, and without growing."""
    assert amount(text) in {"amount", WRONG_FORM, WRONG_SUFFIX}


@given(st.integers(0, 10**9), st.integers(0, 10**6), st.sampled_from(sorted(SUFFIXES)))
def test_amounts_are_exact(whole: int, fraction: int, suffix: str) -> None:
    """The number means what it says, rounded up to a billionth."""
    exact = Fraction(f"{whole}.{fraction:06d}") * SUFFIXES[suffix] * NANO
    assert parse(f"{whole}.{fraction:06d}{suffix}").nanos == min(-(-exact.numerator // exact.denominator), LARGEST)


@given(st.integers(-LARGEST, LARGEST), st.sampled_from(["BinarySI", "DecimalSI", "DecimalExponent"]))
def test_what_is_written_is_read_back(nanos: int, form: str) -> None:
    """The canonical form loses nothing, and is its own canonical form."""
    text = str(Quantity(nanos, form))
    assert parse(text).nanos == nanos
    assert canonical(text) == text
