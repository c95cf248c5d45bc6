"""Runs other programs such that none outlives the one who asked for it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from typing import IO, TYPE_CHECKING

from tests.realcluster.errors import RealClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

SHOWN = 15  # last lines of a failed program's output


class Commands:
    """Starts programs in process groups of their own, and can end all of them at once."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        log: Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        feed: Callable[[IO[bytes]], None] | None = None,
    ) -> None:
        """Run a program to its end, its output appended to `log`; `feed` writes its standard input.

        Raises:
            RealClusterError: it did not end with 0; the message carries its last lines.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            start = out.tell()
            process = self._start(argv, out, cwd, env, wants_input=feed is not None)
            try:
                if feed is not None and process.stdin is not None:
                    self._feed(feed, process.stdin)
                code = process.wait()
            finally:
                self._end(process)
        if code:
            lines = log.read_bytes()[start:].decode(errors="replace").splitlines()
            tail = "\n".join(f"    {line}" for line in lines[-SHOWN:])
            raise RealClusterError(f"{' '.join(map(str, argv[:4]))} ended with {code}:\n{tail}\n  all of it: {log}")

    def stop_all(self) -> None:
        """Kill every program that still runs and refuse new ones."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for process in running:
            self._end(process)

    def _start(
        self,
        argv: Sequence[str | Path],
        out: IO[bytes],
        cwd: Path | None,
        env: Mapping[str, str] | None,
        *,
        wants_input: bool,
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._stopped:
                raise RealClusterError("interrupted")
            try:
                process = subprocess.Popen(
                    [str(part) for part in argv],
                    stdin=subprocess.PIPE if wants_input else subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    cwd=cwd,
                    env=env,
                    start_new_session=True,
                )
            except OSError as error:
                raise RealClusterError(f"cannot run {argv[0]}: {error}") from error
            self._running.add(process)
            return process

    @staticmethod
    def _feed(feed: Callable[[IO[bytes]], None], stdin: IO[bytes]) -> None:
        try:
            with stdin:
                feed(stdin)
        except BrokenPipeError:
            pass  # it ended early: its exit code and its words tell why

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError):  # the whole group has gone already
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        with self._lock:
            self._running.discard(process)
