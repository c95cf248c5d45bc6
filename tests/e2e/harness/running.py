"""Runs the plugin the way a person does: `kubectl ray …`, with kubectl finding `kubectl-ray` on PATH."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tests.e2e.harness.live import Live, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAMS = Path(sys.executable).parent
"""The virtual environment's programs: kubectl, kubectl-ray and kubectl_complete-ray."""

LONGEST = 240.0
"""Seconds that one command line may take before a case fails."""

FROM_OUTSIDE = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


def environment(kubeconfig: Path, home: Path) -> dict[str, str]:
    """A clean environment: the login alone decides what the plugin does."""
    kept = {name: os.environ[name] for name in FROM_OUTSIDE if name in os.environ}
    return {
        **kept,
        "PATH": f"{PROGRAMS}:{kept.get('PATH', '/usr/bin:/bin')}",
        "HOME": str(home),
        "KUBECONFIG": str(kubeconfig),
    }


class Ray:
    """`ray("cluster list")` runs `kubectl ray cluster list` and expects exit code 0 unless told otherwise."""

    def __init__(self, env: Mapping[str, str], cwd: Path) -> None:
        self.env = dict(env)
        self.cwd = cwd

    def having(self, **env: str) -> Ray:
        """The same with other environment variables: KUBECONFIG for another login."""
        return Ray({**self.env, **env}, self.cwd)

    def __call__(self, line: str, *, code: int = 0, stdin: str | None = None, within: float = LONGEST) -> Outcome:
        """Run it to its end without a terminal.

        Raises:
            AssertionError: another exit code, or no end `within` seconds.
        """
        return self.outcome(line, stdin=stdin, within=within).expect(code)

    def outcome(self, line: str, *, stdin: str | None = None, within: float = LONGEST) -> Outcome:
        """Run it to its end without a terminal, whatever the exit code."""
        return run(f"kubectl ray {line}", self.env, self.cwd, stdin=stdin, within=within)

    def into(self, line: str, stdout: int | IO[bytes]) -> Outcome:
        """Run it with its stdout going to a given file or pipe, which is not read here."""
        began = time.monotonic()
        done = subprocess.run(
            shlex.split(f"kubectl ray {line}"),
            env=self.env,
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            timeout=LONGEST,
            check=False,
        )
        return Outcome(f"kubectl ray {line}", done.returncode, "", done.stderr.decode(), time.monotonic() - began)

    def live(self, line: str) -> Live:
        """Start it without a terminal and look on."""
        full = f"kubectl ray {line}"
        return Live(full, shlex.split(full), self.env, str(self.cwd), terminal=False)

    def on_terminal(self, line: str) -> Live:
        """Start it on a terminal and look on."""
        full = f"kubectl ray {line}"
        return Live(full, shlex.split(full), self.env, str(self.cwd), terminal=True)


def run(line: str, env: Mapping[str, str], cwd: Path, *, stdin: str | None = None, within: float = LONGEST) -> Outcome:
    """Run a command line to its end without a shell and without a terminal."""
    began = time.monotonic()
    try:
        done = subprocess.run(
            shlex.split(line),
            env=env,
            cwd=cwd,
            input=(stdin or "").encode(),
            capture_output=True,
            timeout=within,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        said = b"".join(filter(None, (error.stdout, error.stderr))).decode(errors="replace")
        raise AssertionError(f"still running after {within:g} s:\n$ {line}\n{said}") from None
    out, err = done.stdout.decode(), done.stderr.decode()
    return Outcome(line, done.returncode, out, err, time.monotonic() - began)
