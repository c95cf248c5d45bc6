"""`--wait/--no-wait` and `--timeout`, and how a length of time is read."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

#: Seconds that a waiting command gives the cluster before it ends with exit code 3.
DEFAULT_TIMEOUT = 1800.0

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST = 100 * 365 * 86400.0


def duration(text: str) -> float:
    """Seconds in `30m`, `90s`, `1h30m`, `1.5h`, `2d` or a bare number of seconds; 0 means without limit.

    The units are those of Go's time.ParseDuration, and days.

    Raises:
        argparse.ArgumentTypeError: anything else, a negative time, or one of more than a hundred years.
    """
    rest = text.strip()
    if _number(rest) is not None:
        rest += "s"
    total = 0.0
    while rest:
        digits = 0
        while digits < len(rest) and (rest[digits] in "0123456789."):
            digits += 1
        letters = digits
        while letters < len(rest) and rest[letters] not in "0123456789.":
            letters += 1
        number, unit = _number(rest[:digits]), _UNITS.get(rest[digits:letters])
        if number is None or unit is None:
            raise _not_a_time(text)
        total += number * unit
        rest = rest[letters:]
    if not text.strip() or total > _LONGEST:
        raise _not_a_time(text)
    return total


def _number(text: str) -> float | None:
    """A decimal number without sign or exponent."""
    if not text or not text.isascii() or text.count(".") > 1 or not text.replace(".", "", 1).isdigit():
        return None
    return float(text)


def _not_a_time(text: str) -> Exception:
    import argparse

    return argparse.ArgumentTypeError(f"{text!r} is not a length of time: write 30m, 90s, 1h30m, or 0 for no limit")


def add_waiting(parser: argparse.ArgumentParser, *, for_what: str = "it is ready") -> None:
    """Add `--wait`, `--no-wait` → args.wait (True) and `--timeout` → args.timeout in seconds (0 = no limit)."""
    group = parser.add_argument_group("Waiting")
    group.add_argument(
        "--wait", dest="wait", action="store_true", default=True, help=f"wait until {for_what} (default)"
    )
    group.add_argument("--no-wait", dest="wait", action="store_false", default=True, help="return at once")
    group.add_argument(
        "--timeout",
        type=duration,
        default=DEFAULT_TIMEOUT,
        metavar="TIME",
        help="give up waiting after this time, exit code 3, and change nothing (default 30m; 0 waits for ever)",
    )
