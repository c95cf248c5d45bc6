"""`kube.connection`: a socket, what was read from it, and patience."""

from __future__ import annotations

import socket
import threading

import pytest

from kubectl_ray.kube.connection import Connection, CutOff, Dropped, Silent
from tests.wire import ScriptedSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


@pytest.fixture
def pair() -> Iterator[tuple[Connection, socket.socket]]:
    """A connection and the other side's socket."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Connection(ours, "The server"), theirs


def test_quiet_connection_is_alive(pair: tuple[Connection, socket.socket]) -> None:
    """Nothing to read and no end of stream: it can be used."""
    assert pair[0].alive()


def test_closed_connection_is_not_alive(pair: tuple[Connection, socket.socket]) -> None:
    """A server that closed an idle connection is noticed before anything is sent."""
    pair[1].close()
    assert not pair[0].alive()


def test_connection_with_unasked_bytes_is_not_alive(pair: tuple[Connection, socket.socket]) -> None:
    """Bytes that nobody asked for (a 408 of a proxy) would be taken for the next answer."""
    pair[1].sendall(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    assert not pair[0].alive()


def test_silence_is_said_and_loses_nothing(pair: tuple[Connection, socket.socket]) -> None:
    """A read gives up after `silence` seconds; the next one reads on."""
    connection, server = pair
    connection.silence = 0.01
    with pytest.raises(Silent):
        connection.receive()
    server.sendall(b"x")
    assert connection.receive() == b"x"


def test_deadline_that_is_over(pair: tuple[Connection, socket.socket]) -> None:
    """After the deadline not even what is there is read: the request is over."""
    connection, server = pair
    server.sendall(b"x")
    connection.deadline = 0.0
    with pytest.raises(Silent):
        connection.receive()


def test_broken_connection_is_cut_off() -> None:
    """A reset while reading is CutOff, and closes."""
    scripted: Any = ScriptedSocket([ConnectionResetError(104, "Connection reset by peer")])
    connection = Connection(scripted, "The server")
    with pytest.raises(CutOff, match="reset"):
        connection.receive()
    assert scripted.closed


def test_sending_to_nobody_is_dropped(pair: tuple[Connection, socket.socket]) -> None:
    """A write that fails is Dropped."""
    connection, server = pair
    server.close()
    with pytest.raises(Dropped):
        connection.send(b"x" * 10_000_000)


def test_sending_to_somebody_who_does_not_read(pair: tuple[Connection, socket.socket]) -> None:
    """A write that nobody takes is given up after `silence` seconds."""
    pair[0].silence = 0.05
    with pytest.raises(Silent):
        pair[0].send(b"x" * 50_000_000)


def test_wake_ends_a_read_in_another_thread(pair: tuple[Connection, socket.socket]) -> None:
    """A thread that waits for bytes gets the end of the stream."""
    connection = pair[0]
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(connection.receive()))
    reader.start()
    connection.wake()
    reader.join(10)
    assert got == [b""]
