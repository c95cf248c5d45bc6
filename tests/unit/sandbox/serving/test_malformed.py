"""Requests that are no HTTP, or that nobody sends: each gets an answer or none, and the server goes on."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from kubectl_ray.sandbox.serving import bodies
from tests.unit.sandbox.serving.world import JSON, MAPS, World, play

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


async def raw(world: World, data: bytes) -> bytes:
    """Send bytes over TLS; what comes back until the server has answered or closed."""
    context = ssl.create_default_context(cadata=world.server.authority)
    reader, writer = await asyncio.open_connection("127.0.0.1", world.server.port, ssl=context)
    try:
        writer.write(data)
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(0.3):
                return await reader.read(65536)
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


MALFORMED = [
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/v1/namespaces/%ff%fe/pods HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 600_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 600_000 + b" HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]


def test_malformed_requests(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What is no HTTP harms nobody: the server answers others as before, and nothing of it is a defect."""

    async def story(world: World) -> None:
        for data in MALFORMED:
            answer = await raw(world, data)
            assert not answer or answer.startswith(b"HTTP/1."), data
            assert b" 500 " not in answer.split(b"\r\n")[0], data
        assert (await world.get("/version")).code == 200

    play(tmp_path, story)
    assert "Traceback" not in caplog.text


WORDS = some.sampled_from(
    ["api", "apis", "v1", "ray.io", "namespaces", "lab", "pods", "rayclusters", "events", "x", "status", "watch", "log"]
)
PATHS = some.lists(some.one_of(WORDS, some.text(max_size=8)), max_size=9)
VALUES = some.one_of(
    some.sampled_from(["true", "0", "-1", "All", "metadata.name=x", "a=b", "Exact"]), some.text(max_size=8)
)
NAMES = some.one_of(
    some.sampled_from(["watch", "limit", "continue", "resourceVersion", "resourceVersionMatch", "sendInitialEvents"]),
    some.sampled_from(["labelSelector", "fieldSelector", "dryRun", "fieldValidation", "fieldManager", "force"]),
    some.sampled_from(["propagationPolicy", "gracePeriodSeconds", "pretty", "includeObject", "container"]),
)
BODIES = some.one_of(
    some.binary(max_size=60),
    some.recursive(
        some.none() | some.booleans() | some.integers() | some.text(max_size=5),
        lambda inner: (
            some.lists(inner, max_size=3) | some.dictionaries(NAMES | some.text(max_size=5), inner, max_size=3)
        ),
        max_leaves=8,
    ),
    some.fixed_dictionaries(
        {
            "metadata": some.dictionaries(
                some.sampled_from(["name", "labels", "namespace", "uid"]), some.text(max_size=4)
            )
        }
    ),
)
TYPES = some.sampled_from(
    [
        JSON,
        "application/yaml",
        "application/merge-patch+json",
        "application/json-patch+json",
        "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
        "application/vnd.kubernetes.protobuf",
        "text/plain",
        "",
    ]
)
ACCEPTS = some.one_of(
    some.sampled_from(["*/*", JSON, "application/yaml", "application/json;as=Table;v=v1;g=meta.k8s.io"]),
    some.text(some.characters(min_codepoint=32, max_codepoint=126), max_size=20),
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=some.data())
def test_any_request_gets_an_answer(tmp_path_factory: pytest.TempPathFactory, data: some.DataObject) -> None:
    """Whatever is asked for in HTTP, the answer is one of HTTP, and never a defect."""

    async def story(world: World) -> None:
        for _ in range(25):
            path = "/" + "/".join(quote(part, safe="") for part in data.draw(PATHS))
            query = data.draw(some.dictionaries(NAMES, VALUES, max_size=3))
            query["timeoutSeconds"] = "0" if "watch" not in query else "1"
            if "watch" in query or "watch" in path:
                continue
            method = data.draw(some.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "FOO"]))
            answer = await world.ask(
                method,
                f"{path}?{urlencode(query)}",
                data.draw(BODIES),
                content_type=data.draw(TYPES),
                Accept=data.draw(ACCEPTS),
            )
            assert 200 <= answer.code < 600
            assert answer.code != 500 or "Internal error occurred" not in answer.text, (
                method,
                path,
                query,
                answer.text,
            )

    play(tmp_path_factory.mktemp("fuzz"), story)


def test_a_body_that_does_not_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that does not send its body is not waited for."""
    monkeypatch.setattr(bodies, "PATIENCE", 0.05)

    async def story(world: World) -> None:
        login = f"Authorization: Bearer {world.server.token}"
        head = f"POST {MAPS} HTTP/1.1\r\nHost: x\r\n{login}\r\nContent-Length: 9\r\n\r\n"
        assert (await raw(world, head.encode())).startswith(b"HTTP/1.1 504 ")

    play(tmp_path, story)
