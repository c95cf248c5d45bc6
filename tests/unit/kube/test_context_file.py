"""`kube.context_file`: a login that comes into the user's kubeconfig and leaves it again."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from kubectl_ray.errors import AlreadyExists, Invalid, KubectlRayError
from kubectl_ray.kube import context_file, kubefile
from kubectl_ray.kube.context_file import Login, add, path_of, remove

NAME = "here"
LOGIN = Login(NAME, {"server": "https://127.0.0.1:1", "extensions": [{"name": "made-by", "extension": "us"}]},
              {"token": "t"})  # fmt: skip
OTHER = """\
apiVersion: v1
clusters:
- cluster:
    server: https://one
  name: one
contexts:
- context:
    cluster: one
    namespace: team
    user: one
  name: one
current-context: one
kind: Config
preferences: {}
users:
- name: one
  user:
    token: secret
"""


def ours(cluster: dict[str, Any]) -> bool:
    """The mark that our entries carry."""
    return "extensions" in cluster


def names(path: Path) -> tuple[list[str], list[str], list[str], str]:
    """Clusters, contexts, users and the current context of a file."""
    found = kubefile.read(str(path), {})
    return list(found.clusters), list(found.contexts), list(found.users), found.current


def leave(path: Path, before: str | None, *, made: bool = False) -> bool:
    """Take ours out."""
    return remove(str(path), NAME, ours=ours, before=before, made=made)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A kubeconfig with a login of another cluster."""
    path = tmp_path / "config"
    path.write_text(OTHER)
    path.chmod(0o640)
    return path


def test_come_and_go(file: Path) -> None:
    """The file is as it was, byte for byte; another's current context stays current."""
    added = add(str(file), {}, LOGIN, ours=ours)
    assert names(file) == (["one", NAME], ["one", NAME], ["one", NAME], "one")
    assert (added.current, added.before, added.made, added.path) == (False, None, False, str(file))
    assert leave(file, added.before)
    assert file.read_text() == OTHER


def test_switch(file: Path) -> None:
    """Ours becomes current, and the one before it is current again afterwards."""
    added = add(str(file), {}, LOGIN, ours=ours, switch=True)
    assert added.current
    assert names(file)[3] == NAME
    leave(file, added.before)
    assert file.read_text() == OTHER


def test_somebody_chose_another_meanwhile(file: Path) -> None:
    """Then that one stays current."""
    added = add(str(file), {}, LOGIN, ours=ours, switch=True)
    file.write_text(file.read_text().replace(f"current-context: {NAME}", "current-context: one"))
    leave(file, added.before)
    assert names(file)[3] == "one"


def test_where_none_is_current(file: Path) -> None:
    """Ours is, so that the next command works without a word."""
    file.write_text(OTHER.replace("current-context: one", 'current-context: ""'))
    added = add(str(file), {}, LOGIN, ours=ours)
    assert added.current
    assert names(file)[3] == NAME
    leave(file, added.before)
    assert names(file) == (["one"], ["one"], ["one"], "")


def test_current_in_another_file(tmp_path: Path, file: Path) -> None:
    """What is current counts over all files of KUBECONFIG."""
    first = tmp_path / "first"
    first.write_text("kind: Config\n")
    env = {"KUBECONFIG": f"{first}{os.pathsep}{file}"}
    added = add(None, env, LOGIN, ours=ours)
    assert not added.current
    assert names(first) == ([NAME], [NAME], [NAME], "")
    assert file.read_text() == OTHER


def test_no_file_yet(tmp_path: Path) -> None:
    """It is made with its folder, for its owner alone; when ours leaves nothing behind, it goes."""
    path = tmp_path / ".kube" / "config"
    added = add(None, {"HOME": str(tmp_path)}, LOGIN, ours=ours)
    assert (added.path, added.made, added.current, added.before) == (str(path), True, True, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    leave(path, added.before, made=added.made)
    assert not path.exists()
    assert list(path.parent.iterdir()) == []


def test_a_file_that_others_came_into_stays(tmp_path: Path) -> None:
    """Though it was made for us."""
    path = tmp_path / "config"
    added = add(str(path), {}, LOGIN, ours=ours)
    add(str(path), {}, Login("more", {"server": "x"}, {}), ours=ours)
    leave(path, added.before, made=True)
    assert names(path) == (["more"], ["more"], ["more"], "")


def test_twice(file: Path) -> None:
    """A file that says it already is not even written; what `kubectl config` set meanwhile stays."""
    add(str(file), {}, LOGIN, ours=ours)
    text = file.read_text().replace("    cluster: here\n", "    cluster: here\n    namespace: mine\n")
    file.write_text(text)
    seen = file.stat().st_ino
    added = add(str(file), {}, LOGIN, ours=ours)
    assert (file.read_text(), file.stat().st_ino) == (text, seen)
    assert (added.before, added.made) == (None, False)


def test_a_new_address(file: Path) -> None:
    """Entries of ours are replaced, not doubled; a context keeps its namespace."""
    add(str(file), {}, LOGIN, ours=ours)
    file.write_text(file.read_text().replace("    cluster: here\n", "    cluster: here\n    namespace: mine\n"))
    add(str(file), {}, Login(NAME, {**LOGIN.cluster, "server": "https://x:2"}, {"token": "u"}), ours=ours)
    found = kubefile.read(str(file), {})
    assert found.clusters[NAME]["server"] == "https://x:2"
    assert found.users[NAME] == {"token": "u"}
    assert found.contexts[NAME] == {"cluster": NAME, "user": NAME, "namespace": "mine"}


@pytest.mark.parametrize("kind", ["cluster", "user", "context"])
def test_the_name_is_taken(file: Path, kind: str) -> None:
    """An entry that is not ours is neither replaced nor removed."""
    text = OTHER.replace(f"{kind}s:\n", f"{kind}s:\n- name: {NAME}\n  {kind}: {{}}\n")
    file.write_text(text)
    with pytest.raises(AlreadyExists, match=NAME):
        add(str(file), {}, LOGIN, ours=ours)
    assert not leave(file, None)
    assert file.read_text() == text


def test_a_context_of_that_name_that_leads_elsewhere(file: Path) -> None:
    """Somebody gave it another meaning: it stays, and so does its user."""
    add(str(file), {}, LOGIN, ours=ours, switch=True)
    file.write_text(file.read_text().replace("    cluster: here\n", "    cluster: one\n"))
    assert leave(file, "one")
    assert names(file) == (["one"], ["one", NAME], ["one", NAME], NAME)


def test_nothing_to_remove(tmp_path: Path, file: Path) -> None:
    """Neither file nor entry: nothing happens."""
    assert not leave(tmp_path / "none", None)
    assert not leave(file, None)
    assert file.read_text() == OTHER


def test_mode_and_link(tmp_path: Path, file: Path) -> None:
    """The file behind a symbolic link is replaced, not the link; its mode stays."""
    link = tmp_path / "link"
    link.symlink_to(file)
    add(str(link), {}, LOGIN, ours=ours)
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert NAME in names(file)[0]


def test_nobody_reads_half_a_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails in the middle leaves the file as it was, and neither its lock nor a rest beside it."""

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KubectlRayError, match="No space left on device"):
        add(str(file), {}, LOGIN, ours=ours)
    assert file.read_text() == OTHER
    assert list(file.parent.iterdir()) == [file]


def test_kubectls_lock_is_waited_for(file: Path) -> None:
    """While `kubectl config` writes, nobody else does."""
    lock = file.with_name("config.lock")
    lock.touch()
    threading.Timer(0.2, lock.unlink).start()
    add(str(file), {}, LOGIN, ours=ours)
    assert NAME in names(file)[0]
    assert not lock.exists()


def test_a_lock_that_somebody_takes_away(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who follows the hint while we write is no trouble: the change stands."""
    written = context_file._write

    def write(path: str, text: str) -> None:
        file.with_name("config.lock").unlink()
        written(path, text)

    monkeypatch.setattr(context_file, "_write", write)
    assert add(str(file), {}, LOGIN, ours=ours, switch=True).current
    assert names(file)[3] == NAME


def test_a_lock_that_nobody_gives_back(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait ends, and the error names the lock."""
    monkeypatch.setattr(context_file, "PATIENCE", 0.1)
    lock = file.with_name("config.lock")
    lock.touch()
    with pytest.raises(KubectlRayError, match="is locked") as caught:
        add(str(file), {}, LOGIN, ours=ours)
    assert str(lock) in caught.value.hint
    assert lock.exists()


@pytest.mark.parametrize("text", ["a: [", "[]", "kind: Pod\n", "clusters: 7\n", "\ud800"])
def test_a_file_that_is_no_kubeconfig(file: Path, text: str) -> None:
    """It is not touched."""
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(Invalid):
        add(str(file), {}, LOGIN, ours=ours)
    assert file.read_bytes() == text.encode("utf-8", "surrogatepass")
    assert list(file.parent.iterdir()) == [file]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """The error says which file, and how to name another."""
    (tmp_path / "file").touch()
    with pytest.raises(KubectlRayError, match="cannot be changed") as caught:
        add(str(tmp_path / "file" / "config"), {}, LOGIN, ours=ours)
    assert "--kubeconfig" in caught.value.hint


def test_which_file(tmp_path: Path) -> None:
    """As `kubectl config` chooses: --kubeconfig; the first of KUBECONFIG that exists, else its last; ~/.kube/config."""
    there = tmp_path / "there"
    there.touch()
    several = {"KUBECONFIG": os.pathsep.join(["", "a", str(there), "b"]), "HOME": "/h"}
    assert path_of("x", several) == "x"
    assert path_of(None, several) == str(there)
    assert path_of(None, {"KUBECONFIG": f"a{os.pathsep}b"}) == "b"
    assert path_of(None, {"HOME": "/h"}) == str(Path("/h/.kube/config"))
