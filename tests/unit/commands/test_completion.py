"""`completion`."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kuberay import World


def test_how(world: World) -> None:
    """Without a shell it says how kubectl's own completion is switched on, for each shell."""
    ran = world.run("completion")

    assert ran.code == 0
    for shell in ("bash", "zsh", "fish"):
        assert f"kubectl completion {shell}" in ran.out
    assert ran.asked == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script(world: World, shell: str) -> None:
    """A shell's name prints its script, which asks `kubectl_complete-ray`."""
    ran = world.run(f"completion {shell}")

    assert ran.code == 0
    assert "kubectl_complete-ray" in ran.out


def test_another_shell(world: World) -> None:
    """Another shell is refused with the ones there are."""
    ran = world.run("completion csh")

    assert ran.code == 2, ran
    assert "bash" in ran.err


def test_bash_understands_it(world: World) -> None:
    """The script is bash: it completes words, and the value behind `--flag=`."""
    bash = shutil.which("bash")
    assert bash, "these tests run under a Makefile, which needs a shell"
    script = world.run("completion bash").out
    probe = f"""{script}
kubectl_complete-ray() {{ echo "$*" >&2; printf 'first\\tone\\nsecond\\n:4\\n'; }}
COMP_WORDS=(kubectl-ray cluster get f); COMP_CWORD=3; _kubectl_ray; echo "${{COMPREPLY[*]}}"
COMP_WORDS=(kubectl-ray cluster nodes --cluster = s); COMP_CWORD=5; _kubectl_ray; echo "${{COMPREPLY[*]}}"
"""
    ran = subprocess.run([bash, "--norc", "-c", probe], capture_output=True, text=True, check=True)

    assert ran.stdout == "first\nsecond\n", ran.stderr
