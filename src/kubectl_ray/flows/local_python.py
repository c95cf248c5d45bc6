"""The Python that a person would start Ray Client with on this machine, and its Ray.

That is not the one that runs this program, which has an environment of its own: an active virtual environment's, else
the first python3 on PATH.
"""

from __future__ import annotations

from kubectl_ray.diagnose.client_versions import Versions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PATIENCE = 20.0
"""Seconds; a cold disk is slow."""
_SHIMS = ("/usr/bin/python3", "WindowsApps")
"""On macOS and Windows these may not be Python, but offer to install one."""
# Nothing of the present folder is imported: it may hold an `email.py` of the user's.
_ASK = """
import sys
sys.path[:] = [place for place in sys.path if place]
from importlib.metadata import PackageNotFoundError, version
try:
    ray = version("ray")
except PackageNotFoundError:
    ray = ""
print("%d.%d.%d" % sys.version_info[:3], ray, sep="\\n")
"""


def versions(env: Mapping[str, str]) -> Versions:
    """Of the first that answers; empty where there is none."""
    from subprocess import DEVNULL, SubprocessError, run

    for program in _candidates(env):
        try:
            done = run(
                [program, "-c", _ASK],
                stdin=DEVNULL,
                capture_output=True,
                env=dict(env),
                timeout=_PATIENCE,
                check=True,
                text=True,
            )
        except (OSError, ValueError, SubprocessError):
            continue
        python, _, ray = done.stdout.strip().partition("\n")
        return Versions(python, ray.strip())
    return Versions()


def _candidates(env: Mapping[str, str]) -> Iterator[str]:
    import sys
    from os.path import join
    from shutil import which

    windows = sys.platform == "win32"
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        folder = env.get(name)
        if folder:
            yield join(folder, *(("Scripts", "python.exe") if windows else ("bin", "python")))  # noqa: PTH118 -- a name
    found = which("python3", path=env.get("PATH", ""))
    if found and (sys.platform == "linux" or not any(shim in found for shim in _SHIMS)):
        yield found
