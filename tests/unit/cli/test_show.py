"""Events on stdout and stderr."""

from __future__ import annotations

import argparse
import errno
import fcntl
import io
import os
import pty
import re
import struct
import sys
import termios
import time
from typing import TYPE_CHECKING, Self

import pytest

from kubectl_ray.cli.show import Closed, Screen, Unwritable
from kubectl_ray.flags.output import Output
from kubectl_ray.results import Column, Exit, IfInterrupted, Line, Note, Objects, Page, Progress, Rows, Warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_ray.results import Event

COLUMNS = (
    Column("NAME", lambda row: row["name"]),
    Column("AGE", lambda row: row["age"]),
    Column("IMAGE", lambda row: row["image"], wide=True),
)
ROWS = [{"name": "a-long-name", "age": "3s", "image": "i"}, {"name": "b", "age": "10d", "image": "j"}]
OBJECT = {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "x", "managedFields": [1]}}


def shown(*events: Event, **args: object) -> tuple[str, str]:
    """What these events leave on stdout and stderr, without a terminal."""
    out, err = io.StringIO(), io.StringIO()
    screen = Screen(out, err, {})
    screen.configure(argparse.Namespace(**args))
    screen.show(iter(events))
    return out.getvalue(), err.getvalue()


def test_answer_and_talk_are_apart() -> None:
    """Lines and pages go to stdout; notes, warnings and progress to stderr."""
    out, err = shown(Line("yes"), Note("by the way"), Page("a\nb\n"), Warn("careful"), Progress("waiting"))
    assert out == "yes\na\nb\n"
    assert err == "by the way\nWarning: careful\nwaiting\n"


def test_one_event_is_enough() -> None:
    """A command may return one event instead of several."""
    out = io.StringIO()
    Screen(out, io.StringIO(), {}).show(Line("x"))
    assert out.getvalue() == "x\n"


def test_progress_is_said_once() -> None:
    """Without a terminal a line at each change, none in between."""
    assert shown(Progress("a"), Progress("a"), Progress("b"), Progress("a"))[1] == "a\nb\na\n"


def test_table() -> None:
    """Three blanks between columns, nothing behind the last cell; wide columns only with -o wide."""
    assert shown(Rows(COLUMNS, ROWS))[0] == "NAME          AGE\na-long-name   3s\nb             10d\n"
    assert shown(Rows(COLUMNS, ROWS), output=Output("wide"))[0].splitlines()[0] == "NAME          AGE   IMAGE"


def test_no_headers() -> None:
    """The line of titles can be left out."""
    assert shown(Rows(COLUMNS, ROWS), no_headers=True)[0] == "a-long-name   3s\nb             10d\n"


def test_empty_table() -> None:
    """Nothing on stdout but what is asked for; the remark on stderr."""
    assert shown(Rows(COLUMNS, [], empty="There is none.")) == ("", "There is none.\n")
    assert shown(Rows(COLUMNS, [], headers_when_empty=True)) == ("NAME   AGE\n", "")


def test_a_watch_keeps_the_widths() -> None:
    """Rows that come later stand below the first ones, without titles."""
    out = shown(Rows(COLUMNS, ROWS), Rows(COLUMNS, ROWS[1:], more=True))[0]
    assert out.splitlines()[-1] == "b             10d"
    assert out.count("NAME") == 1


def test_objects_default_to_yaml() -> None:
    """A dry run without -o shows YAML, as the Go plugin does."""
    assert shown(Objects([OBJECT], single=True), output=None)[0].startswith("apiVersion: ray.io/v1\nkind: RayCluster\n")


def test_managed_fields_are_hidden() -> None:
    """Unless they are asked for; the object itself is not changed."""
    assert "managedFields" not in shown(Objects([OBJECT], single=True), output="json")[0]
    assert "managedFields" in shown(Objects([OBJECT], single=True), output="json", show_managed_fields=True)[0]
    assert OBJECT["metadata"]["managedFields"]  # type: ignore[index]


def test_yaml_documents_are_separated() -> None:
    """A watch with -o yaml writes several documents."""
    out = shown(Objects([{"a": 1}], single=True), Objects([{"a": 2}], single=True), output="yaml")[0]
    assert out == "a: 1\n---\na: 2\n"


def test_custom_columns_have_one_header() -> None:
    """Also when objects come one after the other."""
    event = Objects([OBJECT], single=True)
    assert shown(event, event, output=Output("custom-columns", "N:.metadata.name"))[0] == "N\nx\nx\n"


def test_the_source_is_closed() -> None:
    """A command's own clean-up runs when showing fails."""
    closed = []

    def events() -> Iterator[Event]:
        try:
            yield Line("x")
            yield Line("y")
        finally:
            closed.append(True)

    with pytest.raises(Closed):
        Screen(Broken(), io.StringIO(), {}).show(events())
    assert closed


class Broken(io.StringIO):
    """A pipe that nobody reads."""

    def write(self, _text: str) -> int:  # noqa: D102 -- as io has it
        raise BrokenPipeError


class Full(io.StringIO):
    """A file on a full disk."""

    def flush(self) -> None:  # noqa: D102 -- as io has it
        raise OSError(errno.ENOSPC, "No space left on device")


def test_closed_and_full() -> None:
    """A reader that left and a disk that is full are told apart from trouble with the API server."""
    with pytest.raises(Closed):
        Screen(Broken(), io.StringIO(), {}).show(Line("x"))
    with pytest.raises(Unwritable, match="No space left on device"):
        Screen(Full(), io.StringIO(), {}).show(Line("x"))


def test_talk_that_nobody_reads() -> None:
    """A closed stderr is no reason to stop."""
    out = io.StringIO()
    Screen(out, Broken(), {}).show(iter([Note("x"), Line("y")]))
    assert out.getvalue() == "y\n"


def test_interrupt_text_is_kept() -> None:
    """What a Ctrl-C is to say is remembered and not shown."""
    err = io.StringIO()
    screen = Screen(io.StringIO(), err, {})
    screen.show(iter([IfInterrupted("it goes on")]))
    assert (screen.if_interrupted, err.getvalue()) == ("it goes on", "")


def test_exit_is_kept() -> None:
    """The exit code of a program that was run is not shown, and remembered."""
    out, err = io.StringIO(), io.StringIO()
    screen = Screen(out, err, {})
    assert screen.exit_code == 0
    screen.show(iter([Exit(7)]))
    assert (screen.exit_code, out.getvalue(), err.getvalue()) == (7, "", "")


def test_unknown_events_are_a_defect() -> None:
    """A new kind of event must be given a look."""
    from kubectl_ray.results import Event as Base

    class New(Base):
        """Nobody knows it."""

    with pytest.raises(TypeError):
        Screen(io.StringIO(), io.StringIO(), {}).show(New())


class Terminal:
    """A terminal of this test's own; `text` is all that was written to it so far."""

    def __enter__(self) -> Self:
        self._reading, writing = pty.openpty()
        os.set_blocking(self._reading, False)
        self.stream = os.fdopen(writing, "w", encoding="utf-8")
        self.text = ""
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()
        os.close(self._reading)

    def see(self, pattern: str) -> str:
        """Wait until this is on it."""
        ends = time.monotonic() + 10
        while not re.search(pattern, self.text):
            assert time.monotonic() < ends, repr(self.text)
            try:
                self.text += os.read(self._reading, 4096).decode(errors="replace")
            except BlockingIOError:
                time.sleep(0.005)
        return self.text


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
class TestOnATerminal:
    """One live line, taken away before anything else is written."""

    def test_progress_is_one_live_line(self) -> None:
        """Spinner, text and elapsed time; erased at the end, the cursor given back."""
        with Terminal() as terminal:
            screen = Screen(io.StringIO(), terminal.stream, {"TERM": "xterm"})

            def events() -> Iterator[Event]:
                yield Progress("waiting for 2 workers")
                terminal.see(r"waiting for 2 workers.*\d:\d\d")
                yield Progress("waiting for 1 worker")
                terminal.see(r"waiting for 1 worker\b.*\d:\d\d")

            screen.show(events())
            terminal.see(r"\x1b\[\?25h(.|\n)*\x1b\[2K$")

    def test_the_first_line_fits_a_narrow_terminal(self) -> None:
        """Until the live line takes over: what a terminal folds is not taken back by erasing a line."""
        with Terminal() as terminal:
            fcntl.ioctl(terminal.stream.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
            screen = Screen(io.StringIO(), terminal.stream, {"TERM": "xterm"})
            screen.show(iter([Progress("x" * 100)]))
            found = re.search(r"\r(⠋ x+)\r\x1b\[K", terminal.see(r"\r⠋ x+\r\x1b\[K"))
            assert found is not None
            assert len(found[1]) == 39

    def test_notes_stand_on_their_own_line(self) -> None:
        """What is said during a wait is not overwritten by it."""
        with Terminal() as terminal:
            screen = Screen(io.StringIO(), terminal.stream, {"TERM": "xterm"})

            def events() -> Iterator[Event]:
                yield Progress("waiting")
                yield Note("a remark")
                terminal.see("a remark\r\n")
                yield Progress("still waiting")
                terminal.see("still waiting")

            screen.show(events())

    def test_dumb_terminal(self) -> None:
        """A terminal that cannot write over a line gets plain lines."""
        with Terminal() as terminal:
            Screen(io.StringIO(), terminal.stream, {"TERM": "dumb"}).show(iter([Progress("a"), Progress("b")]))
            assert terminal.see("b") == "a\r\nb\r\n"

    def test_no_color(self) -> None:
        """NO_COLOR takes the colours, not the line."""
        with Terminal() as terminal:
            screen = Screen(io.StringIO(), terminal.stream, {"TERM": "xterm", "NO_COLOR": "1"})

            def events() -> Iterator[Event]:
                yield Progress("waiting")
                terminal.see(r"waiting.*\d:\d\d")

            screen.show(events())
        assert not re.search(r"\x1b\[3\d", terminal.text)

    def test_something_shows_soon(self) -> None:
        """While the first answer is awaited a line stands there, and goes when the answer comes."""
        with Terminal() as terminal:
            screen = Screen(io.StringIO(), terminal.stream, {"TERM": "xterm"})
            screen.expect("Asking")

            def events() -> Iterator[Event]:
                terminal.see("Asking")
                yield Note("the answer")

            screen.show(events())
            assert terminal.see("answer\r\n").endswith("\r\x1b[Kthe answer\r\n")

    def test_nothing_shows_before_a_quick_answer(self) -> None:
        """An answer that is there at once comes alone."""
        with Terminal() as terminal:
            screen = Screen(io.StringIO(), terminal.stream, {"TERM": "xterm"})
            screen.expect("Asking")
            screen.show(Note("the answer"))
            assert terminal.see("answer\r\n") == "the answer\r\n"
