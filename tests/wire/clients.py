"""A real client for the fake server, and a socket that gives what a test wrote, in the pieces it chose."""

from __future__ import annotations

import io

from kubectl_ray.kube.client import Client
from kubectl_ray.kube.credentials import Credentials
from kubectl_ray.kube.kubeconfig import Overrides, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from tests.wire.server import ApiServer


def client_for(api: ApiServer, **options: Any) -> Client:
    """A client as `kubectl ray` makes it, from the server's kubeconfig; it is closed when the server is left.

    `options` go to `Client`.
    """
    target = load(Overrides(), api.env)
    credentials = Credentials(target, api.env, interactive=False, stderr=io.StringIO())
    client = Client(target, credentials, api.env, **options)
    api.at_exit.append(client.close)
    return client


class ScriptedSocket:
    """Gives the pieces, one a `recv`; an exception among them is raised; after the last one the stream has ended."""

    def __init__(self, pieces: Iterable[bytes | Exception]) -> None:
        self._pieces = list(pieces)
        self.sent = b""
        self.closed = False
        self.timeout: float | None = None

    def settimeout(self, seconds: float | None) -> None:
        """As a socket's."""
        self.timeout = seconds

    def recv(self, size: int) -> bytes:
        """The next piece, or as much of it as fits."""
        if not self._pieces:
            return b""
        piece = self._pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        if len(piece) > size:
            self._pieces.insert(0, piece[size:])
        return piece[:size]

    def sendall(self, data: bytes) -> None:
        """Remembered in `sent`."""
        self.sent += data

    def shutdown(self, how: int) -> None:
        """As a socket's."""

    def close(self) -> None:
        """Remembered."""
        self.closed = True
