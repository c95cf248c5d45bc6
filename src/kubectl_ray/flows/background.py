"""A session in the background: the same command line in a process of its own, away from the terminal.

The process tells the one that started it each change as one JSON line, through a pipe, until all ports answer; its
own output goes to a log beside its file in the registry. What it fails of before that is what the starter fails of.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from kubectl_ray.errors import KubectlRayError


class Starter:
    """The process that started this one, seen from the background: `ctx.starter`; None in a session at a terminal.

    `id` is for `Registry.enter`, `log` for its `Session`.
    """

    id: str
    log: str

    def tell(self, change: Mapping[str, Any]) -> None:
        """One change, as `-o json` has it. After `ready` it does nothing.

        Raises:
            KubectlRayError: the starter is gone before it was ready: nobody would know of this session.
        """
        raise NotImplementedError

    def ready(self) -> None:
        """All ports answer, or were said to be absent: the starter may leave."""
        raise NotImplementedError

    def failed(self, error: KubectlRayError) -> None:
        """What ended this process before it was ready; the starter raises the same. `told` calls it."""
        raise NotImplementedError


def told(starter: Starter | None) -> Any:
    """`with told(ctx.starter): …` around all that a session does: its error is the starter's too."""
    raise NotImplementedError


class Background:
    """A process in the background, from the starter's side. Making one does no I/O.

    `argv`: the words of this command line (`ctx.argv`), as they were. `pid` and `log` are known once `changes` began.
    """

    pid: int
    log: str

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        raise NotImplementedError

    def changes(self) -> Iterator[dict[str, Any]]:
        """Start it and yield what it tells, as `-o json` has it, until it is ready. Left earlier, the process is ended.

        Raises:
            KubectlRayError: it ended before: with the words and the exit code that it had. Nothing of it stays.
        """
        raise NotImplementedError
