"""What containers print: kept with the time of each line, read as `kubectl logs` asks for it.

The form of the files is the container runtimes': `2016-10-06T00:17:09.669794202Z stdout F text`, where P instead of F
says that the line goes on in the next one. Source: Kubernetes, `cri-api` and `pkg/kubelet/kuberuntime/logs`.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from pathlib import Path

LARGEST = 10 * 1024 * 1024
"""Bytes after which a file is put aside; one such older file is kept."""

LONGEST_LINE = 16 * 1024
"""Bytes after which a line is split in two that belong together."""

PIECE = 64 * 1024
"""Bytes that are read at once: others go on between."""

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
        left = sys.maxsize if limit_bytes is None else limit_bytes
        first = b"" if since is None else _stamp(int(since * 1_000_000_000))
        form = _Form(stamps=timestamps, first=first, stream="" if stream == "All" else stream.lower())
        reader = _Reader(self)
        try:
            if tail_lines is not None:
                for _ in reader.to_last(tail_lines, form):
                    await asyncio.sleep(0)
            while left > 0:
                lines = reader.lines()
                if lines is None:
                    if not follow or self.closed:
                        return
                    await reader.more()
                    continue
                piece = b"".join(form.text(lines))[:left]
                left -= len(piece)
                if piece:
                    yield piece
                await asyncio.sleep(0)  # whoever takes the pieces may never wait, and others are to go on
        finally:
            reader.close()

    def last(self, lines: int, most: int) -> str:
        """The last lines, at most so many bytes of them: what a termination message may be made of."""
        form = _Form(stamps=False, first=b"", stream="")
        text = b""
        reader = _Reader(self)
        try:
            for _ in reader.to_last(lines, form):
                pass
            while (found := reader.lines()) is not None:
                text = (text + b"".join(form.text(found)))[-most:]
        finally:
            reader.close()
        return text.decode(errors="replace")


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

    def lines(self) -> list[bytes] | None:
        """Whole lines of the next piece; None when there is nothing more by now."""
        if self._log._turned != self._turn:  # noqa: SLF001
            self._turn = self._log._turned  # noqa: SLF001
            if self._log.path.exists():
                self._files.append(self._log.path.open("rb"))
        while self._files:
            data = self._files[0].read(PIECE)
            if data:
                *lines, self._rest = (self._rest + data).split(b"\n")
                return lines
            if len(self._files) == 1:
                break
            self._files.pop(0).close()
        return None

    def to_last(self, count: int, form: _Form) -> Iterator[None]:
        """Go to where the last so many lines begin that are shown, from the end; stops after each piece.

        Pieces of one line count once.
        """
        ends = [each.seek(0, os.SEEK_END) for each in self._files]
        found = 0
        for number in reversed(range(len(ends)) if count > 0 else ()):
            start = ends[number]
            for at, line in _backwards(self._files[number], ends[number]):
                if line is None:
                    yield
                    continue
                for text in form.text([line]):
                    if not found or text.endswith(b"\n"):
                        found += 1
                    if found <= count:
                        start = at
                if found > count:
                    self._begin(number, start)
                    return
        if count > 0:
            self._begin(0, 0)

    def _begin(self, number: int, start: int) -> None:
        """Go on in this file, at this byte."""
        for each in self._files[:number]:
            each.close()
        del self._files[:number]
        for index, each in enumerate(self._files):
            each.seek(0 if index else start)

    async def more(self) -> None:
        """Wait until something came, or the container ended."""
        self._event.clear()
        await self._event.wait()

    def close(self) -> None:
        self._log._waiting.discard(self._event)  # noqa: SLF001
        for each in self._files:
            each.close()


def _backwards(file: BinaryIO, at: int) -> Iterator[tuple[int, bytes | None]]:
    """Whole lines before a byte, the last one first, each with where it begins; None after each piece."""
    rest = b""
    while at:
        size = min(PIECE, at)
        at -= size
        file.seek(at)
        held = file.read(size) + rest
        *lines, unfinished = held.split(b"\n")
        begin = at + len(held) - len(unfinished)
        cut = lines[:1] if at else []  # the piece before may hold its beginning
        for line in reversed(lines[len(cut) :]):
            begin -= len(line) + 1
            yield begin, line
        rest = cut[0] + b"\n" if cut else unfinished
        yield at, None


def _stamp(nanoseconds: int) -> bytes:
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{fraction:09d}Z".encode()
