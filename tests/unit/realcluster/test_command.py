"""No program outlives the one who asked for it."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.realcluster.command import Commands
from tests.realcluster.errors import RealClusterError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO


def python(code: str) -> list[str]:
    """The command line of a small program."""
    return [sys.executable, "-c", code]


def test_output_goes_to_the_log(tmp_path: Path) -> None:
    """What a program says is kept."""
    Commands().run(python("print('built')"), log=tmp_path / "logs" / "build.log")
    assert (tmp_path / "logs" / "build.log").read_text() == "built\n"


def test_failure_shows_the_last_lines(tmp_path: Path) -> None:
    """The message ends with the program's own words and where the rest is."""
    log = tmp_path / "build.log"
    log.write_text("of an earlier run\n")
    with pytest.raises(RealClusterError) as caught:
        Commands().run(python("print('no such module'); raise SystemExit(3)"), log=log)
    assert "ended with 3:\n    no such module" in str(caught.value)
    assert str(log) in str(caught.value)
    assert "earlier" not in str(caught.value)


def test_missing_program_is_an_error_of_ours(tmp_path: Path) -> None:
    """Not a traceback."""
    with pytest.raises(RealClusterError, match="cannot run"):
        Commands().run([tmp_path / "nothing"], log=tmp_path / "log")


def test_input_is_fed(tmp_path: Path) -> None:
    """A program that reads gets what we write."""
    echo = python("import sys; sys.stdout.write(sys.stdin.read().upper())")

    def feed(stdin: IO[bytes]) -> None:
        stdin.write(b"image")

    Commands().run(echo, log=tmp_path / "log", feed=feed)
    assert (tmp_path / "log").read_text() == "IMAGE"


def test_stop_ends_children_too(tmp_path: Path) -> None:
    """A shell's children go with it, and nothing new starts afterwards."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    commands = Commands()
    failures: list[RealClusterError] = []

    def run() -> None:
        try:
            commands.run(["sh", "-c", f"(echo up; exec sleep 600) >{fifo}; true"], log=tmp_path / "log")
        except RealClusterError as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    with fifo.open() as pipe:
        assert pipe.readline() == "up\n"
        commands.stop_all()
        # the pipe ends only when the grandchild, which holds its other end, is gone
        assert pipe.read() == ""
    thread.join(10)
    assert len(failures) == 1
    with pytest.raises(RealClusterError, match="interrupted"):
        commands.run(["true"], log=tmp_path / "log")
