"""Versions of Ray, read as the operator reads them.

Source: apimachinery, `pkg/util/version`: numbers with dots, then anything.
"""

from __future__ import annotations

import json
import re

_FORM = re.compile(r"\s*v?([0-9]+(?:\.[0-9]+)*)(?:[^\n]*)")


class NoVersionError(ValueError):
    """Not a version; the text is the operator's."""


def read(text: str) -> tuple[int, ...]:
    """The numbers of a version.

    Raises:
        NoVersionError: there are fewer than two, or the first has a leading zero.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise NoVersionError(f"could not parse {_quoted(text)} as version")
    numbers = found[1].split(".")
    if len(numbers) < 2:  # noqa: PLR2004 - major and minor
        raise NoVersionError(f"illegal version string {_quoted(text)}")
    if numbers[0].startswith("0") and numbers[0] != "0":
        raise NoVersionError(f"illegal zero-prefixed version component {_quoted(numbers[0])} in {_quoted(text)}")
    if any(len(number) > 19 for number in numbers):  # noqa: PLR2004 - digits of a 64 bit number
        raise NoVersionError(f"illegal version string {_quoted(text)}")
    return tuple(int(number) for number in numbers)


def at_least(text: str, least: tuple[int, ...]) -> bool:
    """It is this version or a later one; False for what is no version."""
    try:
        found = read(text)
    except NoVersionError:
        return False
    places = max(len(found), len(least))
    return found + (0,) * (places - len(found)) >= least + (0,) * (places - len(least))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
