"""Results are found by the content of their inputs, and only complete ones count."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.realcluster.cache import KEPT, Cache, key_of, only_one
from tests.realcluster.errors import RealClusterError

if TYPE_CHECKING:
    from pathlib import Path


def test_key_changes_with_a_file_in_a_folder(tmp_path: Path) -> None:
    """A changed go.mod is another input."""
    (tmp_path / "go.mod").write_text("go 1.26")
    before = key_of([tmp_path])
    (tmp_path / "go.mod").write_text("go 1.27")
    assert key_of([tmp_path]) != before


def test_key_changes_with_a_file_s_name(tmp_path: Path) -> None:
    """The same content under another name is another input."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a").write_text("x")
    before = key_of([folder])
    (folder / "a").rename(folder / "b")
    assert key_of([folder]) != before


def test_key_is_the_same_in_another_place(tmp_path: Path) -> None:
    """Two clones of the project share what one of them has built."""
    for clone in ("one", "two"):
        (tmp_path / clone / "go").mkdir(parents=True)
        (tmp_path / clone / "go" / "go.mod").write_text("go 1.26")
    assert key_of([tmp_path / "one" / "go"]) == key_of([tmp_path / "two" / "go"])


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_lists_of_words_never_run_together(left: list[str], right: list[str]) -> None:
    """`["ab", "c"]` and `["a", "bc"]` are different inputs."""
    assert (key_of(left) == key_of(right)) == (left == right)


def test_made_once(tmp_path: Path) -> None:
    """The second time the result is taken from the cache."""
    calls = []

    def make(folder: Path) -> None:
        calls.append(folder)
        (folder / "program").write_text("built")

    cache = Cache(tmp_path)
    first = cache.made("step", ["1"], make)
    assert cache.made("step", ["1"], make) == first
    assert len(calls) == 1
    assert (first / "program").read_text() == "built"


def test_half_made_is_not_found(tmp_path: Path) -> None:
    """A step that fails leaves no result and no rubbish."""

    def make(folder: Path) -> None:
        (folder / "half").write_text("")
        raise RealClusterError("no disk")

    cache = Cache(tmp_path)
    with pytest.raises(RealClusterError):
        cache.made("step", ["1"], make)
    assert cache.find("step", ["1"]) is None
    assert list((tmp_path / "step").iterdir()) == []


def test_leftover_of_a_killed_run_is_removed(tmp_path: Path) -> None:
    """What a killed run had begun is neither used nor kept."""
    leftover = tmp_path / "step" / "making-0123"
    leftover.mkdir(parents=True)
    Cache(tmp_path).made("step", ["1"], lambda folder: (folder / "program").touch())
    assert not leftover.exists()


def test_old_results_go(tmp_path: Path) -> None:
    """Only the results used last are kept, so that the cache does not grow for ever."""
    cache = Cache(tmp_path)
    made = []
    for number in range(KEPT + 2):
        result = cache.made("step", [str(number)], lambda _: None)
        os.utime(result, (number, number))
        made.append(result)
    cache.made("step", ["last"], lambda _: None)
    assert [result.exists() for result in made] == [False] * (KEPT + 1) + [True]


def test_only_one_at_a_time(tmp_path: Path) -> None:
    """A second run is told which process is at it."""
    with only_one(tmp_path / "lock"), pytest.raises(RealClusterError, match=f"process {os.getpid()} "):  # noqa: SIM117 -- one context inside the other
        with only_one(tmp_path / "lock"):
            pass


def test_lock_is_free_again(tmp_path: Path) -> None:
    """The lock ends with its block."""
    for _ in range(2):
        with only_one(tmp_path / "lock"):
            assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
