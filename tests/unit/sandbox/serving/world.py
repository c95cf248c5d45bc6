"""The real server on a free port, with objects in memory, and a client for it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import ssl
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
from yarl import URL

from kubectl_ray.sandbox.api import default_roles, kinds
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.serving.server import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from pathlib import Path

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.serving.verbs import Stream

NAMESPACES = ("default", "kube-system", "lab")
MAPS = "/api/v1/namespaces/lab/configmaps"
CLUSTERS = "/apis/ray.io/v1/namespaces/lab/rayclusters"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
JSON = "application/json"
MERGE = "application/merge-patch+json"
PATIENCE = 10.0
"""Seconds after which something that should have come is missed."""


class Answer(NamedTuple):
    """What the server said."""

    code: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as words."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class World:
    """A running server and who asks it."""

    def __init__(self, server: Server, objects: Objects, session: aiohttp.ClientSession, folder: Path) -> None:
        self.server = server
        self.objects = objects
        self.session = session
        self.folder = folder

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = JSON,
        token: str | None = None,
        **headers: str,
    ) -> Answer:
        """One request; headers are given with underscores, bodies as bytes or as what is to become JSON."""
        sent = {"Authorization": f"Bearer {self.server.token if token is None else token}"}
        if token == "":
            del sent["Authorization"]
        packed = body if isinstance(body, bytes) else json.dumps(body).encode()
        data = None if body is None else io.BytesIO(packed)
        if data is not None and content_type:
            sent["Content-Type"] = content_type
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        url = URL(self.server.url + path, encoded=True)
        untyped = ["Content-Type"] if not content_type else []
        async with self.session.request(
            method, url, data=data, headers=sent, allow_redirects=False, skip_auto_headers=untyped
        ) as answer:
            return Answer(answer.status, dict(answer.headers), await answer.read())

    async def get(self, path: str, **headers: str) -> Answer:
        """A GET."""
        return await self.ask("GET", path, **headers)

    async def make(self, path: str, name: str, **fields: Any) -> Object:
        """A new object, which must succeed."""
        meta = {"name": name, **fields.pop("metadata", {})}
        answer = await self.ask("POST", path, {"metadata": meta, **fields})
        assert answer.code == 201, answer.text
        made: Object = answer.json
        return made

    @contextlib.asynccontextmanager
    async def watching(self, path: str, **headers: str) -> AsyncIterator[Watching]:
        """A watch that is open; the events that come."""
        sent = {"Authorization": f"Bearer {self.server.token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        url = URL(self.server.url + path, encoded=True)
        async with self.session.get(url, headers=sent) as answer:
            yield Watching(answer)

    def kubeconfig(self) -> Path:
        """A kubeconfig for the admin, with a context in the namespace `lab`."""
        authority = base64.b64encode(self.server.authority.encode()).decode()
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "sandbox",
            "clusters": [
                {"name": "sandbox", "cluster": {"server": self.server.url, "certificate-authority-data": authority}}
            ],
            "users": [{"name": "sandbox", "user": {"token": self.server.token}}],
            "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "sandbox", "namespace": "lab"}}],
        }
        path = self.folder / "kubeconfig"
        path.write_text(json.dumps(config))
        return path


class Watching:
    """The events of one watch."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def next(self) -> tuple[str, Object]:
        """The next one: its type and its object."""
        async with asyncio.timeout(PATIENCE):
            line = await self.answer.content.readline()
        assert line, "the watch has ended"
        event = json.loads(line)
        return event["type"], event["object"]

    async def named(self) -> tuple[str, str]:
        """The next one: its type and its object's name."""
        type_, held = await self.next()
        return type_, held["metadata"]["name"]

    async def rest(self) -> list[tuple[str, Object]]:
        """All until the server ends it."""
        async with asyncio.timeout(PATIENCE):
            lines = (await self.answer.content.read()).splitlines()
        return [(event["type"], event["object"]) for event in map(json.loads, lines)]


@contextlib.asynccontextmanager
async def world(folder: Path, streams: Mapping[tuple[Kind, str], Stream] | None = None) -> AsyncIterator[World]:
    """A server with two namespaces, and its end."""
    objects = Objects(Store())
    for name in NAMESPACES:
        objects.create(kinds.NAMESPACES, {"metadata": {"name": name}})
    default_roles.seed(objects)
    server = Server(objects, folder / "serving", streams)
    await server.start()
    context = ssl.create_default_context(cadata=server.authority)
    connector = aiohttp.TCPConnector(ssl=context, limit=0)
    async with aiohttp.ClientSession(connector=connector, read_bufsize=2**22, auto_decompress=True) as session:
        try:
            yield World(server, objects, session, folder)
        finally:
            await server.stop()
            objects.store.close()


def play(folder: Path, story: Callable[[World], Awaitable[None]], **given: Any) -> None:
    """Run a story against a server of its own."""

    async def run() -> None:
        async with world(folder, **given) as made:
            await story(made)

    asyncio.run(run())
