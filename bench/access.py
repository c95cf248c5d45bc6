"""The cluster that is measured on: its kubeconfig, a door for our own requests, and counted ways in."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bench.measure import BenchError

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parent.parent
_REALCLUSTER = (sys.executable, "-m", "tests.realcluster")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Server:
    """Where a kubeconfig's API server listens."""

    host: str
    port: int


@contextmanager
def kubeconfig_to_use(context: str) -> Iterator[str | None]:
    """The KUBECONFIG to measure on: what is set; else the real cluster's, started and taken down again if need be.

    Without KUBECONFIG and `context` nobody's own default cluster is filled with thousands of objects.

    Raises:
        BenchError: the real cluster cannot be started here.
    """
    if context or os.environ.get("KUBECONFIG"):
        yield os.environ.get("KUBECONFIG")
        return
    ran = subprocess.run([*_REALCLUSTER, "status"], cwd=CHECKOUT, capture_output=True, check=False).returncode == 0
    up = subprocess.run([*_REALCLUSTER, "up"], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=False)
    if up.returncode:
        raise BenchError("no real cluster: set KUBECONFIG or CONTEXT to measure on another one")
    try:
        yield up.stdout.split()[-1]
    finally:
        if not ran:
            subprocess.run([*_REALCLUSTER, "down"], cwd=CHECKOUT, check=False)


def own_kubeconfig(kubectl: str, given: str | None, context: str, form: str) -> str:
    """One context of the kubeconfig, with nothing outside it: everyone measured reads the same small file.

    `form` is json or yaml. What is measured reads YAML, as nearly every user's file is; JSON is quicker to read.

    Raises:
        BenchError: kubectl cannot read it.
    """
    argv = [kubectl, "config", "view", "--raw", "--minify", "--flatten", "-o", form]
    argv += ["--context", context] if context else []
    env = {**os.environ, "KUBECONFIG": given} if given else dict(os.environ)
    shown = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    if shown.returncode:
        raise BenchError(shown.stderr.strip())
    return shown.stdout


def write_kubeconfig(path: Path, text: str) -> Path:
    """Write a kubeconfig that only its owner can read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    return path


def server(document: dict[str, Any]) -> Server:
    """Where the API server listens."""
    parts = urlsplit(document["clusters"][0]["cluster"]["server"])
    return Server(parts.hostname or "localhost", parts.port or _PORTS[parts.scheme])


def through(document: dict[str, Any], port: int) -> str:
    """The same kubeconfig by way of a relay on loopback; TLS still speaks to the real server."""
    changed = copy.deepcopy(document)
    cluster = changed["clusters"][0]["cluster"]
    parts = urlsplit(cluster["server"])
    cluster["server"] = f"{parts.scheme}://127.0.0.1:{port}{parts.path}"
    cluster.setdefault("tls-server-name", parts.hostname)
    return json.dumps(changed)


def plain(port: int) -> str:
    """A kubeconfig for plain HTTP on loopback, where requests can be counted."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "plain", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "plain", "user": {}}],
        "contexts": [{"name": "plain", "context": {"cluster": "plain", "user": "plain"}}],
        "current-context": "plain",
    }
    return json.dumps(document)


@contextmanager
def door(kubectl: str, kubeconfig: Path) -> Iterator[int]:
    """A port on loopback that takes plain HTTP and logs in by itself, as long as the block lasts.

    Raises:
        BenchError: `kubectl proxy` does not start.
    """
    argv = [kubectl, "--kubeconfig", str(kubeconfig), "proxy", "--port=0"]
    # A session of its own: Ctrl-C must not take it away, what was created is removed through it.
    quiet = subprocess.DEVNULL
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=quiet, text=True, start_new_session=True) as process:
        try:
            said = process.stdout.readline() if process.stdout else ""
            port = said.rpartition(":")[2].strip()
            if not port.isdecimal():
                raise BenchError(f"kubectl proxy did not start: {said}")
            yield int(port)
        finally:
            process.terminate()
