"""A server between the plugin and the API server, which can do to a request what a bad day does.

It speaks plain HTTP to the plugin and hands every request on to `kubectl proxy`, one upstream connection each, so it
works before any cluster that kubectl can reach. Rules see a request first, the newest rule before the older ones.
"""

from __future__ import annotations

import contextlib
import json
import re
import select
import socket
import socketserver
import subprocess
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CLOSE = b"\r\nConnection: close\r\n"


@dataclass
class Request:
    """One request as it came: `head` ends with the blank line."""

    method: str
    path: str
    head: bytes
    body: bytes
    client: socket.socket

    def reply(self, status: int, body: bytes, kind: str = "application/json", more: str = "") -> None:
        """Answer it here."""
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        self.client.sendall(head.encode() + body)


@dataclass
class Held:
    """Requests that are kept waiting: `reached` is set when one came, `go` lets them through."""

    reached: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)


def status_object(code: int, reason: str, message: str) -> bytes:
    """The API server's way to say no."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }
    return json.dumps(body).encode()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away, or a front that was cut, is what these cases are about."""


class Front:
    """The server; `requests` lists what came as `METHOD /path?query`, `bodies` what each of these carried."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.requests: list[str] = []
        self.bodies: list[bytes] = []
        self._rules: list[Callable[[Request], bool]] = []
        self._open: set[socket.socket] = set()
        self._proxy = subprocess.Popen(
            ["kubectl", "proxy", "--port=0"],
            env=dict(env),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._proxy.stdout is not None
        said = self._proxy.stdout.readline()
        found = re.search(r"127\.0\.0\.1:(\d+)", said)
        if found is None:
            self._proxy.kill()
            raise AssertionError(f"kubectl proxy says {said!r}")
        self._upstream = ("127.0.0.1", int(found[1]))
        self._server: _Server | None = None
        self.port = 0
        self.restore()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._proxy.kill()
        self._proxy.wait()
        assert self._proxy.stdout is not None
        self._proxy.stdout.close()

    @property
    def url(self) -> str:
        """Its address, for a kubeconfig."""
        return f"http://127.0.0.1:{self.port}"

    def restore(self) -> None:
        """Listen, on the same port as before."""
        front = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                front._serve(self.request)

        self._server = _Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def cut(self) -> None:
        """Be gone: refuse connections, and end those that are open."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def answer(self, pattern: str, status: int, body: bytes, kind: str = "application/json", *, more: str = "") -> None:
        """Answer requests whose `METHOD /path` matches by this."""

        def rule(request: Request) -> bool:
            request.reply(status, body, kind, more)
            return True

        self._rule(pattern, rule)

    def hide(self, group: str) -> None:
        """Be an API server without an API group."""
        self.answer(rf"\S+ /apis/{re.escape(group)}", 404, b"404 page not found\n", "text/plain; charset=utf-8")

    def before(self, pattern: str, act: Callable[[], None]) -> None:
        """Do something each time such a request comes, then hand it on."""

        def rule(_: Request) -> bool:
            act()
            return False

        self._rule(pattern, rule)

    def hold(self, pattern: str) -> Held:
        """Keep such requests waiting."""
        held = Held()

        def rule(_: Request) -> bool:
            held.reached.set()
            held.go.wait(120)
            return False

        self._rule(pattern, rule)
        return held

    def _rule(self, pattern: str, act: Callable[[Request], bool]) -> None:
        compiled = re.compile(pattern)
        self._rules.insert(0, lambda request: bool(compiled.match(f"{request.method} {request.path}")) and act(request))

    def _serve(self, client: socket.socket) -> None:
        self._open.add(client)
        try:
            while request := _read(client):
                self.requests.append(f"{request.method} {request.path}")
                self.bodies.append(request.body)
                if not any(rule(request) for rule in list(self._rules)):
                    self._hand_on(request)
                    return
        finally:
            self._open.discard(client)

    def _hand_on(self, request: Request) -> None:
        """Copy the answer until either side ends: each of these connections carries one request."""
        with socket.create_connection(self._upstream) as upstream:
            self._open.add(upstream)
            try:
                upstream.sendall(_once(request.head) + request.body)
                while True:
                    readable, _, _ = select.select([upstream, request.client], [], [])
                    if request.client in readable and not request.client.recv(65536):
                        return
                    if upstream in readable:
                        piece = upstream.recv(65536)
                        if not piece:
                            return
                        request.client.sendall(piece)
            finally:
                self._open.discard(upstream)


def _once(head: bytes) -> bytes:
    """The head, asking for a connection of its own."""
    first, _, rest = head.partition(b"\r\n")
    kept = [line for line in rest.split(b"\r\n") if line and not line.lower().startswith(b"connection:")]
    return first + CLOSE + b"\r\n".join(kept) + b"\r\n\r\n"


def _read(client: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length:\s*(\d+)", head)
    while len(body) < (int(length[1]) if length else 0):
        body += client.recv(65536)
    method, path, _ = head.split(b"\r\n")[0].decode().split(" ", 2)
    return Request(method, path, head + b"\r\n\r\n", body, client)
