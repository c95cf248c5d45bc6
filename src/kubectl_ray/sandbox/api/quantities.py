"""Amounts of resources: read exactly, compared, added, and written in the one form that Kubernetes writes.

Source: apimachinery, `pkg/api/resource/quantity.go`. Numbers are kept as whole billionths: the smallest amount that
Kubernetes knows is 1n, and what is smaller is rounded away from zero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

NANO = 10**9
MILLI = 10**6
LARGEST = (2**63 - 1) * NANO
"""A bigger amount counts as this one."""

BINARY, DECIMAL, EXPONENT = "BinarySI", "DecimalSI", "DecimalExponent"
WRONG_FORM = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
WRONG_SUFFIX = "unable to parse quantity's suffix"

_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_DECIMAL_NAMES = {power: suffix for suffix, power in _DECIMAL.items()}
_BINARY_NAMES = {power: suffix for suffix, power in _BINARY.items()}
_FORM = re.compile(r"([+-]?)([0-9]*)(\.[0-9]*)?([eEinumkKMGTP]*(?:[-+]?[0-9]*))", re.ASCII)
_POWER = re.compile(r"[eE]([-+]?)([0-9]+)", re.ASCII)
_POWER_DIGITS = 9
_BEYOND, _FINEST = 30, 60
"""Powers of ten past which an amount is the largest or the smallest, and past which digits only round up: numbers
stay short whatever is written."""


@dataclass(frozen=True, order=True)
class Quantity:
    """An amount; two are equal when they mean the same, however they were written."""

    nanos: int
    form: str = field(default=DECIMAL, compare=False)

    @property
    def whole(self) -> int:
        """Whole units, rounded away from zero, as bytes and pods are counted."""
        return _up(self.nanos, NANO)

    @property
    def milli(self) -> int:
        """Thousandths, rounded away from zero, as CPUs are counted."""
        return _up(self.nanos, MILLI)

    def rounded(self) -> Quantity:
        """In whole thousandths: what the server keeps of requests, limits and quotas."""
        return Quantity(self.milli * MILLI, self.form)

    def __add__(self, other: Quantity) -> Quantity:
        """The sum, written as the first one is unless that is nothing."""
        form = self.form if self.nanos else other.form
        return Quantity(max(-LARGEST, min(self.nanos + other.nanos, LARGEST)), form)

    def __sub__(self, other: Quantity) -> Quantity:
        """The difference, written as the first one is unless that is nothing."""
        return self + Quantity(-other.nanos, other.form)

    def __str__(self) -> str:
        """The canonical form: no fraction, the largest suffix that needs none."""
        if self.nanos == 0:
            return "0"
        if self.form == BINARY and abs(self.nanos) >= 1024 * NANO and self.nanos % NANO == 0:
            number, power = self.nanos // NANO, 0
            while number % 1024 == 0 and power < max(_BINARY_NAMES):
                number, power = number // 1024, power + 10
            return f"{number}{_BINARY_NAMES.get(power, '')}"
        number, power = self.nanos, -9
        while number % 1000 == 0 and (power < max(_DECIMAL_NAMES) or self.form == EXPONENT):
            number, power = number // 1000, power + 3
        if self.form == EXPONENT:
            return f"{number}e{power}" if power else str(number)
        return f"{number}{_DECIMAL_NAMES[power]}"


def parse(text: object) -> Quantity:
    """The amount that a string or a number of JSON means.

    Raises:
        ValueError: it is none; the text is the real server's.
    """
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise ValueError(WRONG_FORM)  # noqa: TRY004 - a wrong value in the body of a request
    written = str(text).strip() if isinstance(text, str) else _digits(text)
    match = _FORM.fullmatch(written)
    if match is None or not written:
        raise ValueError(WRONG_FORM)
    fraction = (match[3] or ".")[1:]
    base, power, form = _suffix(match[4])
    tens, twos = (power, 0) if base == 10 else (0, power)  # noqa: PLR2004 - the two bases there are
    nanos = _nanos((match[2] + fraction).lstrip("0"), tens - len(fraction), twos)
    return Quantity(-nanos if match[1] == "-" else nanos, form)


def _digits(number: float) -> str:
    """A number of JSON; an integer too long to be written (Python's own limit) is the largest."""
    try:
        return str(number)
    except ValueError:
        return str(LARGEST if number > 0 else -LARGEST)


def _suffix(suffix: str) -> tuple[int, int, str]:
    """Base, power and form."""
    if suffix in _BINARY:
        return 2, _BINARY[suffix], BINARY
    if suffix in _DECIMAL:
        return 10, _DECIMAL[suffix], DECIMAL
    power = _POWER.fullmatch(suffix)
    if power is None:
        raise ValueError(WRONG_SUFFIX)
    digits = power[2].lstrip("0")[:_POWER_DIGITS] or "0"
    return 10, int(power[1] + digits), EXPONENT


def _nanos(digits: str, tens: int, twos: int) -> int:
    """Billionths of digits * 10^tens * 2^twos, rounded up, at most the largest."""
    if not digits:
        return 0
    if len(digits) + tens > _BEYOND:
        return LARGEST
    if len(digits) + tens < -_BEYOND:
        return 1
    if tens < -_FINEST:
        cut = len(digits) + tens + _FINEST
        digits, tens = digits[:cut] + ("1" if digits[cut:].strip("0") else "0"), -_FINEST - 1
    number = int(digits) << twos
    places = tens + 9
    return min(number * 10**places if places >= 0 else _up(number, 10**-places), LARGEST)


def _up(number: int, unit: int) -> int:
    """How many units, rounded away from zero."""
    return -(-number // unit) if number > 0 else number // unit


def canonical(text: object) -> str:
    """As the server gives it back.

    Raises:
        ValueError: it is no quantity.
    """
    return str(parse(text))
