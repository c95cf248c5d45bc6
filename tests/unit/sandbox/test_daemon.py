"""`sandbox.daemon`: the process itself, started as `background` starts it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.sandbox import background, daemon
from kubectl_ray.sandbox.home import Home, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A folder with a name as people give them."""
    made = Home(tmp_path / "süß und sauer")
    made.prepare()
    yield made
    background.forget(made)


@contextmanager
def running(home: Home, *flags: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    """The process and the one line that it says."""
    programs = Path(sys.executable).parent
    argv = [sys.executable, "-m", "kubectl_ray.sandbox.daemon", f"--home={home.folder}", f"--programs={programs}"]
    with subprocess.Popen([*argv, "--ray=2.52.0", *flags], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            yield process, said
            if "ready" in said:
                process.send_signal(signal.SIGTERM)
            process.wait(30)
        finally:
            process.kill()


def test_from_ready_to_the_end(home: Home) -> None:
    """It says once that it answers, and who it is; after SIGTERM it has ended in order."""
    with running(home, "--cpus=3", "--memory=1000000000") as (process, said):
        assert said == {"ready": True}
        run = home.running()
        assert run is not None
        assert (run.pid, run.cpus, run.memory, run.ray) == (process.pid, 3, 10**9, "2.52.0")
        with socket.create_connection(("127.0.0.1", run.port), timeout=5):
            pass
    assert process.returncode == 0
    assert home.run() is None
    assert not home.alive()
    assert "has ended" in home.log.read_text()


def test_only_one_a_folder(home: Home) -> None:
    """A second one says so and does not touch the first one's record."""
    with running(home) as (first, _):
        with running(home) as (second, said):
            assert "runs in this folder already" in said["trouble"]
        assert second.returncode == 1
        run = home.running()
        assert run is not None
        assert run.pid == first.pid


def test_one_whose_starter_has_gone(home: Home) -> None:
    """A `stop` may have looked in vain already: it ends before it begins, and nothing is left running."""
    argv = [sys.executable, "-m", "kubectl_ray.sandbox.daemon", f"--home={home.folder}", "--programs=/", "--ray=2.52.0"]
    read, write = os.pipe()
    os.close(read)
    with subprocess.Popen(argv, stdout=write) as process:
        os.close(write)
        try:
            assert process.wait(30) == 1
        finally:
            process.kill()
    assert not home.store.exists()


def test_objects_that_cannot_be_read(home: Home) -> None:
    """Nothing is thrown away unasked; the way out is said."""
    home.store.write_text("this is no database " * 50)
    with running(home) as (process, said):
        assert "cannot be read" in said["trouble"]
        assert "--forget" in said["hint"]
    assert process.returncode == 1


def test_a_wanted_port() -> None:
    """Taken by somebody else, it is refused; a port of the last time only gives way to another one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Trouble, match=f"Port {port} of 127.0.0.1 cannot be used: .* in use"):
            daemon.choose_port(port, 0)
        assert daemon.choose_port(0, port) not in {0, port}
    assert daemon.choose_port(0, port) == port
    assert daemon.choose_port(port, 0) == port


def test_no_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose loopback interface is off: said as that."""
    monkeypatch.setattr(daemon, "HOST", "192.0.2.1")  # RFC 5737: nobody's
    with pytest.raises(Trouble, match="Nothing can be reached") as caught:
        daemon.choose_port(0, 0)
    assert "loopback" in caught.value.hint


def test_the_size_on_paper(home: Home) -> None:
    """Where nothing is said it is large enough for a few clusters, and never smaller than the machine."""
    with running(home):
        run = home.running()
    assert run is not None
    assert run.cpus >= daemon.LEAST_CPUS
    assert run.memory >= daemon.LEAST_MEMORY
