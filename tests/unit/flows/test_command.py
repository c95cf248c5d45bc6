"""A command inside a session: what it is given, which signals it gets, how its end is told."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.errors import CommandNotStarted
from kubectl_ray.flows.command import Command, environment

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

PATH = {"PATH": "/usr/bin:/bin"}


def test_environment() -> None:
    """All that there is, and where Ray is."""
    made = environment({"KUBECTL_X": "1", "RAY_ADDRESS": "other"}, client="127.0.0.1:1", dashboard="127.0.0.1:2")
    assert made == {
        "KUBECTL_X": "1",
        "RAY_ADDRESS": "ray://127.0.0.1:1",
        "RAY_API_SERVER_ADDRESS": "http://127.0.0.1:2",
    }


def test_environment_of_another_cluster() -> None:
    """An address that this session has no port for would lead elsewhere: it is taken out."""
    env = {"RAY_ADDRESS": "ray://other:1", "RAY_API_SERVER_ADDRESS": "http://other:2"}
    assert environment(env, dashboard="127.0.0.1:2") == {"RAY_API_SERVER_ADDRESS": "http://127.0.0.1:2"}


def test_environment_with_a_token() -> None:
    """Only where the cluster asks for one; the person's own settings stay else."""
    assert environment({}, token="t") == {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "t"}
    assert environment({"RAY_AUTH_TOKEN": "mine"}) == {"RAY_AUTH_TOKEN": "mine"}


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, None),
        ({"no_proxy": "a"}, "a"),
        ({"HTTP_PROXY": "http://p"}, "localhost,127.0.0.1,::1"),
        ({"http_proxy": "http://p", "NO_PROXY": "a,localhost"}, "a,localhost,127.0.0.1,::1"),
        ({"https_proxy": "http://p", "no_proxy": "*"}, "*"),
    ],
)
def test_environment_behind_a_proxy(env: dict[str, str], expected: str | None) -> None:
    """The way to this machine's own ports does not lead over the proxy."""
    assert environment(env).get("no_proxy") == expected


def test_check(tmp_path: Path) -> None:
    """127 where there is none, 126 where it cannot be executed, as shells have it."""
    plain = tmp_path / "plain"
    plain.write_text("x")
    for name, code in (("nosuch", 127), ("", 127), ("/nosuch/x", 127), ("plain", 126), (str(plain), 126), ("/", 126)):
        with pytest.raises(CommandNotStarted) as raised:
            Command([name], {"PATH": str(tmp_path)}).check()
        assert raised.value.exit_code == code, name
    Command(["sh"], PATH).check()
    Command(["/bin/sh"], {}).check()


def nobody() -> None:
    """Who need not be told."""


class Changes:
    """Changes of a session to which nothing happens any more, but that it is told when the command has ended."""

    def __init__(self) -> None:
        self.told: SimpleQueue[str] = SimpleQueue()
        self.closed = False

    def wake(self) -> None:
        """From another thread."""
        self.told.put("wake")

    def __call__(self, *first: str) -> Generator[str, None, None]:
        """These, then all that is told."""
        try:
            yield from first
            while True:
                yield self.told.get()
        finally:
            self.closed = True


def ran(argv: list[str], env: dict[str, str] | None = None) -> tuple[list[str], int]:
    """The changes that were passed on while it ran, and its code."""
    command, changes = Command(argv, env or PATH), Changes()
    with command.started(env or PATH, changes.wake):
        seen = list(command.during(changes("one", "two")))
    assert changes.closed
    return seen, command.code


@pytest.mark.parametrize("code", [0, 1, 5, 126, 255])
def test_exit_code(code: int) -> None:
    """The command's own, and the session ends with it although nothing happens to it."""
    assert ran(["sh", "-c", f"exit {code}"])[1] == code


def test_changes_are_passed_on(tmp_path: Path) -> None:
    """Until the command ends; then they are closed."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    command, changes = Command(["sh", "-c", f"read x <{fifo}; exit 3"], PATH), Changes()
    with command.started(PATH, changes.wake):
        passing = command.during(changes("one", "two"))
        assert [next(passing), next(passing)] == ["one", "two"]
        fifo.write_text("\n")  # the command ends only when this has been written
        assert list(passing) == []
    assert (command.code, changes.closed) == (3, True)


def test_changes_that_end() -> None:
    """The command is waited for."""

    def nothing() -> Generator[int, None, None]:
        yield from ()

    command = Command(["sh", "-c", "exit 4"], PATH)
    with command.started(PATH, nobody):
        assert list(command.during(nothing())) == []
    assert command.code == 4


def test_an_error_of_the_session(tmp_path: Path) -> None:
    """The command is waited for, not ended: it may have work to save."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    released = threading.Thread(target=lambda: fifo.write_text("\n"))
    command = Command(["sh", "-c", f"read x <{fifo}; exit 6"], PATH)
    with pytest.raises(ZeroDivisionError), command.started(PATH, nobody):  # noqa: PT012 -- what happens inside is the case
        released.start()
        raise ZeroDivisionError
    released.join()
    assert command.code == 6


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGINT", "SIGSEGV"])
def test_died_of_a_signal(name: str) -> None:
    """128 and the signal's number, as shells write it."""
    assert ran(["sh", "-c", f"kill -{name[3:]} $$"])[1] == 128 + getattr(signal, name)


def test_any_words(tmp_path: Path) -> None:
    """They reach the command as they are."""
    words = ["", "--", "-n", "a b", "$HOME", "*", "é\n", "\udcff"]
    out = tmp_path / "out"
    program = "import os, sys; open(sys.argv[1], 'wb').write(b'|'.join(map(os.fsencode, sys.argv[2:])))"
    assert ran([sys.executable, "-c", program, str(out), *words])[1] == 0
    assert out.read_bytes() == b"|--|-n|a b|$HOME|*|\xc3\xa9\n|\xff"


def test_a_script_without_a_first_line(tmp_path: Path) -> None:
    """A shell would read it; so does this."""
    script = tmp_path / "train"
    script.write_text('exit "$1"\n')
    script.chmod(0o755)
    assert ran(["train", "7"], {"PATH": f"{tmp_path}:/usr/bin:/bin"})[1] == 7


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"#! /no/such/python3 -u\nexit 0\n", "train cannot be started: /no/such/python3 is not there."),
        (b"#!/no/\x1bsuch\n", "train cannot be started: the loader that it is linked for is not there."),
    ],
)
def test_a_script_without_its_interpreter(tmp_path: Path, content: bytes, words: str) -> None:
    """The script is there: what is named is what is missing."""
    script = tmp_path / "train"
    script.write_bytes(content)
    script.chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    command = Command(["train"], env)
    command.check()
    with pytest.raises(CommandNotStarted) as raised, command.started(env, nobody):
        pass
    assert (raised.value.message, raised.value.exit_code) == (words, 126)


def test_gone_between_check_and_start(tmp_path: Path) -> None:
    """The same error as before; signals are as they were."""
    before = signal.getsignal(signal.SIGTERM)
    for name, code in ((str(tmp_path / "gone"), 127), (str(tmp_path), 126)):
        command = Command([name], PATH)
        with pytest.raises(CommandNotStarted) as raised, command.started(PATH, nobody):
            pass
        assert raised.value.exit_code == code
    assert signal.getsignal(signal.SIGTERM) is before


def test_signals_are_as_before() -> None:
    """When the command has ended."""
    numbers = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
    before = [signal.getsignal(number) for number in numbers]
    ran(["true"])
    assert [signal.getsignal(number) for number in numbers] == before


def test_children_that_the_caller_ignores() -> None:
    """The exit code is known all the same."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert ran(["sh", "-c", "exit 3"])[1] == 3
        assert signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGCHLD, before)


_SESSION = """
import os, queue, signal, sys
from kubectl_ray.flows.command import Command
told = queue.SimpleQueue()
def stop(number, _frame):
    raise KeyboardInterrupt
signal.signal(signal.SIGINT, stop)
def changes():
    while True:
        yield told.get()
command = Command(sys.argv[1:], os.environ)
with command.started(os.environ, lambda: told.put(0)):
    for change in command.during(changes()):
        pass
print("code", command.code, flush=True)
"""
_WAITS = """
import signal, sys
ours = {{signal.SIGINT, signal.SIGTERM, signal.SIGHUP}}
signal.pthread_sigmask(signal.SIG_BLOCK, ours)  # none is lost between two looks
print("runs", flush=True)
while True:
    number = signal.sigwait(ours)
    print("got", signal.Signals(number).name, flush=True)
    if number != signal.SIGINT or {ends}: sys.exit(9)
"""


@contextmanager
def process(program: str, *, new_session: bool = True) -> Iterator[subprocess.Popen[str]]:
    """A session with a command in a process of its own; no terminal controls it."""
    found = subprocess.Popen(
        [sys.executable, "-c", _SESSION, sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=new_session,
    )
    assert found.stdout is not None
    try:
        assert found.stdout.readline() == "runs\n"
        yield found
    finally:
        found.kill()
        found.wait()
        found.stdout.close()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_to_the_session_alone(name: str) -> None:
    """It is passed on, and the session ends when the command has."""
    with process(_WAITS.format(ends=True)) as one:
        one.send_signal(getattr(signal, name))
        assert one.communicate()[0] == f"got {name}\ncode 9\n"


_SHELL = """
import os, signal, subprocess, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = subprocess.Popen(sys.argv[1:], process_group=0)
os.tcsetpgrp(0, job.pid)
print("job", job.pid, flush=True)
while os.WIFSTOPPED(os.waitpid(job.pid, os.WUNTRACED)[1]):
    os.tcsetpgrp(0, os.getpgrp())
    os.tcsetpgrp(0, job.pid)
    os.killpg(job.pid, signal.SIGCONT)
    print("halted", flush=True)
"""


class Terminal:
    """A terminal, a shell on it, and in its foreground a session with a command; each halt is followed by `fg`."""

    def __init__(self, program: str) -> None:
        self._text = ""
        self._shell, self._master = pty.fork()
        if self._shell == 0:
            python = sys.executable
            os.execv(python, [python, "-c", _SHELL, python, "-c", _SESSION, python, "-c", program])  # noqa: S606 -- it is one
        self.expect("job ")
        self.pid = int(self.expect("\r\n"))
        self.expect("runs\r\n")

    def press(self, key: str) -> None:
        """A key with Ctrl."""
        os.write(self._master, bytes([ord(key) - 64]))

    def expect(self, text: str) -> str:
        """Read on until this has been shown; what was shown before it."""
        while text not in self._text:
            self._text += os.read(self._master, 4096).decode()
        before, _, self._text = self._text.partition(text)
        return before

    def end(self) -> None:
        """Nothing stays."""
        os.waitpid(self._shell, 0)
        os.close(self._master)


def test_ctrl_c_is_the_commands() -> None:
    """One that goes on after Ctrl-C (Python's prompt) keeps its session; it gets each Ctrl-C once."""
    terminal = Terminal(_WAITS.format(ends=False))
    for _ in range(3):
        terminal.press("C")
        assert "got" not in terminal.expect("got SIGINT\r\n")
    os.kill(terminal.pid, signal.SIGTERM)
    assert "got" not in terminal.expect("got SIGTERM\r\n")
    terminal.expect("code 9\r\n")
    terminal.end()


def test_ctrl_c_that_ends_the_command() -> None:
    """This process is to die of it too, so that a loop of the shell around it ends."""
    terminal = Terminal("import signal; signal.signal(2, signal.SIG_DFL); print('runs', flush=True); signal.pause()")
    terminal.press("C")
    terminal.expect(f"code {-signal.SIGINT}\r\n")
    terminal.end()


def test_ctrl_z() -> None:
    """Both are halted, so that the shell has its terminal back; `fg` lets both go on."""
    terminal = Terminal(_WAITS.format(ends=False))
    for _ in range(2):
        terminal.press("Z")
        terminal.expect("halted\r\n")
        terminal.press("C")
        terminal.expect("got SIGINT\r\n")
    os.kill(terminal.pid, signal.SIGHUP)
    terminal.expect("code 9\r\n")
    terminal.end()
