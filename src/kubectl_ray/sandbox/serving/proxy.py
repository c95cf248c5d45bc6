"""The service and pod proxies: `…/services/[SCHEME:]NAME[:PORT]/proxy/PATH` and the same of pods.

Bodies go through as they come, in both directions. The server calls `Proxy.handle` after it has checked the rights.

Source: Kubernetes' `k8s.io/apimachinery/pkg/util/proxy`, v1.36; texts and headers were seen there.
"""

from __future__ import annotations

import errno
import os
import posixpath
from typing import TYPE_CHECKING
from urllib.parse import quote

import aiohttp
from aiohttp import hdrs, web
from multidict import CIMultiDict
from yarl import URL

from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.serving.proxy_target import Target, Unreachable, find, unavailable, unverified
from kubectl_ray.sandbox.serving.proxy_upgrade import pass_through
from kubectl_ray.sandbox.serving.rewriting import MAX_HTML, Links, page
from kubectl_ray.sandbox.streams.takeover import Left
from kubectl_ray.sandbox.streams.upgrades import is_upgrade, words

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.serving.proxy_target import Address

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
CONNECT_TIME = 30.0
"""Seconds until a connection is given up; an answer may take as long as it likes."""
MAX_HEAD = 64 * 1024

_HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_OURS = {"authorization", "impersonate-user", "impersonate-group", "impersonate-uid", "expect", "x-forwarded-for"}
_CORS = {f"access-control-allow-{each}" for each in ("credentials", "headers", "methods", "origin")}
_ADDED = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
"""What aiohttp would add of its own."""


class Proxy:
    """Passes requests on to pods; `address` tells where a container's port is on this machine."""

    def __init__(self, objects: Objects, address: Address) -> None:
        self._objects = objects
        self._address = address
        self._session: aiohttp.ClientSession | None = None

    async def stop(self) -> None:
        """Close what is open."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def handle(
        self, request: web.Request, kind: Kind, namespace: str, identifier: str, rest: str
    ) -> web.StreamResponse:
        """Pass a request on. `rest` is what follows `/proxy` in the path, percent-decoded, "" or with its slash.

        Raises:
            Refused: no such object, endpoint or port; 503 nobody answers there; 405.
        """
        if request.method not in METHODS:
            raise Refused(
                405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {}
            )
        upgrade = is_upgrade(request)
        path = _cleaned(rest)
        try:
            target = find(self._objects, self._address, kind, namespace, identifier)
            if upgrade:
                return await pass_through(request, target, _onward(request, target, path), _passed_on(request))
            if not path and request.method in ("GET", "HEAD"):
                return web.Response(status=301, headers={"Location": f"{request.rel_url.raw_path}/{_query(request)}"})
            links = Links(_prefix(kind, namespace, identifier), target.authority, request.headers.get("Host", ""))
            return await self._forward(request, target, path, links)
        except Unreachable as unreachable:
            if upgrade:
                raise Refused(500, "", f"error dialing backend: {unreachable}") from unreachable
            raise unavailable(f"error trying to reach service: {unreachable}") from unreachable

    async def _forward(self, request: web.Request, target: Target, path: str, links: Links) -> web.StreamResponse:
        headers = _passed_on(request)
        headers["X-Forwarded-Uri"] = links.prefix + (_escaped(path) or "/")
        answer = await self._ask(request, target, _onward(request, target, path), headers)
        try:
            return await _answered(request, answer, links)
        except (aiohttp.ClientError, ConnectionError):
            # It broke off in the middle, or the client left: the client must not take what it has for the whole.
            if request.transport is not None:
                request.transport.abort()
            return Left()
        finally:
            answer.close()

    async def _ask(
        self, request: web.Request, target: Target, url: URL, headers: CIMultiDict[str]
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            # Each request has its own connection: pods come and go, and a kept one would fail at the next request.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True, limit=0, ssl=unverified()),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIME),
                max_line_size=MAX_HEAD,
                max_field_size=MAX_HEAD,
                skip_auto_headers=_ADDED,
            )
        body = request.content if request.body_exists else None
        if body is not None and "100-continue" in request.headers.get(hdrs.EXPECT, "").lower() and request.transport:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")  # a low-level server leaves it to its handler
        try:
            return await self._session.request(request.method, url, headers=headers, data=body, allow_redirects=False)
        except aiohttp.ClientConnectorSSLError as error:
            raise Unreachable("tls: first record does not look like a TLS handshake") from error
        except aiohttp.ClientConnectorError as error:
            why = os.strerror(error.os_error.errno or errno.ECONNREFUSED).lower()
            raise Unreachable(f"dial tcp {target.authority}: connect: {why}") from error
        except aiohttp.ServerDisconnectedError as error:
            raise Unreachable("EOF") from error
        except (aiohttp.ClientOSError, ConnectionError) as error:
            why = os.strerror(error.errno or errno.ECONNRESET).lower()
            raise Unreachable(f"read tcp {target.authority}: {why}") from error
        except aiohttp.ConnectionTimeoutError as error:
            raise Unreachable(f"dial tcp {target.authority}: i/o timeout") from error
        except aiohttp.ClientError as error:
            raise Unreachable(f"net/http: HTTP/1.x transport connection broken: {error}") from error


async def _answered(request: web.Request, answer: aiohttp.ClientResponse, links: Links) -> web.StreamResponse:
    """Bring the answer to the client, piece by piece."""
    headers = CIMultiDict(
        (name, value)
        for name, value in answer.headers.items()
        if name.lower() not in _HOP_BY_HOP and name.lower() not in _CORS
    )
    begun = b""
    if hdrs.LOCATION in headers:
        headers[hdrs.LOCATION] = links.through(headers[hdrs.LOCATION])
    elif request.method != "HEAD" and answer.content_type == "text/html":
        begun, whole = await _begun(answer)
        changed = page(begun, headers.get(hdrs.CONTENT_ENCODING, ""), links) if whole else None
        if changed is not None:
            headers[hdrs.CONTENT_LENGTH] = str(len(changed))
            begun = changed
    out = web.StreamResponse(status=answer.status, headers=headers)
    await out.prepare(request)
    if begun:
        await out.write(begun)
    async for piece in answer.content.iter_any():
        await out.write(piece)
    await out.write_eof()
    return out


async def _begun(answer: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    """The body up to the length of a page that we rewrite; whether that was all."""
    body = bytearray()
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > MAX_HTML:
            return bytes(body), False
    return bytes(body), True


def _passed_on(request: web.Request) -> CIMultiDict[str]:
    """The request's headers without those that are between the client and this server."""
    named = {each.lower() for each in words(request, hdrs.CONNECTION)}
    headers = CIMultiDict(
        (name, value.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
        for name, value in request.headers.items()
        if (low := name.lower()) not in _HOP_BY_HOP | _OURS | named and not low.startswith("impersonate-extra-")
    )
    if "trailers" in (each.lower() for each in words(request, hdrs.TE)):
        headers[hdrs.TE] = "trailers"
    before = words(request, hdrs.X_FORWARDED_FOR)
    headers[hdrs.X_FORWARDED_FOR] = ", ".join([*before, request.remote or "127.0.0.1"])
    return headers


def _cleaned(rest: str) -> str:
    """Without empty, `.` and `..` parts; a slash at the end stays."""
    if not rest:
        return ""
    path = posixpath.normpath("/" + rest.lstrip("/"))
    return path + "/" if rest.endswith("/") and path != "/" else path


def _escaped(path: str) -> str:
    """As Go's net/url writes a path."""
    return quote(path, safe="/$&+,:;=@~")


def _onward(request: web.Request, target: Target, path: str) -> URL:
    return URL(f"{target.scheme}://{target.authority}{_escaped(path) or '/'}{_query(request)}", encoded=True)


def _query(request: web.Request) -> str:
    raw = request.rel_url.raw_query_string
    return f"?{raw}" if raw else ""


def _prefix(kind: Kind, namespace: str, identifier: str) -> str:
    return f"{kind.path(namespace, identifier)}/proxy"
