"""`python -m tests.e2e [--real | --sandbox] [pytest's arguments]`: the suite, with `--real` on the real cluster.

With `--real` the cluster is brought up unless it runs already, and taken down again if this run brought it up, also
after a failure and after Ctrl-C. With `--sandbox` a sandbox of its own is started for the run, with its own state and
kubeconfig, and ended. Without either the suite runs where KUBECONFIG or CONTEXT point. The cases of tests/faults are
part of it; with paths among the arguments only what these name is run.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.realcluster import node

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

HERE = Path(__file__).parent
CHECKOUT = HERE.parent.parent
REAL = (sys.executable, "-m", "tests.realcluster")
SANDBOX = (str(Path(sys.executable).with_name("kubectl-ray")), "sandbox")
NO_SUCH_IMAGE = "localhost/no/such:*"
"""Images that no cluster of the suite has: the real one finds that out, the sandbox is told."""
SUITES = (HERE, HERE.with_name("faults"))
PYTEST = (sys.executable, "-m", "pytest", "--durations=10")
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


def on_sandbox(steps: Steps, arguments: Sequence[str]) -> int:
    """Start, test, stop; nothing of the user's own is touched."""
    place = Path(tempfile.mkdtemp(prefix="kubectl-ray e2e ü "))
    env = {
        **os.environ,
        "KUBECTL_RAY_SANDBOX_HOME": str(place / "sandbox"),
        "KUBECONFIG": str(place / "kubeconfig"),
        "HOME": str(place),
    }
    env.pop("CONTEXT", None)
    try:
        code, _ = steps.run([*SANDBOX, "start", "--cpus=16", "--missing-image", NO_SUCH_IMAGE], env)
        if code or steps.ended_by:
            return code
        return steps.run([*PYTEST, *arguments], env)[0]
    finally:
        steps.run([*SANDBOX, "stop", "--forget"], env)
        shutil.rmtree(place, ignore_errors=True)


PLACES = {"--real": on_real_cluster, "--sandbox": on_sandbox}


def main(arguments: Sequence[str]) -> int:
    """Run the suite; its exit code."""
    steps = Steps()
    rest = [argument for argument in arguments if argument not in PLACES]
    if not any(Path(CHECKOUT, argument.partition("::")[0]).exists() for argument in rest if argument):
        rest = [*map(str, SUITES), *rest]
    chosen = [PLACES[argument] for argument in arguments if argument in PLACES]
    code = chosen[0](steps, rest) if chosen else steps.run([*PYTEST, *rest])[0]
    return INTERRUPTED if steps.ended_by else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
