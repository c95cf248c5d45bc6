"""A login of ours in the user's kubeconfig: put in and taken out again, with nothing else in the file touched.

Source of the rules: client-go's `tools/clientcmd` (config.go: `PathOptions.GetDefaultFilename`, `ModifyConfig`;
loader.go: `lockFile`), as of Kubernetes 1.36. kubectl writes into the file itself; here a new file takes its place in
one step, so that nobody ever reads half of it.
"""

from __future__ import annotations

import os
import time

from kubectl_ray.errors import AlreadyExists, Invalid, KubectlRayError
from kubectl_ray.kube import config_text, documents, kubefile
from kubectl_ray.kube.config_text import Append, Drop, Put

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from kubectl_ray.kube.config_text import Change

PATIENCE = 10.0
"""Seconds that another program may hold the file's lock."""
_PAUSE = 0.05
_TABLES = (("clusters", "cluster"), ("contexts", "context"), ("users", "user"))


class Login:
    """A cluster, a user and a context, all three of one name. `cluster` and `user` are the fields of these entries."""

    def __init__(self, name: str, cluster: dict[str, Any], user: dict[str, Any]) -> None:
        self.name = name
        self.cluster = cluster
        self.user = user


class Added:
    """What became of the file.

    `current`: the context is the current one now. `before`: the file's own current context before this, None when it
    was left alone. `made`: there was no file.
    """

    def __init__(self, path: str, *, current: bool, before: str | None, made: bool) -> None:
        self.path = path
        self.current = current
        self.before = before
        self.made = made


def path_of(explicit: str | None, env: Mapping[str, str]) -> str:
    """The file that `kubectl config` would change: --kubeconfig; of KUBECONFIG the first that exists, else the last."""
    if explicit:
        return explicit
    several = list(dict.fromkeys(path for path in env.get("KUBECONFIG", "").split(os.pathsep) if path))
    if several:
        return next((path for path in several if os.path.exists(path)), several[-1])
    return os.path.join(kubefile.home(env), ".kube", "config")


def current(explicit: str | None, env: Mapping[str, str]) -> str:
    """The current context, "" when there is none; a file of --kubeconfig need not exist yet.

    Raises:
        Invalid: a kubeconfig cannot be read.
    """
    if explicit and not os.path.exists(explicit):
        return ""
    return kubefile.read(explicit, env).current


def add(
    explicit: str | None,
    env: Mapping[str, str],
    login: Login,
    *,
    ours: Callable[[dict[str, Any]], bool],
    switch: bool = False,
) -> Added:
    """Put the login into the kubeconfig; it becomes current with `switch`, or where no context is current.

    Entries of the same name are replaced where `ours` says so of the cluster's fields; of a context of ours the
    namespace stays. A file that says all that already is not written.

    Raises:
        AlreadyExists: an entry of that name is somebody else's.
        Invalid: a kubeconfig cannot be read or changed.
        KubectlRayError: the file cannot be written, or another program holds its lock.
    """
    path = path_of(explicit, env)
    with _Locked(path):
        chosen = current(explicit, env)
        text, read = _read(path)
        changes = list(_replaced(path, read, login, ours))
        before = None
        if chosen != login.name and (switch or not chosen):
            before = _text(read.get("current-context"))
            changes.append(Put("current-context", login.name))
        if changes:
            _write(path, config_text.changed(text or "", changes, _named(path)))
        return Added(path, current=before is not None or chosen == login.name, before=before, made=text is None)


def remove(
    path: str,
    name: str,
    *,
    ours: Callable[[dict[str, Any]], bool],
    before: str | None,
    made: bool = False,
) -> bool:
    """Take the login out again, where it is still ours; `before` is current again where ours was.

    A file that was `made` for it, and holds nothing else, goes.

    Returns:
        Whether something of ours was there.

    Raises:
        Invalid: the kubeconfig cannot be read or changed.
        KubectlRayError: the file cannot be written, or another program holds its lock.
    """
    if not os.path.exists(path):
        return False
    with _Locked(path):
        text, read = _read(path)
        found = {key: _find(read, key, name) for key, _ in _TABLES}
        cluster = _fields(read, "clusters", "cluster", name)
        if text is None or cluster is None or not ours(cluster):
            return False
        context = _fields(read, "contexts", "context", name)
        if context is not None and (context.get("cluster"), context.get("user")) != (name, name):
            found["contexts"] = found["users"] = None  # they were given another meaning
        changes: list[Change] = [Drop(key, place) for key, place in found.items() if place is not None]
        if read.get("current-context") == name and found["contexts"] is not None:
            changes.append(Put("current-context", before or ""))
        made_text = config_text.changed(text, changes, _named(path))
        if made and not any(documents.parse(made_text.encode(), path).get(key) for key in _CONTENT):
            os.unlink(path)
        else:
            _write(path, made_text)
        return True


_CONTENT = ("clusters", "contexts", "users", "current-context", "preferences", "extensions")


def _replaced(
    path: str, read: dict[str, Any], login: Login, ours: Callable[[dict[str, Any]], bool]
) -> Iterator[Change]:
    """The changes that bring in the three entries; none for one that is there already as it should be."""
    name = login.name
    cluster = _fields(read, "clusters", "cluster", name)
    places = {key: _find(read, key, name) for key, _ in _TABLES}
    if any(place is not None for place in places.values()) and (cluster is None or not ours(cluster)):
        raise AlreadyExists(
            f"The kubeconfig {path} has entries called {name} that the sandbox did not make",
            hint="Rename them, or name another file with --kubeconfig or KUBECONFIG.",
        )
    kept = _fields(read, "contexts", "context", name) or {}
    wanted = {
        "cluster": login.cluster,
        "context": {**kept, "cluster": name, "user": name},
        "user": login.user,
    }
    for key, kind in _TABLES:
        if _fields(read, key, kind, name) == wanted[kind]:
            continue
        place = places[key]
        if place is not None:
            yield Drop(key, place)
        yield Append(key, {kind: wanted[kind], "name": name})


def _find(read: dict[str, Any], key: str, name: str) -> int | None:
    """The entry's place in its list."""
    for place, entry in enumerate(read.get(key) or ()):
        if isinstance(entry, dict) and entry.get("name") == name:
            return place
    return None


def _fields(read: dict[str, Any], key: str, kind: str, name: str) -> dict[str, Any] | None:
    place = _find(read, key, name)
    if place is None:
        return None
    found = read[key][place].get(kind)
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _named(path: str) -> str:
    return f"The kubeconfig {path}"


def _read(path: str) -> tuple[str | None, dict[str, Any]]:
    """The file's text, None when there is none, and what it says.

    Raises:
        Invalid: it is not a kubeconfig.
    """
    if not os.path.exists(path):
        return None, {}
    kubefile.read(path, {})  # the words for whatever is wrong with it
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except OSError as error:
        raise _unwritable(path, error) from error
    read = documents.parse(data, _named(path))
    return data.decode(), read if isinstance(read, dict) else {}


def _write(path: str, text: str) -> None:
    """Let a new file take the place of the one that a symbolic link may lead to; its mode and owner stay.

    Raises:
        Invalid: the text holds half a character.
        KubectlRayError: the disk does not take it.
    """
    real = os.path.realpath(path)
    beside = f"{real}.{os.getpid()}.new"
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise Invalid(f"{_named(path)} holds half a character") from None
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(descriptor)
            _like(beside, real)
            os.replace(beside, real)
        except BaseException:
            os.unlink(beside)
            raise
    except OSError as error:
        raise _unwritable(path, error) from error


def _like(new: str, old: str) -> None:
    """The mode and, where we may, the owner of the file that is replaced."""
    if not os.path.exists(old):
        return
    seen = os.stat(old)
    os.chmod(new, seen.st_mode & 0o777)
    if hasattr(os, "geteuid") and (seen.st_uid, seen.st_gid) != (os.geteuid(), os.getegid()):
        try:
            os.chown(new, seen.st_uid, seen.st_gid)
        except PermissionError:
            if seen.st_uid != os.geteuid():
                raise


class _Locked:
    """kubectl's lock: a file FILE.lock that only one can make. kubectl gives up at once, this waits a while."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = f"{path}.lock"

    def __enter__(self) -> None:
        until = time.monotonic() + PATIENCE
        try:
            os.makedirs(os.path.dirname(os.path.abspath(self._path)), mode=0o700, exist_ok=True)
        except OSError as error:
            raise _unwritable(self._path, error) from error
        while True:
            try:
                os.close(os.open(self._lock, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o600))
            except FileExistsError:
                if time.monotonic() > until:
                    raise KubectlRayError(
                        f"The kubeconfig {self._path} is locked: another program holds {self._lock}",
                        hint=f"If none does any more:  rm '{self._lock}'",
                    ) from None
                time.sleep(_PAUSE)
            except OSError as error:
                raise _unwritable(self._path, error) from error
            else:
                return

    def __exit__(self, *_: object) -> None:
        try:
            os.unlink(self._lock)
        except FileNotFoundError:  # somebody took it for a forgotten one, as the hint of another command told them
            return


def _unwritable(path: str, error: OSError) -> KubectlRayError:
    return KubectlRayError(
        f"The kubeconfig {path} cannot be changed: {error.strerror or error}",
        hint="Name another file with --kubeconfig or KUBECONFIG.",
    )
