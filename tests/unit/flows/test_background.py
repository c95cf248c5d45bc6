"""A session in the background, from the side of the one who starts it; the processes are real, and short."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.errors import KubectlRayError, NotFound, Unreachable
from kubectl_ray.flows import background
from kubectl_ray.flows.background import Background, Starter, told
from kubectl_ray.flows.sessions import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROGRAM = """
import os, signal, sys
from kubectl_ray import errors
from kubectl_ray.flows.background import Starter, told
from kubectl_ray.flows.sessions import Registry, Session
id, log, *argv = sys.argv[1:]
starter = Starter(id, log, os.dup(1))
os.dup2(2, 1)
fields = dict(server="https://x", namespace="n", kind="raycluster", name="a", background=True, log=log)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # it is not lost before it is waited for
with told(starter), Registry(os.environ).enter(Session(**fields), id) as entry:
{lines}
    signal.sigwait([signal.SIGTERM])
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A home of its own, in which a stand-in for the program is found."""
    return {"HOME": str(tmp_path), "PYTHONPATH": str(tmp_path)}


@pytest.fixture
def started(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes a session in the background that does this in its process; whatever lives at the end is killed."""

    def make(lines: str, argv: tuple[str, ...] = ()) -> Background:
        monkeypatch.setattr(background, "MODULE", "standin")
        indented = "".join(f"    {line}\n" for line in lines.splitlines())
        Path(env["HOME"], "standin.py").write_text(_PROGRAM.format(lines=indented), encoding="utf-8")
        return Background(argv, env)

    yield make
    for session in Registry(env).open():
        os.kill(session.pid, signal.SIGKILL)


def folder(env: dict[str, str]) -> Path:
    """Of the registry."""
    return Path(env["HOME"], ".local", "state", "kubectl-ray", "sessions")


def files(env: dict[str, str]) -> list[str]:
    """How the names of the registry's files end."""
    return sorted(path.suffix for path in folder(env).iterdir())


def test_it_stays(env: dict[str, str], started: Any) -> None:
    """What it tells comes here until it is ready; then it lives on by itself, in the registry, with a log."""
    one = started("starter.tell({'change': 'connecting'})\nstarter.tell({'change': 'x', 'n': 1})\nstarter.ready()")
    assert list(one.changes()) == [{"change": "connecting"}, {"change": "x", "n": 1}]
    (found,) = Registry(env).open()
    assert (found.pid, found.background, found.log) == (one.pid, True, one.log)
    assert files(env) == [".json", ".log"]
    assert Path(one.log).stat().st_mode & 0o777 == 0o600
    assert [killed for _session, killed in Registry(env).stop([found])] == [False]
    assert files(env) == []
    os.waitpid(one.pid, 0)


def test_away_from_the_terminal(started: Any) -> None:
    """A session of processes of its own, nothing to read, and its output is the log: no terminal is held or needed."""
    one = started("starter.ready()\nprint('said', flush=True)\nprint('wrong', file=sys.stderr, flush=True)")
    list(one.changes())
    assert os.getsid(one.pid) == one.pid

    def where() -> dict[int, str]:
        return {int(path.name): str(path.readlink()) for path in Path(f"/proc/{one.pid}/fd").iterdir()}

    until(lambda: not [place for place in where().values() if place.startswith("pipe:")])
    assert where()[0] == "/dev/null"
    assert where()[1] == where()[2] == one.log
    until(lambda: Path(one.log).read_text() == "said\nwrong\n")
    os.kill(one.pid, signal.SIGKILL)
    os.waitpid(one.pid, 0)


def until(holds: Any) -> None:
    """Wait for what another process is about to do."""
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.parametrize("argv", [("", "--", "-n", "a b", "$HOME", "é\n", "日本"), ()])
def test_any_words(started: Any, argv: tuple[str, ...]) -> None:
    """The command line arrives as it was."""
    one = started("starter.tell({'argv': argv})\nstarter.ready()", argv)
    assert list(one.changes()) == [{"argv": list(argv)}]
    os.kill(one.pid, signal.SIGKILL)
    os.waitpid(one.pid, 0)


def test_what_is_printed_to_the_pipe(started: Any) -> None:
    """Something that a library prints while it is imported is no change."""
    one = started("os.write(starter._channel, b'hello\\n[1]\\n{\\n' + b'[' * 70000 + b'\\n')\nstarter.ready()")
    assert list(one.changes()) == []
    os.kill(one.pid, signal.SIGKILL)
    os.waitpid(one.pid, 0)


def test_its_error(env: dict[str, str], started: Any) -> None:
    """Is the starter's, with words, hint, class and exit code; nothing stays."""
    lines = (
        "error = errors.NotFound('no a', hint='make it')\nerror.code, error.missing_group = 404, 'ray.io'\nraise error"
    )
    with pytest.raises(NotFound) as raised:
        list(started(lines).changes())
    error = raised.value
    assert (error.message, error.hint, error.exit_code) == ("no a", "make it", 5)
    assert (error.code, error.missing_group) == (404, "ray.io")
    assert files(env) == []


def test_its_error_of_a_server_that_is_not_there(started: Any) -> None:
    """The cause is kept where its words depend on it."""
    with pytest.raises(Unreachable) as raised:
        list(started("raise errors.Unreachable('x') from ConnectionRefusedError()").changes())
    assert isinstance(raised.value.__cause__, ConnectionRefusedError)


@pytest.mark.parametrize("text", ['{"failed": 1}', '{"failed": {"class": "os", "message": 1, "exitCode": "x"}}'])
def test_an_error_that_is_garbage(started: Any, text: str) -> None:
    """One of ours all the same."""
    with pytest.raises(KubectlRayError):
        list(started(f"os.write(starter._channel, {text.encode()!r} + b'\\n')").changes())


@pytest.mark.parametrize(
    ("lines", "message", "code"),
    [
        ("print('last words', flush=True)\nos._exit(7)", "with exit code 7", 7),
        ("print('last words', flush=True)\nos._exit(0)", "with exit code 0", 1),
        ("print('last words', flush=True)\nos.kill(os.getpid(), 9)", "by signal 9", 1),
    ],
)
def test_it_ends_without_a_word(env: dict[str, str], started: Any, lines: str, message: str, code: int) -> None:
    """What its log said last is the hint; nothing stays."""
    with pytest.raises(KubectlRayError, match=message) as raised:
        list(started(lines).changes())
    assert raised.value.hint == "last words"
    assert raised.value.exit_code == code
    assert files(env) == []


def test_left_before_it_is_ready(env: dict[str, str], started: Any) -> None:
    """Ctrl-C here: its process ends in order, and nothing stays."""
    one = started("starter.tell({'change': 'connecting'})")
    with closing(one.changes()) as changes:
        assert next(changes) == {"change": "connecting"}
        assert [each.pid for each in Registry(env).open()] == [one.pid]
    with pytest.raises(ProcessLookupError):
        os.kill(one.pid, 0)
    assert files(env) == []


def test_left_before_it_is_ready_and_it_does_not_react(
    env: dict[str, str], started: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is killed."""
    monkeypatch.setattr(background, "_PATIENCE", 0.2)
    one = started("starter.tell({'change': 'connecting'})\nwhile True: signal.pause()")
    with closing(one.changes()) as changes:
        next(changes)
    with pytest.raises(ProcessLookupError):
        os.kill(one.pid, 0)
    assert files(env) == []


def test_stopped_while_it_starts(env: dict[str, str], started: Any) -> None:
    """`session stop` finds it before it is ready; the starter says what became of it."""
    changes = started("starter.tell({'change': 'connecting'})").changes()
    next(changes)
    registry = Registry(env)
    assert [killed for _session, killed in registry.stop(registry.open())] == [False]
    with pytest.raises(KubectlRayError, match="ended with exit code 0 while it started"):
        next(changes)
    assert files(env) == []


def test_no_folder(tmp_path: Path) -> None:
    """Without a registry nobody would find it again: refused, with the way out."""
    with pytest.raises(KubectlRayError, match="needs a folder in which it is found again") as raised:
        list(Background((), {"HOME": str(tmp_path / "nosuch")}).changes())
    assert "XDG_STATE_HOME" in raised.value.hint


def test_no_program(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be started: an error in words; no log stays."""
    monkeypatch.setattr(sys, "executable", "/nosuch/python")
    with pytest.raises(KubectlRayError, match="cannot be started: No such file"):
        list(Background((), env).changes())
    assert files(env) == []


def test_modules_of_the_current_folder(started: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are not taken for ours: a person's json.py is not run."""
    here = tmp_path / "work"
    here.mkdir()
    (here / "json.py").write_text("raise SystemExit('wrong one')")
    (here / "kubectl_ray.py").write_text("raise SystemExit('wrong one')")
    monkeypatch.chdir(here)
    one = started("starter.tell({'cwd': os.getcwd()})\nstarter.ready()")
    assert list(one.changes()) == [{"cwd": str(here)}]
    os.kill(one.pid, signal.SIGKILL)
    os.waitpid(one.pid, 0)


def pipe() -> tuple[Starter, int]:
    """A starter's end in this process, and where what it tells arrives."""
    read, write = os.pipe()
    return Starter("id", "log", write), read


def test_telling() -> None:
    """A line each; nothing after `ready`, and the pipe is closed."""
    starter, read = pipe()
    starter.tell({"change": "é"})
    starter.ready()
    starter.tell({"change": "later"})
    starter.failed(KubectlRayError("later"))
    with os.fdopen(read) as stream:
        assert [json.loads(line) for line in stream] == [{"change": "é"}, {"ready": True}]


def test_the_starter_is_gone() -> None:
    """Nobody would know of the session: it ends."""
    starter, read = pipe()
    os.close(read)
    with pytest.raises(KubectlRayError, match="is gone"):
        starter.tell({"change": "x"})
    starter.tell({"change": "x"})


def test_the_starter_leaves_when_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is ready stays, however quickly its starter goes."""
    starter, read = pipe()
    watch = starter.watch()
    assert watch is not None
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _pid, number: killed.append(number))
    tell = starter.tell

    def left(change: dict[str, Any]) -> None:
        tell(change)
        os.close(read)
        watch.join()

    monkeypatch.setattr(starter, "tell", left)
    starter.ready()
    assert not killed


def test_told_without_a_starter() -> None:
    """At a terminal an error is just an error."""
    with pytest.raises(NotFound), told(None):
        raise NotFound("x")


@pytest.mark.parametrize(
    "told",
    [
        "starter.watch()\nstarter.tell({'change': 'waiting'})",
        "import time\nwhile True:\n    starter.tell({'change': 'waiting'})\n    time.sleep(0.01)",
    ],
    ids=["it waits in silence", "it tells"],
)
def test_the_starter_is_killed(env: dict[str, str], started: Any, told: str) -> None:
    """A process whose starter was killed before it was ready does not stay."""
    one = started(told)
    program = f"""
import sys
from kubectl_ray.flows import background
background.MODULE = "standin"
one = background.Background((), {env!r})
for change in one.changes():
    print(one.pid, flush=True)
"""
    assert one
    starter = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    starter.kill()
    starter.communicate()
    until(lambda: pid not in {each.pid for each in Registry(env).open()})
