"""What a session tells, as one JSON object a change: for programs, and for the starter of one in the background.

The fields are the change's own, beside `change` (its name) and `time`. docs/reference/session-changes.md lists them.
"""

from __future__ import annotations

from kubectl_ray.errors import ServerError
from kubectl_ray.flows.tunnel_changes import Absent, Change, Lost, Moved, Reconnected, Started, Suspended, Waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Connecting(Change):
    """It begins. `target`: `raycluster/my-cluster`; `context` is the kubeconfig's, "" where it has none."""

    __slots__ = ("context", "namespace", "target")

    def __init__(self, target: str, namespace: str, context: str) -> None:
        self.target = target
        self.namespace = namespace
        self.context = context


class Remark(Change):
    """Something a person should know: `text`, a line or several."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Ready(Change):
    """Every port asked for has started, or nothing listens behind it. `urls`: of those that started, by name."""

    __slots__ = ("urls",)

    def __init__(self, urls: Mapping[str, str]) -> None:
        self.urls = dict(urls)


CHANGES: dict[str, type[Change]] = {
    kind.__name__.lower(): kind
    for kind in (Connecting, Waiting, Started, Absent, Ready, Lost, Reconnected, Moved, Suspended, Remark)
}
"""By what `change` says."""


def written(change: Change, now: float) -> dict[str, Any]:
    """A change as JSON has it. `now`: seconds since 1970."""
    import time

    whole, fraction = divmod(int(now * 1000), 1000)
    stamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{fraction:03}Z"
    fields = {name: getattr(change, name) for name in sorted(_slots(change))}
    return {"change": type(change).__name__.lower(), "time": stamp, **fields}


def read(found: Mapping[str, Any]) -> Change:
    """The change that `written` wrote.

    Raises:
        ServerError: it is none.
    """
    kind = CHANGES.get(str(found.get("change")))
    fields = {name: value for name, value in found.items() if name not in {"change", "time"}}
    if kind is None or set(fields) != set(kind.__slots__):
        raise ServerError("The session in the background says something that is not understood.")
    return kind(**fields)


def _slots(change: Change) -> tuple[str, ...]:
    return type(change).__slots__
