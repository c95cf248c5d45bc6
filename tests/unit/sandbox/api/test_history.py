"""`api.history`: how long changes are kept, and how many."""

from __future__ import annotations

import pytest

from kubectl_ray.sandbox.api import history, kinds
from kubectl_ray.sandbox.api.store import Store

START = 1_000.0


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        """As `time.monotonic` does."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """It stands still."""
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Store:
    """Nothing in it."""
    return Store(clock=clock)


def put(store: Store, name: str, text: str = "") -> None:
    """A config map."""
    store.put(kinds.CONFIG_MAPS, {"metadata": {"namespace": "lab", "name": name}, "data": {"text": text}})


def versions(store: Store) -> list[int]:
    """Those of the changes that are kept."""
    return [change.version for change in store.history]


def test_a_change_is_kept_for_five_minutes(store: Store, clock: Clock) -> None:
    """Then a watch cannot begin before it, also when nothing has happened since."""
    put(store, "a")
    clock.now = START + history.KEPT_SECONDS - 1
    assert store.oldest == store.version - 1
    clock.now = START + history.KEPT_SECONDS
    assert store.oldest == store.version
    assert not len(store.history)


def test_a_new_change_lets_old_ones_go(store: Store, clock: Clock) -> None:
    """Memory comes free without anybody asking; what is younger stays."""
    put(store, "a")
    clock.now += history.KEPT_SECONDS / 2
    put(store, "b")
    clock.now += history.KEPT_SECONDS / 2
    put(store, "c")
    assert versions(store) == [3, 4]
    assert store.oldest == 2


def test_their_number_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest are kept."""
    monkeypatch.setattr(history, "KEPT_CHANGES", 3)
    for _ in range(5):
        put(store, "a")
    assert versions(store) == [4, 5, 6]


def test_their_size_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest are kept; what has gone counts no more."""
    monkeypatch.setattr(history, "KEPT_BYTES", 3_000)
    for _ in range(20):
        put(store, "a", "x" * 1_000)
    assert versions(store) == [20, 21]


def test_the_size_of_what_is_deleted_counts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deleted object lives on in the history only."""
    monkeypatch.setattr(history, "KEPT_BYTES", 3_000)
    for name in "ab":
        put(store, name, "x" * 1_000)
    for name in "ab":
        held = store.get(kinds.CONFIG_MAPS, "lab", name)
        assert held
        store.drop(kinds.CONFIG_MAPS, held)
    assert versions(store) == [4, 5]


def test_one_that_is_too_large_is_told_but_not_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever listens has it; a watch can begin after it."""
    monkeypatch.setattr(history, "KEPT_BYTES", 500)
    told: list[int] = []
    store.listen(lambda change: told.append(change.version))
    put(store, "a", "x" * 1_000)
    assert (told, versions(store), store.oldest) == ([2], [], 2)
