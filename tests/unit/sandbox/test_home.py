"""`sandbox.home`: the sandbox's folder, its locks, and what one run leaves for the next."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kubectl_ray.sandbox import home as module
from kubectl_ray.sandbox.home import Entry, Home, Run, Trouble, cache_of, folder_of

RUN = Run(pid=1, created=2.5, since=3.5, port=4, ca="ca", token="t", cpus=8, memory=5, ray="2.52.0")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A folder with a name as people give them."""
    made = Home(tmp_path / "Jürgens Sachen" / "sandbox")
    made.prepare()
    return made


def test_where_it_is() -> None:
    """By its own variable, by XDG's, in the user's home."""
    assert folder_of({"KUBECTL_RAY_SANDBOX_HOME": "/a b/c", "HOME": "/h"}) == Path("/a b/c")
    assert folder_of({"XDG_STATE_HOME": "/s", "HOME": "/h"}) == Path("/s/kubectl-ray/sandbox")
    assert folder_of({"XDG_STATE_HOME": "relative", "HOME": "/h"}) == Path("/h/.local/state/kubectl-ray/sandbox")
    assert cache_of({"HOME": "/h"}) == Path("/h/.cache/kubectl-ray")
    with pytest.raises(Trouble, match="HOME"):
        folder_of({})


def test_a_relative_one_in_a_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing that it could be relative to: said, with the way out."""
    monkeypatch.chdir(tmp_path)
    tmp_path.rmdir()
    with pytest.raises(Trouble, match="current folder") as caught:
        folder_of({"KUBECTL_RAY_SANDBOX_HOME": "relative"})
    assert "KUBECTL_RAY_SANDBOX_HOME" in caught.value.hint
    monkeypatch.undo()


def test_for_its_owner_alone(home: Home) -> None:
    """Tokens and what pods run stand there; a folder that was open is closed."""
    home.folder.chmod(0o755)
    home.prepare()
    assert stat.S_IMODE(home.folder.stat().st_mode) == 0o700
    home.say(RUN)
    assert {stat.S_IMODE(each.stat().st_mode) for each in home.folder.iterdir()} == {0o600}


def test_a_folder_of_somebody_else(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pods would be run as us: refused."""
    monkeypatch.setattr(os, "geteuid", lambda: home.folder.stat().st_uid + 1)
    with pytest.raises(Trouble, match="belongs to somebody else") as caught:
        home.prepare()
    assert "KUBECTL_RAY_SANDBOX_HOME" in caught.value.hint


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """The system's word for why, and the way out."""
    (tmp_path / "file").touch()
    with pytest.raises(Trouble, match="cannot be used: Not a directory") as caught:
        Home(tmp_path / "file" / "x").prepare()
    assert "KUBECTL_RAY_SANDBOX_HOME" in caught.value.hint


def test_what_a_run_says_of_itself(home: Home) -> None:
    """Read by the commands; afterwards only its port is known."""
    assert (home.run(), home.port()) == (None, 0)
    home.say(RUN)
    assert (home.run(), home.port()) == (RUN, 4)
    assert RUN.server == "https://127.0.0.1:4"
    home.unsay()
    home.unsay()
    assert (home.run(), home.port()) == (None, 4)


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"pid": 1}', "\udcff"])
def test_a_file_cut_off(home: Home, text: str) -> None:
    """By a full disk, or written by another version: it says nothing."""
    for name in ("run.json", "contexts.json", "port"):
        (home.folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert (home.run(), home.contexts()) == (None, [])
    assert home.port() == (7 if text == "7" else 0)


def test_a_full_disk(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stood in a file still stands there, and no half file beside it."""
    home.say(RUN)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    before = set(home.folder.iterdir())
    with pytest.raises(Trouble, match="No space left"):
        home.keep_context(Entry("a", None, made=False))
    assert home.run() == RUN
    assert set(home.folder.iterdir()) == before


def test_alive_as_long_as_it_is_claimed(home: Home) -> None:
    """The claim is the kernel's: nothing has to be tidied up after a process that was killed."""
    assert not home.alive()
    claim = home.claim()
    assert claim is not None
    assert home.claim() is None
    assert home.alive()
    assert home.running() is None  # it has not said yet that it answers
    home.say(RUN)
    assert home.running() == RUN
    os.close(claim)
    assert not home.alive()
    assert home.running() is None


def test_killed(home: Home) -> None:
    """A process that dies of SIGKILL holds nothing any more."""
    program = (
        "import sys, pathlib; from kubectl_ray.sandbox.home import Home\n"
        "claim = Home(pathlib.Path(sys.argv[1])).claim(); print('claimed', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(home.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"claimed\n"
        assert home.alive()
        process.kill()
    assert not home.alive()


def test_one_at_a_time(home: Home) -> None:
    """Who comes second waits until the first has done."""
    order: list[str] = []
    inside = threading.Event()

    def second() -> None:
        inside.wait()
        with Home(home.folder).starting():
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with home.starting():
        inside.set()
        thread.join(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_the_wait_ends(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another command that hangs is no reason to hang too."""
    monkeypatch.setattr(module, "_PAUSE", 0)
    with home.starting(), pytest.raises(Trouble, match="Another command"), Home(home.folder).starting(patience=0):
        pass


def test_contexts(home: Home) -> None:
    """Each file once; what had been current there before is not lost when it is written again."""
    home.keep_context(Entry("a", "old", made=True))
    home.keep_context(Entry("b", None, made=False))
    home.keep_context(Entry("a", None, made=False))
    assert home.contexts() == [Entry("a", "old", made=True), Entry("b", None, made=False)]
    home.keep_context(Entry("a", "newer", made=False))
    home.drop_context(Entry("b", None, made=False))
    assert home.contexts() == [Entry("a", "newer", made=True)]


def test_forget(home: Home) -> None:
    """Nothing is left; a second time is no error."""
    with home.starting():
        home.say(RUN)
        home.forget()
    assert not home.exists()
    home.forget()
