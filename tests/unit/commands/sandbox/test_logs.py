"""`sandbox logs`: what the sandbox itself says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.running import run


def test_never_started(env: dict[str, str]) -> None:
    """Not found, and how to start it."""
    said = run("sandbox logs", env)
    assert said.code == 5
    assert said.err.endswith("Start it:  kubectl ray sandbox start\n")


@pytest.mark.parametrize(
    ("flags", "lines"), [("", "one\ntwo\nthree\n"), ("--tail 2", "two\nthree\n"), ("--tail=0", "")]
)
@pytest.mark.parametrize("follow", ["", "-f"])
def test_lines(env: dict[str, str], flags: str, lines: str, follow: str) -> None:
    """All or the last; following ends where nobody writes any more."""
    log = Path(env["KUBECTL_RAY_SANDBOX_HOME"]) / "sandbox.log"
    log.parent.mkdir()
    log.write_text("one\ntwo\nthree\n")
    said = run(f"sandbox logs {flags} {follow}", env)
    assert (said.code, said.out) == (0, lines)
