"""`sandbox status`: what runs, and what it costs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.cli.running import run


def test_it_does_not_run(env: dict[str, str]) -> None:
    """An answer, no error; and how to start it."""
    said = run("sandbox status", env)
    assert (said.code, said.out) == (0, "The sandbox does not run.\n")
    assert said.err == "Start it:  kubectl ray sandbox start\n"
    assert not Path(env["KUBECTL_RAY_SANDBOX_HOME"]).exists()


def test_it_does_not_run_for_a_script(env: dict[str, str]) -> None:
    """The same as an object."""
    found = json.loads(run("sandbox status -o json", env).out)
    assert found["running"] is False
    assert found["processes"] == 0
    assert found["home"] == env["KUBECTL_RAY_SANDBOX_HOME"]
