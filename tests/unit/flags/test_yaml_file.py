"""A YAML text of a user."""

from __future__ import annotations

import pytest

from kubectl_ray.errors import WrongUse
from kubectl_ray.flags.yaml_file import parsed


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_nested_beyond_reason(opening: str) -> None:
    """Our error, though the library composes by recursion in C and would end the process."""
    with pytest.raises(WrongUse, match="nested too deeply in line 2"):
        parsed("a:\n  " + opening * 100_000)


def test_a_few_levels() -> None:
    """What a config has is read."""
    assert parsed("a: {b: [{c: {d: 1}}]}") == {"a": {"b": [{"c": {"d": 1}}]}}


def test_scalars_are_kubectls() -> None:
    """No text becomes a date or a number of base 60."""
    assert parsed("day: 2026-10-01\ntime: 1:20\ncount: 3") == {"day": "2026-10-01", "time": "1:20", "count": 3}
