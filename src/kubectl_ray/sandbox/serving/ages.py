"""How long ago something was, as tables tell it.

Source: apimachinery, `pkg/util/duration` (HumanDuration).
"""

from __future__ import annotations

from datetime import datetime

UNKNOWN = "<unknown>"
SECOND, MINUTE, HOUR, DAY, YEAR = (1, "s"), (60, "m"), (3600, "h"), (86400, "d"), (365 * 86400, "y")
STEPS = (
    (120, SECOND, None),
    (600, MINUTE, SECOND),
    (3 * 3600, MINUTE, None),
    (8 * 3600, HOUR, MINUTE),
    (48 * 3600, HOUR, None),
    (8 * 86400, DAY, HOUR),
    (2 * 365 * 86400, DAY, None),
    (8 * 365 * 86400, YEAR, DAY),
)
"""Below so many seconds, these are the units."""


def moment(text: object) -> float | None:
    """Seconds since 1970 of a time as objects have it; None where there is none."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def age(text: object, now: float) -> str:
    """Since when, seen from `now`."""
    since = moment(text)
    return UNKNOWN if since is None else lasting(now - since)


def lasting(seconds: float) -> str:
    """A duration in at most two units."""
    if seconds < 0:
        return "0s" if seconds > -2 else "<invalid>"  # noqa: PLR2004 - clocks may differ that much
    whole = int(seconds)
    (unit, letter), smaller = next(((big, small) for limit, big, small in STEPS if whole < limit), (YEAR, None))
    told = f"{whole // unit}{letter}"
    rest = whole % unit // smaller[0] if smaller else 0
    return f"{told}{rest}{smaller[1]}" if smaller and rest else told
