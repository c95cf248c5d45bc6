"""`sandbox.log_file`: bounded, read from its end, followed."""

from __future__ import annotations

import logging
import logging.handlers
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox import log_file
from kubectl_ray.sandbox.log_file import follow, last, write_to

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where this process logs to while the test runs; files of 1,000 bytes."""
    monkeypatch.setattr(log_file, "SIZE", 1000)
    root = logging.getLogger()
    before, level, raises = root.handlers[:], root.level, logging.raiseExceptions
    path = tmp_path / "sandbox.log"
    write_to(path)
    yield path
    for handler in root.handlers:
        handler.close()
    root.handlers[:], logging.raiseExceptions = before, raises
    root.setLevel(level)


def say(*numbers: int) -> None:
    """A line a number."""
    for number in numbers:
        logging.getLogger("test").info("number %d", number)


def numbers(text: str) -> list[int]:
    """The numbers in the lines."""
    return [int(line.rpartition(" ")[2]) for line in text.splitlines()]


def test_for_its_owner_alone(log: Path) -> None:
    """It names what people do."""
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_it_never_grows_beyond_two_files(log: Path) -> None:
    """The newest lines are there, whole."""
    say(*range(200))
    assert sum(each.stat().st_size for each in log.parent.iterdir()) <= 2000
    found = numbers(last(log, None)[0])
    assert found == list(range(200 - len(found), 200))
    assert len(found) > 15


@pytest.mark.parametrize(("lines", "expected"), [(0, []), (2, [8, 9]), (99, list(range(10))), (None, list(range(10)))])
def test_last_lines(log: Path, lines: int | None, expected: list[int]) -> None:
    """As many as asked for."""
    say(*range(10))
    assert numbers(last(log, lines)[0]) == expected


@given(parts=st.lists(st.integers(0, 12), max_size=12))
def test_following_misses_nothing(tmp_path_factory: pytest.TempPathFactory, parts: list[int]) -> None:
    """Each line once and in order, also across the turn of the files; it ends when nobody writes any more."""
    path = tmp_path_factory.mktemp("log") / "f"
    path.touch()
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=500, backupCount=1)
    log = logging.getLogger("followed")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(handler)
    written: list[int] = []

    def alive() -> bool:
        if not parts:
            return False
        for _ in range(parts.pop()):
            log.info("number %d", len(written))
            written.append(len(written))
        return True

    seen = [number for text in follow(path, last(path, 0)[1], alive, pause=0) for number in numbers(text)]
    log.removeHandler(handler)
    handler.close()
    assert seen == written


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    """A letter of several bytes is never torn apart."""
    path = tmp_path / "f"
    path.write_bytes(b"one\n")
    steps = iter([b"zw\xc3", b"\xb6lf\n", b"rest"])

    def alive() -> bool:
        data = next(steps, None)
        if data is not None:
            with path.open("ab") as stream:
                stream.write(data)
        return data is not None

    assert list(follow(path, last(path, None)[1], alive, pause=0)) == ["zwölf\n"]
