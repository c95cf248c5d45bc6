"""`python -m tests.e2e [--real] [pytest's arguments]`: the suite, with `--real` on the real cluster.

With `--real` the cluster is brought up unless it runs already, and taken down again if this run brought it up, also
after a failure and after Ctrl-C. Without it the suite runs where KUBECONFIG or CONTEXT point.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.realcluster import node

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

HERE = Path(__file__).parent
CHECKOUT = HERE.parent.parent
REAL = (sys.executable, "-m", "tests.realcluster")
PYTEST = (sys.executable, "-m", "pytest", str(HERE), "--durations=10")
INTERRUPTED = 130
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Steps:
    """Runs one program after the other; a signal to end is for the program that runs, which cleans up by itself."""

    def __init__(self) -> None:
        self.ended_by: int | None = None
        self._running: subprocess.Popen[str] | None = None
        for number in ENDS:
            signal.signal(number, self._end)

    def _end(self, number: int, _frame: FrameType | None) -> None:
        self.ended_by = number
        if number != signal.SIGINT and self._running is not None:  # Ctrl-C reaches it from the terminal
            self._running.send_signal(signal.SIGINT)

    def run(self, argv: Sequence[str], env: Mapping[str, str] | None = None, *, read: bool = False) -> tuple[int, str]:
        """Its exit code, and what it printed when that is to be read."""
        out = subprocess.PIPE if read else None
        with subprocess.Popen(argv, cwd=CHECKOUT, env=env, stdout=out, text=True) as self._running:
            said = self._running.communicate()[0]
            code = self._running.returncode
        self._running = None
        return code, said or ""


def on_real_cluster(steps: Steps, arguments: Sequence[str]) -> int:
    """Up, test, down."""
    began_it = node.pid() is None
    try:
        code, said = steps.run([*REAL, "up"], read=True)
        if code or steps.ended_by:
            return code
        env = {**os.environ, "KUBECONFIG": said.split()[-1]}
        env.pop("CONTEXT", None)
        return steps.run([*PYTEST, *arguments], env)[0]
    finally:
        if began_it:
            steps.run([*REAL, "down"])


def main(arguments: Sequence[str]) -> int:
    """Run the suite; its exit code."""
    steps = Steps()
    rest = [argument for argument in arguments if argument != "--real"]
    code = on_real_cluster(steps, rest) if "--real" in arguments else steps.run([*PYTEST, *rest])[0]
    return INTERRUPTED if steps.ended_by else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
