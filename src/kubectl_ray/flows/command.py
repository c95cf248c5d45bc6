"""A command that runs inside a session: its environment, its signals, its exit code.

It shares the terminal and the process group with this process, as a command in a shell's script does: Ctrl-C and Ctrl-Z
reach it from the terminal itself, and this process does not die of Ctrl-C before it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from typing import TypeVar

    T = TypeVar("T")


def environment(env: Mapping[str, str], *, client: str = "", dashboard: str = "", token: str = "") -> dict[str, str]:
    """`env` and where Ray is: RAY_ADDRESS=ray://CLIENT, RAY_API_SERVER_ADDRESS=http://DASHBOARD (each HOST:PORT).

    Both are taken out where the session has no such port, as they would lead to another cluster. With `token`:
    RAY_AUTH_MODE and RAY_AUTH_TOKEN. A proxy that `env` names is not asked for addresses of this machine.
    """
    raise NotImplementedError


class Command:
    """`argv` (not empty) with this process' stdin, stdout and stderr. Making one does no I/O.

    ::

        command = Command(args.rest, ctx.env)
        command.check()                                  # before anything is opened
        with closing(tunnel.changes()) as changes:
            ...                                          # until all ports have started
            with command.started(environment(ctx.env, ...)):
                for change in command.during(changes):   # ends when the command ends
                    ...
            yield Exit(command.code)
    """

    code: int

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        raise NotImplementedError

    def check(self) -> None:
        """Find it on PATH before anything is waited for.

        Raises:
            CommandNotStarted: there is no such command (exit code 127), or it is not executable (126).
        """
        raise NotImplementedError

    def started(self, env: Mapping[str, str]) -> Command:
        """Start it (a context manager). Until the end of the block SIGINT is the command's alone, SIGTERM and SIGHUP
        are passed on to it. The end of the block, an error too, waits for the command; `code` is then its exit code.

        Raises:
            CommandNotStarted: as `check`.
        """
        raise NotImplementedError

    def during(self, changes: Generator[T, None, None]) -> Generator[T, None, None]:
        """Pass `changes` on until the command has ended; they are closed then."""
        raise NotImplementedError
