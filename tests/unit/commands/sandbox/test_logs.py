"""`sandbox logs`: what the sandbox itself says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
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


def test_a_sandbox_that_runs(env: dict[str, str]) -> None:
    """Following ends with the sandbox."""
    run("sandbox start", env)
    with ThreadPoolExecutor() as pool:
        following = pool.submit(run, "sandbox logs -f", env)
        run("sandbox stop", env)
        said = following.result(timeout=30)
    assert "answers at https://127.0.0.1:" in said.out
    assert said.out.endswith("has ended\n")
