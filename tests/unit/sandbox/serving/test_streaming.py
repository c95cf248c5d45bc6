"""Streams and proxies behind the real server: TLS, login, discovery, and kubectl in front of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from kubectl_ray.sandbox.api.kinds import NAMESPACES, PODS, ROLE_BINDINGS, ROLES, SERVICES
from kubectl_ray.sandbox.serving.server import Server
from kubectl_ray.sandbox.serving.streaming import Streaming
from tests.unit.sandbox.serving.proxied import service
from tests.unit.sandbox.streams.world import World, pod

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KUBECTL = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or "kubectl"


@contextlib.asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[World, Server]]:
    """A pod with a service in front of it, and the server."""
    world = World()
    world.objects.store.put(NAMESPACES, {"metadata": {"name": "default"}})
    port = {"name": "http", "containerPort": 8000}
    world.objects.store.put(PODS, pod(containers=[{"name": "main", "image": "x", "ports": [port]}]))
    world.objects.store.put(SERVICES, service("web", {"app": "web"}, {"port": 80, "targetPort": "http"}))
    streaming = Streaming(world.objects, start=world.start, attach=world.start, address=world.address)
    server = Server(world.objects, folder, streaming.answers)
    await server.start()
    try:
        yield world, server
    finally:
        await streaming.stop()
        world.start.killed_before_end = [each.killed for each in world.start.started]
        await server.stop()
        for each in world.start.started:
            await each.kill()
        world.objects.store.close()


async def kubectl(server: Server, folder: Path, *argv: str) -> tuple[int, str, str]:
    """Its exit code, output and words."""
    config = folder / "config"
    (folder / "ca.pem").write_text(server.authority)
    cluster = {"server": server.url, "certificate-authority": str(folder / "ca.pem")}
    config.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "x",
                "clusters": [{"name": "x", "cluster": cluster}],
                "users": [{"name": "x", "user": {"token": server.token}}],
                "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
            }
        )
    )
    environment = {**os.environ, "KUBECONFIG": str(config), "HOME": str(folder)}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(KUBECTL, *argv, env=environment, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


def test_kubectl_runs_a_command(tmp_path: Path) -> None:
    """With its exit code."""

    async def run() -> tuple[int, str, str]:
        async with served(tmp_path) as (_, server):
            return await kubectl(server, tmp_path, "exec", "web", "--", "sh", "-c", "echo out; exit 7")

    assert asyncio.run(run()) == (7, "out\n", "command terminated with exit code 7\n")


def test_kubectl_reaches_a_service(tmp_path: Path) -> None:
    """By the proxy's path; a closed port is a Status that kubectl shows."""

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello")
        writer.close()

    async def run() -> None:
        path = "/api/v1/namespaces/default/services/web:80/proxy/x"
        async with served(tmp_path) as (world, server):
            code, _, err = await kubectl(server, tmp_path, "get", "--raw", path)
            assert code == 1
            assert "error trying to reach service: dial tcp 127.0.0.1:8000: connect: connection refused" in err
            async with await asyncio.start_server(answering, "127.0.0.1", 0) as behind:
                world.ports[8000] = behind.sockets[0].getsockname()[1]
                assert await kubectl(server, tmp_path, "get", "--raw", path) == (0, "hello", "")

    asyncio.run(run())


def test_streams_need_a_login(tmp_path: Path) -> None:
    """Nothing is started without one."""

    async def run() -> None:
        async with served(tmp_path) as (world, server), aiohttp.ClientSession() as session:
            (tmp_path / "ca.pem").write_text(server.authority)
            tls = ssl.create_default_context(cafile=tmp_path / "ca.pem")
            for what in ("exec?command=ls&stdout=1", "attach?stdout=1", "portforward?ports=1", "proxy/"):
                url = f"{server.url}/api/v1/namespaces/default/pods/web/{what}"
                headers = {"Authorization": "Bearer wrong", "Connection": "Upgrade", "Upgrade": "websocket"}
                async with session.get(url, headers=headers, ssl=tls) as answer:
                    assert answer.status == 401
            assert world.start.asked == []

    asyncio.run(run())


@pytest.mark.parametrize(("verbs", "code"), [(["get"], 403), (["get", "create"], 101)])
def test_a_websocket_needs_the_right_to_create(tmp_path: Path, verbs: list[str], code: int) -> None:
    """Who may only read runs no command in a pod, though a WebSocket begins with a GET; recorded from v1.36.1."""

    async def run() -> None:
        async with served(tmp_path) as (world, server), aiohttp.ClientSession() as session:
            resources = ["pods/exec", "pods/attach", "pods/portforward"]
            rule = {"apiGroups": [""], "resources": resources, "verbs": verbs}
            world.objects.create(ROLES, {"metadata": {"name": "r"}, "rules": [rule]}, "default")
            role, mary = {"kind": "Role", "name": "r"}, {"kind": "User", "name": "mary"}
            body = {"metadata": {"name": "b"}, "roleRef": role, "subjects": [mary]}
            world.objects.create(ROLE_BINDINGS, body, "default")
            (tmp_path / "ca.pem").write_text(server.authority)
            tls = ssl.create_default_context(cafile=tmp_path / "ca.pem")
            headers = {"Authorization": f"Bearer {server.token}", "Impersonate-User": "mary"}
            headers |= {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
            headers |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "v4.channel.k8s.io"}
            for what in ("exec?command=true&stdout=1", "attach?stdout=1", "portforward?ports=8000"):
                url = f"{server.url}/api/v1/namespaces/default/pods/web/{what}"
                async with session.get(url, headers=headers, ssl=tls) as answer:
                    assert answer.status == code, what
                    if code == 403:
                        assert (await answer.json())["message"] == 'pods "web" is forbidden: '
            assert bool(world.start.asked) is (code == 101)

    asyncio.run(run())


def test_the_end_ends_streams(tmp_path: Path) -> None:
    """At once, with the processes that were started for them."""

    async def run() -> None:
        async with served(tmp_path) as (world, server):
            exec_ = asyncio.ensure_future(kubectl(server, tmp_path, "exec", "web", "--", "sleep", "100"))
            await world.start.happened.wait()
        assert world.start.killed_before_end == [True]
        code, _, err = await exec_
        assert code == 1
        assert err.endswith("error executing command in container: the server has ended\n")

    asyncio.run(run())
