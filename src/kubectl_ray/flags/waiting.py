"""`--wait/--no-wait` and `--timeout`, and how a length of time is read."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

#: Seconds that a waiting command gives the cluster before it ends with exit code 3.
DEFAULT_TIMEOUT = 1800.0


def duration(text: str) -> float:
    """Seconds, as `models.age.length` reads them; 0 means without limit.

    Raises:
        argparse.ArgumentTypeError: it is no length of time.
    """
    from kubectl_ray.models.age import length

    found = length(text)
    if found is None:
        import argparse

        raise argparse.ArgumentTypeError(f"{text!r} is not a length of time: write 30m, 90s, 1h30m, or 0 for no limit")
    return found


def add_waiting(parser: argparse.ArgumentParser, *, for_what: str = "it is ready") -> None:
    """Add `--wait`, `--no-wait` → args.wait (True) and `--timeout` → args.timeout in seconds (0 = no limit)."""
    group = parser.add_argument_group("Waiting")
    group.add_argument(
        "--wait", dest="wait", action="store_true", default=True, help=f"wait until {for_what} (default)"
    )
    group.add_argument("--no-wait", dest="wait", action="store_false", default=True, help="return at once")
    add_timeout(group)


def add_timeout(parser: argparse._ActionsContainer) -> None:
    """Add `--timeout` alone, for what cannot but wait."""
    parser.add_argument(
        "--timeout",
        type=duration,
        default=DEFAULT_TIMEOUT,
        metavar="TIME",
        help="give up waiting after this time, exit code 3, and change nothing (default 30m; 0 waits for ever)",
    )
