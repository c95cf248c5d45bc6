"""Amounts of CPU, memory and devices: Kubernetes' quantities, exactly, and the sizes that people write.

A quantity is held as a whole number of nano units, Kubernetes' own finest grain (`resource.Quantity` rounds anything
finer up), so that sums are exact without a module for fractions.
"""

from __future__ import annotations

from functools import lru_cache

from kubectl_ray.errors import WrongUse

NANO = 10**9
MILLI = 10**6  # nano units in a thousandth
MEBI = 2**20

# Kubernetes caps what it reads at an int64 of the unit.
_CAP = (2**63 - 1) * NANO

_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}
_SMALL = {"n": 1, "u": 10**3, "m": 10**6}  # in nano units
_LONGEST = 64  # characters of a number worth reading
_LARGEST_EXPONENT = 40  # beyond it everything is capped, or rounds to the finest grain
_SHORT = 99999  # the largest number that a cell of a table shows unrounded


def _number(text: str) -> tuple[int, int] | None:
    """A plain decimal number as (digits, how many of them stand behind the point); None when it is none."""
    whole, point, fraction = text.partition(".")
    digits = whole + fraction
    if not digits or len(digits) > _LONGEST or not (digits.isascii() and digits.isdigit()):
        return None
    return (int(digits), len(fraction) if point else 0)


def _split(text: str) -> tuple[str, str]:
    """The number in front and the letters behind."""
    end = 0
    while end < len(text) and text[end] in "0123456789.":
        end += 1
    return text[:end], text[end:]


def _exponent(suffix: str) -> int | None:
    """The power of ten of `e3`, `E-2`; None when it is no exponent."""
    digits = suffix[1:]
    bare = digits[1:] if digits[:1] in {"+", "-"} else digits
    if suffix[:1] not in {"e", "E"} or not bare or not (bare.isascii() and bare.isdigit()):
        return None
    size = int(bare) if len(bare) < 4 else _LARGEST_EXPONENT  # noqa: PLR2004 -- 999 is more than enough
    size = min(size, _LARGEST_EXPONENT)
    return -size if digits[0] == "-" else size


def _up(numerator: int, denominator: int) -> int:
    """A division that rounds up."""
    return -(-numerator // denominator)


def parse(value: object) -> int | None:
    """Nano units of a Kubernetes quantity (`"500m"`, `"2Gi"`, `"1e3"`, 2, 0.5); None when it is none.

    Source: Kubernetes, `resource.ParseQuantity`: what is finer than nano rounds up, what no int64 holds is capped.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = value if isinstance(value, str) else repr(value) if isinstance(value, float) else ""
    if isinstance(value, int):
        return max(-_CAP, min(_CAP, value * NANO))
    sign = -1 if text[:1] == "-" else 1
    front, suffix = _split(text[1:] if text[:1] in {"+", "-"} else text)
    number = _number(front)
    if number is None:
        return None
    digits, places = number
    if suffix in _SMALL:
        digits *= _SMALL[suffix]
    elif suffix in _BINARY:
        digits *= _BINARY[suffix] * NANO
    elif suffix in _DECIMAL:
        digits *= _DECIMAL[suffix] * NANO
    else:
        exponent = _exponent(suffix)
        if exponent is None:
            return None
        digits *= NANO * 10 ** max(exponent, 0)
        places += max(-exponent, 0)
    return sign * min(_CAP, _up(digits, 10**places))


def amount(value: object) -> int:
    """Nano units of a quantity in an object; 0 where there is none to read."""
    return _amount_of_text(value) if isinstance(value, str) else parse(value) or 0


@lru_cache(maxsize=1024)
def _amount_of_text(text: str) -> int:
    """Thousands of clusters have few different sizes."""
    return parse(text) or 0


def format_cpu(nano: int) -> str:
    """CPUs as Kubernetes writes them: `8`, `500m`, `1500m`; finer than a thousandth rounds up."""
    if nano % NANO == 0:
        return str(nano // NANO)
    return f"{_up(nano, MILLI)}m"


def format_count(nano: int) -> str:
    """Devices: a whole number, rounded up."""
    return str(_up(nano, NANO))


def canonical(nano: int, *, binary: bool) -> str:
    """A quantity as Kubernetes itself writes it: no fraction, the largest unit that leaves none.

    `binary`: it was written with Ki, Mi, …; below 1024 of the unit Kubernetes writes such a one with decimal units too.
    Source: Kubernetes, `resource.Quantity.CanonicalizeBytes`.
    """
    if nano == 0:
        return "0"
    sign, nano = ("-", -nano) if nano < 0 else ("", nano)
    if binary and nano >= 1024 * NANO:
        size = _up(nano, NANO)
        for unit, factor in reversed(_BINARY.items()):
            if size % factor == 0:
                return f"{sign}{size // factor}{unit}"
        return f"{sign}{size}"
    units = {unit: factor * NANO for unit, factor in _DECIMAL.items()}
    for unit, factor in (*reversed(units.items()), *reversed(_SMALL.items())):
        if nano % factor == 0:
            return f"{sign}{nano // factor}{unit}"
    return f"{sign}{nano}n"


def is_binary(value: object) -> bool:
    """Is it written with Ki, Mi, Gi, …?"""
    return isinstance(value, str) and value.endswith("i")


@lru_cache(maxsize=1024)
def format_memory(nano: int) -> str:
    """Memory for a person: `32Gi`, `1724Mi`, `500M`, `306.0Gi`.

    Exact with the largest unit that gives a short whole number, else rounded to a tenth of a binary unit.
    """
    size = _up(nano, NANO)
    if size <= 0:
        return "0"
    best = ""
    best_count = _SHORT + 1
    for units in (_BINARY, _DECIMAL):
        for unit, factor in units.items():
            if size % factor == 0 and size // factor < best_count:
                best, best_count = unit, size // factor
    if best_count <= _SHORT:
        return f"{best_count}{best}"
    for unit, factor in reversed(_BINARY.items()):
        if size >= factor:
            tenths = (size * 10 + factor // 2) // factor
            return f"{tenths // 10}.{tenths % 10}{unit}"
    return str(size)


# What people write behind a number of bytes, in lower case, and the family and unit that it means. A lone "m" or "e"
# is not here: 128m is a thousandth of 128 bytes to Kubernetes, and nobody means that.
_WRITTEN = {
    **{unit.lower() + end: unit for unit in _BINARY for end in ("", "b")},
    **{unit.lower() + end: unit for unit in _DECIMAL for end in ("", "b")},
}


def _wrong_size(text: str, flag: str, why: str, try_this: str = "") -> WrongUse:
    return WrongUse(f"{flag}={text}: {why}", try_this or f"Write a size such as {flag}=32GB or {flag}=32Gi.")


def normalize_memory(text: str, flag: str = "--worker-memory") -> str:
    """A size in a user's words as the quantity that is sent: `32GB` → `32G`, `32 GiB` → `32Gi`, `1.5TB` → `1500G`.

    Raises:
        WrongUse: it is no size, negative, or so small that it cannot be meant (`32`, `128m`).
    """
    given = text.strip()
    if given.startswith("-"):
        raise _wrong_size(text, flag, "a size cannot be negative.")
    front, suffix = _split(given.removeprefix("+"))
    number = _number(front)
    suffix = suffix.strip()
    unit = _WRITTEN.get(suffix.lower())
    if suffix == "m":
        number_text = front or "128"
        raise _wrong_size(
            text,
            flag,
            "a small m means a thousandth of a byte.",
            f"Did you mean {flag}={number_text}M or {flag}={number_text}Mi?",
        )
    if number is not None and suffix != "E" and _exponent(suffix) is not None:
        exact = parse(front + suffix) or 0
        number, unit = (_up(exact, NANO), 0), ""
    if suffix == "e" or number is None or unit is None:
        raise _wrong_size(text, flag, "this is no size.")
    digits, places = number
    factor = _BINARY.get(unit) or _DECIMAL[unit]
    size = _up(digits * factor, 10**places)
    if 0 < size < MEBI:
        bare = front or "32"
        hint = f"Did you mean {flag}={bare}GB or {flag}={bare}Gi?" if not unit else ""
        raise _wrong_size(text, flag, f"that is {size} bytes, less than a Ray process needs to start.", hint)
    if size > _CAP // NANO:
        raise _wrong_size(text, flag, "that is more than Kubernetes can count.")
    if digits % 10**places == 0:
        return f"{digits // 10**places}{unit}" if size else "0"
    family = _BINARY if unit in _BINARY else _DECIMAL
    return next(
        (f"{size // factor}{name}" for name, factor in reversed(family.items()) if size % factor == 0), str(size)
    )


def normalize_cpu(text: str, flag: str = "--worker-cpus") -> str:
    """A number of CPUs in a user's words as the quantity that is sent: `8`, `500m`, `0.5` → `500m`, `1.5` → `1500m`.

    Raises:
        WrongUse: it is no number, negative, or finer than a thousandth of a CPU.
    """
    given = text.strip()
    nano = parse(given)
    if nano is None or nano >= _CAP:
        raise WrongUse(f"{flag}={text}: this is no number of CPUs.", f"Write {flag}=8, {flag}=0.5 or {flag}=500m.")
    if given.startswith("-"):
        raise WrongUse(f"{flag}={text}: a number of CPUs cannot be negative.", f"Write {flag}=8 or {flag}=500m.")
    if nano % MILLI:
        raise WrongUse(f"{flag}={text}: Kubernetes counts CPUs in thousandths.", f"Write {flag}=500m for half a CPU.")
    return format_cpu(nano)


def normalize_count(text: str, flag: str) -> int:
    """A number of devices, hosts or replicas: a whole number from 0 to 2147483647.

    Raises:
        WrongUse: it is not.
    """
    given = text.strip().removeprefix("+")
    if given.startswith("-") and given[1:].isdigit():
        raise WrongUse(f"{flag}={text}: it cannot be negative.", f"Write a whole number: {flag}=1.")
    if not (given.isascii() and given.isdigit()) or len(given) > 10 or int(given) > 2**31 - 1:  # noqa: PLR2004 -- digits of it
        raise WrongUse(
            f"{flag}={text}: this is no whole number from 0 to 2147483647.", f"Write a whole number: {flag}=1."
        )
    return int(given)
