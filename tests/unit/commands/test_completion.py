"""`completion`: how to get it, and scripts for the program called directly."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.running import run

if TYPE_CHECKING:
    from pathlib import Path

FAKE = """#!/bin/sh
printf 'called %s\\n' "$*" >> "$CALLS"
printf 'create\\tcreate a Ray cluster\\ncrater\\n:4\\n'
"""


def test_how() -> None:
    """It is kubectl's own completion; without a shell's name that is said."""
    assert "source <(kubectl completion bash)" in run("completion").out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_call_the_program(shell: str) -> None:
    """One script a shell."""
    said = run(f"completion {shell}")
    assert said.code == 0
    assert "kubectl_complete-ray" in said.out


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_completes(tmp_path: Path) -> None:
    """What bash would offer behind `kubectl-ray cluster cre`."""
    program = tmp_path / "kubectl_complete-ray"
    program.write_text(FAKE)
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    calls = tmp_path / "calls"
    (tmp_path / "script").write_text(run("completion bash").out)
    script = f"""
        source {tmp_path}/script
        COMP_WORDS=(kubectl-ray cluster cre); COMP_CWORD=2; _kubectl_ray 2>/dev/null; echo "${{COMPREPLY[@]}}"
        COMP_WORDS=(kubectl-ray cluster list --output = ""); COMP_CWORD=5; _kubectl_ray 2>/dev/null
        """
    env = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "CALLS": str(calls)}
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "create\n"
    assert calls.read_text().splitlines() == ["called cluster cre", "called cluster list --output "]
