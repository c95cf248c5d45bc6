"""`sandbox start`: it answers, its context is there, and a start that fails leaves nothing."""

from __future__ import annotations

import pytest

from tests.unit.cli.running import run


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--cpus=0", "from 1 to"),
        ("--cpus=x", "not a whole number"),
        ("--port=70000", "from 1 to 65535"),
        ("--port=0", "from 1 to 65535"),
        ("--memory=32", "--memory"),
        ("--memory=512MB", "needs more"),
    ],
)
def test_flags_that_cannot_be_meant(env: dict[str, str], flags: str, words: str) -> None:
    """Wrong use, before anything is touched."""
    said = run(f"sandbox start {flags}", env)
    assert said.code == 2
    assert words in said.err
