"""The clients of a tunnel, on the server that runs in the head, and on ones that fail."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench import session_load, session_server
from bench.measure import BenchError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def served() -> Iterator[int]:
    """The port of the server that runs in the head."""
    (port,) = session_load.free_ports(1)
    argv = [sys.executable, str(Path(session_server.__file__)), str(port)]
    with subprocess.Popen(argv) as process:
        try:
            session_load.first_answer(port, "/", 20)
            yield port
        finally:
            process.terminate()


@pytest.fixture
def rude() -> Iterator[int]:
    """The port of a server that takes connections, reads what they ask, and ends them."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def end_all() -> None:
        with suppress(OSError):
            while True:
                with closing(listener.accept()[0]) as sock:
                    sock.recv(1000)

    thread = threading.Thread(target=end_all)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_all_bytes_are_fetched(served: int) -> None:
    """Over one connection and over several."""
    assert session_load.fetch(served, 3_000_000, 1) > 0
    assert session_load.fetch(served, 4_000_000, 4) > 0


def test_bytes_that_do_not_come_are_noticed(rude: int) -> None:
    """A quick end is no speed."""
    with pytest.raises(BenchError, match="too early"):
        session_load.fetch(rude, 1000, 1)


def test_an_answer_is_timed_and_read_to_its_end(served: int) -> None:
    """The first byte's time, and the whole answer."""
    first, answer = session_load.ask(served, "/bytes/2000000")
    assert first > 0
    assert len(answer.partition(b"\r\n\r\n")[2]) == 2_000_000


def test_connections_that_are_answered_do_not_fail(served: int) -> None:
    """At once and in a row."""
    assert session_load.at_once(served, 100)[0] == 0
    assert session_load.in_a_row(served, 50) == 0


def test_connections_that_are_not_answered_fail(rude: int) -> None:
    """At once; and in a row, where the rest is given up after ten."""
    assert session_load.at_once(rude, 20)[0] == 20
    assert session_load.in_a_row(rude, 10_000) == 10_000


def test_nothing_answers_where_nobody_listens() -> None:
    """A Ray that does not answer has no session; waiting for an answer ends."""
    (port,) = session_load.free_ports(1)
    assert session_load.ray_session(port, 0.1) == ""
    with pytest.raises(BenchError, match="nothing answered"):
        session_load.first_answer(port, "/", 0.1)
