"""The plugin as a user has it: installed, not editable, compiled, in a virtual environment of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.access import CHECKOUT
from bench.measure import BenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"


def folder(environ: Mapping[str, str]) -> Path:
    """Where the environments are kept: below KUBECTL_RAY_CACHE, else XDG_CACHE_HOME, else `~/.cache`."""
    root = environ.get("KUBECTL_RAY_CACHE") or environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root).absolute() / "kubectl-ray" / "bench"


def key(checkout: Path) -> str:
    """Changes with the interpreter and with every file that is installed."""
    digest = hashlib.sha256(f"{sys.version} {sys.prefix} {sys.base_prefix}".encode())
    files = [checkout / "pyproject.toml", *sorted((checkout / "src").rglob("*.py"))]
    for file in files:
        digest.update(f"{file.relative_to(checkout)}\0".encode())
        digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def installed(cache: Path, say: Callable[[str], None]) -> Path:
    """The folder of the plugin's scripts; installs the checkout's plugin if this content is not there yet.

    Raises:
        BenchError: pip failed.
    """
    home = cache / key(CHECKOUT)
    ready = home / "ready"
    if ready.exists():
        return home / "bin"
    say("installing the plugin as a user would")
    shutil.rmtree(cache, ignore_errors=True)
    env = {name: value for name, value in os.environ.items() if name != _NO_BYTECODE}
    pip = [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for argv in ([sys.executable, "-m", "venv", home], [*pip, CHECKOUT]):
        if subprocess.run([str(word) for word in argv], env=env, check=False).returncode:
            raise BenchError(f"cannot install the plugin: {' '.join(map(str, argv))} failed")
    ready.touch()
    return home / "bin"


def environment(environ: Mapping[str, str], kubeconfig: Path, scripts: Path, kubectl: str) -> dict[str, str]:
    """What the measured programs see: this kubeconfig, and `kubectl` and the plugin first on PATH."""
    env = {name: value for name, value in environ.items() if name != _NO_BYTECODE and not name.startswith("KUBECTL_")}
    env["KUBECONFIG"] = str(kubeconfig)
    env["KUBECACHEDIR"] = str(kubeconfig.parent / "cache")
    env["PATH"] = os.pathsep.join([str(scripts), str(Path(kubectl).parent), environ.get("PATH", os.defpath)])
    return env
