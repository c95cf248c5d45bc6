"""The registry of sessions: who is in it, what becomes of the files of the dead, how sessions are stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.errors import KubectlRayError
from kubectl_ray.flows import process
from kubectl_ray.flows.sessions import Entry, Registry, Session, folder_of
from tests.unit.flows.session_processes import FIELDS, session

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A home of its own."""
    return {"HOME": str(tmp_path)}


@pytest.fixture
def folder(env: dict[str, str]) -> Path:
    """Where the files are."""
    return Path(env["HOME"], ".local", "state", "kubectl-ray", "sessions")


def made(**fields: object) -> Session:
    """A session with few words."""
    return Session(**{**FIELDS, **fields})  # type: ignore[arg-type]


def names(env: Mapping[str, str]) -> list[str]:
    """What is open."""
    return [each.name for each in Registry(env).open()]


def killed(env: dict[str, str]) -> int:
    """The pid of a session that was killed."""
    with session(env) as one:
        one.send_signal(signal.SIGKILL)
        one.wait()
        return one.pid


def test_folder() -> None:
    """XDG_STATE_HOME where it is a whole path, else below a home that exists; nowhere without."""
    assert folder_of({"XDG_STATE_HOME": "/x", "HOME": "/root"}) == "/x/kubectl-ray/sessions"
    assert folder_of({"XDG_STATE_HOME": "x", "HOME": "/usr"}) == "/usr/.local/state/kubectl-ray/sessions"
    assert folder_of({"HOME": "/nonexistent"}) == ""
    assert folder_of({}) == ""


def test_a_session_is_seen_while_it_lives(env: dict[str, str]) -> None:
    """By other processes, with all that it says; no longer when it is over."""
    with session(env, ports={"client": 10001, "dashboard": 8266}, addresses=["::1", "127.0.0.1"], uid="u") as one:
        (found,) = Registry(env).open()
        assert (found.pid, found.name, found.uid) == (one.pid, "a", "u")
        assert (found.host, found.machine) == (process.host(), process.machine())
        assert found.url("client") == "ray://127.0.0.1:10001"
        assert found.url("dashboard") == "http://127.0.0.1:8266"
        assert found.url("serve") == ""
        assert time.time() - found.since < 60
        one.terminate()
        one.wait()
        assert names(env) == []


def test_nobody_else_can_read_it(env: dict[str, str], folder: Path) -> None:
    """The folder and the files are their owner's."""
    with Registry(env).enter(made()):
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_an_open_folder_is_closed(env: dict[str, str], folder: Path) -> None:
    """One that others could write to is made its owner's alone before it is used."""
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    with Registry(env).enter(made()) as entry:
        assert not entry.why
        assert folder.stat().st_mode & 0o777 == 0o700


def test_nothing_stays(env: dict[str, str], folder: Path) -> None:
    """Closing removes the file, once and for all."""
    entry = Registry(env).enter(made())
    assert names(env) == ["a"]
    entry.close()
    entry.close()
    entry.update(ports={"client": 1})
    assert list(folder.iterdir()) == []


def test_update(env: dict[str, str], folder: Path) -> None:
    """What changes is seen at once, in one file still."""
    with Registry(env).enter(made()) as entry:
        entry.update(ports={"client": 10001}, cluster="b")
        (found,) = Registry(env).open()
        assert (found.ports, found.cluster) == ({"client": 10001}, "b")
        assert len(list(folder.iterdir())) == 1


def test_readers_while_it_is_rewritten(env: dict[str, str]) -> None:
    """Somebody who looks while a session rewrites its file always sees it, and never removes it."""
    over = threading.Event()
    seen: list[int] = []

    def look() -> None:
        registry = Registry(env)
        while not over.is_set():
            seen.append(len(registry.open()))

    with Registry(env).enter(made()) as entry:
        readers = [threading.Thread(target=look) for _ in range(3)]
        for reader in readers:
            reader.start()
        for port in range(1, 300):
            entry.update(ports={"client": port})
        over.set()
        for reader in readers:
            reader.join()
        assert set(seen) == {1}
        assert Registry(env).open()[0].ports == {"client": 299}


def test_two_at_the_same_moment(env: dict[str, str]) -> None:
    """Both are in the registry, and each sees the other."""
    with session(env) as one, session(env) as other:
        assert {each.pid for each in Registry(env).open()} == {one.pid, other.pid}


def test_like(env: dict[str, str]) -> None:
    """Another session to the same object; not this one, nor one to another namespace, server or kind."""
    registry = Registry(env)
    others = [made(namespace="x"), made(server="https://b"), made(kind="rayservice"), made(name="b")]
    entries = [registry.enter(each) for each in (made(), *others)]
    assert registry.like(entries[0].session) == []
    with registry.enter(made(context="another way there")) as same:
        assert [each.id for each in registry.like(entries[0].session)] == [same.session.id]
    for entry in entries:
        entry.close()


def test_a_killed_session(env: dict[str, str], folder: Path) -> None:
    """The next look removes its file."""
    killed(env)
    assert len(list(folder.iterdir())) == 1
    assert names(env) == []
    assert list(folder.iterdir()) == []


def test_a_pid_in_use_again(env: dict[str, str], folder: Path) -> None:
    """A file is of the past when its lock is free, whoever has the pid now."""
    with Registry(env).enter(made()) as entry:
        path = Path(entry._registry.path(entry.session.id))
        data = path.read_bytes()
    path.write_bytes(data)  # as a killed process would have left it, and its pid is ours
    assert f'"pid": {os.getpid()}'.encode() in data
    assert names(env) == []
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b'{"version": 1', b"\x00" * 100, b"[]", b'{"pid": -1}', b"[" * 60000])
def test_garbage(env: dict[str, str], folder: Path, content: bytes) -> None:
    """It is no session; it goes when it is old enough to be nobody's that is being written."""
    folder.mkdir(parents=True, mode=0o700)
    path = folder / "abc.json"
    path.write_bytes(content)
    assert names(env) == []
    assert path.exists()
    os.utime(path, (1, 1))
    assert names(env) == []
    assert not path.exists()


def test_half_written(env: dict[str, str], folder: Path) -> None:
    """What a process left that was killed while it wrote goes too, after a minute."""
    folder.mkdir(parents=True, mode=0o700)
    path = folder / ".abc.def"
    path.write_bytes(b"{")
    assert names(env) == []
    assert path.exists()
    os.utime(path, (1, 1))
    assert names(env) == []
    assert not path.exists()


def test_logs(env: dict[str, str], folder: Path) -> None:
    """A log stays for a day after its session, and as long as the session lives."""
    with session(env, named="one"):
        for name in ("one.log", "two.log"):
            (folder / name).write_text("x")
            os.utime(folder / name, (1, 1))
        (folder / "three.log").write_text("x")
        assert names(env) == ["a"]
        assert sorted(path.name for path in folder.glob("*.log")) == ["one.log", "three.log"]


def test_links_and_others(env: dict[str, str], folder: Path, tmp_path: Path) -> None:
    """Links, folders and pipes in the folder are left alone, and what they lead to."""
    folder.mkdir(parents=True, mode=0o700)
    target = tmp_path / "precious"
    target.write_text("{}")
    os.utime(target, (1, 1))
    (folder / "a.json").symlink_to(target)
    (folder / ".b.c").symlink_to(target)
    (folder / "c.json").mkdir()
    os.mkfifo(folder / "d.json")
    (folder / "notes.txt").write_text("mine")
    assert names(env) == []
    assert target.exists()
    assert len(list(folder.iterdir())) == 5


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_of_somebody_else(env: dict[str, str], folder: Path) -> None:
    """They are not read, not removed, and no process is believed to be theirs."""
    with session(env):
        (path,) = folder.iterdir()
        os.chown(path, 12345, 12345)
        assert names(env) == []
        assert path.exists()
        os.chown(folder, 12345, 12345)
        os.chown(path, 0, 0)
        registry = Registry(env)
        assert registry.open() == []
        with registry.enter(made()) as entry:
            assert entry.why == f"{folder} belongs to somebody else"
        os.chown(folder, 0, 0)


def test_no_home() -> None:
    """The session goes on without a registry; no folder is made."""
    for env in ({}, {"HOME": "/nonexistent"}):
        registry = Registry(env)
        with registry.enter(made()) as entry:
            assert entry.why == "HOME is not the path of a folder"
            entry.update(ports={"client": 1})
            assert registry.open() == []
    assert not Path("/nonexistent").exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """The session goes on without; the reason is at hand."""
    state = tmp_path / "state"
    state.write_text("no folder")
    with Registry({"XDG_STATE_HOME": str(state)}).enter(made()) as entry:
        assert entry.why == f"{state}/kubectl-ray/sessions cannot be made: Not a directory"


def test_a_full_disk(env: dict[str, str], folder: Path) -> None:
    """What was written before stays true as far as it goes; nothing half-written is left."""
    program = f"""
import resource, signal
from kubectl_ray.flows.sessions import Registry, Session
registry = Registry({env!r})
entry = registry.enter(Session(**{FIELDS!r}))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
entry.update(ports={{"client": 1}})
print(entry.why)
print([(each.name, each.ports) for each in registry.open()])
entry.close()
print(registry.enter(Session(**{FIELDS!r})).why, registry.open())
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    why = f"{folder} cannot be written to: File too large"
    assert said.splitlines() == [why, "[('a', {})]", f"{why} []"]
    assert list(folder.iterdir()) == []


def test_stop(env: dict[str, str], folder: Path) -> None:
    """All are asked at once, and each is told when it has ended; their logs go too."""
    with session(env, named="one") as one, session(env, name="b") as other:
        (folder / "one.log").write_text("x")
        registry = Registry(env)
        stopped = {each.name: was_killed for each, was_killed in registry.stop(registry.open())}
        assert stopped == {"a": False, "b": False}
        assert (one.wait(), other.wait()) == (0, 0)
    assert list(folder.iterdir()) == []


def test_stop_of_one_that_does_not_react(env: dict[str, str], folder: Path) -> None:
    """It is killed, and nothing of it stays."""
    with session(env, deaf=True) as one:
        registry = Registry(env)
        ((_session, was_killed),) = registry.stop(registry.open(), patience=0.2)
        assert was_killed
        assert one.wait() == -signal.SIGKILL
    assert list(folder.iterdir()) == []


def test_stop_of_one_that_is_halted(env: dict[str, str]) -> None:
    """Ctrl-Z held it up: it goes on to its end in order."""
    with session(env) as one:
        one.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, one.pid, os.WSTOPPED | os.WNOWAIT)
        registry = Registry(env)
        ((_session, was_killed),) = registry.stop(registry.open())
        assert not was_killed
        assert one.wait() == 0


def test_stop_of_one_that_has_just_ended(env: dict[str, str]) -> None:
    """Whoever has its pid now gets no signal."""
    registry = Registry(env)
    with session(env) as one:
        found = registry.open()
        one.kill()
        one.wait()
    got: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: got.append(number))
    try:
        found[0].pid = os.getpid()
        assert [each.name for each, _killed in registry.stop(found)] == ["a"]
    finally:
        signal.signal(signal.SIGTERM, before)
    assert not got


def test_another_machine(env: dict[str, str]) -> None:
    """With a home on several machines: seen while it lives, never stopped, and never held for dead too early."""
    with Registry(env).enter(made()) as entry:
        entry.update(machine="other/1", host="login-2")
        registry = Registry(env)
        (found,) = registry.open()
        with pytest.raises(KubectlRayError, match="another machine: login-2"):
            list(registry.stop([found]))
        path = Path(registry.path(entry.session.id))
        data = path.read_bytes()
    path.write_bytes(data)  # no lock: dead, or the file system keeps locks to one machine
    assert names(env) == []
    assert path.exists()
    os.utime(path, (1, 1))
    assert names(env) == []
    assert not path.exists()


def test_an_earlier_run_of_this_machine(env: dict[str, str]) -> None:
    """Whatever ran before a restart of the machine is dead."""
    with Registry(env).enter(made()) as entry:
        entry.update(machine="earlier/1")
        path = Path(Registry(env).path(entry.session.id))
        data = path.read_bytes()
    path.write_bytes(data)
    assert names(env) == []
    assert not path.exists()


def test_without_locks(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file system knows none, the pid tells who lives."""
    monkeypatch.setattr(process, "lock", lambda _descriptor: False)
    monkeypatch.setattr(process, "held", lambda _descriptor: None)
    before = "from kubectl_ray.flows import process; process.lock = lambda _: False"
    with session(env, before=before) as one:
        assert [each.pid for each in Registry(env).open()] == [one.pid]
        one.kill()
        one.wait()
        assert names(env) == []
    with Registry(env).enter(made()) as entry:
        assert isinstance(entry, Entry)
        assert names(env) == ["a"]
        entry.update(ports={"client": 2})
        assert Registry(env).open()[0].ports == {"client": 2}


def test_the_lock_is_not_inherited(env: dict[str, str]) -> None:
    """A process that a session started does not keep it in the registry."""
    after = "import subprocess; print(subprocess.Popen(['/bin/sleep', '60'], close_fds=False).pid, flush=True)"
    with session(env, after=after) as one:
        assert one.stdout is not None
        child = int(one.stdout.readline())
        try:
            assert names(env) == ["a"]
            one.send_signal(signal.SIGKILL)
            one.wait()
            assert names(env) == []
        finally:
            os.kill(child, signal.SIGKILL)
