"""The sandbox's own log: written with a bound on its size, read from its end, followed across a turn of files."""

from __future__ import annotations

import logging
import logging.handlers
import os
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SIZE = 2**20
"""Bytes after which the file becomes FILE.1, in the place of the one before it."""
_PAUSE = 0.2


class Place(NamedTuple):
    """How far a file has been read; the file is known by its inode."""

    inode: int
    offset: int


def write_to(path: Path) -> None:
    """Let everything that is logged in this process go there, for its owner alone."""
    path.touch(mode=0o600)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=SIZE, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.raiseExceptions = False  # a full disk ends no request; what cannot be logged is lost
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)


def last(path: Path, lines: int | None) -> tuple[str, Place]:
    """The last lines of the log, all with None, and the place behind them."""
    older = path.with_name(f"{path.name}.1")
    text = older.read_text(encoding="utf-8", errors="replace") if older.exists() else ""
    with path.open("rb") as stream:
        data = stream.read()
        place = Place(os.fstat(stream.fileno()).st_ino, len(data))
    every = (text + data.decode(errors="replace")).splitlines(keepends=True)
    wanted = every if lines is None else every[len(every) - min(lines, len(every)) :]
    return "".join(wanted), place


def follow(path: Path, place: Place, alive: Callable[[], bool], pause: float = _PAUSE) -> Iterator[str]:
    """What is written from `place` on, whole lines, until nobody is alive who could write more."""
    going = True
    while going:
        going = alive()
        text, place = _more(path, place)
        if text:
            yield text
        if going:
            time.sleep(pause)


def _more(path: Path, place: Place) -> tuple[str, Place]:
    data = b""
    older = path.with_name(f"{path.name}.1")
    try:
        with path.open("rb") as stream:
            inode = os.fstat(stream.fileno()).st_ino
            offset = place.offset
            if inode != place.inode:  # the file took its turn: the rest of the old one, then the new one
                data = _rest_of(older, place)
                offset = 0
            stream.seek(offset)
            fresh = stream.read()
    except FileNotFoundError:
        return "", place
    whole = fresh[: fresh.rfind(b"\n") + 1]
    return (data + whole).decode(errors="replace"), Place(inode, offset + len(whole))


def _rest_of(older: Path, place: Place) -> bytes:
    try:
        with older.open("rb") as stream:
            if os.fstat(stream.fileno()).st_ino != place.inode:
                return b""
            stream.seek(place.offset)
            return stream.read()
    except FileNotFoundError:
        return b""
