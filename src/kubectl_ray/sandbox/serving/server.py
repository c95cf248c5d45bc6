"""The API server of the sandbox: TLS on loopback, who asks, whether they may, and which part answers.

Every answer that is not an object is a `Status`; an unexpected failure is a 500 and a line in the log.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from kubectl_ray.sandbox.api import tokens
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.serving import answers, certificates, logins, verbs
from kubectl_ray.sandbox.serving.paths import asked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.users import User

log = logging.getLogger(__name__)
http_log = logging.getLogger(f"{__name__}.http")

HOST = "127.0.0.1"
IDLE = 600.0
"""Seconds that a connection may stay open without a request."""
LONGEST_LINE = 256 * 1024
"""Bytes of a request line or a header: an exec carries its command in the query."""
ENDING = 1.0
"""Seconds that requests get to end when the server stops."""


class Server:
    """Serves objects; `start` returns when it answers.

    Args:
        objects: what it serves.
        folder: where certificates and the admin's token are kept; made when it is not there.
        streams: who answers a subresource that is no object: logs, exec, attach, port-forward, proxies.
    """

    def __init__(
        self, objects: Objects, folder: Path, streams: Mapping[tuple[Kind, str], verbs.Stream] | None = None
    ) -> None:
        self._objects = objects
        self._folder = folder
        self._verbs = verbs.Verbs(objects, streams or {})
        self._runner: web.ServerRunner | None = None
        self._token = ""
        self.port = 0

    async def start(self, port: int = 0) -> None:
        """Listen on a port of loopback; 0 takes a free one.

        Raises:
            OSError: the port is taken, or the folder cannot be written.
        """
        http_log.addFilter(_is_defect)
        context = certificates.context(self._folder)
        self._token = logins.admin_token(self._folder)
        loop = asyncio.get_running_loop()

        def request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.Request:
            return web.Request(message, payload, protocol, writer, task, loop)

        low = web.Server(
            self._answer,
            request_factory=request,
            handler_cancellation=True,
            access_log=None,
            keepalive_timeout=IDLE,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
            logger=http_log,
        )
        self._runner = web.ServerRunner(low, shutdown_timeout=ENDING)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port, ssl_context=context, backlog=512)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """End every connection; returns when nothing is served any more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"https://{HOST}:{self.port}"

    @property
    def authority(self) -> str:
        """The certificate that clients must know, in PEM."""
        return certificates.authority(self._folder)

    @property
    def token(self) -> str:
        """The admin's bearer token."""
        return self._token

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        assert isinstance(request, web.Request)  # noqa: S101 - our own factory makes them
        try:
            return await self._dispatch(request)
        except Refused as refusal:
            return answers.refused(request, refusal)
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception:
            log.exception("%s %s", request.method, request.path)
            return answers.refused(request, Refused(500, "InternalError", "Internal error occurred", {}))

    def _identify(self, token: str) -> User | None:
        return tokens.identify(self._objects, token)

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        if not _is_loopback(request):
            raise Refused(403, "Forbidden", "forbidden: the sandbox answers on this machine only", {})
        user = logins.login(request.headers, self._token, self._identify)
        user = logins.impersonated(request.headers, user, self._verbs.rights.may)
        return await self._verbs.answer(request, asked(request.method, request.path, request.query), user)


def _is_defect(record: logging.LogRecord) -> bool:
    """A request that is no HTTP, or a connection that breaks, is the client's fault and not worth a line."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | ConnectionError)


def _is_loopback(request: web.BaseRequest) -> bool:
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    if not peer:
        return False
    try:
        address = ipaddress.ip_address(peer[0].partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
