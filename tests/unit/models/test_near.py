"""Did you mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.models.near import near, suggestion


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("my-clutser", ["my-cluster", "my-cluster-2"]),
        ("my-cluste", ["my-cluster", "my-cluster-2"]),
        ("train", ["training"]),
        ("TRAINING", ["training"]),
        ("xyz", []),
        ("", []),
        ("gpu-poll", ["gpu-pool"]),
    ],
)
def test_near(name: str, found: list[str]) -> None:
    """Two letters swapped, one missing or added, another case, or only the beginning."""
    assert near(name, ["my-cluster", "my-cluster-2", "training", "gpu-pool", "cpu"])[: len(found) or 3] == found


def test_at_most_three() -> None:
    """A hint names three at most, the likeliest first."""
    assert near("abcd", ["abcx", "abcd1", "abce", "abcf", "abcd"]) == ["abcd", "abcd1", "abce"]


def test_suggestion() -> None:
    """Words for a hint."""
    assert suggestion("replicaz", ["replicas", "name"]) == 'Did you mean "replicas"?'
    assert not suggestion("x", ["replicas"])


@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=5))
def test_only_known_names(name: str, names: list[str]) -> None:
    """What is proposed exists; the name itself, where it exists, is first but for another of other case."""
    found = near(name, names)
    assert set(found) <= set(names)
    assert not name or name not in names or name in found or len(found) == 3
