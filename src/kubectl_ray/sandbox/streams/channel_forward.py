"""Port-forward over WebSocket channels: a connection for each port that was asked for, and then no more."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import TYPE_CHECKING

from aiohttp import WSMsgType

from kubectl_ray.sandbox.streams.forwarding import Broken, forward
from kubectl_ray.sandbox.streams.liveness import first_of, until_gone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiohttp import web

    from kubectl_ray.sandbox.api.store import Object


class _Channel:
    """The data channel of one port, as `forwarding.Side`. There is no half-close: the client ends all at once."""

    def __init__(self, socket: web.WebSocketResponse, number: int) -> None:
        self._socket = socket
        self._number = number
        self._unread: asyncio.Queue[bytes] = asyncio.Queue(1)
        self._rest = b""
        self.over = False

    async def read(self, size: int) -> bytes:
        """What the client sent."""
        if not self._rest:
            self._rest = await self._unread.get()
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece

    async def write(self, data: bytes) -> None:
        """One message."""
        await self._socket.send_bytes(bytes([self._number]) + data)

    async def finish(self) -> None:
        """The pod sends no more, and the client cannot be told so; this way, neither is waited for."""
        raise ConnectionResetError("the pod has closed the connection")

    async def feed(self, data: bytes) -> None:
        """Hand on; waits until it is read. What comes for a connection that is over is dropped."""
        if not self.over:
            await self._unread.put(data)

    def drop(self) -> None:
        """The connection is over; whoever waits in `feed` goes on."""
        self.over = True
        with contextlib.suppress(asyncio.QueueEmpty):
            self._unread.get_nowait()


async def serve_channels(
    socket: web.WebSocketResponse,
    pod: Object,
    where: Callable[[int], tuple[str, int] | None],
    ports: Sequence[int],
) -> None:
    """Forward these ports until all their connections are over, or the client has gone."""
    sides = [_Channel(socket, 2 * index) for index in range(len(ports))]
    for index, port in enumerate(ports):
        for channel in (2 * index, 2 * index + 1):
            await socket.send_bytes(bytes([channel]) + struct.pack("<H", port))

    async def one(index: int, port: int) -> None:
        try:
            await forward(sides[index], pod, port, where(port))
        except Broken as broken:
            await socket.send_bytes(bytes([2 * index + 1]) + str(broken).encode())
        finally:
            sides[index].drop()

    async def all_of_them() -> None:
        await asyncio.gather(*(one(index, port) for index, port in enumerate(ports)))

    await first_of(all_of_them(), _read(socket, sides), until_gone(socket.ping))


async def _read(socket: web.WebSocketResponse, sides: Sequence[_Channel]) -> None:
    while True:
        message = await socket.receive()
        if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
            return
        data = message.data.encode() if message.type is WSMsgType.TEXT else message.data
        if len(data) > 1 and data[0] % 2 == 0 and data[0] // 2 < len(sides):
            await sides[data[0] // 2].feed(data[1:])
