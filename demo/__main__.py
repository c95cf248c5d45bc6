"""`python3 -m demo [--context NAME] [--namespace NAME]`: create, look, grow, use and remove one Ray cluster.

Without a context it happens in a sandbox on this machine, with a folder and a kubeconfig of its own, which are gone
afterwards. Exit codes: 0 all went well · the failed step's code · 2 there is no such cluster to show it on.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from demo import journey
from demo.runner import Interrupted, Runner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.journey import Command

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_NEEDS = """\
A Kubernetes cluster with the KubeRay operator is needed there, and a kubeconfig that reaches it.
`kubectl config get-contexts` lists the contexts; `make demo` alone needs none of it."""
_HERE = """
That was a sandbox. One of your own:

    .venv/bin/kubectl-ray sandbox start        # or, installed: kubectl ray sandbox start

The same commands work on a cluster of your team: `make demo CONTEXT=name` shows them there, and README.md says more."""


def run(runner: Runner, steps: Sequence[Command], end: Command, *, at_once: bool = False) -> int:
    """All steps up to one that fails, and the end whatever happens; `at_once`: a second Ctrl-C leaves out that too."""
    try:
        code = next((code for code in map(runner.show, steps) if code), 0)
    except Interrupted:
        code = 128 + signal.SIGINT
    finally:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL if at_once else signal.SIG_IGN)
        ended = runner.show(end)
    return code or ended


def in_sandbox(name: str) -> int:
    """In a sandbox whose folder and kubeconfig nobody else has."""
    folder = Path(tempfile.mkdtemp(prefix="kubectl-ray-demo-"))
    env = {
        "KUBECTL_RAY_SANDBOX_HOME": str(folder / "sandbox"),
        "KUBECONFIG": str(folder / "kubeconfig"),
        "KUBECACHEDIR": str(folder / "cache"),  # kubectl's own
    }
    try:
        steps = (journey.START, *journey.steps(name), journey.removal(name))
        code = run(Runner(env), steps, journey.STOP)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if code == 0:
        print(_HERE)
    return code


def on_cluster(name: str, context: str, namespace: str) -> int:
    """On a cluster of the reader's."""
    runner = Runner({}, context, namespace)
    if not runner.reaches_ray_clusters():
        print(f"\n{_NEEDS}", file=sys.stderr)
        return 2
    return run(runner, journey.steps(name), journey.removal(name), at_once=True)


def _interrupted(number: int, frame: object) -> None:
    del number, frame
    raise Interrupted


def main() -> int:
    """Run the demo where it is wanted."""
    parser = argparse.ArgumentParser(prog="python3 -m demo", description=__doc__)
    parser.add_argument("--context", default="", help="of the kubeconfig (default: a sandbox on this machine)")
    parser.add_argument("--namespace", default="", help="to work in (default: the context's)")
    args = parser.parse_args()
    for each in SIGNALS:
        signal.signal(each, _interrupted)
    name = f"demo-{secrets.token_hex(2)}"
    if args.context:
        return on_cluster(name, args.context, args.namespace)
    return in_sandbox(name)


if __name__ == "__main__":
    sys.exit(main())
