"""The program as a process: how it ends, on which signal, and what it leaves on its streams."""

from __future__ import annotations

import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.wire.server import ApiServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

RUN = [sys.executable, "-c", "from kubectl_ray.cli.start import entry; entry()"]
COMPLETE = [sys.executable, "-c", "from kubectl_ray.cli.complete import entry; entry()"]
# Ctrl-C while one of our modules is imported.
STRUCK = """
import os, signal, sys
from kubectl_ray.cli.start import entry
class Strike:
    def find_spec(name, *rest):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Strike)
sys.argv = ["kubectl-ray", "version", "--client"]
entry()
"""
NOWHERE = {"HOME": "/nonexistent", "PATH": os.environ["PATH"]}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and pseudo-terminals are POSIX")


@pytest.fixture
def silent() -> Iterator[ApiServer]:
    """A server that takes a list's request and never answers."""
    with ApiServer() as api:
        api.fault("rayclusters", raw=b"HTTP/1.1 200 OK\r\n", hold=True, times=None)
        yield api


def start(line: str, env: dict[str, str], **streams: Any) -> subprocess.Popen[str]:
    """The program, running."""
    given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.Popen([*RUN, *shlex.split(line)], env=env, text=True, **given)


def run(line: str, env: dict[str, str] = NOWHERE, **streams: Any) -> tuple[int, str, str]:
    """The program, ended: its return code, stdout, stderr."""
    with start(line, env, **streams) as process:
        out, err = process.communicate(timeout=60)
        return process.returncode, out or "", err or ""


def wait_until_asked(api: ApiServer) -> None:
    """Until the request has come."""
    ends = time.monotonic() + 30
    while not api.requests:
        assert time.monotonic() < ends
        time.sleep(0.005)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_dies_of_the_signal(silent: ApiServer, number: signal.Signals) -> None:
    """One line, no traceback, and the death that shells know."""
    with start("cluster list", silent.env) as process:
        wait_until_asked(silent)
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (-number, "", "Interrupted.\n")


@pytest.mark.parametrize("module", ["kubectl_ray.cli.main", "kubectl_ray.cli.grammar", "kubectl_ray.errors"])
def test_ctrl_c_while_it_is_imported(module: str) -> None:
    """No traceback of a program that has not begun yet, and the death that shells know."""
    done = subprocess.run(
        [sys.executable, "-c", STRUCK.format(module=module)],
        env=NOWHERE,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_nothing_slow_is_imported_before_the_signals_are_in_order() -> None:
    """The installed script imports this one module, which imports none of ours and `signal` alone of Python's."""
    (script,) = entry_points(group="console_scripts", name="kubectl-ray")
    program = f"import signal, sys; old = set(sys.modules); import {script.module}; print(*set(sys.modules) - old)"
    done = subprocess.run([sys.executable, "-c", program], env=NOWHERE, stdout=subprocess.PIPE, text=True, check=True)
    assert set(done.stdout.split()) <= {"__future__", "kubectl_ray", "kubectl_ray.cli", "kubectl_ray.cli.start"}
    assert script.attr == "entry"


def test_an_ignored_signal_stays_ignored(silent: ApiServer) -> None:
    """A shell starts background jobs with SIGINT ignored."""
    with start("cluster list", silent.env, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) as process:
        wait_until_asked(silent)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
    assert process.returncode == -signal.SIGTERM


def test_a_closed_terminal_behind_nohup(silent: ApiServer) -> None:
    """A SIGHUP that is ignored stays ignored, after another signal has begun to end the process too."""
    with start("cluster list", silent.env, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as process:
        wait_until_asked(silent)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=10)
    assert process.returncode == -signal.SIGINT


def test_ctrl_c_on_a_terminal(silent: ApiServer) -> None:
    """The line that was shown while waiting is gone; the terminal is as before."""
    reading, writing = pty.openpty()
    with start("cluster list", {**silent.env, "TERM": "xterm"}, stderr=writing) as process:
        os.close(writing)
        wait_until_asked(silent)
        text = b""
        while b"Asking" not in text:
            text += os.read(reading, 4096)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=10)
        while True:
            try:
                more = os.read(reading, 4096)
            except OSError:
                break
            if not more:
                break
            text += more
    os.close(reading)
    assert text.endswith(b"\r\x1b[K\r\nInterrupted.\r\n")


def test_closed_pipe() -> None:
    """A reader that left: silent, and the death that shells know."""
    reading, writing = os.pipe()
    os.close(reading)
    code, _out, err = run("cluster create --help", stdout=writing)
    os.close(writing)
    assert (code, err) == (-signal.SIGPIPE, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("line", ["--help", "cluster list -o json", "completion bash"])
def test_full_disk(line: str) -> None:
    """One clear error, exit code 1, and no second one from the interpreter's end."""
    with ApiServer() as api, Path("/dev/full").open("wb") as full:
        code, _out, err = run(line, api.env, stdout=full)
    assert code == 1
    assert err.startswith("Error: The answer cannot be written: No space left on device\n")
    assert len(err.splitlines()) == 2


@pytest.mark.parametrize("redirected", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams(redirected: str) -> None:
    """A stream that the caller closed leads nowhere."""
    done = subprocess.run(
        ["sh", "-c", f"{shlex.join([*RUN, 'version', '--client'])} {redirected}"],
        env=NOWHERE,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(
    not sys.executable.isascii(),
    reason="Python itself does not start in such a locale: the editable install's .pth names this checkout's folder",
)
def test_narrow_locale() -> None:
    """What the terminal's encoding lacks is escaped, not an error."""
    env = {**NOWHERE, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    code, out, _err = run("cluster list --help", env)
    assert code == 0
    assert out.isascii()


def test_completion_has_little_patience(silent: ApiServer) -> None:
    """A server that never answers costs two seconds, and shows nothing."""
    began = time.monotonic()
    done = subprocess.run(
        [*COMPLETE, "cluster", "get", ""], env=silent.env, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout in {"", ":4\n"}
    assert time.monotonic() - began < 30
