"""Files of logs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.node import logs
from kubectl_ray.sandbox.node.logs import LogFile

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


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


@given(st.binary())
def test_a_damaged_file_is_no_error(data: bytes) -> None:
    """What is no line of a log is left out."""
    assert logs._Form(stamps=False, first=b"", stream="").text(data.split(b"\n")) is not None
