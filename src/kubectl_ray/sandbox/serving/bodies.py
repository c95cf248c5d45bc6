"""Reading what a request carries, within limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import HttpVersion11, hdrs

from kubectl_ray.sandbox.api.refusals import Refused, bad_request

if TYPE_CHECKING:
    from aiohttp import web

LARGEST = 3 * 1024 * 1024
"""Bytes of an object, as the real server has it by default."""


async def body(request: web.BaseRequest, largest: int = LARGEST) -> bytes:
    """All of it, unpacked.

    Raises:
        Refused: 413 it is too big; 400 it cannot be unpacked, or ended early.
    """
    if request.content_length is not None and request.content_length > largest:
        raise too_large(largest)
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue" and request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    read = bytearray()
    try:
        async for piece in request.content.iter_any():
            read += piece
            if len(read) > largest:
                break
    except ConnectionError:
        raise
    except Exception as error:  # aiohttp raises what its parser raised: there is no one class for all of that
        raise bad_request(f"the body of the request cannot be read: {error}") from error
    if len(read) > largest:
        raise too_large(largest)
    return bytes(read)


def too_large(largest: int) -> Refused:
    """413: more than is taken."""
    return Refused(413, "RequestEntityTooLarge", f"Request entity too large: limit is {largest}")
