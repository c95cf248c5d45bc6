"""Files of logs."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.node import logs
from kubectl_ray.sandbox.node.logs import LogFile


def text(log: LogFile, **options: Any) -> str:
    """All of it."""

    async def read() -> bytes:
        return b"".join([piece async for piece in log.read(**options)])

    return asyncio.run(read()).decode()


def test_a_line_without_an_end_is_kept_as_it_is(tmp_path: Path) -> None:
    """And one that comes in pieces is one line."""
    log = LogFile(tmp_path / "l")
    log.open()
    log.write("stdout", b"a")
    log.write("stderr", b"x\n")
    log.write("stdout", b"b\nc")
    log.close()
    assert text(log) == "x\nab\nc"
    assert text(log, tail_lines=1) == "c"
    assert text(log, tail_lines=0) == ""


def test_a_long_line_is_one_line(tmp_path: Path) -> None:
    """Though it is kept in pieces."""
    log = LogFile(tmp_path / "l")
    log.open()
    log.write("stdout", b"y" * (3 * logs.LONGEST_LINE) + b"\nz\n")
    log.close()
    assert text(log, tail_lines=2) == "y" * (3 * logs.LONGEST_LINE) + "\nz\n"


def test_an_old_file_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One is kept, older ones go; a reader that follows goes on in the new one."""
    monkeypatch.setattr(logs, "LARGEST", 1000)
    log = LogFile(tmp_path / "l")
    log.open()

    async def follow() -> str:
        found = b""
        async for piece in log.read(follow=True):
            found += piece
        return found.decode()

    async def work() -> str:
        reading = asyncio.create_task(follow())
        for number in range(100):
            log.write("stdout", f"{number}\n".encode())
            await asyncio.sleep(0)
        log.close()
        return await reading

    assert asyncio.run(work()).split() == [str(number) for number in range(100)]
    assert sum(each.stat().st_size for each in tmp_path.iterdir()) < 2000 + 100
    kept = text(log).split()
    assert kept[-1] == "99"
    assert kept == [str(number) for number in range(int(kept[0]), 100)]


def test_a_log_that_was_written_by_an_earlier_run_is_read(tmp_path: Path) -> None:
    """By its path alone; one that is not there is empty."""
    log = LogFile(tmp_path / "l")
    log.open()
    log.write("stdout", b"kept\n")
    log.close()
    assert text(LogFile(tmp_path / "l"), follow=True) == "kept\n"
    assert text(LogFile(tmp_path / "no")) == ""


def many(path: Path) -> LogFile:
    """A log of several pieces, in two files."""
    log = LogFile(path / "l")
    log.open()
    log.write("stdout", b"".join(b"%d\n" % number for number in range(20_000)))
    log._turn()
    log.write("stdout", b"".join(b"%d\n" % number for number in range(20_000, 40_000)))
    log.close()
    return log


def test_the_end_of_a_long_log_is_read_from_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is before it is not even looked at."""
    log, looked = many(tmp_path), []
    real = logs._Form.text

    def text_of(form: logs._Form, lines: list[bytes]) -> list[bytes]:
        looked.extend(lines)
        return real(form, lines)

    monkeypatch.setattr(logs._Form, "text", text_of)
    assert text(log, tail_lines=2) == "39998\n39999\n"
    assert log.last(2, 100) == "39998\n39999\n"
    assert len(looked) < 20


def test_others_go_on_while_a_long_log_is_read(tmp_path: Path) -> None:
    """It comes in pieces, and the loop turns between them though whoever takes them never waits."""
    log, turns = many(tmp_path), []

    async def beside() -> None:
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    async def read() -> list[bytes]:
        other = asyncio.create_task(beside())
        pieces = [piece async for piece in log.read()]
        other.cancel()
        return pieces

    pieces = asyncio.run(read())
    assert b"".join(pieces) == b"".join(b"%d\n" % number for number in range(40_000))
    assert max(map(len, pieces)) <= logs.PIECE
    assert len(turns) >= len(pieces) > 2


@given(
    parts=st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(max_size=60)), max_size=12),
    count=st.integers(0, 8),
    turned=st.integers(0, 12),
    piece=st.integers(1, 90),
    stream=st.sampled_from(["All", "Stdout", "Stderr"]),
)
def test_the_last_lines_are_those_at_the_end(
    parts: list[tuple[str, bytes]], count: int, turned: int, piece: int, stream: str
) -> None:
    """However long lines are, wherever pieces and files end; pieces of one line count once."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "PIECE", piece)
        patch.setattr(logs, "LONGEST_LINE", 20)
        log = LogFile(Path(folder) / "l")
        log.open()
        for index, (name, data) in enumerate(parts):
            if index == turned:
                log._turn()
            log.write(name, data)
        log.close()

        async def read(**options: Any) -> bytes:
            return b"".join([each async for each in log.read(stream=stream, **options)])

        form = logs._Form(stamps=False, first=b"", stream="" if stream == "All" else stream.lower())
        files = [each.read_bytes() for each in (log.older, log.path) if each.exists()]
        shown = form.text([line for each in files for line in each.split(b"\n")])
        at = len(shown)
        for _ in range(min(count, len(shown))):
            at -= at > 0
            while at and not shown[at - 1].endswith(b"\n"):
                at -= 1
        assert asyncio.run(read()) == b"".join(shown)
        assert asyncio.run(read(tail_lines=count)) == b"".join(shown[at:])


@given(st.binary())
def test_a_damaged_file_is_no_error(data: bytes) -> None:
    """What is no line of a log is left out."""
    assert logs._Form(stamps=False, first=b"", stream="").text(data.split(b"\n")) is not None
