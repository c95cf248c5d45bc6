"""What the server says of itself: its version, whether it is well, which kinds it has."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.serving import answers

if TYPE_CHECKING:
    from aiohttp import web

    from kubectl_ray.sandbox.serving.paths import Asked

KUBERNETES = "v1.36.1"
"""The version that the sandbox behaves as."""
BUILD = "kubectl-ray-sandbox"
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
CHECKS = ("ping", "log", "store")


def version() -> dict[str, str]:
    """The answer of /version."""
    machine = platform.machine()
    return {
        "major": "1",
        "minor": "36",
        "emulationMajor": "1",
        "emulationMinor": "36",
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "35",
        "gitVersion": f"{KUBERNETES}+{BUILD}",
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": f"{platform.system().lower()}/{MACHINES.get(machine, machine)}",
    }


async def answer(request: web.Request, asked: Asked) -> web.StreamResponse:
    """The answer to a path that is no object's.

    Raises:
        Refused: 406.
    """
    path = asked.path.rstrip("/")
    if asked.verb != "get":
        return not_found(request)
    if path == "/version":
        return answers.answered(request, version())
    first, _, check = path.removeprefix("/").partition("/")
    if first in {"healthz", "livez", "readyz"} and (not check or check in CHECKS):
        if "verbose" in request.query and not check:
            lines = [f"[+]{each} ok" for each in CHECKS]
            return answers.plain("\n".join([*lines, f"{first} check passed", ""]))
        return answers.plain("ok")
    return not_found(request)


def not_found(_request: web.Request) -> web.Response:
    """404, as of a path that nothing is at."""
    return answers.plain("404 page not found\n", 404)
