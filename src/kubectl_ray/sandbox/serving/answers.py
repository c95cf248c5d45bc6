"""Objects as HTTP answers: JSON or YAML, pretty or not, compressed when it pays, in pieces when they are many."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import TYPE_CHECKING, Any

from aiohttp import hdrs, web

from kubectl_ray.sandbox.serving import media
from kubectl_ray.sandbox.serving.paths import truth

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_ray.sandbox.api.refusals import Refused
    from kubectl_ray.sandbox.api.store import Object

COMPRESSED_FROM = 128 * 1024
"""Bytes; smaller answers are not compressed (apiserver, `responsewriters/writers.go`)."""
PIECE = 64 * 1024
AT_A_TIME = 0.02
"""Seconds that writing a long list may keep everything else waiting."""
GZIP = 16 + zlib.MAX_WBITS
BROWSERS = ("curl", "Wget", "Mozilla/5.0")
"""Programs with a person in front of them; they get their answers indented."""


def encoded(value: Any, *, pretty: bool = False) -> bytes:
    """JSON as bytes."""
    if pretty:
        return json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "surrogatepass")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def wants_pretty(request: web.BaseRequest) -> bool:
    """The client asked for line breaks, or is a program that a person looks at."""
    asked = request.query.get("pretty")
    if asked is not None:
        return truth(asked)
    return request.headers.get(hdrs.USER_AGENT, "").startswith(BROWSERS)


def warned(answer: web.StreamResponse, warnings: Iterable[str]) -> None:
    """Add a `Warning` header for each (RFC 7234 §5.5, as Kubernetes uses it)."""
    for each in dict.fromkeys(warnings):
        text = "".join(char if char.isprintable() else " " for char in each)
        answer.headers.add("Warning", '299 - "' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')


def plain(text: str, code: int = 200) -> web.Response:
    """Words without a Status, as of a path that does not exist."""
    return web.Response(status=code, text=text, content_type="text/plain", charset="utf-8")


def answered(
    request: web.BaseRequest,
    value: Object,
    code: int = 200,
    *,
    media_type: str = media.JSON,
    warnings: Sequence[str] = (),
) -> web.Response:
    """An object as an answer."""
    if media_type == media.YAML:
        import yaml

        body = yaml.safe_dump(value, allow_unicode=True).encode("utf-8", "surrogatepass")
    else:
        body = encoded(value, pretty=wants_pretty(request))
    answer = web.Response(status=code, body=body, content_type=media_type)
    warned(answer, warnings)
    if len(body) > COMPRESSED_FROM and wants_gzip(request):
        answer.enable_compression(web.ContentCoding.gzip)
    return answer


def refused(request: web.BaseRequest, refusal: Refused) -> web.Response:
    """A refusal as an answer."""
    answer = answered(request, refusal.status, refusal.code, media_type=media.plain(request.headers.get("Accept", "")))
    wait = (refusal.details or {}).get("retryAfterSeconds")
    if wait:
        answer.headers["Retry-After"] = str(wait)
    return answer


def wants_gzip(request: web.BaseRequest) -> bool:
    """The client takes compressed answers."""
    return any(
        part.partition(";")[0].strip().lower() == "gzip"
        for part in request.headers.get(hdrs.ACCEPT_ENCODING, "").split(",")
    )


async def listed(
    request: web.BaseRequest, head: Object, items: Sequence[Object], *, name: str = "items"
) -> web.StreamResponse:
    """A list in JSON; `items` come last in it. A long one is sent while it is written."""
    pieces = _pieces(head, items, name, pretty=wants_pretty(request))
    begun = bytearray()
    for piece in pieces:
        begun += piece
        if len(begun) > COMPRESSED_FROM:
            break
    else:
        return web.Response(body=bytes(begun), content_type=media.JSON)
    answer = web.StreamResponse()
    answer.content_type = media.JSON
    compressor = None
    if wants_gzip(request):
        answer.headers[hdrs.CONTENT_ENCODING] = "gzip"
        answer.headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
        compressor = zlib.compressobj(4, zlib.DEFLATED, GZIP)
    answer.enable_chunked_encoding()
    await answer.prepare(request)
    await _sent(answer, bytes(begun), compressor)
    loop = asyncio.get_running_loop()
    waiting, since = bytearray(), loop.time()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= PIECE or loop.time() - since > AT_A_TIME:
            await _sent(answer, bytes(waiting), compressor)
            waiting.clear()
            await asyncio.sleep(0)
            since = loop.time()
    await _sent(answer, bytes(waiting), compressor)
    if compressor is not None:
        await answer.write(compressor.flush())
    await answer.write_eof()
    return answer


async def _sent(answer: web.StreamResponse, data: bytes, compressor: Any) -> None:
    packed = data if compressor is None else compressor.compress(data)
    if packed:
        await answer.write(packed)


def _pieces(head: Object, items: Sequence[Object], name: str, *, pretty: bool) -> Iterator[bytes]:
    if pretty:
        yield encoded({**head, name: list(items)}, pretty=True)
        return
    yield encoded({**head, name: []})[:-2]
    for index, item in enumerate(items):
        yield (b"," if index else b"") + encoded(item)
    yield b"]}"
