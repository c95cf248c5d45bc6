"""Results of expensive steps, found again by the content of what they were made from.

A result is a folder `<step>/<key>`, where the key is a hash of everything that went into it. It is made under another
name and renamed when complete, so that a step that was interrupted leaves nothing that could be taken for a result.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.realcluster.errors import RealClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

KEPT = 2  # results a step, the newest ones: a branch and the one it left


def key_of(inputs: Iterable[str | bytes | Path]) -> str:
    """A hash over words, bytes, and files or whole folders by name and content."""
    digest = hashlib.sha256()
    for part in inputs:
        if isinstance(part, Path):
            for file in sorted(part.rglob("*")) if part.is_dir() else [part]:
                if file.is_file():
                    _add(digest, str(file.relative_to(part.parent)).encode())
                    _add(digest, file.read_bytes())
        else:
            _add(digest, part.encode() if isinstance(part, str) else part)
    return digest.hexdigest()[:16]


def _add(digest: hashlib._Hash, content: bytes) -> None:
    # with its length, so that no two lists of inputs can run together into the same bytes
    digest.update(f"{len(content)}:".encode())
    digest.update(content)


class Cache:
    """A folder of results."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, step: str, inputs: Iterable[str | bytes | Path]) -> Path | None:
        """The result of a step for these inputs, or None."""
        result = self._folder / step / key_of(inputs)
        return result if result.is_dir() else None

    def made(self, step: str, inputs: Iterable[str | bytes | Path], make: Callable[[Path], None]) -> Path:
        """The result of a step for these inputs; `make` fills an empty folder with it when there is none yet."""
        key = key_of(inputs)
        result = self._folder / step / key
        if result.is_dir():
            os.utime(result)
            return result
        for leftover in result.parent.glob("making-*"):
            shutil.rmtree(leftover, ignore_errors=True)  # a program of the killed run may still write into it
        making = result.parent / f"making-{key}-{os.getpid()}"
        making.mkdir(parents=True)
        try:
            make(making)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
        making.rename(result)
        os.utime(result)
        self._forget_old(result.parent)
        return result

    @staticmethod
    def _forget_old(step: Path) -> None:
        finished = [folder for folder in step.iterdir() if not folder.name.startswith("making-")]
        results = sorted(finished, key=lambda folder: folder.stat().st_mtime, reverse=True)
        for old in results[KEPT:]:
            shutil.rmtree(old)


@contextmanager
def only_one(file: Path) -> Iterator[None]:
    """Hold the lock that keeps two runs from building or starting at the same time.

    Raises:
        RealClusterError: another run holds it; the message names its process.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise RealClusterError(
                f"process {lock.read().strip() or '?'} is building, starting or removing the real cluster: "
                "wait for it, or end it and run `down`"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
