"""`python3 -m demo [--context NAME] [--namespace NAME]`: create, look, grow, look again and remove one Ray cluster.

Exit codes: 0 all went well · the failed command's code · 2 there is no cluster to show it on.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_PATIENCE = 5  # seconds that an interrupted command has for its last words
_BOLD, _PLAIN = "\033[1m", "\033[0m"
_NEEDS = """\
The demo needs a Kubernetes cluster with the KubeRay operator, and a kubeconfig that reaches it.
Name a context with `make demo CONTEXT=name`; `kubectl config get-contexts` lists those there are."""


class Interrupted(Exception):
    """Ctrl-C, or a polite end."""


def journey(name: str) -> tuple[str, ...]:
    """The commands after `kubectl ray`, in order. The last one removes what the first one makes."""
    return (
        f"cluster create {name} --ray-version=2.52.0 --worker-replicas=1 --worker-cpus=500m -worker-memory=2GB",
        "cluster list",
        f"cluster scale default-worker-group --cluster {name} --replicas=2",
        (
            f"cluster worker-group create cpu-pool --cluster {name}"
            " -worker-replicas=1 --worker-cpus=500m -worker-memory=2GB"
        ),
        f"cluster describe {name}",
        f"cluster delete {name} --yes",
    )


class Demo:
    """Runs the plugin as the reader would: through kubectl where there is one, by itself where there is none."""

    def __init__(self, place: Sequence[str]) -> None:
        self._place = list(place)
        scripts = Path(sys.executable).parent
        path = os.environ.get("PATH", os.defpath)
        self._env = {**os.environ, "PATH": os.pathsep.join([str(scripts), path])}
        kubectl = shutil.which("kubectl", path=path)  # the reader's own, not one that lies beside this interpreter
        self._program = [kubectl, "ray"] if kubectl else [str(scripts / "kubectl-ray")]
        self._shown = "kubectl ray" if kubectl else "kubectl-ray"

    def show(self, command: str) -> int:
        """Print a command, run it, and give its exit code."""
        words = [*shlex.split(command), *self._place]
        line = f"$ {self._shown} {shlex.join(words)}"
        print(f"\n{_BOLD}{line}{_PLAIN}" if sys.stdout.isatty() else f"\n{line}", flush=True)
        with subprocess.Popen([*self._program, *words], env=self._env) as process:
            try:
                return process.wait()
            except Interrupted:
                self._end(process)
                raise

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        """A terminal's Ctrl-C has reached it too; anything else has not."""
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.terminate()

    def reaches_ray_clusters(self) -> bool:
        """Whether the plugin can list clusters here; its own words say why not."""
        argv = [*self._program, "cluster", "list", *self._place]
        tried = subprocess.run(argv, env=self._env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if tried.returncode:
            print(tried.stderr.decode(errors="replace").strip(), file=sys.stderr)
        return tried.returncode == 0


def run(demo: Demo, name: str) -> int:
    """The whole journey; the cluster is removed whatever happens."""
    *steps, removal = journey(name)
    try:
        code = next((code for code in map(demo.show, steps) if code), 0)
    except Interrupted:
        code = 128 + signal.SIGINT
    finally:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_DFL)  # a second Ctrl-C is immediate
        removed = demo.show(removal)
    return code or removed


def _interrupted(number: int, frame: object) -> None:
    del number, frame
    raise Interrupted


def main() -> int:
    """Run the demo on the cluster that is named."""
    parser = argparse.ArgumentParser(prog="python3 -m demo", description=__doc__)
    parser.add_argument("--context", default="", help="of the kubeconfig (default: the current one)")
    parser.add_argument("--namespace", default="", help="to work in (default: the context's)")
    args = parser.parse_args()
    place = [
        *(["--context", args.context] if args.context else []),
        *(["-n", args.namespace] if args.namespace else []),
    ]
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _interrupted)
    demo = Demo(place)
    if not demo.reaches_ray_clusters():
        print(f"\n{_NEEDS}", file=sys.stderr)
        return 2
    return run(demo, f"demo-{secrets.token_hex(2)}")


if __name__ == "__main__":
    sys.exit(main())
