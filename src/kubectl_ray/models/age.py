"""Points in time and lengths of time, as the API server writes them and as kubectl prints them."""

from __future__ import annotations

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
YEAR = 365 * DAY

# "2026-11-23T11:52:02" is 19 characters; after it come a fraction of a second or not, and the zone.
_SECONDS_END = 19
_FIRST_ZONE_CHARACTER = "+-Zz"
_DIGITS = "0123456789."
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": MINUTE, "h": HOUR, "d": DAY}
_LONGEST = 100 * YEAR


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a Gregorian date: whole eras of 400 years, counted from a first of March."""
    year -= month <= 2  # noqa: PLR2004 -- January and February belong to the year before
    era_year = year % 400
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return (year // 400) * 146097 + era_year * 365 + era_year // 4 - era_year // 100 + day_of_year - 719468


def _zone(text: str) -> int | None:
    """Seconds east of Greenwich of "Z", "+01:00", "-0330"; None when it is no zone."""
    if text in {"Z", "z"}:
        return 0
    digits = text[1:].replace(":", "", 1)
    if len(digits) != 4 or not (digits.isascii() and digits.isdigit()):  # noqa: PLR2004 -- hhmm
        return None
    seconds = int(digits[:2]) * HOUR + int(digits[2:]) * MINUTE
    return -seconds if text[0] == "-" else seconds


def _numbers(fixed: str) -> tuple[int, int, int, int, int, int] | None:
    """Year to second of "2026-11-23T11:52:02"; None when one of them cannot be."""
    if fixed[4] + fixed[7] + fixed[13] + fixed[16] != "--::" or fixed[10] not in "Tt ":
        return None
    digits = fixed[0:4] + fixed[5:7] + fixed[8:10] + fixed[11:13] + fixed[14:16] + fixed[17:19]
    if not (digits.isascii() and digits.isdigit()):
        return None
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    hour, minute, second = int(digits[8:10]), int(digits[10:12]), int(digits[12:])
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < MINUTE and second <= MINUTE):  # noqa: PLR2004 -- the calendar
        return None
    return (year, month, day, hour, minute, second)


def epoch(value: object) -> float | None:
    """Seconds since 1970 of an RFC 3339 time (`metav1.Time`, `metav1.MicroTime`); None when it is none.

    By hand: the way of `list` reads one such text a row and needs no calendar module for it.
    """
    if not isinstance(value, str) or len(value) <= _SECONDS_END:
        return None
    numbers = _numbers(value[:_SECONDS_END])
    rest = value[_SECONDS_END:]
    fraction = 0.0
    if rest[0] == ".":
        end = 1
        while end < len(rest) and rest[end] not in _FIRST_ZONE_CHARACTER:
            end += 1
        digits = rest[1:end]
        if not (digits.isascii() and digits.isdigit()):
            return None
        fraction = int(digits[:9]) / 10 ** len(digits[:9])
        rest = rest[end:]
    zone = _zone(rest) if rest else None
    if numbers is None or zone is None:
        return None
    year, month, day, hour, minute, second = numbers
    return _days(year, month, day) * DAY + hour * HOUR + minute * MINUTE + second - zone + fraction


def human(seconds: float) -> str:
    """A length of time as kubectl prints an AGE: `90s`, `9m59s`, `3h`, `7h58m`, `2d1h`, `400d`, `3y5d`.

    Source: Kubernetes, apimachinery `duration.HumanDuration`.
    """
    whole = int(seconds)  # towards zero, as Go does
    if whole < -1:
        return "<invalid>"
    whole = max(whole, 0)
    if whole < 2 * MINUTE:
        return f"{whole}s"
    for limit, unit, name, smaller, smaller_name in (
        (10 * MINUTE, MINUTE, "m", 1, "s"),
        (3 * HOUR, MINUTE, "m", 0, ""),
        (8 * HOUR, HOUR, "h", MINUTE, "m"),
        (2 * DAY, HOUR, "h", 0, ""),
        (8 * DAY, DAY, "d", HOUR, "h"),
        (2 * YEAR, DAY, "d", 0, ""),
        (8 * YEAR, YEAR, "y", DAY, "d"),
    ):
        if whole < limit:
            rest = whole % unit // smaller if smaller else 0
            return f"{whole // unit}{name}{rest}{smaller_name}" if rest else f"{whole // unit}{name}"
    return f"{whole // YEAR}y"


def limit(seconds: float) -> str:
    """A time that was given to something, for `--timeout`: as `human`, but below a second with its fraction: `0.5s`."""
    return f"{seconds:g}s" if 0 < seconds < 1 else human(seconds)


def since(then: float | None, now: float) -> str:
    """The age of what happened `then` (epoch seconds), or `<unknown>`."""
    return "<unknown>" if then is None else human(now - then)


def length(text: str) -> float | None:
    """Seconds of `90`, `90s`, `1h30m`, `1.5h`, `500ms`, `2d`; None when it is none, or more than a hundred years.

    The units are those of Go's time.ParseDuration, and days; a bare number is seconds.
    """
    rest = text.strip()
    if _decimal(rest) is not None:
        rest += "s"
    if not rest:
        return None
    total = 0.0
    while rest:
        digits = 0
        while digits < len(rest) and rest[digits] in _DIGITS:
            digits += 1
        letters = digits
        while letters < len(rest) and rest[letters] not in _DIGITS:
            letters += 1
        number, unit = _decimal(rest[:digits]), _UNITS.get(rest[digits:letters])
        if number is None or unit is None:
            return None
        total += number * unit
        rest = rest[letters:]
    return total if total <= _LONGEST else None


def _decimal(text: str) -> float | None:
    """A decimal number without sign or exponent."""
    if not text.isascii() or text.count(".") > 1 or not text.replace(".", "", 1).isdigit():
        return None
    return float(text)
