"""A program that runs while a case looks on: what it has said so far, keys for it, and how it ends."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ANSI = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()][A-Z0-9]|\x1b[=>]")

# Puts the program on the terminal that is its standard input, so that a Ctrl-C typed there reaches it as a signal.
CONTROLLING = "import fcntl,os,sys,termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
SIZE = (40, 160)
"""Rows and columns of a terminal."""


@dataclass(frozen=True)
class Outcome:
    """How a program ended: `code` is negative for a signal, as in subprocess."""

    line: str
    code: int
    out: str
    err: str
    seconds: float

    def expect(self, code: int) -> Self:
        """This outcome, when it has the exit code.

        Raises:
            AssertionError: another one; shows all that was said.
        """
        __tracebackhide__ = True
        if self.code != code:
            raise AssertionError(f"exit code {self.code}, not {code}\n{self}")
        if "Traceback (most recent call last)" in self.err + self.out:
            raise AssertionError(f"a traceback\n{self}")
        return self

    @property
    def lines(self) -> list[str]:
        """The lines on stdout."""
        return self.out.splitlines()

    @property
    def rows(self) -> list[list[str]]:
        """The cells of the table on stdout, its titles first; columns stand two or more blanks apart."""
        return [re.split(r"\s{2,}", line.strip()) for line in self.out.splitlines() if line.strip()]

    def __str__(self) -> str:
        return f"$ {self.line}\n--- stdout\n{self.out}--- stderr\n{self.err}--- exit code {self.code}"


class Live:
    """A running program; `screen` is what a terminal shows, `out` and `err` are pipes otherwise."""

    def __init__(self, line: str, argv: Sequence[str], env: Mapping[str, str], cwd: str, *, terminal: bool) -> None:
        self.line = line
        self._began = time.monotonic()
        self._said: dict[str, str] = {"out": "", "err": ""}
        self._news = threading.Condition()
        self._keys: int | None = None
        self._hung_up = threading.Event()
        if terminal:
            streams = self._on_terminal(argv, env, cwd)
        else:
            self.process = subprocess.Popen(
                argv,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            assert self.process.stdout is not None
            assert self.process.stderr is not None
            streams = {"out": self.process.stdout.fileno(), "err": self.process.stderr.fileno()}
        self._readers = [threading.Thread(target=self._read, args=pair, daemon=True) for pair in streams.items()]
        for reader in self._readers:
            reader.start()

    def _on_terminal(self, argv: Sequence[str], env: Mapping[str, str], cwd: str) -> dict[str, int]:
        import pty
        import sys
        import termios

        keys, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, SIZE)
        self._keys = keys
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", CONTROLLING, *argv],
            env={**env, "TERM": "xterm-256color"},
            cwd=cwd,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        return {"out": keys}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End it for good, whatever it was doing."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for reader in self._readers:
            reader.join(5)
        if self._keys is not None:
            os.close(self._keys)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def _read(self, name: str, stream: int) -> None:
        while not self._hung_up.is_set():
            if not select.select([stream], [], [], 0.2)[0]:
                continue
            try:
                piece = os.read(stream, 65536)
            except OSError:  # a terminal's other end is closed
                piece = b""
            with self._news:
                self._said[name] += piece.decode(errors="replace")
                self._news.notify_all()
            if not piece:
                return

    @property
    def out(self) -> str:
        """What came on stdout so far."""
        return self._said["out"]

    @property
    def err(self) -> str:
        """What came on stderr so far."""
        return self._said["err"]

    @property
    def screen(self) -> str:
        """What a terminal was sent so far, without colours and cursor moves."""
        return ANSI.sub("", self._said["out"]).replace("\r", "\n")

    @property
    def said(self) -> str:
        """Everything so far, wherever it went."""
        return self.screen + self.err

    def see(self, text: str, *, within: float = 60.0) -> str:
        """Wait until it has said this, anywhere; returns everything so far.

        Raises:
            AssertionError: it did not `within` seconds, or ended without saying it.
        """
        end = time.monotonic() + within
        with self._news:
            while text not in self.said:
                over = self.process.poll() is not None and not any(reader.is_alive() for reader in self._readers)
                if over or not self._news.wait(min(0.5, max(0.0, end - time.monotonic()))):
                    if text in self.said:
                        break
                    if over or time.monotonic() >= end:
                        raise AssertionError(f"{text!r} was not said:\n$ {self.line}\n{self.said}")
            return self.said

    def keys(self, text: str) -> None:
        """Type on its terminal."""
        assert self._keys is not None
        os.write(self._keys, text.encode())

    def interrupt(self) -> None:
        """Ctrl-C: typed on its terminal, else as the signal."""
        if self._keys is None:
            self.process.send_signal(signal.SIGINT)
        else:
            self.keys("\x03")

    def hang_up(self) -> None:
        """Close its terminal's window."""
        assert self._keys is not None
        self._hung_up.set()
        for reader in self._readers:  # a read under way would keep it open
            reader.join(5)
        os.close(self._keys)
        self._keys = None

    def ended(self, *, within: float = 60.0) -> Outcome:
        """Wait for its end.

        Raises:
            AssertionError: it still runs after `within` seconds.
        """
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {within:g} s:\n$ {self.line}\n{self.said}") from None
        for reader in self._readers:
            reader.join(5)
        out = self.screen if self._keys is not None else self.out
        return Outcome(self.line, code, out, self.err, time.monotonic() - self._began)
