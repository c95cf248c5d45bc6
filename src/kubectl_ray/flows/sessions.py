"""The sessions that are open on this machine: one small file each, locked by the process that keeps the session open.

The lock is the kernel's (flock) and ends with its process, however that ends: a file without a lock is of the past and
is removed by whoever sees it. A file is replaced as a whole, by one that is locked already, so that nobody ever sees
half of one, or an unlocked one of a session that lives. No secret is ever written.
"""

from __future__ import annotations

import os
import stat
import time

from kubectl_ray.errors import KubectlRayError
from kubectl_ray.flows import process
from kubectl_ray.flows.session_file import Session, parse, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, Self

__all__ = ["PATIENCE", "Entry", "Registry", "Session", "folder_of", "new_id"]

PATIENCE = 5.0
"""Seconds in which a session that is asked to end has to end, before it is killed."""
_PAUSE = 0.02
_LARGEST = 65536  # bytes of one file
_MINUTE, _DAY = 60.0, 86400.0
# Of a session on another machine with the same home folder a lock may tell nothing: some NFS mounts keep locks local.
_FOREIGN = 7 * _DAY
_END = ".json"
_LOG = ".log"
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def folder_of(env: Mapping[str, str]) -> str:
    """Where the files are, `kubectl-ray/sessions` in the user's folder for state (XDG); "" where there is none."""
    if os.name == "nt":
        base = env.get("LOCALAPPDATA", "")
    else:
        base = env.get("XDG_STATE_HOME", "")
        home = env.get("HOME", "")
        # A home that does not exist is not made: HOME=/nonexistent says that there is none.
        if not os.path.isabs(base) and os.path.isabs(home) and os.path.isdir(home):
            base = os.path.join(home, ".local", "state")
    return os.path.join(base, "kubectl-ray", "sessions") if os.path.isabs(base) else ""


def new_id() -> str:
    """A name for one session's files."""
    return os.urandom(6).hex()


class Registry:
    """The folder of these files; "" where there can be none. Making one does no I/O but to look for a home."""

    def __init__(self, env: Mapping[str, str], now: Callable[[], float] = time.time) -> None:
        self.folder = folder_of(env)
        self._now = now

    def open(self) -> list[Session]:
        """All sessions of this person that live, the oldest first; never raises. Files of the dead are removed."""
        if self._whose():
            return []
        found = []
        for name in self._names():
            if name.startswith(".") or name.endswith(_LOG):
                self._tidy(name)
            elif name.endswith(_END):
                session = self._living(name.removesuffix(_END))
                if session is not None:
                    found.append(session)
        return sorted(found, key=lambda each: (each.since, each.id))

    def like(self, session: Session) -> list[Session]:
        """Other sessions that live and lead to the same object: same server, namespace, kind and name."""
        return [each for each in self.open() if each.id != session.id and each.same_target(session)]

    def enter(self, session: Session, id: str = "") -> Entry:  # noqa: A002 -- the file's name
        """Write it down, with this process' pid, and hold its lock from now on.

        Raises nothing: where it cannot be written, the session goes on without (`entry.why` says why, for -v=1).
        `id`: the name that the starter of a session in the background gave it; else one is made up.
        """
        session.id = id or new_id()
        session.pid = os.getpid()
        session.host = process.host()
        session.machine = process.machine()
        session.since = session.since or self._now()
        entry = Entry(self, session)
        entry.update()
        return entry

    def unusable(self) -> str:
        """Why no session can be in this list, in words, else "". Nothing is made."""
        if not self.folder:
            return self._nowhere()
        found = self.folder
        while not os.path.lexists(found) and found != os.path.dirname(found):
            found = os.path.dirname(found)
        if found == self.folder:
            return self._whose()
        fits = os.path.isdir(found) and os.access(found, os.W_OK | os.X_OK)
        return "" if fits else f"{self.folder} cannot be made"

    def prepare(self) -> str:
        """Make the folder, for its owner alone; why that cannot be, in words, else ""."""
        if not self.folder:
            return self._nowhere()
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
        except OSError as error:
            return f"{self.folder} cannot be made: {error.strerror or error}"
        return self._whose()

    def path(self, id: str) -> str:  # noqa: A002 -- the file's name
        """The file of the session with this id."""
        return os.path.join(self.folder, id + _END)

    def log(self, id: str) -> str:  # noqa: A002 -- the file's name
        """The log of the session with this id, where it is in the background."""
        return os.path.join(self.folder, id + _LOG)

    def lives(self, session: Session) -> bool:
        """Is it still open?"""
        return self._living(session.id) is not None

    def stop(self, sessions: list[Session], patience: float = PATIENCE) -> Iterator[tuple[Session, bool]]:
        """Ask each to end, and yield it when it has; True with those that had to be killed after `patience` seconds.

        Raises:
            KubectlRayError: one runs on another machine, may not be signalled, or does not die.
        """
        for session in sessions:
            if session.machine != process.machine():
                raise KubectlRayError(
                    f"The session to {session.name} runs on another machine: {session.host}",
                    hint=f"Stop it there:  kubectl ray session stop {session.name}",
                )
        for session in sessions:
            process.end(session.pid, lambda session=session: self.lives(session))  # type: ignore[misc]
        waiting = {session.id: session for session in sessions}
        killed: set[str] = set()
        until = time.monotonic() + patience
        while waiting:
            for session in [each for each in waiting.values() if not self.lives(each)]:
                self.forget(session)
                yield waiting.pop(session.id), session.id in killed
            if waiting and time.monotonic() > until:
                if killed:
                    raise KubectlRayError(f"Process {next(iter(waiting.values())).pid} does not die")
                for session in waiting.values():
                    process.kill(session.pid, lambda session=session: self.lives(session))  # type: ignore[misc]
                killed = set(waiting)
                until = time.monotonic() + patience
            if waiting:
                time.sleep(_PAUSE)

    def forget(self, session: Session) -> None:
        """Remove the log of a session that is over."""
        _remove(self.log(session.id))

    @staticmethod
    def _nowhere() -> str:
        return f"{'LOCALAPPDATA' if os.name == 'nt' else 'HOME'} is not the path of a folder"

    def _names(self) -> list[str]:
        try:
            return os.listdir(self.folder)
        except OSError:
            return []

    def _whose(self) -> str:
        """Why the folder is not to be used, in words, else "": it is somebody else's, or open to somebody else."""
        try:
            status = os.stat(self.folder or os.devnull)
            if os.name == "nt" or (self.folder and status.st_uid == os.geteuid() and not status.st_mode & 0o077):
                return ""
            if self.folder and status.st_uid == os.geteuid():
                os.chmod(self.folder, 0o700)
                return ""
        except OSError as error:
            return f"{self.folder} cannot be used: {error.strerror or error}"
        return f"{self.folder} belongs to somebody else"

    def _living(self, id: str) -> Session | None:  # noqa: A002 -- the file's name
        """The session of a file that is held; None when there is none, and the file is removed where that is sure."""
        path = self.path(id)
        while True:
            try:
                descriptor = os.open(path, os.O_RDONLY | _FLAGS)
            except OSError:  # gone, or a link that somebody put there
                return None
            try:
                status = os.fstat(descriptor)
                if not _is_ours(status):
                    return None
                held = process.held(descriptor)
                session = parse(os.read(descriptor, _LARGEST), id)
                if not _same(path, status):
                    continue  # it was replaced meanwhile: read the new one
                if held or (session is not None and _may_live(session, held)):
                    return session
                if self._is_past(session, status.st_mtime):
                    _remove(path)
                return None  # noqa: TRY300 -- what may fail is all above
            except OSError:
                return None
            finally:
                os.close(descriptor)

    def _is_past(self, session: Session | None, changed: float) -> bool:
        """May the file of a session that nobody holds be removed? Garbage may be another program's, at its start."""
        age = self._now() - changed
        if session is None:
            return age > _MINUTE
        return process.could_see(session) or age > _FOREIGN

    def _tidy(self, name: str) -> None:
        """Remove what a killed process left half-written, and logs of sessions that ended a day ago."""
        path = os.path.join(self.folder, name)
        is_log = name.endswith(_LOG)
        try:
            status = os.lstat(path)
            old = self._now() - status.st_mtime > (_DAY if is_log else _MINUTE)
            if old and _is_ours(status) and not (is_log and os.path.lexists(path.removesuffix(_LOG) + _END)):
                os.unlink(path)
        except OSError:
            return


class Entry:
    """This process' own session in the registry; `why`: the reason in words where it is not written down, else ""."""

    def __init__(self, registry: Registry, session: Session) -> None:
        self.session = session
        self.why = ""
        self._registry = registry
        self._lock = -1
        self._closed = False

    def update(self, **fields: Any) -> None:
        """Change fields of `session` (ports=…, cluster=…, uid=…) and write them down."""
        for name, value in fields.items():
            setattr(self.session, name, value)
        if self._closed:
            return
        self.why = self._registry.prepare()
        if not self.why:
            try:
                self._write()
            except OSError as error:
                self.why = f"{self._registry.folder} cannot be written to: {error.strerror or error}"

    def _write(self) -> None:
        """Replace the file by a new one that is locked before anybody can see it.

        Raises:
            OSError: there is no room, or no right; what was there before still is.
        """
        session = self.session
        temporary = os.path.join(self._registry.folder, f".{session.id}.{new_id()}")
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600)
        try:
            session.locked = process.lock(descriptor)
            data = text(session)
            while data:
                data = data[os.write(descriptor, data) :]
            if not session.locked:  # Windows replaces no file that is open
                os.close(descriptor)
                descriptor = -1
            os.replace(temporary, self._registry.path(session.id))
        except BaseException:
            _close(descriptor)
            _remove(temporary)
            raise
        _close(self._lock)
        self._lock = descriptor

    def close(self) -> None:
        """The session is over: nothing of it stays, but the log of one in the background. May be called twice."""
        if self._closed:
            return
        self._closed = True
        if self.session.id and self._registry.folder:
            _remove(self._registry.path(self.session.id))
        _close(self._lock)
        self._lock = -1

    def __enter__(self) -> Self:
        """Close it at the end."""
        return self

    def __exit__(self, *_error: object) -> None:
        """It is over."""
        self.close()


def _may_live(session: Session, held: bool | None) -> bool:
    """Where there are no locks the pid has to do."""
    return (held is None or not session.locked) and process.exists(session)


def _is_ours(status: os.stat_result) -> bool:
    """A plain file of this person."""
    return stat.S_ISREG(status.st_mode) and (os.name == "nt" or status.st_uid == os.geteuid())


def _same(path: str, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.lstat(path), status)
    except OSError:
        return False


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def _close(descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)
