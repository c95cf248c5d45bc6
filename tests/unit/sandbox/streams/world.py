"""What the tests of streams stand on: local processes as a container's, a pod, and a small API server over TLS."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import signal
import ssl
import struct
import termios
from typing import TYPE_CHECKING, Any

import trustme
from aiohttp import web

from kubectl_ray.sandbox.api.kinds import PODS
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.streams.execs import handle_attach, handle_exec
from kubectl_ray.sandbox.streams.portforward import handle_portforward

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from kubectl_ray.sandbox.api.store import Object

NAMESPACE = "default"


class _Ends(asyncio.subprocess.SubprocessStreamProtocol):
    """Tells the end of the process itself: `Process.wait` of some Pythons waits for its pipes too."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(limit=65536, loop=loop)
        self.ended: asyncio.Future[None] = loop.create_future()

    def process_exited(self) -> None:
        """Its exit code is known now."""
        super().process_exited()
        self.ended.set_result(None)


class LocalProcess:
    """A process of this machine with what `streams.process.Process` asks for."""

    def __init__(self, transport: asyncio.SubprocessTransport, ends: _Ends, terminal: int | None) -> None:
        self.process = asyncio.subprocess.Process(transport, ends, asyncio.get_running_loop())
        self.ended = ends.ended
        self.killed = False
        self.sizes: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
        self._terminal = terminal

    async def read_stdout(self, size: int) -> bytes:
        """From the pipe, or from the terminal."""
        if self._terminal is None:
            assert self.process.stdout is not None
            return await self.process.stdout.read(size)
        try:
            return await asyncio.to_thread(os.read, self._terminal, size)
        except OSError:  # Linux says EIO when the last one has closed a terminal
            return b""

    async def read_stderr(self, size: int) -> bytes:
        """From the pipe."""
        return b"" if self.process.stderr is None else await self.process.stderr.read(size)

    async def write_stdin(self, data: bytes) -> None:
        """To the pipe or the terminal, if it still reads."""
        if self._terminal is not None:
            os.write(self._terminal, data)
        elif self.process.stdin is not None:
            with contextlib.suppress(ConnectionError):
                self.process.stdin.write(data)
                await self.process.stdin.drain()

    async def close_stdin(self) -> None:
        """The pipe's end."""
        if self.process.stdin is not None:
            self.process.stdin.close()

    async def resize(self, columns: int, rows: int) -> None:
        """Of the terminal."""
        self.sizes.put_nowait((columns, rows))
        if self._terminal is not None:
            fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def wait(self) -> int:
        """Its exit code, or 128 and its signal."""
        await asyncio.shield(self.ended)
        code = self.process.returncode or 0
        return code if code >= 0 else 128 - code

    async def kill(self) -> None:
        """It and its session."""
        self.killed = self.killed or self.process.returncode is None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await asyncio.shield(self.ended)
        self.process._transport.close()  # type: ignore[attr-defined]  # a child may hold its pipes open


class Starter:
    """Starts commands, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.started: list[LocalProcess] = []
        self.asked: list[tuple[str, str, str, tuple[str, ...], bool, bool]] = []
        self.refusal: Refused | None = None
        self.happened = asyncio.Event()
        self.killed_before_end: list[bool] = []

    async def __call__(
        self, namespace: str, pod: str, container: str, command: Sequence[str], *, stdin: bool, tty: bool
    ) -> LocalProcess:
        """A local process; an attached one is a `cat` that says hello."""
        self.asked.append((namespace, pod, container, tuple(command), stdin, tty))
        if self.refusal is not None:
            raise self.refusal
        argv = command or ("sh", "-c", "echo attached; exec cat")
        leader = None
        pipe: int = asyncio.subprocess.PIPE
        inside: int = pipe
        if tty:
            leader, inside = pty.openpty()
        transport, ends = await asyncio.get_running_loop().subprocess_exec(
            _Ends,
            *argv,
            stdin=inside if stdin or tty else asyncio.subprocess.DEVNULL,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        if tty:
            os.close(inside)
        self.started.append(LocalProcess(transport, ends, leader))
        self.happened.set()
        return self.started[-1]


def pod(name: str = "web", *, node: str = "node1", state: str = "running", **spec: Any) -> Object:
    """A pod as it is held: one container, `main`, unless the spec says otherwise."""
    containers = spec.setdefault("containers", [{"name": "main", "image": "x"}])
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": f"uid-of-{name}", "labels": {"app": name}},
        "spec": {**spec, **({"nodeName": node} if node else {})},
        "status": {
            "phase": "Running" if state == "running" else "Pending",
            "podIP": "127.0.0.1",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": each["name"], "state": {state: {}}} for each in containers],
        },
    }


class World:
    """A server with one pod; ports of the pod are those of this machine unless `ports` says otherwise."""

    def __init__(self) -> None:
        self.objects = Objects(Store())
        self.start = Starter()
        self.ports: dict[int, int] = {}
        self.port = 0
        self.authority = trustme.CA()
        self.objects.store.put(PODS, pod())

    def address(self, namespace: str, name: str, port: int) -> tuple[str, int] | None:
        """As the node has it."""
        if self.objects.find(PODS, namespace, name) is None or port not in self.ports:
            return None
        return "127.0.0.1", self.ports[port]

    @property
    def client_tls(self) -> ssl.SSLContext:
        """What a client trusts."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context

    def kubeconfig(self, folder: Path) -> str:
        """Written to a file of this folder; its path."""
        folder.joinpath("ca.pem").write_bytes(self.authority.cert_pem.bytes())
        path = folder / "config"
        path.write_text(
            f"""
apiVersion: v1
kind: Config
current-context: x
clusters: [{{name: x, cluster: {{server: "https://127.0.0.1:{self.port}", certificate-authority: ca.pem}}}}]
users: [{{name: x, user: {{token: t}}}}]
contexts: [{{name: x, context: {{cluster: x, user: x, namespace: {NAMESPACE}}}}}]
"""
        )
        return str(path)

    async def dispatch(self, request: web.Request) -> web.StreamResponse:
        """A request, with refusals as the server gives them."""
        try:
            return await (self._answer(request) if "what" in request.match_info else self.discovery(request))
        except Refused as refused:
            return web.json_response(refused.status, status=refused.code)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        what = request.match_info["what"]
        if what == "exec":
            return await handle_exec(request, NAMESPACE, name, objects=self.objects, start=self.start)
        if what == "attach":
            return await handle_attach(request, NAMESPACE, name, objects=self.objects, start=self.start)
        if what == "portforward":
            return await handle_portforward(request, NAMESPACE, name, objects=self.objects, address=self.address)
        raise web.HTTPNotFound

    async def discovery(self, request: web.Request) -> web.Response:
        """As much as kubectl needs for a pod."""
        if request.path == "/api":
            return web.json_response({"kind": "APIVersions", "versions": ["v1"]})
        if request.path == "/apis":
            return web.json_response({"kind": "APIGroupList", "apiVersion": "v1", "groups": []})
        if request.path == "/api/v1":
            resource = {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get"]}
            answer = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1", "resources": [resource]}
            return web.json_response(answer)
        return web.json_response(self.objects.get(PODS, NAMESPACE, request.match_info["name"]))


@contextlib.asynccontextmanager
async def serving(**changes: Any) -> AsyncIterator[World]:
    """A world whose server runs; `changes` are those of its pod."""
    world = World()
    if changes:
        world.objects.store.put(PODS, pod(**changes))
    app = web.Application()
    for path in ("/api", "/apis", "/api/v1", f"/api/v1/namespaces/{NAMESPACE}/pods/{{name}}"):
        app.router.add_get(path, world.dispatch)
    app.router.add_route("*", f"/api/v1/namespaces/{NAMESPACE}/pods/{{name}}/{{what}}", world.dispatch)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    world.authority.issue_cert("127.0.0.1").configure_cert(context)
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    world.port = runner.addresses[0][1]
    try:
        yield world
    finally:
        await runner.cleanup()
        for each in world.start.started:
            await each.kill()
        world.objects.store.close()
