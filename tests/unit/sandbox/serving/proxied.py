"""A pod that answers HTTP, the services in front of it, and a server that proxies to them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import zlib
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web
from yarl import URL

from kubectl_ray.sandbox.api.kinds import PODS, SERVICES, by_path
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.serving.paths import asked
from kubectl_ray.sandbox.serving.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from multidict import CIMultiDictProxy

    from kubectl_ray.sandbox.api.store import Object

GO = web.AppKey("go", asyncio.Event)
ROOT = "/api/v1/namespaces/default"
PAGE = (
    '<!DOCTYPE html>\n<html><!-- <a href="/not"> -->\n<A class=x href="/static/a.js?x=1&amp;y">x</A>'
    '<img src=\'/i.png\'><a href="rel">r</a><a href="http://other/x">o</a><a data-href="/no">é</a>'
    "<script>\"<a href='/in script'>\"</script>"
)


def service(name: str, selector: Mapping[str, str] | None, *ports: Object, **spec: Any) -> Object:
    """As it is held."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-of-{name}"},
        "spec": {"ports": list(ports), **({"selector": dict(selector)} if selector else {}), **spec},
    }


def pod(name: str, *, ready: bool = True, phase: str = "Running", ip: str = "127.0.0.1", **meta: Any) -> Object:
    """As it is held; its container names the port 8000 `http`."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-of-{name}", "labels": {"app": name}, **meta},
        "spec": {"nodeName": "n", "containers": [{"name": "c", "ports": [{"name": "http", "containerPort": 8000}]}]},
        "status": {
            "phase": phase,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            **({"podIP": ip} if ip else {}),
        },
    }


def services() -> list[Object]:
    """Those of the tests."""
    web_ports = (
        {"name": "http", "port": 80, "targetPort": 8000},
        {"name": "closed", "port": 81, "targetPort": 8001},
        {"name": "by-name", "port": 82, "targetPort": "http"},
        {"name": "nosuch", "port": 83, "targetPort": "nosuch"},
        {"name": "raw", "port": 84, "targetPort": 7000},
    )
    one = {"port": 80, "targetPort": 8000}
    return [
        service("web", {"app": "web"}, *web_ports),
        service("one", {"app": "web"}, one),
        service("empty", {"app": "none"}, {"name": "http", **one}),
        service("free", None, one),
        service("unready", {"app": "unready"}, {"name": "http", **one}),
        service("always", {"app": "unready"}, one, publishNotReadyAddresses=True),
        service("over", {"app": "over"}, one),
        service("going", {"app": "going"}, one),
    ]


def _page(request: web.Request) -> web.Response:
    if "gzip" not in request.query_string:
        return web.Response(body=PAGE.encode(), headers={"Content-Type": "text/html; charset=utf-8"})
    pack = zlib.compressobj(wbits=31)
    body = pack.compress(PAGE.encode()) + pack.flush()
    return web.Response(body=body, headers={"Content-Type": "text/html", "Content-Encoding": "gzip"})


FIXED: Mapping[str, Callable[[web.Request], web.Response]] = {
    "/redirect": lambda request: web.Response(status=302, headers={"Location": request.headers["X-To"]}),
    "/page": _page,
    "/refuse": lambda _: web.Response(
        status=403, text="Forbidden: Invalid authentication token", headers={"X-Of": "ray"}
    ),
    "/nothing": lambda _: web.Response(status=204),
}


async def answer(request: web.Request) -> web.StreamResponse:
    """What the pod says: by path."""
    if request.path.startswith("/ws"):
        socket = web.WebSocketResponse(protocols=["chat"])
        await socket.prepare(request)
        await socket.send_str(json.dumps(dict(request.headers)))
        async for each in socket:
            if each.data == "bye":
                await socket.close(code=4001)
                break
            await (socket.send_str if each.type is aiohttp.WSMsgType.TEXT else socket.send_bytes)(each.data)
        return socket
    if request.path in FIXED:
        return FIXED[request.path](request)
    if request.path in {"/drop", "/half", "/slowly"}:
        return await _oddly(request)
    size = 0
    async for piece in request.content.iter_any():
        size += len(piece)
    told = {"method": request.method, "path": request.raw_path, "headers": list(request.headers.items()), "size": size}
    headers = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Access-Control-Allow-Origin", "*")]
    out = web.json_response(told)
    for name, value in headers:
        out.headers.add(name, value)
    return out


async def _oddly(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    if request.path == "/drop":
        request.transport.abort()
        return web.Response()
    out = web.StreamResponse(headers={"Content-Length": "1000"} if request.path == "/half" else {})
    await out.prepare(request)
    await out.write(b"first")
    if request.path == "/half":
        request.transport.abort()
        return out
    await request.app[GO].wait()
    await out.write(b" second")
    return out


class Front:
    """The server; `pod_port` is where the pod really listens."""

    def __init__(self, session: aiohttp.ClientSession, port: int, objects: Objects, go: asyncio.Event) -> None:
        self.session, self.port, self.objects, self.go = session, port, objects, go
        self.ports: dict[int, int] = {}

    def url(self, path: str) -> URL:
        """Of a path below the namespace, exactly as it is written."""
        return URL(f"http://127.0.0.1:{self.port}{ROOT}{path}", encoded=True)

    def address(self, namespace: str, name: str, port: int) -> tuple[str, int] | None:
        """As the node has it."""
        assert self.objects.find(PODS, namespace, name)
        return ("127.0.0.1", self.ports[port]) if port in self.ports else None

    async def ask(self, path: str, method: str = "GET", **more: Any) -> tuple[int, CIMultiDictProxy[str], str]:
        """Code, headers and text."""
        async with self.session.request(method, self.url(path), allow_redirects=False, **more) as got:
            return got.status, got.headers, await got.text()

    async def told(self, path: str, method: str = "GET", **more: Any) -> dict[str, Any]:
        """What the pod saw."""
        code, _, text = await self.ask(path, method, **more)
        assert code == 200, text
        seen: dict[str, Any] = json.loads(text)
        return seen

    async def refused(self, path: str, method: str = "GET", **more: Any) -> tuple[int, str, str]:
        """Code, reason and message of a Status."""
        code, _, text = await self.ask(path, method, **more)
        status = json.loads(text)
        assert (status["kind"], status["code"]) == ("Status", code)
        return code, status.get("reason", ""), status["message"]


@contextlib.asynccontextmanager
async def front() -> AsyncIterator[Front]:
    """All of it, running."""
    objects = Objects(Store())
    for each in services():
        objects.store.put(SERVICES, each)
    for each in (
        pod("web"),
        pod("unready", ready=False),
        pod("over", phase="Succeeded"),
        pod("waiting", phase="Pending", ip=""),
        pod("going", deletionTimestamp="2026-01-01T00:00:00Z"),
    ):
        objects.store.put(PODS, each)
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(auto_decompress=False))
        go = asyncio.Event()
        made = Front(session, 0, objects, go)
        proxy = Proxy(objects, made.address)
        stack.push_async_callback(proxy.stop)

        async def dispatch(request: web.BaseRequest) -> web.StreamResponse:
            wanted = asked(request.method, request.path, request.query)
            kind = by_path(wanted.group, wanted.version, wanted.plural)
            assert kind is not None
            assert isinstance(request, web.Request)
            try:
                return await proxy.handle(request, kind, wanted.namespace, wanted.name, wanted.rest)
            except Refused as refused:
                return web.json_response(refused.status, status=refused.code)

        behind = web.Application()
        behind[GO] = go
        behind.router.add_route("*", "/{rest:.*}", answer)
        made.ports[8000] = await _listen(stack, web.AppRunner(behind, shutdown_timeout=0.1))
        proxying = web.Application(client_max_size=1)
        proxying.router.add_route("*", "/{rest:.*}", dispatch)
        runner = web.AppRunner(proxying, shutdown_timeout=0.1, handler_cancellation=True)
        made.port = await _listen(stack, runner)
        yield made


async def _listen(stack: contextlib.AsyncExitStack, runner: web.AppRunner) -> int:
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return int(runner.addresses[0][1])
