"""Proxies that record who asks for which way, and lead every way to one server."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
from typing import TYPE_CHECKING

from tests.wire.recorder import accepting

if TYPE_CHECKING:
    from collections.abc import Iterator


class Proxy:
    """What a proxy was asked: `(authority, login)` pairs. `login` is empty where none was given."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[tuple[str, str]] = []


@contextlib.contextmanager
def http_proxy(onward: int, *, context: ssl.SSLContext | None = None, status: int = 200) -> Iterator[Proxy]:
    """An HTTP CONNECT proxy, over TLS with a `context`; all ways lead to 127.0.0.1:`onward`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy(listener.getsockname()[1])

        def converse(connection: socket.socket) -> None:
            with contextlib.suppress(OSError):
                below = context.wrap_socket(connection, server_side=True) if context else connection
                with below:
                    head = _head(below)
                    lines = head.split("\r\n")
                    logins = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("proxy-auth")]
                    proxy.asked.append((lines[0].split(" ")[1], "".join(logins)))
                    below.sendall(f"HTTP/1.1 {status} -\r\n\r\n".encode())
                    if status == 200:
                        _join(below, onward)

        with accepting(listener, converse):
            yield proxy


@contextlib.contextmanager
def socks_proxy(onward: int, *, login: tuple[str, str] | None = None, reply: int = 0) -> Iterator[Proxy]:
    """A SOCKS5 proxy (RFC 1928), which wants `login` (RFC 1929) where one is given."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy(listener.getsockname()[1])

        def converse(below: socket.socket) -> None:
            with contextlib.suppress(OSError), below, below.makefile("rb") as stream:
                _, count = stream.read(2)
                methods = stream.read(count)
                wanted = 2 if login else 0
                if wanted not in methods:
                    below.sendall(b"\x05\xff")
                    return
                below.sendall(bytes([5, wanted]))
                given = ""
                if login:
                    stream.read(1)
                    user = stream.read(stream.read(1)[0]).decode()
                    password = stream.read(stream.read(1)[0]).decode()
                    given = f"{user}:{password}"
                    below.sendall(b"\x01" + (b"\x00" if (user, password) == login else b"\x01"))
                    if (user, password) != login:
                        return
                kind = stream.read(4)[3]
                if kind == 3:
                    host = stream.read(stream.read(1)[0]).decode()
                else:
                    family = socket.AF_INET if kind == 1 else socket.AF_INET6
                    host = socket.inet_ntop(family, stream.read(4 if kind == 1 else 16))
                port = int.from_bytes(stream.read(2), "big")
                proxy.asked.append((f"{host}:{port}", given))
                below.sendall(bytes([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]))
                if not reply:
                    _join(below, onward)

        with accepting(listener, converse):
            yield proxy


def _head(below: socket.socket) -> str:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = below.recv(1)
        if not byte:
            raise ConnectionError
        head += byte
    return head.decode("latin-1")


def _join(below: socket.socket, onward: int) -> None:
    """Carry bytes both ways, in one thread: a TLS connection must not be read and written at the same time."""
    with socket.create_connection(("127.0.0.1", onward)) as above, selectors.DefaultSelector() as selector:
        selector.register(below, selectors.EVENT_READ, above)
        selector.register(above, selectors.EVENT_READ, below)
        while True:
            for key, _ in selector.select(20):
                source = below if key.data is above else above
                data = source.recv(65536)
                while isinstance(source, ssl.SSLSocket) and source.pending():
                    data += source.recv(65536)
                if not data:
                    return
                key.data.sendall(data)
