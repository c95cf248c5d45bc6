"""The dashboard behind a port of this machine."""

from __future__ import annotations

import json
import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.flows.local_dashboard import dashboard

if TYPE_CHECKING:
    from collections.abc import Iterator


class Handler(BaseHTTPRequestHandler):
    """Says its Ray version to whoever has the token."""

    def do_GET(self) -> None:
        """As Ray with token authentication."""
        allowed = self.headers.get("Authorization") == "Bearer s3cret"
        body = json.dumps({"ray_version": "2.52.0"}).encode() if allowed else b"Unauthorized"
        self.send_response(200 if allowed else 401)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Silent."""


@pytest.fixture
def port() -> Iterator[int]:
    """Where it listens."""
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_with_and_without_a_token(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token goes along where there is one; a proxy in the environment is not asked."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert dashboard("127.0.0.1", port, "s3cret").ray_version() == "2.52.0"
    asked = dashboard("127.0.0.1", port)
    assert asked.ray_version() == ""
    assert asked.answers() is True


def test_nobody_listens() -> None:
    """Silence, not an error."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        asked = dashboard("127.0.0.1", held.getsockname()[1])
    assert asked.ray_version() == ""
    assert asked.silent
