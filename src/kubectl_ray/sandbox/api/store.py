"""All objects in memory, each change written to disk first, and the history that watches read.

One thread uses it. An object that was put in is never changed: who changes one makes a copy (`objects.Objects.edit`).
"""

from __future__ import annotations

import json
import sqlite3
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_ray.sandbox.api.history import History
from kubectl_ray.sandbox.api.kinds import by_name
from kubectl_ray.sandbox.api.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kubectl_ray.sandbox.api.kinds import Kind

Object = dict[str, Any]


class Change(NamedTuple):
    """One write: `what` is ADDED, MODIFIED or DELETED; `before` is the object as it was, None when it is new."""

    version: int
    what: str
    kind: Kind
    object: Object
    before: Object | None


class Store:
    """Objects by kind, namespace and name; versions count up over all of them, as etcd's revisions do.

    Args:
        path: where to keep them; None keeps them in memory only.
        clock: seconds, by which changes grow old; never goes back.

    Raises:
        sqlite3.Error: the file cannot be opened, or is not ours.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._objects: dict[Kind, dict[tuple[str, str], Object]] = {}
        self._listeners: list[Callable[[Change], None]] = []
        self.history = History(clock)
        self.version = 1
        self._disk = sqlite3.connect(":memory:" if path is None else path, isolation_level=None)
        self._disk.execute("PRAGMA journal_mode=WAL")
        self._disk.execute("PRAGMA synchronous=NORMAL")
        self._disk.execute(
            "CREATE TABLE IF NOT EXISTS objects (api TEXT, kind TEXT, namespace TEXT, name TEXT, version INTEGER,"
            " body TEXT, PRIMARY KEY (api, kind, namespace, name)) WITHOUT ROWID"
        )
        self._disk.execute("CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID")
        self._load()

    def _load(self) -> None:
        for api, name, body in self._disk.execute("SELECT api, kind, body FROM objects"):
            kind = by_name(api, name)
            if kind is not None:
                found = json.loads(body)
                self._objects.setdefault(kind, {})[_key(found)] = found
        row = self._disk.execute("SELECT value FROM counters WHERE name = 'version'").fetchone()
        self.version = row[0] if row else 1

    def close(self) -> None:
        """Nothing is lost: every change is on disk already."""
        self._disk.close()

    @property
    def oldest(self) -> int:
        """The version from which a watch can begin at the earliest; one that asks for an older version gets 410."""
        first = self.history.oldest()
        return first.version - 1 if first else self.version

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """The object itself, not to be changed; None when there is none."""
        return self._objects.get(kind, {}).get((namespace if kind.namespaced else "", name))

    def list(self, kind: Kind, namespace: str = "") -> list[Object]:
        """All of a namespace, of all with ""; by namespace and name, as the real server orders them."""
        held = self._objects.get(kind, {})
        return [held[key] for key in sorted(held) if not namespace or key[0] == namespace]

    def everything(self) -> Iterator[tuple[Kind, Object]]:
        """Each object with its kind; the set does not change while it is walked."""
        for kind, held in list(self._objects.items()):
            for each in list(held.values()):
                yield kind, each

    def put(self, kind: Kind, changed: Object) -> Object:
        """Keep a new object, or a new state of one; gives it the next version.

        Raises:
            Refused: it cannot be written to disk; nothing has changed then.
        """
        key = _key(changed)
        before = self._objects.get(kind, {}).get(key)
        kept = {**changed, "metadata": {**changed["metadata"], "resourceVersion": str(self.version + 1)}}
        body = json.dumps(kept, separators=(",", ":"))
        self._write(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?)",
            (kind.api_version, kind.name, *key, self.version + 1, body),
        )
        self._objects.setdefault(kind, {})[key] = kept
        self._tell(Change(self.version + 1, "MODIFIED" if before else "ADDED", kind, kept, before), len(body))
        return kept

    def drop(self, kind: Kind, gone: Object) -> Object:
        """Forget an object; its last state, with the version of its end.

        Raises:
            Refused: the disk does not take it; the object is still there then.
        """
        key = _key(gone)
        self._write(
            "DELETE FROM objects WHERE api = ? AND kind = ? AND namespace = ? AND name = ?",
            (kind.api_version, kind.name, *key),
        )
        before = self._objects[kind].pop(key)
        last = {**gone, "metadata": {**gone["metadata"], "resourceVersion": str(self.version + 1)}}
        self._tell(Change(self.version + 1, "DELETED", kind, last, before), len(json.dumps(last)))
        return last

    def listen(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call this with every change, after it is kept; returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, change: Change, size: int) -> None:
        self.version = change.version
        self.history.add(change, size)
        for listener in list(self._listeners):
            listener(change)

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            self._disk.execute("BEGIN")
            self._disk.execute(statement, values)
            self._disk.execute("INSERT OR REPLACE INTO counters VALUES ('version', ?)", (self.version + 1,))
            self._disk.execute("COMMIT")
        except sqlite3.Error as error:
            if self._disk.in_transaction:
                self._disk.execute("ROLLBACK")
            raise Refused(500, "InternalError", f"Internal error occurred: etcdserver: {error}", {}) from error


def _key(held: Object) -> tuple[str, str]:
    return held["metadata"].get("namespace", ""), held["metadata"]["name"]
