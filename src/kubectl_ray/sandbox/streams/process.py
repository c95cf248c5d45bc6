"""What `exec` and `attach` need of a process in a container; whoever runs pods offers it.

The protocol is structural: the node does not import this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Process(Protocol):
    """A running process with its pipes, or with a terminal where `tty` was asked for."""

    async def read_stdout(self, size: int) -> bytes:
        """At most `size` bytes as soon as there are some; b"" at the end. A terminal's output is all here."""

    async def read_stderr(self, size: int) -> bytes:
        """The same of stderr; b"" at once with a terminal."""

    async def write_stdin(self, data: bytes) -> None:
        """Give it input; returns when it may have more. Does nothing when it no longer reads, or never did."""

    async def close_stdin(self) -> None:
        """The input ends here (with a terminal: Ctrl-D is the client's to send, so nothing happens)."""

    async def resize(self, columns: int, rows: int) -> None:
        """The terminal's size in characters; does nothing without a terminal."""

    async def wait(self) -> int:
        """Its exit code, 0 to 255; 128 + the signal's number when one ended it, as container runtimes tell it."""

    async def kill(self) -> None:
        """End it and what it started; returns when it has ended. May be called twice, or after its end."""


class Start(Protocol):
    """Starts a command in a container, or joins the container's own process where `command` is empty (attach).

    For an attached process `kill` lets go of it and leaves it running.
    """

    async def __call__(
        self, namespace: str, pod: str, container: str, command: Sequence[str], *, stdin: bool, tty: bool
    ) -> Process:
        """The process; `container` "" is the pod's default one.

        Raises:
            Refused: no such pod or container, or it does not run.
            OSError: the program cannot be started: no such file (ENOENT), not executable (EACCES).
        """
