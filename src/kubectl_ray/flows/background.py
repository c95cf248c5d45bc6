"""A session in the background: the same command line in a process of its own, away from the terminal.

The process tells the one that started it each change as one JSON line, through the pipe that is its stdout at first,
until all ports answer; what it prints goes to a log beside its file in the registry. What it fails of before that is
what the starter fails of.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading

from kubectl_ray import errors
from kubectl_ray.errors import KubectlRayError
from kubectl_ray.flows.sessions import Registry, new_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from typing import Any

MODULE = "kubectl_ray.cli.background"
"""What the process runs: its words are an id, the log's path and the command line."""
_PATIENCE = 5.0  # seconds to end in
_LONGEST_LINE = 65536
_LAST_WORDS = 2000  # bytes of the log


class Starter:
    """The process that started this one, seen from the background: `ctx.starter`; None in a session at a terminal.

    `id` is for `Registry.enter`, `log` for its `Session`; `channel` is the pipe's descriptor.
    """

    def __init__(self, id: str, log: str, channel: int) -> None:  # noqa: A002 -- the session's
        self.id = id
        self.log = log
        self._channel = channel
        self._needed = True

    def tell(self, change: Mapping[str, Any]) -> None:
        """One change, as `-o json` has it. After `ready` it does nothing.

        Raises:
            KubectlRayError: the starter is gone before this was ready: nobody would know of this session.
        """
        data = json.dumps(change).encode() + b"\n"
        try:
            while data and self._channel >= 0:
                data = data[os.write(self._channel, data) :]
        except OSError as error:
            self._close()
            raise KubectlRayError("The process that started this session in the background is gone") from error

    def ready(self) -> None:
        """All ports answer, or were said to be absent: the starter may leave.

        Raises:
            KubectlRayError: it is gone already.
        """
        self._needed = False  # first: once told, it may be gone at any moment
        self.tell({"ready": True})
        self._close()

    def failed(self, error: KubectlRayError) -> None:
        """What ended this process before it was ready; the starter raises the same. `told` calls it."""
        self._needed = False
        with contextlib.suppress(KubectlRayError):
            self.tell({"failed": _packed(error)})
        self._close()

    def watch(self) -> threading.Thread | None:
        """End this process, as SIGTERM does, should the starter go before it was ready: nobody would know of it."""
        import select

        if not hasattr(select, "poll"):
            return None
        poll = select.poll()
        poll.register(self._channel, 0)  # nothing but that its other end is gone

        def wait() -> None:
            poll.poll()
            if self._needed:
                os.kill(os.getpid(), signal.SIGTERM)

        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        return thread

    def _close(self) -> None:
        channel, self._channel = self._channel, -1
        if channel >= 0:
            os.close(channel)


@contextlib.contextmanager
def told(starter: Starter | None) -> Iterator[None]:
    """Around all that a session does: an error of it is the starter's too."""
    try:
        yield
    except KubectlRayError as error:
        if starter is not None:
            starter.failed(error)
        raise


class Background:
    """A process in the background, from the starter's side. Making one does no I/O.

    `argv`: the words of this command line (`ctx.argv`), as they were. `pid` and `log` are known once `changes` began.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self.pid = 0
        self.log = ""
        self._argv = argv
        self._env = env
        self._registry = Registry(env)

    def changes(self) -> Generator[dict[str, Any], None, None]:
        """Start it and yield what it tells, as `-o json` has it, until it is ready. Left earlier, the process is ended.

        Raises:
            KubectlRayError: it ended before: with the words and the exit code that it had. Nothing of it stays.
        """
        why = self._registry.prepare()
        if why:
            raise KubectlRayError(
                f"A session in the background needs a folder in which it is found again: {why}",
                hint="Set XDG_STATE_HOME to a folder of yours, or leave --background out.",
            )
        id = new_id()  # noqa: A001 -- the session's
        self.log = self._registry.log(id)
        try:
            process = self._start(id)
        except OSError as error:
            _remove(self.log)
            raise KubectlRayError(
                f"A process in the background cannot be started: {error.strerror or error}"
            ) from error
        self.pid = process.pid
        ready = False
        try:
            for line in _lines(process):
                if line.get("ready") is True:
                    ready = True
                    process.returncode = 0  # it is to live on: no warning about that when this object goes
                    return
                if "failed" in line:
                    raise _unpacked(line["failed"])
                yield line
            raise self._ended(process.wait())
        finally:
            if process.stdout is not None:
                process.stdout.close()
            if not ready:
                _end(process)
                _remove(self.log)
                self._registry.open()  # which removes its file, should it have been killed

    def _start(self, id: str) -> subprocess.Popen[bytes]:  # noqa: A002 -- the session's
        """The process, its log open for appending.

        Raises:
            OSError: no such process, or no log.
        """
        import subprocess

        flags = [*(["-E"] if sys.flags.ignore_environment else ()), *(["-s"] if sys.flags.no_user_site else ())]
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            return subprocess.Popen(
                # -P: no module of the current folder is taken for one of ours.
                [sys.executable, "-P", *flags, "-m", MODULE, id, self.log, *self._argv],
                env=dict(self._env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                creationflags=getattr(subprocess, "DETACHED_PROCESS", 0)
                | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        finally:
            os.close(log)

    def _ended(self, code: int) -> KubectlRayError:
        """Why the process ended without a word: its last lines, and its exit code where it has one."""
        try:
            with open(self.log, "rb") as stream:
                stream.seek(max(0, os.fstat(stream.fileno()).st_size - _LAST_WORDS))
                said = stream.read().decode(errors="replace").strip()
        except OSError:
            said = ""
        if code == -signal.SIGTERM:
            return KubectlRayError("The session was stopped while it started")
        how = f"with exit code {code}" if code >= 0 else f"by signal {-code}"
        error = KubectlRayError(f"The session in the background ended {how} while it started", hint=said)
        error.exit_code = code if code > 0 else KubectlRayError.exit_code
        return error


def _lines(process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """What the process tells; lines of anything else that prints in it are passed over."""
    assert process.stdout is not None  # noqa: S101 -- it was asked for
    while data := process.stdout.readline(_LONGEST_LINE):
        try:
            line = json.loads(data)
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict):
            yield line


def _end(process: subprocess.Popen[bytes]) -> None:
    import subprocess

    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _packed(error: KubectlRayError) -> dict[str, Any]:
    return {
        "class": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "exitCode": error.exit_code,
        "code": error.code,
        "reason": error.reason,
        "missingGroup": error.missing_group,
        "refused": isinstance(error.__cause__, ConnectionRefusedError),
    }


def _unpacked(found: Any) -> KubectlRayError:
    """The error that it was: `cli/wording.py` asks for its class and for what else is here."""
    packed = found if isinstance(found, dict) else {}
    kind = getattr(errors, str(packed.get("class")), None)
    if not (isinstance(kind, type) and issubclass(kind, KubectlRayError)):
        kind = KubectlRayError
    error: KubectlRayError = kind(str(packed.get("message", "")), str(packed.get("hint", "")))
    code, http = packed.get("exitCode"), packed.get("code")
    error.exit_code = code if isinstance(code, int) and code > 0 else KubectlRayError.exit_code
    error.code = http if isinstance(http, int) else 0
    error.reason = str(packed.get("reason", ""))
    error.missing_group = str(packed.get("missingGroup", ""))
    if packed.get("refused"):
        error.__cause__ = ConnectionRefusedError()
    return error


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
