"""Connections are carried both ways to their end."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.realcluster.forward import join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of one connection; a unix socket pair has no TCP options to set."""
    with socket.create_server(("127.0.0.1", 0)) as front:
        ours = socket.create_connection(front.getsockname(), timeout=10)
        theirs, _ = front.accept()
    return ours, theirs


@contextmanager
def joined(serve: Callable[[socket.socket], None]) -> Iterator[socket.socket]:
    """Our end of a connection that is joined to a server which treats its one client so."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            connection, _ = listener.accept()
            with connection:
                serve(connection)

        ours, theirs = tcp_pair()
        threads = [
            threading.Thread(target=accept, daemon=True),
            threading.Thread(target=join, args=(theirs, listener.getsockname()[1]), daemon=True),
        ]
        for thread in threads:
            thread.start()
        with ours:
            yield ours
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()


def received(connection: socket.socket) -> bytes:
    """Everything until the other side's end."""
    parts = []
    while part := connection.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def test_end_of_one_side_leaves_the_other_open() -> None:
    """A client that has said all still hears the whole answer."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(received(connection)[::-1])

    with joined(serve) as client:
        client.sendall(b"abc" * 100_000)
        client.shutdown(socket.SHUT_WR)
        assert received(client) == b"cba" * 100_000


def test_server_that_closes_is_heard() -> None:
    """The end of the server is the end for the client, who said nothing."""
    with joined(lambda connection: connection.sendall(b"bye")) as client:
        assert received(client) == b"bye"


def test_nobody_there() -> None:
    """Where nobody listens the connection ends instead of hanging."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    client, theirs = tcp_pair()
    with client:
        join(theirs, port)
        assert client.recv(1) == b""
