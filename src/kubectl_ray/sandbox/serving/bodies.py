"""Reading what a request carries, within limits."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from aiohttp import HttpVersion11, hdrs

from kubectl_ray.sandbox.api import decoding, schemas, typed
from kubectl_ray.sandbox.api.refusals import Refused, bad_request
from kubectl_ray.sandbox.api.shapes import MOST_SHOWN, TYPE_META
from kubectl_ray.sandbox.serving import media
from kubectl_ray.sandbox.serving.protobuf import reading

if TYPE_CHECKING:
    from aiohttp import web

    from kubectl_ray.sandbox.api.store import Object

PATIENCE = 60.0
"""Seconds that a client has for sending a body."""
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
        async with asyncio.timeout(PATIENCE):
            async for piece in request.content.iter_any():
                read += piece
                if len(read) > largest:
                    break
    except TimeoutError:
        message = "Timeout: request did not complete within the allotted timeout"
        raise Refused(504, "Timeout", message, {}) from None
    except ConnectionError:
        raise
    except Exception as error:  # aiohttp raises what its parser raised: there is no one class for all of that
        raise bad_request(f"the body of the request cannot be read: {error}") from error
    if len(read) > largest:
        raise too_large(largest)
    return bytes(read)


async def given(request: web.BaseRequest, kind: str, api_version: str) -> Object:
    """A body of a type that is not kept: a review, a binding, a token request.

    Raises:
        Refused: 400, 413, 415.
    """
    text, yaml = await json_or_yaml(request, kind)
    unknown = f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind"
    try:
        value = (decoding.read_yaml(text) if yaml else decoding.read_json(text)).value
    except decoding.NotReadable as wrong:
        shown = text[:MOST_SHOWN].decode("utf-8", "replace") + (" ..." if len(text) > MOST_SHOWN else "")
        raise bad_request(f"{unknown}; json parse error: {wrong} ({shown or '<empty>'})") from None
    if not isinstance(value, dict):
        why = f"cannot unmarshal {typed.json_type(value)} into Go value of type {TYPE_META}"
        raise bad_request(f"{unknown}; json parse error: json: {why} ({text.hex()})")
    named = value.get("kind") or kind, value.get("apiVersion") or api_version
    version = api_version.rpartition("/")[2]
    if named != (kind, api_version):
        raise bad_request(f'{named[0]} in version "{named[1]}" cannot be handled as a {kind}')
    name = schemas.type_name(api_version, kind)
    if name is None:
        return value
    try:
        found: Object = typed.read(name, value).value
    except typed.WrongType as wrong:
        raise bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {wrong}') from None
    return found


async def json_or_yaml(request: web.BaseRequest, kind: str) -> tuple[bytes, bool]:
    """The body as JSON or YAML text, and whether it is YAML; protobuf is turned into JSON.

    Raises:
        Refused: 400, 413, 415.
    """
    media_type = media.body_type(request.headers.get(hdrs.CONTENT_TYPE, ""))
    text = await body(request)
    if media_type == media.PROTOBUF:
        try:
            text = json.dumps(reading.read(text)).encode()
        except reading.NotReadable as wrong:
            raise bad_request(f"the object provided is unrecognized (must be of type {kind}): {wrong}") from None
    return text, media_type == media.YAML


def too_large(largest: int) -> Refused:
    """413: more than is taken."""
    return Refused(413, "RequestEntityTooLarge", f"Request entity too large: limit is {largest}")
