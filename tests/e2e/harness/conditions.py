"""Waiting for something to become true; never for time to pass."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

EVERY = 0.2
"""Seconds between two looks."""


def until(look: Callable[[], T], what: str, *, within: float = 60.0) -> T:
    """Look again and again; the first answer that is true, zero and empty not being so.

    Raises:
        AssertionError: it did not come `within` seconds; names `what` and the last answer.
    """
    end = time.monotonic() + within
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"not within {within:g} s: {what}; last seen: {seen!r}")
        time.sleep(EVERY)
