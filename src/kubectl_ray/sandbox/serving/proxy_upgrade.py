"""Upgrades through the proxy, WebSockets above all: the heads are read, everything after goes through as bytes.

Source: Kubernetes' `k8s.io/apimachinery/pkg/util/proxy/upgradeaware.go`, v1.36.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import ssl
from typing import TYPE_CHECKING

from aiohttp import hdrs

from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.serving.proxy_target import Unreachable, unverified
from kubectl_ray.sandbox.streams.liveness import first_of
from kubectl_ray.sandbox.streams.takeover import Left, take_over

if TYPE_CHECKING:
    from aiohttp import web
    from multidict import CIMultiDict
    from yarl import URL

    from kubectl_ray.sandbox.serving.proxy_target import Target
    from kubectl_ray.sandbox.streams.takeover import TakenOver

MAX_HEAD = 64 * 1024
PIECE = 64 * 1024
SWITCHING, FIRST_ERROR = 101, 400


async def pass_through(request: web.Request, target: Target, url: URL, headers: CIMultiDict[str]) -> web.StreamResponse:
    """Ask the target for the upgrade, and join the two connections when it agrees.

    A refusal of the target (400 and above) reaches the client as it came.

    Raises:
        Unreachable: nobody listens there.
        Refused: 500 the target neither agrees nor refuses.
    """
    try:
        reader, writer = await asyncio.open_connection(
            target.host, target.port, limit=MAX_HEAD, ssl=unverified() if target.scheme == "https" else None
        )
    except ssl.SSLError as error:
        raise Unreachable("tls: first record does not look like a TLS handshake") from error
    except OSError as error:
        why = os.strerror(error.errno or errno.ECONNREFUSED).lower()
        raise Unreachable(f"dial tcp {target.authority}: connect: {why}") from error
    try:
        writer.write(_head(request, url, headers))
        head = await _answer(reader)
        code = _code(head)
        if code != SWITCHING and code < FIRST_ERROR:
            raise Refused(500, "", f"invalid upgrade response: status code {code}")
        client = take_over(request)
        await client.write(head)
        if code == SWITCHING:
            await first_of(_to_target(client, writer), _to_client(reader, client))
        else:
            await _to_client(reader, client)
        client.abort()  # a WebSocket's client waits for the other side to close first
    except ConnectionError:
        pass  # one of the two has gone, which ends both
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return Left()


def _head(request: web.Request, url: URL, headers: CIMultiDict[str]) -> bytes:
    lines = [f"{request.method} {url.raw_path_qs} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += ["Connection: Upgrade", f"Upgrade: {request.headers.get(hdrs.UPGRADE, '')}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


async def _answer(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        raise Refused(500, "", _malformed(error.partial) if error.partial else "unexpected EOF") from error
    except asyncio.LimitOverrunError as error:
        raise Refused(500, "", "unexpected EOF") from error


def _code(head: bytes) -> int:
    """The status code (RFC 9112 §4)."""
    version, _, rest = head.split(b"\r\n", 1)[0].partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise Refused(500, "", _malformed(head))
    return int(rest[:3])


def _malformed(head: bytes) -> str:
    line = head.split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    return f'malformed HTTP response "{line}"'


async def _to_target(client: TakenOver, writer: asyncio.StreamWriter) -> None:
    while data := await client.read():
        writer.write(data)
        await writer.drain()


async def _to_client(reader: asyncio.StreamReader, client: TakenOver) -> None:
    while data := await reader.read(PIECE):
        await client.write(data)
