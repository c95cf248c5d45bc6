"""`sandbox stop`: it ends what it started and nothing else, and takes its context back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.running import run


@pytest.mark.parametrize("flags", ["", "--forget"])
def test_it_does_not_run(env: dict[str, str], flags: str) -> None:
    """Said, no error, and nothing is made for it."""
    said = run(f"sandbox stop {flags}", env)
    assert (said.code, said.out) == (0, "The sandbox does not run.\n")
    assert not Path(env["KUBECTL_RAY_SANDBOX_HOME"]).exists()
