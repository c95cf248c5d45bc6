"""Where pods have their files: a short, safe folder for what runs, the sandbox's own folder for logs.

Ray puts unix sockets under its temporary folder, and the path of one may have 107 bytes (103 on macOS); paths also
stand in shell scripts that nobody quotes. So what a pod's programs see lies under `/tmp/kr-<user>/<six letters>`,
while logs lie in the sandbox's folder, whatever its name.
"""

from __future__ import annotations

import asyncio
import base64
import errno
import hashlib
import os
import shlex
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.node.volumes import clear

if TYPE_CHECKING:
    from collections.abc import Collection

    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.node.settings import Settings

_OWNER = ".sandbox"
"""The file that says whose pod's folder this is: the sandbox's mark and, in a second line, its folder."""

_OURS_ONLY = 0o700
_LETTERS = 6


class Places:
    """The folders of one sandbox; `home` is what tells it from others on this machine."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        self.home = mark(folder)
        self.short = _safe_folder(settings)

    def pod(self, uid: str) -> PodPlace:
        """Where a pod runs; not made yet."""
        path = self.short / _short(f"{self.home} {uid}", _LETTERS)
        return PodPlace(path, f"{self.home}\n{self._folder.resolve()}", self._settings.user)

    def prepare(self) -> None:
        """Make the sandbox's folder: while it is there, what belongs to it is kept.

        Raises:
            OSError: the disk does not take it.
        """
        self._folder.mkdir(parents=True, exist_ok=True)

    def logs(self, pod: Object, container: str) -> Path:
        """The folder of a container's logs."""
        meta = pod["metadata"]
        return self._folder / "pods" / f"{meta['namespace']}_{meta['name']}_{meta['uid']}" / container

    async def forget(self, pod: Object) -> None:
        """The pod is gone: delete all that was its; returns when nothing of it is left."""
        for each in (self.pod(pod["metadata"]["uid"]).path, self.logs(pod, "x").parent):
            await asyncio.to_thread(clear, each)

    def sweep(self, pods: Collection[Object]) -> None:
        """Delete what belongs to pods of this sandbox that are gone, and to sandboxes whose folder is gone."""
        kept = {self.pod(each["metadata"]["uid"]).path for each in pods}
        for path in _within(self.short):
            try:
                home, _, folder = os.fsdecode((path / _OWNER).read_bytes()).partition("\n")
            except OSError:
                continue
            if path not in kept and (home == self.home or (folder and not Path(folder).exists())):
                clear(path)
        named = {self.logs(each, "x").parent for each in pods}
        if (self._folder / "pods").is_dir():
            for path in (self._folder / "pods").iterdir():
                if path not in named:
                    clear(path)


def mark(folder: Path) -> str:
    """What tells the processes and files of the sandbox in this folder from those of others on this machine."""
    return _short(str(folder.resolve()), 16)


class PodPlace:
    """One pod's folder and what lies in it."""

    def __init__(self, path: Path, owner: str, user: int) -> None:
        self.path = path
        self._owner = owner
        self._user = user
        self.ray = path / "ray"
        self.home = path / "home"
        self.programs = path / "bin"
        self.temporary = path / "tmp"
        self.account = path / "account"

    def make(self, ray_bin: Path) -> None:
        """Make it, with the `ray` program that runs in it.

        Raises:
            OSError: the disk does not take it, or the folder for all pods has become somebody else's.
        """
        if not _private(self.path.parent, self._user):  # another sandbox took it away, and somebody else was faster
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(self.path.parent))
        for each in (self.path, self.home, self.programs, self.temporary, self.account, self.path / "t"):
            each.mkdir(mode=_OURS_ONLY, exist_ok=True, parents=True)
        (self.path / _OWNER).write_bytes(os.fsencode(self._owner))
        python = shlex.quote(str(ray_bin / "python"))
        script = f'#!/bin/sh\nexec {python} -P -m kubectl_ray.sandbox.node.ray_program "$@"\n'
        program = self.programs / "ray"
        program.write_text(script)
        program.chmod(_OURS_ONLY)

    async def new_ray(self, mounted: Path | None) -> None:
        """An empty folder for Ray, or the volume that is mounted there. An old one may hold very many files.

        Raises:
            OSError: the disk does not take it.
        """
        if self.ray.is_symlink():
            self.ray.unlink()
        await asyncio.to_thread(clear, self.ray)
        if mounted is None:
            self.ray.mkdir(mode=_OURS_ONLY)
        else:
            self.ray.symlink_to(mounted)

    def message(self, container: str) -> Path:
        """Where a container writes why it ends."""
        return self.path / "t" / container


def _short(text: str, letters: int) -> str:
    return base64.b32encode(hashlib.sha256(os.fsencode(text)).digest()).decode().lower()[:letters]


def _safe_folder(settings: Settings) -> Path:
    """A folder that only this user can use.

    Raises:
        OSError: there is none in any of the places.
    """
    name = f"kr-{settings.user}"
    tried = [Path(parent) / name for parent in settings.temporary if Path(parent).is_dir()]
    for path in tried:
        try:
            private = _private(path, settings.user)
        except OSError:
            continue
        if private and os.access(path, os.W_OK | os.X_OK):
            return path
    raise OSError(f"no folder of one's own can be made for pods; tried {', '.join(map(str, tried)) or 'none'}")


def _within(folder: Path) -> list[Path]:
    """What lies in it; nothing where another sandbox of this user, which has just ended, took it away."""
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []


def _private(path: Path, user: int) -> bool:
    """Make it where it is missing; whether it is a folder that only this user can use.

    Raises:
        OSError: it cannot be made.
    """
    path.mkdir(mode=_OURS_ONLY, exist_ok=True)
    found = path.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == user and not found.st_mode & 0o077
