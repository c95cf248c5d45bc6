"""A small API server that answers everything with an empty list and records what reached it."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from typing import TYPE_CHECKING

from tests.wire.certificates import authority, digest

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

NAMES = ("127.0.0.1", "::1", "localhost", "api.example.test", "*.wild.example.test")
ANSWER = json.dumps({"kind": "RayClusterList", "apiVersion": "ray.io/v1", "metadata": {}, "items": []}).encode()


class Seen:
    """One request as it arrived. Header names are in lower case."""

    def __init__(
        self, method: str, path: str, headers: list[tuple[str, str]], sni: str | None, certificate: str
    ) -> None:
        self.method = method
        self.path = path
        self.headers = headers
        self.sni = sni
        self.certificate = certificate

    def who(self) -> dict[str, object]:
        """All of it that says who asks for what: what two clients with one kubeconfig must have in common."""
        told = [
            (name, value) for name, value in self.headers if name == "authorization" or name.startswith("impersonate-")
        ]
        return {
            "method": self.method,
            "path": self.path,
            "login": sorted(told),
            "sni": self.sni,
            "certificate": self.certificate,
        }

    def header(self, name: str) -> str | None:
        """The value of one header, None where it was not sent."""
        return next((value for known, value in self.headers if known == name), None)


class Recorder:
    """What a server has seen, and how it answers: `status` is asked for each request."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.seen: list[Seen] = []
        self.refused: list[str] = []
        self.status: Callable[[Seen], int] = lambda _: 200


@contextlib.contextmanager
def recorder(context: ssl.SSLContext | None, *, host: str = "127.0.0.1") -> Iterator[Recorder]:
    """Serve on a free port until the end of the block; over plain http where there is no `context`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        record = Recorder(listener.getsockname()[1])
        names: dict[int, str | None] = {}
        if context is not None:
            context.sni_callback = lambda wrapped, name, _: names.__setitem__(id(wrapped), name)

        def converse(connection: socket.socket) -> None:
            with connection:
                connection.settimeout(20)
                try:
                    if context is None:
                        _answer(connection, record, None, "")
                        return
                    with context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as secure:
                        secure.do_handshake()
                        # The callback gets the SSLObject or SSLSocket of this very connection.
                        _answer(
                            secure, record, names.pop(id(secure), None), digest(secure.getpeercert(binary_form=True))
                        )
                except OSError as error:
                    record.refused.append(type(error).__name__)

        with accepting(listener, converse):
            yield record


@contextlib.contextmanager
def tls_recorder(*, host: str = "127.0.0.1") -> Iterator[Recorder]:
    """A recorder with a certificate of the test run's authority."""
    with recorder(authority().server(*NAMES), host=host) as record:
        yield record


@contextlib.contextmanager
def accepting(listener: socket.socket, converse: Callable[[socket.socket], None]) -> Iterator[None]:
    """Hand each connection of `listener` to a thread that runs `converse`, until the end of the block."""
    threads: list[threading.Thread] = []
    stopping = threading.Event()

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            if stopping.is_set():
                connection.close()
                return
            thread = threading.Thread(target=converse, args=(connection,), daemon=True)
            threads.append(thread)
            thread.start()

    main = threading.Thread(target=accept, daemon=True)
    main.start()
    try:
        yield
    finally:
        stopping.set()
        socket.create_connection(listener.getsockname()[:2]).close()
        main.join()
        for thread in threads:
            thread.join(timeout=5)


def _answer(connection: socket.socket, record: Recorder, sni: str | None, certificate: str) -> None:
    with connection.makefile("rb") as stream:
        while line := stream.readline():
            if not line.endswith(b" HTTP/1.1\r\n"):
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
                return
            method, path, _ = line.decode("latin-1").split(" ", 2)
            headers = []
            while (field := stream.readline().decode("utf-8").rstrip("\r\n")) != "":
                name, _, value = field.partition(":")
                headers.append((name.strip().lower(), value.strip()))
            stream.read(int(dict(headers).get("content-length", "0")))
            seen = Seen(method, path, headers, sni, certificate)
            record.seen.append(seen)
            status = record.status(seen)
            answer = ANSWER if status < 400 else json.dumps({"kind": "Status", "code": status}).encode()
            head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
            connection.sendall(head.encode() + answer)
