"""`api.store`: what is on disk and what is in memory never differ, also when the disk takes nothing."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.api.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kubectl_ray.sandbox.api.store import Change

MAPS = kinds.CONFIG_MAPS
LARGE = "x" * 100_000
"""More than fits on the pages that a file has already."""


class Kept:
    """A store in a file, the connection under it, and what its listener was told."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        connect = sqlite3.connect

        def remembering(*given: Any, **named: Any) -> sqlite3.Connection:
            made: sqlite3.Connection = connect(*given, **named)
            self.disk = made
            return made

        self.path = path
        self.told: list[Change] = []
        with monkeypatch.context() as patch:
            patch.setattr(sqlite3, "connect", remembering)
            self.store = Store(path)
        self.store.listen(self.told.append)

    def put(self, name: str, text: str = "") -> dict[str, Any]:
        """A config map."""
        return self.store.put(MAPS, {"metadata": {"namespace": "lab", "name": name}, "data": {"text": text}})

    def on_disk(self) -> tuple[int, dict[str, str]]:
        """What another process would find: the version, and each object's text."""
        other = Store(self.path)
        try:
            return other.version, {each["metadata"]["name"]: each["data"]["text"] for each in other.list(MAPS)}
        finally:
            other.close()


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    """One config map `a` in it."""
    made = Kept(tmp_path / "objects.db", monkeypatch)
    made.put("a", "first")
    made.told.clear()
    yield made
    made.store.close()


@pytest.mark.parametrize("name", ["a", "new"])
def test_a_full_disk_refuses_and_changes_nothing(kept: Kept, name: str) -> None:
    """Neither the objects, nor the version, nor the history; nobody is told."""
    before = kept.store.get(MAPS, "lab", name)
    kept.disk.execute("PRAGMA max_page_count = 1")  # no more pages than there are
    with pytest.raises(Refused, match="database or disk is full") as refused:
        kept.put(name, LARGE)
    assert (refused.value.code, refused.value.reason) == (500, "InternalError")
    assert kept.store.get(MAPS, "lab", name) is before
    assert (kept.store.version, len(kept.store.history), kept.told) == (2, 1, [])
    assert kept.on_disk() == (2, {"a": "first"})


def test_a_disk_with_room_again_takes_the_next_write(kept: Kept) -> None:
    """A failed write leaves nothing half done behind."""
    kept.disk.execute("PRAGMA max_page_count = 1")
    with pytest.raises(Refused):
        kept.put("a", LARGE)
    kept.disk.execute("PRAGMA max_page_count = 1000000")
    assert kept.put("a", LARGE)["metadata"]["resourceVersion"] == "3"
    assert [change.version for change in kept.told] == [3]
    assert kept.on_disk() == (3, {"a": LARGE})


def test_an_object_that_cannot_be_dropped_is_still_there(kept: Kept) -> None:
    """Refused, nobody is told, and it can be dropped later."""
    held = kept.store.get(MAPS, "lab", "a")
    assert held
    kept.disk.execute("PRAGMA query_only = 1")
    with pytest.raises(Refused, match="readonly database"):
        kept.store.drop(MAPS, held)
    assert (kept.store.get(MAPS, "lab", "a"), kept.store.version, kept.told) == (held, 2, [])
    kept.disk.execute("PRAGMA query_only = 0")
    kept.store.drop(MAPS, held)
    assert [(change.what, change.version) for change in kept.told] == [("DELETED", 3)]
    assert kept.on_disk() == (3, {})


def test_opening_again_finds_objects_and_version(kept: Kept) -> None:
    """The version goes on where it was, also when the last change was a deletion; the history begins anew."""
    gone = kept.put("b", "second")
    kept.store.drop(MAPS, gone)
    kept.store.close()
    again = Store(kept.path)
    try:
        (found,) = again.list(MAPS)
        assert (found["data"], found["metadata"]["resourceVersion"]) == ({"text": "first"}, "2")
        assert (again.version, again.oldest) == (4, 4)
        changed = again.put(MAPS, {**found, "data": {"text": "third"}})
        assert changed["metadata"]["resourceVersion"] == "5"
    finally:
        again.close()


def test_a_kind_that_is_no_more_is_passed_over(kept: Kept) -> None:
    """A file of another version of this program can be opened."""
    kept.disk.execute("INSERT INTO objects VALUES ('old/v1', 'Gone', '', 'x', 2, '{}')")
    assert kept.on_disk() == (2, {"a": "first"})


def test_a_file_that_is_not_ours(tmp_path: Path) -> None:
    """It is left as it is."""
    path = tmp_path / "objects.db"
    path.write_bytes(b"something else " * 100)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        Store(path)
    assert path.read_bytes() == b"something else " * 100
