"""`sandbox.background`: the process seen from outside, also when it does not do what it should."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from kubectl_ray.sandbox import background
from kubectl_ray.sandbox.background import Options, mark, pods, process, running, size, start, stop
from kubectl_ray.sandbox.home import Home, Run, Trouble
from kubectl_ray.sandbox.node.processes import SANDBOX

if TYPE_CHECKING:
    from collections.abc import Iterator

OPTIONS = Options(Path(sys.executable).parent, "2.52.0", cpus=3, port=1, missing_images=("a*", "b c"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A folder with a name as people give them."""
    made = Home(tmp_path / "süß und sauer")
    made.prepare()
    return made


def instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let a shell script be started as the sandbox."""
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(program))


def test_what_it_is_told() -> None:
    """Each option as one word, whatever is in it."""
    assert OPTIONS.argv() == [
        f"--programs={OPTIONS.programs}",
        "--ray=2.52.0",
        "--cpus=3",
        "--memory=0",
        "--port=1",
        "--missing-image=a*",
        "--missing-image=b c",
    ]


def test_one_that_ends_at_once(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its exit code and its last words are told, and where its log is."""
    instead(tmp_path, monkeypatch, "echo one >&2; echo last words >&2; exit 3")
    with pytest.raises(Trouble, match=r"ended while it started \(exit code 3\): last words") as caught:
        start(home, OPTIONS, os.environ)
    assert str(home.log) in caught.value.hint


def test_one_that_says_why_not(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own words are told."""
    instead(tmp_path, monkeypatch, """echo '{"trouble": "no room", "hint": "make some"}'""")
    with pytest.raises(Trouble, match="no room") as caught:
        start(home, OPTIONS, os.environ)
    assert caught.value.hint == "make some"


def test_one_that_never_answers(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for for ever, and not left behind."""
    instead(tmp_path, monkeypatch, f"echo $$ > '{tmp_path}/pid'; exec sleep 100")
    with pytest.raises(Trouble, match="did not answer within"):
        start(home, OPTIONS, os.environ, patience=1.0)
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_one_that_answers_and_is_gone(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To say that it is ready is not enough."""
    instead(tmp_path, monkeypatch, """echo '{"ready": true}'""")
    with pytest.raises(Trouble, match="right after its start"):
        start(home, OPTIONS, os.environ)


def test_a_python_that_is_gone(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's word for why."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    with pytest.raises(Trouble, match="No such file"):
        start(home, OPTIONS, os.environ)


def test_another_process_with_its_number(home: Home) -> None:
    """After a restart of the machine a number is somebody else's: never signalled."""
    home.say(Run(pid=os.getpid(), created=1.0, since=1.0, port=1, ca="", token="", cpus=1, memory=1, ray=""))
    assert process(home) is None
    assert list(stop(home)) == []
    assert home.run() is None


CLAIMING = """
import pathlib, sys
from kubectl_ray.sandbox.home import Home
home = Home(pathlib.Path(sys.argv[1]))
claim = home.claim()
home.sign(claim)
print("claimed", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def silent(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """A sandbox whose starter was killed, and that does not answer yet."""
    argv = [sys.executable, "-c", CLAIMING, str(home.folder)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one:
        assert one.stdout is not None
        assert one.stdout.readline() == b"claimed\n"
        yield one
        one.kill()


def test_one_that_nobody_waited_for_can_be_ended(home: Home, silent: subprocess.Popen[bytes]) -> None:
    """It has said nothing of itself but whose the lock is: that is enough."""
    found = process(home)
    assert found is not None
    assert found.pid == silent.pid
    for _ in stop(home):
        pass
    assert silent.wait(10) != 0


def test_one_that_is_still_starting_is_waited_for(home: Home, silent: subprocess.Popen[bytes]) -> None:
    """Its starter was killed; the next one takes it as it is, once it answers."""
    run = Run(pid=silent.pid, created=1.0, since=1.0, port=1, ca="", token="", cpus=1, memory=1, ray="")
    threading.Timer(0.2, home.say, [run]).start()
    assert running(home) == run


def test_one_that_ends_is_waited_for(home: Home, silent: subprocess.Popen[bytes]) -> None:
    """Whoever stopped it was killed meanwhile; then there is none."""
    threading.Timer(0.2, silent.kill).start()
    assert running(home) is None


@pytest.mark.usefixtures("silent")
def test_one_that_goes_on_saying_nothing(home: Home) -> None:
    """Told, with the way to end it."""
    with pytest.raises(Trouble, match="does not answer") as caught:
        running(home, patience=0.2)
    assert "kubectl ray sandbox stop" in caught.value.hint


def test_what_belongs_to_it(home: Home) -> None:
    """Processes with its mark and their children, and the memory that they take."""
    code = "import subprocess, sys; subprocess.Popen(['sleep', '100']); print('on', flush=True); sys.stdin.read()"
    argv = [sys.executable, "-c", code]
    env = {**os.environ, SANDBOX: mark(home)}
    with subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as one:
        assert one.stdout is not None
        assert one.stdout.readline() == b"on\n"
        assert len(pods(home)) == 2
        assert size(home).processes == 2
        assert size(home).memory > 2**20
        assert background.clean(home) == 2
        assert pods(home) == []
