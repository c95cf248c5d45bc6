"""The near side of a port-forward: a relay whose clock a test moves, and local clients."""

from __future__ import annotations

import os
import queue
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.kube.relay import Relay
from kubectl_ray.kube.relay_told import Connected

if TYPE_CHECKING:
    from tests.wire.farside import Pod


class Near:
    """A relay, what it told, and local clients; its clock stands unless it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.told: queue.Queue[Any] = queue.Queue()
        self.relay = Relay(self.told.put, clock=lambda: self.now)
        self.relay.start()
        self.clients: list[socket.socket] = []

    def move(self, seconds: float) -> None:
        """Let time pass, and wait until the relay has looked at the clock."""
        self.now += seconds
        self.settle()

    def settle(self) -> None:
        """Wait for a whole turn of the loop."""
        for _ in range(2):
            seen = threading.Event()
            self.relay._loop.call(seen.set)
            assert seen.wait(10)

    def hear(self, kind: type) -> Any:
        """The next thing told, which is of this kind."""
        got = self.told.get(timeout=10)
        assert isinstance(got, kind), got
        return got

    def to(self, pod: Pod) -> None:
        """Be connected to it."""
        self.relay.connect(pod.dial)
        assert self.hear(Connected).way == pod.way

    def client(self, port: int) -> socket.socket:
        """A local connection."""
        sock = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.clients.append(sock)
        return sock

    def refused(self, port: int) -> None:
        """A local connection that the relay resets; that may happen while it is still being made."""
        with pytest.raises(ConnectionResetError):
            self.client(port).recv(1)


def exactly(sock: socket.socket, size: int) -> bytes:
    """So many bytes, or what came before the end."""
    got = bytearray()
    while len(got) < size:
        piece = sock.recv(size - len(got))
        if not piece:
            break
        got += piece
    return bytes(got)


def descriptors() -> int:
    """How many this process has."""
    return len(os.listdir("/dev/fd"))  # noqa: PTH208 -- descriptors are no files to walk
