"""Other processes of this machine: whether they live, how they are ended."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.errors import KubectlRayError
from kubectl_ray.flows import process
from kubectl_ray.flows.session_file import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing."""
    found = subprocess.Popen(["sleep", "60"])
    yield found
    found.kill()
    found.wait()


def session(pid: int = 1, machine: str = "", host: str = "") -> Session:
    """One of this machine."""
    return Session(
        server="https://x",
        namespace="n",
        kind="raycluster",
        name="a",
        pid=pid,
        machine=machine or process.machine(),
        host=host or process.host(),
    )


def test_a_lock(tmp_path: Path) -> None:
    """Is held as long as its file is open, and seen by whoever opens the file again."""
    path = tmp_path / "x"
    writer = os.open(path, os.O_RDWR | os.O_CREAT)
    reader = os.open(path, os.O_RDONLY)
    assert process.held(reader) is False
    assert process.lock(writer)
    assert process.held(reader) is True
    os.close(writer)
    assert process.held(reader) is False
    os.close(reader)


def test_locks_that_the_file_system_does_not_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They tell nothing, which is no error."""
    import fcntl

    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (tmp_path / "x").open("w") as stream:
        assert not process.lock(stream.fileno())
        assert process.held(stream.fileno()) is None


def test_exists(sleeper: subprocess.Popen[bytes]) -> None:
    """By its pid, on this machine alone."""
    assert process.exists(session(sleeper.pid))
    assert not process.exists(session(sleeper.pid, machine="other/1"))
    sleeper.kill()
    sleeper.wait()
    assert not process.exists(session(sleeper.pid))


def test_what_would_be_seen() -> None:
    """This machine and this container, now and before it was started anew; no other."""
    boot, _, namespace = process.machine().partition("/")
    assert process.could_see(session())
    assert process.could_see(session(machine=f"earlier/{namespace}"))
    assert not process.could_see(session(machine="other/1", host="other"))
    assert not process.could_see(session(machine=f"{boot}/1"))


def test_a_machine_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has one name for all, which is its own."""
    monkeypatch.setattr(process, "open", _missing, raising=False)
    assert process.machine() == ""


def _missing(*_args: object, **_more: object) -> None:
    raise FileNotFoundError


@pytest.mark.parametrize("pidfd", [True, False])
def test_end(sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, *, pidfd: bool) -> None:
    """SIGTERM; with the system's handles on processes and without."""
    if not pidfd:
        monkeypatch.delattr(os, "pidfd_open")
    process.end(sleeper.pid, lambda: True)
    assert sleeper.wait() == -signal.SIGTERM


@pytest.mark.parametrize("pidfd", [True, False])
def test_kill(sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, *, pidfd: bool) -> None:
    """SIGKILL, also of one that is halted."""
    if not pidfd:
        monkeypatch.delattr(os, "pidfd_open")
    sleeper.send_signal(signal.SIGSTOP)
    process.kill(sleeper.pid, lambda: True)
    assert sleeper.wait() == -signal.SIGKILL


@pytest.mark.parametrize("pidfd", [True, False])
def test_one_that_is_gone(sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, *, pidfd: bool) -> None:
    """That is what was wanted; and whoever has its pid is left alone."""
    if not pidfd:
        monkeypatch.delattr(os, "pidfd_open")
    process.end(sleeper.pid, lambda: False)
    assert sleeper.poll() is None
    sleeper.kill()
    sleeper.wait()
    process.end(sleeper.pid, lambda: True)


def test_one_that_may_not_be_signalled(sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Is an error in words."""

    def refuse(*_args: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(signal, "pidfd_send_signal", refuse)
    with pytest.raises(KubectlRayError, match="cannot be ended: Operation not permitted"):
        process.end(sleeper.pid, lambda: True)
