"""Kubernetes' remote-command channels: what one WebSocket message says, and the `Status` that tells how it ended.

The first byte of a message is its channel. v5 differs from v4 by CLOSE, which ends one channel (stdin).

Source: Kubernetes' `k8s.io/apimachinery/pkg/util/remotecommand` and KEP-4006; the texts are those of v1.36.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255

V4 = "v4.channel.k8s.io"
V5 = "v5.channel.k8s.io"
MAX_SIZE = 65_535
"""Rows or columns of a terminal."""


def choose(offered: Iterable[str]) -> str | None:
    """The newest protocol that both sides speak; None when there is none."""
    known = set(offered)
    return next((each for each in (V5, V4) if each in known), None)


def split(message: bytes, protocol: str) -> tuple[int, bytes] | None:
    """The channel and what is sent on it; None for an empty message, which says nothing.

    A channel's end is `(CLOSE, channel)`; in v4, where there is no such thing, channel 255 is one like any other.
    """
    if not message:
        return None
    if message[0] == CLOSE and protocol != V5:
        return None
    return message[0], message[1:]


def size(text: bytes) -> tuple[int, int] | None:
    """Columns and rows that a message on RESIZE asks for; None when it asks for nothing that makes sense."""
    try:
        wanted = json.loads(text)
        columns, rows = wanted["Width"], wanted["Height"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if type(columns) is int and type(rows) is int and 0 < columns <= MAX_SIZE and 0 < rows <= MAX_SIZE:
        return columns, rows
    return None


def ended(code: int, protocol: str, command: Sequence[str]) -> dict[str, Any]:
    """The Status of a command that ran to its end with this exit code."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    told = f"command terminated with exit code {code}"
    if protocol == V4:
        told = f"error executing command [{' '.join(command)}], exit code {code}"
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: {told}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def failed(message: str, protocol: str) -> dict[str, Any]:
    """The Status of a command that could not be run; v5 goes through one program more, which adds its own words."""
    cause = message if protocol == V4 else f"Internal error occurred: {message}"
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"Internal error occurred: {cause}",
        "reason": "InternalError",
        "details": {"causes": [{"message": cause}]},
        "code": 500,
    }


def pack(status: dict[str, Any]) -> bytes:
    """As it is sent on ERROR."""
    return json.dumps(status, separators=(",", ":"), ensure_ascii=False).encode()
