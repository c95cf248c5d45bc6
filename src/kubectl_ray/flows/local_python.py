"""The Python that a person would start Ray Client with on this machine, and its Ray.

That is not the one that runs this program, which has an environment of its own: an active virtual environment's, else
the first python3 on PATH.
"""

from __future__ import annotations

from threading import Lock

from kubectl_ray.diagnose.client_versions import Versions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from subprocess import Popen

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


class LocalPython:
    """Asks it, in a process of its own. `close`, from any thread, ends that process and makes `versions` return."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._lock = Lock()
        self._process: Popen[str] | None = None
        self._closed = False

    def versions(self) -> Versions:
        """Of the first that answers; empty where there is none."""
        for program in _candidates(self._env):
            answer = self._ask(program)
            if answer:
                python, _, ray = answer.partition("\n")
                return Versions(python, ray)
        return Versions()

    def close(self) -> None:
        """End the process that is being asked; no other is started."""
        with self._lock:
            self._closed = True
            if self._process is not None and self._process.poll() is None:
                self._process.kill()
                self._process.wait()

    def _ask(self, program: str) -> str:
        """What this program says of itself; "" when it is no Python."""
        from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired

        with self._lock:
            if self._closed:
                return ""
            try:
                process = Popen(
                    [program, "-c", _ASK], stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, env=dict(self._env), text=True
                )
            except (OSError, ValueError):
                return ""
            self._process = process
        try:
            out, _ = process.communicate(timeout=_PATIENCE)
        except TimeoutExpired:
            process.kill()
            process.communicate()
            return ""
        except (OSError, ValueError):  # it writes something else than text
            return ""
        return out.strip() if process.returncode == 0 else ""


def _candidates(env: Mapping[str, str]) -> Iterator[str]:
    import sys
    from os.path import join
    from shutil import which

    windows = sys.platform == "win32"
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        folder = env.get(name)
        if folder:
            yield join(folder, *(("Scripts", "python.exe") if windows else ("bin", "python")))
    found = which("python3", path=env.get("PATH", ""))
    if found and (sys.platform == "linux" or not any(shim in found for shim in _SHIMS)):
        yield found
