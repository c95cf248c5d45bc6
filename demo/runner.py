"""Runs the steps as the reader would: through kubectl where there is one, by the plugin itself where there is none."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from demo.journey import Command

_PATIENCE = 15  # seconds that an interrupted command has for its last words
_BOLD, _DIM, _PLAIN = "\033[1m", "\033[2m", "\033[0m"


class Interrupted(Exception):
    """Ctrl-C, or a polite end."""


class Runner:
    """`env` goes over the reader's environment; context and namespace are "" where kubectl's own are meant."""

    def __init__(self, env: Mapping[str, str], context: str = "", namespace: str = "") -> None:
        self._context, self._namespace = context, namespace
        scripts = Path(sys.executable).parent
        path = os.environ.get("PATH", os.defpath)
        self.env = {**os.environ, **env, "PATH": os.pathsep.join([str(scripts), path])}
        kubectl = shutil.which("kubectl", path=path)  # the reader's own, not one that lies beside this interpreter
        self._program = [kubectl, "ray"] if kubectl else [str(scripts / "kubectl-ray")]
        self._shown = "kubectl ray" if kubectl else "kubectl-ray"

    def show(self, step: Command) -> int:
        """Say what comes, do it, and give its exit code."""
        print(f"\n{_styled(f'# {step.remark}', _DIM)}", flush=True)
        ours, dashes, theirs = step.words.partition(" -- ")
        words = [*shlex.split(ours), *self._place(ours), *shlex.split(f"{dashes}{theirs}")]
        print(_styled(f"$ {self._shown} {shlex.join(words)}", _BOLD), flush=True)
        with subprocess.Popen([*self._program, *words], env=self.env) as process:
            try:
                return process.wait()
            except Interrupted:
                self._end(process)
                raise

    def _place(self, words: str) -> list[str]:
        if words.startswith("sandbox "):
            return []
        return [
            *(["--context", self._context] if self._context else []),
            *(["-n", self._namespace] if self._namespace else []),
        ]

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        """A terminal's Ctrl-C has reached it too; anything else has not."""
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.terminate()

    def reaches_ray_clusters(self) -> bool:
        """Whether the plugin can list clusters there; its own words say why not."""
        argv = [*self._program, "cluster", "list", *self._place("cluster list")]
        tried = subprocess.run(argv, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if tried.returncode:
            print(tried.stderr.decode(errors="replace").strip(), file=sys.stderr)
        return tried.returncode == 0


def _styled(text: str, style: str) -> str:
    return f"{style}{text}{_PLAIN}" if sys.stdout.isatty() else text
