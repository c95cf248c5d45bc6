"""What is done with a tunnel: connections to a port of this machine, timed on their user's side."""

from __future__ import annotations

import json
import re
import selectors
import socket
import time
from contextlib import ExitStack, suppress

from bench.measure import BenchError

_PIECE = 1 << 20
_PAUSE = 0.002  # seconds between two looks at a port that nobody listens on yet
_SILENCE = 30.0  # seconds without a byte, after which a connection has failed
_SHORT_SILENCE = 5.0  # the same for a few bytes
_HOPELESS = 10
VERSION = "/api/version"
"""Of Ray's dashboard: small, and answered without asking anyone else."""


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listened on just now."""
    with ExitStack() as stack:
        socks = [stack.enter_context(socket.socket()) for _ in range(count)]
        for sock in socks:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in socks]


def ask(port: int, path: str, silence: float = _SILENCE) -> tuple[float, bytes]:
    """Seconds from the start of a connection until the answer's first byte, and the whole answer.

    It is whole at the length that its head names: a node takes a second more to tell a forwarded connection's end.

    Raises:
        OSError: refused, ended without an answer, or silent for too long.
    """
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), silence) as sock:
        sock.sendall(_request(path))
        answer = sock.recv(_PIECE)
        first = time.perf_counter() - began
        if not answer:
            raise ConnectionResetError("ended without an answer")
        while not _whole(answer) and (piece := sock.recv(_PIECE)):
            answer += piece
    return first, answer


def first_answer(port: int, path: str, patience: float) -> None:
    """Come back at the first byte that this port answers, however often it has to be asked.

    Raises:
        BenchError: none within `patience` seconds.
    """
    end = time.monotonic() + patience
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), patience) as sock:
            sock.sendall(_request(path))
            if sock.recv(1):
                return
        time.sleep(_PAUSE)
    raise BenchError(f"nothing answered on port {port} within {patience:.0f} s")


def ray_session(port: int, silence: float) -> str:
    """The name of the Ray session that answers there; each start of a head has its own. Empty: nothing answers."""
    with suppress(OSError, ValueError):
        head, _, body = ask(port, VERSION, silence)[1].partition(b"\r\n\r\n")
        if b" 200 " in head.partition(b"\r\n")[0]:
            return str(json.loads(body).get("session_name", "?"))
    return ""


def fetch(port: int, size: int, connections: int) -> float:
    """Seconds in which `size` bytes come, in equal parts over so many connections at once.

    Raises:
        BenchError: fewer came.
    """
    share = size // connections
    left = dict.fromkeys(range(connections), share)
    buffer = bytearray(_PIECE)
    began = time.perf_counter()
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for number in left:
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), _SILENCE))
            sock.sendall(_request(f"/bytes/{share}"))
            selector.register(sock, selectors.EVENT_READ, (number, sock))
        while selector.get_map():
            ready = selector.select(_SILENCE)
            if not ready:
                raise BenchError(f"no byte for {_SILENCE:.0f} s, {sum(left.values())} to come")
            for key, _ in ready:
                number, sock = key.data
                got = sock.recv_into(buffer)
                left[number] -= got
                if not got:
                    selector.unregister(sock)
    seconds = time.perf_counter() - began
    if any(missing > 0 for missing in left.values()):  # the answers' heads come on top of the bytes
        raise BenchError(f"connections ended {max(left.values())} bytes too early")
    return seconds


def at_once(port: int, count: int) -> tuple[int, float]:
    """How many of so many connections fail, all open before the first is closed; seconds until all have an answer."""
    failed = 0
    began = time.perf_counter()
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for number in range(count):
            try:
                sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), _SILENCE))
                sock.sendall(_request(f"/echo/{number}", keep=True))
                selector.register(sock, selectors.EVENT_READ, (number, sock, bytearray()))
            except OSError:
                failed += 1
        while selector.get_map():
            ready = selector.select(_SHORT_SILENCE)
            if not ready:
                return failed + len(selector.get_map()), time.perf_counter() - began
            for key, _ in ready:
                number, sock, answer = key.data
                piece = b""
                with suppress(OSError):
                    piece = sock.recv(_PIECE)
                answer += piece
                whole = answer.endswith(f"\r\n\r\necho {number}.".encode())
                if whole or not piece:
                    selector.unregister(sock)
                    failed += not whole
        seconds = time.perf_counter() - began
    return failed, seconds


def in_a_row(port: int, count: int) -> int:
    """How many of so many connections, one after the other, fail; all that follow the tenth that does count too."""
    failed = 0
    for number in range(count):
        answer = b""
        with suppress(OSError):
            answer = ask(port, f"/echo/{number}", _SHORT_SILENCE)[1]
        failed += not answer.endswith(f"\r\n\r\necho {number}.".encode())
        if failed == _HOPELESS:
            return failed + count - number - 1
    return failed


def _whole(answer: bytes) -> bool:
    """Whether all is there that the head promises."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(end) and length is not None and len(body) >= int(length[1])


def _request(path: str, *, keep: bool = False) -> bytes:
    connection = "keep-alive" if keep else "close"
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: {connection}\r\n\r\n".encode()
