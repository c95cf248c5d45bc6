"""What is said of a cluster once a session to it is open: of tokens, and of versions."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.errors import NotFound
from kubectl_ray.flows.first_look import FirstLook, needs_token
from kubectl_ray.models.cluster import Cluster
from tests.kuberay import cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the Python of these cases is a shell script")
CLUSTER = Cluster(cluster("a"))
NODES = {"data": {"summary": [{"cmdline": ["/usr/lib/python3.11/site-packages/ray/raylet"]}]}}


class Ray(ThreadingHTTPServer):
    """A dashboard; with a `token` nothing but its mode is told to whoever has none."""

    def __init__(self, token: str = "") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.token = token


class Handler(BaseHTTPRequestHandler):
    """Answers as Ray 2.52 on Python 3.11."""

    def do_GET(self) -> None:
        """One question."""
        assert isinstance(self.server, Ray)
        token = self.server.token
        answers: dict[str, Any] = {"/api/version": {"ray_version": "2.52.0"}, "/nodes?view=summary": NODES}
        public = self.path == "/api/authentication_mode"
        if public:
            answers[self.path] = {"authentication_mode": "token" if token else "disabled"}
        allowed = public or not token or self.headers.get("Authorization") == f"Bearer {token}"
        self.send_response(200 if allowed else 401)
        self.end_headers()
        self.wfile.write(json.dumps(answers[self.path]).encode() if allowed else b"Unauthorized")

    def log_message(self, *_words: object) -> None:
        """Silent."""


@pytest.fixture
def ray() -> Iterator[Ray]:
    """One without tokens."""
    with Ray() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment whose Python is 3.12 without Ray."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").write_text("#!/bin/sh\nprintf '3.12.1\\n\\n'\n")
    (tmp_path / "bin" / "python").chmod(0o755)
    return {"VIRTUAL_ENV": str(tmp_path), "PATH": "/usr/bin:/bin"}


class NoApi:
    """An API server that has no Secrets."""

    def get(self, *_asked: object) -> Any:
        """None of them."""
        raise NotFound("none")


def said(ray: Ray, env: dict[str, str], *, client: bool = True) -> list[str]:
    """All that is said, up to the end."""
    heard: SimpleQueue[str] = SimpleQueue()
    look = FirstLook(NoApi(), env, heard.put, client=client)  # type: ignore[arg-type]
    look.start(CLUSTER, "127.0.0.1", ray.server_port)
    found = list(iter(lambda: heard.get(timeout=60), ""))
    look.close()
    return found


MISFIT = "ray.init needs Python 3.11 and Ray 2.52.0; here is Python 3.12:  "


def test_versions(ray: Ray, env: dict[str, str]) -> None:
    """The Python of this machine against the cluster's."""
    (line,) = said(ray, env)
    assert line.startswith(MISFIT)


def test_without_ray_client(ray: Ray, env: dict[str, str]) -> None:
    """A session without its port has no use for versions."""
    assert said(ray, env, client=False) == []


def test_token(ray: Ray, env: dict[str, str]) -> None:
    """How to get one; with it the versions can be asked for too."""
    ray.token = "s3cret"
    how = (
        "The cluster asks for a token. In a shell:\n"
        "  export RAY_AUTH_MODE=token\n"
        "  export RAY_AUTH_TOKEN=$(kubectl ray cluster token a -n default)"
    )
    first, second = said(ray, {**env, "RAY_AUTH_TOKEN": "s3cret"})
    assert first == how
    assert second.startswith(MISFIT)
    assert said(ray, env) == [how]


def test_closed_before_it_began(ray: Ray, env: dict[str, str]) -> None:
    """A session that ends at once hears nothing more."""
    heard: list[str] = []
    look = FirstLook(NoApi(), env, heard.append, client=True)  # type: ignore[arg-type]
    look.close()
    look._look(CLUSTER, "127.0.0.1", ray.server_port)
    assert heard == []


def test_where_the_dashboard_cannot_be_asked() -> None:
    """The spec tells; without a cluster nothing does."""
    assert needs_token(Cluster(cluster("a", authOptions={"mode": "token"})), "", 0)
    assert not needs_token(CLUSTER, "", 0)
    assert not needs_token(None, "", 0)


def test_without_a_descriptor_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said then but that this was all: somebody waits for it."""

    def scarce(*_words: object) -> bool:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("kubectl_ray.flows.first_look.needs_token", scarce)
    monkeypatch.setattr("kubectl_ray.flows.first_look.MOMENT", 0.0)
    said: SimpleQueue[str] = SimpleQueue()
    look = FirstLook(None, {}, said.put, client=False)  # type: ignore[arg-type]
    look.start(CLUSTER, "127.0.0.1", 1)
    assert said.get(timeout=10) == ""
    look.close()
