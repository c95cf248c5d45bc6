"""The sandbox's folder: where it is, whose it is, who works in it, and what one run leaves there for the next.

One sandbox a folder. Two locks, both the kernel's (flock), so that neither outlives a process that was killed:
`starting` is held while a command starts or stops the sandbox, `running` by the sandbox itself as long as it lives.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOME = "KUBECTL_RAY_SANDBOX_HOME"
PATIENCE = 120.0
"""Seconds that another command may take to start or stop the sandbox."""
_PAUSE = 0.05
_OURS_ALONE = 0o700


class Trouble(Exception):
    """The sandbox cannot be started or stopped: why, and what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Run:
    """What a running sandbox says of itself.

    `created` is its process' start time as psutil has it; `since` is seconds since 1970; `memory` is bytes; `ray` is
    the version that its pods run.
    """

    pid: int
    created: float
    since: float
    port: int
    ca: str
    token: str
    cpus: int
    memory: int
    ray: str

    @property
    def server(self) -> str:
        """The API server's address."""
        return f"https://127.0.0.1:{self.port}"


@dataclass(frozen=True)
class Entry:
    """The context that was written: into which file, what had been current there, whether the file was made for it."""

    path: str
    before: str | None
    made: bool


def folder_of(env: Mapping[str, str]) -> Path:
    """KUBECTL_RAY_SANDBOX_HOME, else `kubectl-ray/sandbox` in the user's folder for state (XDG).

    Raises:
        Trouble: neither that variable nor XDG_STATE_HOME nor HOME is set; or it is relative to a folder that is gone.
    """
    if env.get(HOME):
        try:
            return Path(env[HOME]).absolute()
        except OSError as error:
            raise Trouble(
                f"There is no folder for the sandbox: {HOME}={env[HOME]} is relative, and the current folder is gone",
                f"Set {HOME} to a whole path, or go to another folder.",
            ) from error
    return _base(env, "XDG_STATE_HOME", ".local/state") / "kubectl-ray" / "sandbox"


def cache_of(env: Mapping[str, str]) -> Path:
    """Where further versions of Ray are kept; can be made anew at any time."""
    return _base(env, "XDG_CACHE_HOME", ".cache") / "kubectl-ray"


def _base(env: Mapping[str, str], variable: str, below_home: str) -> Path:
    if Path(env.get(variable, "")).is_absolute():  # the specification: a relative one does not count
        return Path(env[variable])
    if not env.get("HOME"):
        raise Trouble("There is no folder for the sandbox: HOME is not set", f"Set {HOME} to a folder of yours.")
    return Path(env["HOME"]) / below_home


class Home:
    """One such folder. Building it touches nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "objects.db"
        self.serving = folder / "serving"
        self.node = folder / "node"
        self.log = folder / "sandbox.log"
        self.crash = folder / "crash.log"
        self._run = folder / "run.json"
        self._contexts = folder / "contexts.json"
        self._port = folder / "port"

    def prepare(self) -> None:
        """Make it, for its owner alone.

        Raises:
            Trouble: it cannot be made, or belongs to somebody else, whose pods we would then run.
        """
        try:
            self.folder.mkdir(mode=_OURS_ALONE, parents=True, exist_ok=True)
            self.check()
            if stat.S_IMODE(self.folder.stat().st_mode) != _OURS_ALONE:
                self.folder.chmod(_OURS_ALONE)
        except OSError as error:
            raise self._unusable(error) from error

    def check(self) -> None:
        """Make sure that what stands in it was written by this user.

        Raises:
            Trouble: it belongs to somebody else.
        """
        owner = self.folder.stat().st_uid
        if owner != os.geteuid():
            raise Trouble(
                f"The sandbox's folder {self.folder} belongs to somebody else (user id {owner})",
                f"Run this as that user, or set {HOME} to a folder of yours.",
            )

    def exists(self) -> bool:
        """Has there ever been a sandbox, and was it not forgotten?"""
        return self.folder.is_dir()

    @contextlib.contextmanager
    def starting(self, patience: float = PATIENCE) -> Iterator[None]:
        """Only one command starts or stops the sandbox at a time; the others wait here, for `patience` seconds.

        Raises:
            Trouble: another one takes too long, or the folder cannot be written.
        """
        descriptor = self._opened("starting.lock")
        try:
            until = time.monotonic() + patience
            while not _lock(descriptor):
                if time.monotonic() > until:
                    raise Trouble(
                        "Another command is starting or stopping the sandbox", "Wait until it has ended, and try again."
                    )
                time.sleep(_PAUSE)
            yield
        finally:
            os.close(descriptor)

    def claim(self) -> int | None:
        """For the sandbox itself: the lock that says it runs, a descriptor to keep; None when another one has it."""
        descriptor = self._opened("running.lock")
        if _lock(descriptor):
            return descriptor
        os.close(descriptor)
        return None

    def sign(self, claim: int) -> None:
        """For the sandbox itself: say in its lock whose it is, so that it can be ended before it answers.

        Raises:
            OSError: the disk does not take it.
        """
        import psutil

        text = json.dumps([os.getpid(), psutil.Process().create_time()]).encode()
        os.ftruncate(claim, 0)
        os.pwrite(claim, text, 0)

    def signature(self) -> tuple[int, float] | None:
        """The process that has the lock, or had it last: its number, and its start time as psutil has it."""
        match _read(self.folder / "running.lock"):
            case [int(pid), float(created)]:
                return pid, created
        return None

    def alive(self) -> bool:
        """Does a sandbox run here? Also true of one that has just begun, or is about to end."""
        if not (self.folder / "running.lock").exists():
            return False
        descriptor = self.claim()
        if descriptor is None:
            return True
        os.close(descriptor)
        return False

    def run(self) -> Run | None:
        """What the last run said of itself; None when it ended in order, or nothing can be read."""
        found = _read(self._run)
        if not isinstance(found, dict) or found.keys() != {field.name for field in fields(Run)}:
            return None
        return Run(**found)

    def running(self) -> Run | None:
        """The sandbox that runs, and answers; None when there is none."""
        return self.run() if self.alive() else None

    def say(self, run: Run) -> None:
        """For the sandbox itself: it runs, and answers.

        Raises:
            OSError: the disk does not take it.
        """
        _write(self._run, asdict(run))
        _write(self._port, run.port)

    def unsay(self) -> None:
        """It runs no more; the port is remembered, so that logins stay good."""
        self._run.unlink(missing_ok=True)

    def port(self) -> int:
        """The port of the last run, 0 when there was none."""
        found = _read(self._port)
        return found if isinstance(found, int) else 0

    def contexts(self) -> list[Entry]:
        """Where its context was written, once a file."""
        found = _read(self._contexts)
        known = {field.name for field in fields(Entry)}
        items = found if isinstance(found, list) else []
        return [Entry(**each) for each in items if isinstance(each, dict) and each.keys() == known]

    def keep_context(self, entry: Entry) -> None:
        """Remember where the context was written; what is known of a file already stays, unless this says more.

        Raises:
            Trouble: the disk does not take it.
        """
        old = {each.path: each for each in self.contexts()}
        known = old.get(entry.path)
        if known is not None:
            entry = Entry(entry.path, known.before if entry.before is None else entry.before, known.made or entry.made)
        self._keep([*({**old, entry.path: entry}).values()])

    def drop_context(self, entry: Entry) -> None:
        """It was taken out again.

        Raises:
            Trouble: the disk does not take it.
        """
        self._keep([each for each in self.contexts() if each.path != entry.path])

    def _keep(self, entries: list[Entry]) -> None:
        try:
            _write(self._contexts, [asdict(each) for each in entries])
        except OSError as error:
            raise self._unusable(error) from error

    def forget(self) -> None:
        """Remove all of it.

        Raises:
            Trouble: something of it cannot be removed.
        """
        try:
            shutil.rmtree(self.folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._unusable(error) from error

    def _opened(self, name: str) -> int:
        try:
            return os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> Trouble:
        why = error.strerror or str(error)
        return Trouble(
            f"The sandbox's folder {self.folder} cannot be used: {why}", f"Set {HOME} to a folder that can be written."
        )


def _lock(descriptor: int) -> bool:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(path: Path) -> Any:
    """What a file of ours says; None when there is none, or it was cut off by a full disk."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write(path: Path, what: object) -> None:
    """For its owner alone, and whole or not at all."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        beside.touch(mode=0o600)
        beside.write_text(json.dumps(what), encoding="utf-8")
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
