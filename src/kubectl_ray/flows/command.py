"""A command that runs inside a session: its environment, its signals, its exit code.

It shares the terminal and the process group with this process, as a command in a shell's script does: Ctrl-C and Ctrl-Z
reach it from the terminal itself, and this process does not die of Ctrl-C before it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import threading

from kubectl_ray.errors import CommandNotStarted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from types import FrameType
    from typing import TypeVar

    T = TypeVar("T")

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")
_HERE = ("localhost", "127.0.0.1", "::1")
# What a terminal sends to all processes at it, and what is sent to one process that is to end.
_OF_TERMINAL = ("SIGINT", "SIGQUIT")
_TO_ONE = ("SIGTERM", "SIGHUP")
_OF_DEATH = 128  # and the signal's number: how shells write it


def environment(env: Mapping[str, str], *, client: str = "", dashboard: str = "", token: str = "") -> dict[str, str]:
    """`env` and where Ray is: RAY_ADDRESS=ray://CLIENT, RAY_API_SERVER_ADDRESS=http://DASHBOARD (each HOST:PORT).

    Each is taken out where the session has no such port, as it would lead to another cluster. With `token`:
    RAY_AUTH_MODE and RAY_AUTH_TOKEN. A proxy that `env` names is not asked for addresses of this machine.
    """
    made = dict(env)
    for name, value in (
        ("RAY_ADDRESS", client and f"ray://{client}"),
        ("RAY_API_SERVER_ADDRESS", dashboard and f"http://{dashboard}"),
    ):
        made.pop(name, None)
        if value:
            made[name] = value
    if token:
        made |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}
    if any(made.get(name) or made.get(name.upper()) for name in _PROXIES):
        # The names in small letters win where both are there; nobody reads both.
        listed = made.get("no_proxy") or made.get("NO_PROXY") or ""
        if listed.strip() != "*":
            known = [host for host in listed.split(",") if host]
            made["no_proxy"] = made["NO_PROXY"] = ",".join([*known, *(host for host in _HERE if host not in known)])
    return made


class Command:
    """`argv` (not empty) with this process' stdin, stdout and stderr. Making one does no I/O. Main thread only.

    ::

        command = Command(args.rest, ctx.env)
        command.check()  # before anything is opened
        with closing(tunnel.changes()) as changes:
            ...  # until all ports have started
            with command.started(environment(ctx.env, ...), wake=...):
                for change in command.during(changes):  # ends when the command ends
                    ...
        yield Exit(command.code)

    `code`, after the block: its exit code, 128+N where signal N ended it. -SIGINT where Ctrl-C ended it: then this
    process is to die of it too, so that a shell's loop around it ends.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self.code = 0
        self._argv = list(argv)
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None
        self._interrupted = False
        self._early: list[int] = []  # signals that came while the command was being started

    @property
    def name(self) -> str:
        """Its first word."""
        return self._argv[0]

    def check(self) -> None:
        """Find it on PATH before anything is waited for.

        Raises:
            CommandNotStarted: there is no such command (exit code 127), or it is not executable (126).
        """
        name = self._argv[0]
        path = self._env.get("PATH", os.defpath)
        if name and shutil.which(name, path=path):
            return
        folders = [""] if os.path.dirname(name) else path.split(os.pathsep)
        if name and any(os.path.exists(os.path.join(folder, name)) for folder in folders):
            raise _not_executable(name)
        raise _not_found(name)

    @contextlib.contextmanager
    def started(self, env: Mapping[str, str], wake: Callable[[], None]) -> Iterator[Command]:
        """Start it; until the end of the block its signals are dealt with, and the end waits for it, an error too.

        SIGINT and SIGQUIT are the command's alone; SIGTERM and SIGHUP are passed on to it. `wake` is called when it has
        ended, in another thread: it makes the changes that `during` waits for go on by one more.

        Raises:
            CommandNotStarted: as `check`.
        """
        with self._signals():
            self._process = process = self._spawn(env)
            while self._early:
                process.send_signal(self._early.pop())

            def watch() -> None:
                # Of two signals at once the kernel may hand one to this thread, and the main one would sleep on.
                if hasattr(signal, "pthread_sigmask"):
                    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
                process.wait()
                wake()

            watcher = threading.Thread(target=watch, daemon=True)
            watcher.start()
            try:
                yield self
            finally:
                watcher.join()
                self.code = self._worded(process.wait())

    def during(self, changes: Generator[T, None, None]) -> Generator[T, None, None]:
        """Pass `changes` on until the command has ended; they are closed then."""
        with contextlib.closing(changes):
            for change in changes:
                if self._process is not None and self._process.poll() is not None:
                    return
                yield change

    def _spawn(self, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        try:
            try:
                return subprocess.Popen(self._argv, env=dict(env))
            except OSError as error:
                path = shutil.which(self._argv[0], path=env.get("PATH"))
                if error.errno != errno.ENOEXEC or not path:
                    raise
                # A script without a first line that names its interpreter: shells read it themselves.
                return subprocess.Popen(["/bin/sh", path, *self._argv[1:]], env=dict(env))
        except (FileNotFoundError, NotADirectoryError):
            path = shutil.which(self._argv[0], path=env.get("PATH"))
            raise (_without_interpreter(self._argv[0], path) if path else _not_found(self._argv[0])) from None
        except (OSError, ValueError) as error:
            raise _not_executable(self._argv[0], getattr(error, "strerror", None) or str(error)) from error

    def _worded(self, returned: int) -> int:
        if returned >= 0:
            return returned
        died_of = -returned
        return returned if self._interrupted and died_of == signal.SIGINT else _OF_DEATH + died_of

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Handlers of this process as long as the command runs; what was ignored stays so, for the command too."""
        mine: dict[str, Callable[[int, FrameType | None], None]] = {
            **dict.fromkeys(_OF_TERMINAL, self._on_key),
            **dict.fromkeys(_TO_ONE, self._on_request),
        }
        before = {}
        try:
            for name, handler in mine.items():
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    before[number] = signal.signal(number, handler)
            if hasattr(signal, "SIGCHLD"):
                # Where the caller had it ignored, the system would keep no exit code for us.
                before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            yield
        finally:
            for number, was in before.items():
                signal.signal(number, signal.SIG_DFL if was is None else was)

    def _on_key(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-C at the terminal reached the command too; where there is none, somebody sent it to us alone."""
        self._interrupted |= number == signal.SIGINT
        if not _at_terminal():
            self._on_request(number, frame)

    def _on_request(self, number: int, _frame: FrameType | None) -> None:
        if self._process is None:
            self._early.append(number)
        else:
            self._process.send_signal(number)


def _at_terminal() -> bool:
    """Does the terminal send its signals to this process' group just now?"""
    if not hasattr(os, "tcgetpgrp"):
        return True
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _not_found(name: str) -> CommandNotStarted:
    return CommandNotStarted(f"{name}: command not found", hint="Name a command that is on your PATH behind --.")


def _without_interpreter(name: str, path: str) -> CommandNotStarted:
    """It is there, and yet it was not found: what was not is the program that its first line, or its header, names."""
    try:
        with open(path, "rb") as stream:
            line = stream.readline(256)
    except OSError:
        line = b""
    words = line[2:].decode(errors="replace").split() if line.startswith(b"#!") else []
    missing = words[0] if words and words[0].isprintable() else "the loader that it is linked for"
    error = CommandNotStarted(
        f"{name} cannot be started: {missing} is not there.",
        hint="Mend its first line." if words else "It was built for another system.",
    )
    error.exit_code = 126
    return error


def _not_executable(name: str, why: str = "it is not executable") -> CommandNotStarted:
    error = CommandNotStarted(f"{name} cannot be started: {why}", hint=f"Make it executable:  chmod +x {name}")
    error.exit_code = 126
    return error
