"""What the server says of itself: its version, whether it is well, which kinds it has."""

from __future__ import annotations

import hashlib
import platform
import re
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.serving import answers, discovery, media, openapi

if TYPE_CHECKING:
    from kubectl_ray.sandbox.serving.paths import Asked

KUBERNETES = "v1.36.1"
"""The version that the sandbox behaves as."""
BUILD = "kubectl-ray-sandbox"
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
ROUTED = re.compile(r"/api|/version|/api/[^/]+|/apis/[^/]+/[^/]+")
"""Paths that can only be got; the others do not care about the method."""
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
    """The answer to a path that is no object's."""
    path = asked.path.rstrip("/")
    if not path:
        return answers.answered(request, {"paths": _paths()})
    if asked.verb != "get" and ROUTED.fullmatch(path):
        raise Refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})
    if path == "/version":
        return answers.answered(request, version())
    if path.startswith("/api"):
        return _discovery(request, path)
    if path == openapi.LEGACY:
        media_type, text = openapi.legacy(request.headers.get(hdrs.ACCEPT, ""))
        return web.Response(body=text, headers={hdrs.CONTENT_TYPE: media_type})
    return _schemas(request, path) if path.startswith(openapi.ROOT) else _health(request, path)


def _paths() -> list[str]:
    """What there is, for a person who looks around."""
    served = sorted({kind.api_version for kind in kinds.KINDS if kind.group})
    groups = sorted({part for each in served for part in (f"/apis/{each.partition('/')[0]}", f"/apis/{each}")})
    return ["/api", "/api/v1", "/apis", *groups, "/healthz", "/livez", openapi.ROOT, "/readyz", "/version"]


def _health(request: web.Request, path: str) -> web.Response:
    """Whoever gets an answer sees that all is well."""
    first, _, check = path.removeprefix("/").partition("/")
    if first not in {"healthz", "livez", "readyz"} or (check and check not in CHECKS):
        return not_found()
    if "verbose" in request.query and not check:
        lines = [f"[+]{each} ok" for each in CHECKS]
        return answers.plain("\n".join([*lines, f"{first} check passed", ""]))
    return answers.plain("ok")


def _discovery(request: web.Request, path: str) -> web.Response:
    found = discovery.answer(path, request.headers.get(hdrs.ACCEPT, ""), request.host)
    if found is None and path.startswith("/api/"):
        raise Refused(404, "NotFound", "the server could not find the requested resource", {})
    if found is None:
        return not_found()
    made = answers.answered(request, found.body)
    made.headers[hdrs.CONTENT_TYPE] = found.media_type
    made.headers[hdrs.VARY] = hdrs.ACCEPT
    return made


def _schemas(request: web.Request, path: str) -> web.Response:
    """A document stays what it is as long as its path has the same hash; clients keep it then."""
    found = openapi.answer(path)
    if found is None:
        return not_found()
    made = web.Response(body=found, content_type=media.JSON)
    made.etag = hashlib.sha256(found).hexdigest()
    if "hash" in request.query:
        made.headers[hdrs.CACHE_CONTROL] = "public, immutable"
    if made.etag in (request.if_none_match or ()):
        return web.Response(status=304, headers=made.headers)
    if answers.wants_gzip(request):
        made.enable_compression(web.ContentCoding.gzip)
    return made


def not_found() -> web.Response:
    """404, as of a path that nothing is at."""
    return answers.plain("404 page not found\n", 404)
