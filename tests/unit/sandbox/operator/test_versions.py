"""Versions of Ray."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.operator import versions


@pytest.mark.parametrize("text", ["2.53.0", "v2.53", "2.53.1rc1", " 2.100.0", "3.0", "2.53.0-py311"])
def test_at_least(text: str) -> None:
    """Numbers count, what follows them does not."""
    assert versions.at_least(text, (2, 53, 0))


@pytest.mark.parametrize("text", ["2.52.9", "2", "", "nightly", "02.53.0"])
def test_earlier_or_none(text: str) -> None:
    """What is no version is not at least one."""
    assert not versions.at_least(text, (2, 53, 0))


@given(st.text())
def test_any_text(text: str) -> None:
    """A user writes what they like."""
    with contextlib.suppress(versions.NoVersionError):
        assert len(versions.read(text)) >= 2
