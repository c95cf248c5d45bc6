"""What containers print: kept with the time of each line, read as `kubectl logs` asks for it.

The form of the files is the container runtimes': `2016-10-06T00:17:09.669794202Z stdout F text`, where P instead of F
says that the line goes on in the next one. Source: Kubernetes, `cri-api` and `pkg/kubelet/kuberuntime/logs`.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

LARGEST = 10 * 1024 * 1024
"""Bytes after which a file is put aside; one such older file is kept."""

LONGEST_LINE = 16 * 1024
"""Bytes after which a line is split in two that belong together."""

ENDS = {b"F": b"\n", b"P": b""}


class LogFile:
    """The output of one run of a container. `path` may exist from before; it is read then."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.closed = True
        self._file: BinaryIO | None = None
        self._size = 0
        self._turned = 0
        self._held = {"stdout": b"", "stderr": b""}
        self._waiting: set[asyncio.Event] = set()

    @property
    def older(self) -> Path:
        """Where lines are that no longer had room."""
        return self.path.with_name(self.path.name + ".1")

    def open(self) -> None:
        """Begin to write, with an empty file.

        Raises:
            OSError: the disk does not take it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.remove()
        self._file = self.path.open("wb", buffering=0)
        self.closed = False

    def remove(self) -> None:
        """Delete what was kept."""
        self.path.unlink(missing_ok=True)
        self.older.unlink(missing_ok=True)

    def write(self, stream: str, data: bytes) -> None:
        """Keep what came from stdout or stderr; a full disk loses it, as it does on a real node."""
        if self._file is None:
            return
        data = self._held[stream] + data
        *lines, rest = data.split(b"\n")
        while len(rest) > LONGEST_LINE:
            lines.append(rest[:LONGEST_LINE])
            self._put(stream, lines, whole=False)
            lines, rest = [], rest[LONGEST_LINE:]
        self._put(stream, lines, whole=True)
        self._held[stream] = rest

    def close(self) -> None:
        """No more comes; readers that follow end."""
        for stream, rest in self._held.items():
            if rest:
                self._put(stream, [rest], whole=False)
        self._held = {"stdout": b"", "stderr": b""}
        if self._file is not None:
            self._file.close()
            self._file = None
        self.closed = True
        self._wake()

    def _put(self, stream: str, lines: list[bytes], *, whole: bool) -> None:
        if not lines or self._file is None:
            return
        stamp = _stamp(time.time_ns())
        kinds = [b"F"] * len(lines)
        if not whole:
            kinds[-1] = b"P"
        head = stamp + b" " + stream.encode() + b" "
        block = b"".join(head + kind + b" " + line + b"\n" for kind, line in zip(kinds, lines, strict=True))
        try:
            if self._size + len(block) > LARGEST and self._size:
                self._turn()
            self._file.write(block)
        except OSError:
            return
        self._size += len(block)
        self._wake()

    def _turn(self) -> None:
        if self._file is not None:
            self._file.close()
        self.path.replace(self.older)
        self._file = self.path.open("wb", buffering=0)
        self._size = 0
        self._turned += 1

    def _wake(self) -> None:
        for each in self._waiting:
            each.set()

    async def read(
        self,
        *,
        follow: bool = False,
        tail_lines: int | None = None,
        since: float | None = None,
        timestamps: bool = False,
        limit_bytes: int | None = None,
        stream: str = "All",
    ) -> AsyncGenerator[bytes]:
        """The text, piece by piece. `since` is in seconds since 1970; `follow` goes on until the container ends."""
        left = float("inf") if limit_bytes is None else limit_bytes
        first = b"" if since is None else _stamp(int(since * 1_000_000_000))
        form = _Form(stamps=timestamps, first=first, stream="" if stream == "All" else stream.lower())
        reader = _Reader(self)
        try:
            lines = form.text(reader.lines())
            if tail_lines is not None:
                lines = _last(lines, tail_lines)
            while True:
                piece = b"".join(lines)[: int(left) if left != float("inf") else None]
                left -= len(piece)
                if piece:
                    yield piece
                if left <= 0 or not follow:
                    return
                lines = form.text(reader.lines())
                while not lines:
                    if self.closed:
                        return
                    await reader.more()
                    lines = form.text(reader.lines())
        finally:
            reader.close()

    def last(self, lines: int, most: int) -> str:
        """The last lines, at most so many bytes of them: what a termination message may be made of."""
        reader = _Reader(self)
        try:
            text = b"".join(_last(_Form(stamps=False, first=b"", stream="").text(reader.lines()), lines))
        finally:
            reader.close()
        return text[-most:].decode(errors="replace")


class _Form:
    """How lines are shown."""

    def __init__(self, *, stamps: bool, first: bytes, stream: str) -> None:
        self._stamps, self._first, self._stream = stamps, first, stream.encode()

    def text(self, lines: list[bytes]) -> list[bytes]:
        shown = []
        for line in lines:
            stamp, _, rest = line.partition(b" ")
            stream, _, rest = rest.partition(b" ")
            kind, _, text = rest.partition(b" ")
            if kind not in ENDS or stamp < self._first or (self._stream and stream != self._stream):
                continue
            shown.append((stamp + b" " if self._stamps else b"") + text + ENDS[kind])
        return shown


class _Reader:
    """Follows the file over the moment where a new one is begun."""

    def __init__(self, log: LogFile) -> None:
        self._log = log
        self._turn = log._turned  # noqa: SLF001 - the two are one
        self._rest = b""
        self._files: list[BinaryIO] = [path.open("rb") for path in (log.older, log.path) if path.exists()]
        self._event = asyncio.Event()
        log._waiting.add(self._event)  # noqa: SLF001

    def lines(self) -> list[bytes]:
        """All whole lines since the last time."""
        found: list[bytes] = []
        while self._files:
            data = self._rest + self._files[0].read()
            *lines, self._rest = data.split(b"\n")
            found += lines
            if len(self._files) == 1:
                break
            self._files.pop(0).close()
        if self._log._turned != self._turn:  # noqa: SLF001
            self._turn = self._log._turned  # noqa: SLF001
            if self._log.path.exists():
                self._files.append(self._log.path.open("rb"))
                found += self.lines()
        return found

    async def more(self) -> None:
        """Wait until something came, or the container ended."""
        self._event.clear()
        await self._event.wait()

    def close(self) -> None:
        self._log._waiting.discard(self._event)  # noqa: SLF001
        for each in self._files:
            each.close()


def _last(lines: list[bytes], count: int) -> list[bytes]:
    """The last so many lines; pieces of one line count once."""
    if count <= 0:
        return []
    start = len(lines)
    while start and count:
        start -= 1
        while start and not lines[start - 1].endswith(b"\n"):
            start -= 1
        count -= 1
    return lines[start:]


def _stamp(nanoseconds: int) -> bytes:
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{fraction:09d}Z".encode()
