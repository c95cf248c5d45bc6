"""The process of a session in the background: its log, and its way into the program."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.cli.background import Log
from kubectl_ray.errors import KubectlRayError
from kubectl_ray.flows.background import Background

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A log's path, and its descriptor, open for appending."""
    path = tmp_path / "x.log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    yield str(path), descriptor
    os.close(descriptor)


def read(path: str) -> bytes:
    """All of it."""
    with open(path, "rb") as stream:  # noqa: PTH123 -- as the log does
        return stream.read()


def test_each_line_has_its_time(opened: tuple[str, int]) -> None:
    """Once, also where a line comes in pieces."""
    path, descriptor = opened
    log = Log(path, descriptor, clock=lambda: 0.0)
    for piece in (b"on", b"e\ntwo\n", b"", b"three"):
        assert log.write(piece) == len(piece)
    stamp = b"1970-01-01T00:00:00Z "
    assert read(path) == stamp + b"one\n" + stamp + b"two\n" + stamp + b"three"


def test_it_does_not_grow(opened: tuple[str, int]) -> None:
    """Beyond its size only whole lines from the end are kept; who else appends to it goes on doing so."""
    path, descriptor = opened
    other = os.dup(descriptor)
    log = Log(path, descriptor, size=4000)
    most = 0
    for number in range(1000):
        log.write(f"line {number}\n".encode())
        os.write(other, b"from a program\n")
        most = max(most, os.fstat(descriptor).st_size)
    os.close(other)
    lines = read(path).decode().splitlines()
    assert most < 4100
    assert lines[-2].endswith(" line 999")
    assert lines[-1] == "from a program"
    assert all(line.startswith("20") or line == "from a program" for line in lines)


def test_a_line_longer_than_all(opened: tuple[str, int]) -> None:
    """Even that does not make it grow."""
    path, descriptor = opened
    log = Log(path, descriptor, size=1000)
    for _ in range(5):
        log.write(b"x" * 5000)
    assert os.fstat(descriptor).st_size <= 1000


def test_a_full_disk() -> None:
    """What cannot be written is lost; the session goes on."""
    descriptor = os.open("/dev/full", os.O_WRONLY | os.O_APPEND)
    assert Log("/dev/full", descriptor).write(b"x\n") == 2
    os.close(descriptor)


def test_the_program(tmp_path: Path) -> None:
    """It runs the command line that it is given; what that says is in the log, with its times."""
    one = Background(("session", "list"), {"HOME": str(tmp_path)})
    with pytest.raises(KubectlRayError, match="ended with exit code 0") as raised:
        list(one.changes())
    first, second = raised.value.hint.splitlines()
    assert first.endswith("Z No session is open.")
    assert second.endswith("Z Open one:  kubectl ray cluster session NAME")


def test_a_wrong_command_line(tmp_path: Path) -> None:
    """Its exit code is the starter's."""
    with pytest.raises(KubectlRayError) as raised:
        list(Background(("nosuch", "é"), {"HOME": str(tmp_path)}).changes())
    assert raised.value.exit_code == 2
    assert "Error: 'nosuch' is no command" in raised.value.hint


def test_stdout_is_the_pipe_no_longer(tmp_path: Path) -> None:
    """What the program prints never reaches the starter."""
    log = tmp_path / "log"
    with log.open("ab") as stream:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "kubectl_ray.cli.background", "id", str(log), "--version"],
            stdout=subprocess.PIPE,
            stderr=stream,
            check=True,
        )
    assert done.stdout == b""
    assert b"Z kubectl ray plugin version: " in log.read_bytes()
