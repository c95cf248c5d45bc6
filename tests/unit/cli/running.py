"""`run("cluster list", env=api.env)`: a whole command line in this process, its streams as text."""

from __future__ import annotations

import io
import shlex

from kubectl_ray.cli.main import main

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Outcome:
    """What a run left behind."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self) -> str:
        return f"exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def run(line: str | list[str], env: Mapping[str, str] | None = None, stdin: str = "") -> Outcome:
    """Run what follows `kubectl ray`; without `env` nothing of the machine is seen."""
    argv = shlex.split(line) if isinstance(line, str) else line
    out, err = io.StringIO(), io.StringIO()
    code = main(argv, env=env or {"HOME": "/nonexistent"}, stdin=io.StringIO(stdin), stdout=out, stderr=err)
    return Outcome(code, out.getvalue(), err.getvalue())
