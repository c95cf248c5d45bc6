"""The relay that counts."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REQUEST = b"GET /api HTTP/1.1\r\nHost: h\r\n\r\n"


@contextmanager
def server(answers: int) -> Iterator[int]:
    """One connection's server: reads a request, answers, so many times."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                for _ in range(answers):
                    read(connection, len(REQUEST))
                    connection.sendall(ANSWER)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def read(connection: socket.socket, size: int) -> bytes:
    """Exactly so many bytes."""
    got = b""
    while len(got) < size:
        got += connection.recv(size - len(got))
    return got


def test_bytes_both_ways_and_requests_are_counted() -> None:
    """Two requests on one connection, one of them cut in the middle of its first line."""
    with server(2) as port, Relay("127.0.0.1", port) as relay:
        with socket.create_connection(("127.0.0.1", relay.port)) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.sendall(REQUEST)
            assert read(client, len(ANSWER)) == ANSWER
            client.sendall(REQUEST[:14])
            client.sendall(REQUEST[14:])
            assert read(client, len(ANSWER)) == ANSWER
        assert relay.counted() == (2 * (len(REQUEST) + len(ANSWER)), 2)


def test_counts_start_anew_once_they_were_read() -> None:
    """So that each program has its own."""
    with server(1) as port, Relay("127.0.0.1", port) as relay:
        with socket.create_connection(("127.0.0.1", relay.port)) as client:
            client.sendall(REQUEST)
            read(client, len(ANSWER))
        relay.counted()
        assert relay.counted() == (0, 0)
