"""One forwarded connection: bytes between a client's stream and a port of a pod, with half-close in both directions."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object

PIECE = 64 * 1024


class Broken(Exception):
    """The connection could not be made, or broke; its words are what the kubelet says."""


class Side(Protocol):
    """The client's stream."""

    async def read(self, size: int) -> bytes:
        """Some bytes; b"" when no more will come."""

    async def write(self, data: bytes) -> None:
        """Raises ConnectionError when the client gave it up, or has gone."""

    async def finish(self) -> None:
        """The pod sends no more."""


def words(pod: Object, port: int, why: str) -> str:
    """As the kubelet and containerd tell that a forward failed; containers of this node share the host's network."""
    sandbox = hashlib.sha256(pod["metadata"]["uid"].encode()).hexdigest()
    return (
        f"error forwarding port {port} to pod {sandbox}, uid : failed to execute portforward in network namespace"
        f' "host": {why.replace("{sandbox}", sandbox)}'
    )


def _no_way(port: int, error: OSError | None) -> str:
    number = (error.errno if error is not None else None) or errno.ECONNREFUSED
    return (
        f'failed to connect to localhost:{port} inside namespace "{{sandbox}}", IPv4: dial tcp4 127.0.0.1:{port}:'
        f" connect: {os.strerror(number).lower()} IPv6 dial tcp6: address localhost: no suitable address found "
    )


async def forward(side: Side, pod: Object, port: int, address: tuple[str, int] | None) -> None:
    """Join the client's stream to the port, until both directions have ended.

    Raises:
        Broken: nothing listens there, or the pod broke the connection off.
    """
    if address is None:
        raise Broken(words(pod, port, _no_way(port, None)))
    try:
        reader, writer = await asyncio.open_connection(*address)
    except OSError as error:
        raise Broken(words(pod, port, _no_way(port, error))) from error
    lost: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_to_client(reader, side))
            both.create_task(_to_pod(side, writer))
    except* _Lost as found:
        lost = found.exceptions[0]  # what is raised in here some versions of Python 3.11 hand on as a group
    except* ConnectionError:
        pass  # the client gave it up
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    if lost is not None:
        raise Broken(words(pod, port, f"read tcp4 127.0.0.1:{port}: {lost}")) from lost


class _Lost(Exception):
    """The pod's side broke."""


async def _to_client(reader: asyncio.StreamReader, side: Side) -> None:
    while True:
        try:
            data = await reader.read(PIECE)
        except OSError as error:
            raise _Lost(f"read: {os.strerror(error.errno or errno.ECONNRESET).lower()}") from error
        if not data:
            await side.finish()
            return
        await side.write(data)


async def _to_pod(side: Side, writer: asyncio.StreamWriter) -> None:
    while data := await side.read(PIECE):
        writer.write(data)
        try:
            await writer.drain()
        except OSError as error:
            raise _Lost(f"write: {os.strerror(error.errno or errno.EPIPE).lower()}") from error
    with contextlib.suppress(OSError):  # a pod that has closed already needs no telling
        writer.write_eof()
