"""`sandbox.assembly`: parts begin in order, and end in reverse, also where one of them cannot begin."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.sandbox import background
from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.assembly import Sandbox
from kubectl_ray.sandbox.home import Home
from kubectl_ray.sandbox.node.machine import Node
from kubectl_ray.sandbox.node.settings import Settings
from kubectl_ray.sandbox.serving.server import Server
from kubectl_ray.sandbox.serving.streaming import Streaming

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

SETTINGS = Settings(cpus=8, memory=2**35, ray_bin=Path(sys.executable).parent)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A folder with a name as people give them."""
    made = Home(tmp_path / "süß und sauer")
    made.prepare()
    yield made
    background.forget(made)


def free_port() -> int:
    """One that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_begin_and_end(home: Home) -> None:
    """It answers from the first to the last moment; then everything is closed, and what was made is on disk."""

    async def live() -> None:
        sandbox = Sandbox(home, SETTINGS)
        server = await sandbox.start(free_port())
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.close()
        await sandbox.stop()
        with pytest.raises(OSError, match=r"refused|failed"):
            await asyncio.open_connection("127.0.0.1", server.port)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(live())
    store = Store(home.store)
    assert store.get(kinds.NODES, "", "kubectl-ray-sandbox")
    store.close()


def test_streams_end_before_the_server(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server would wait for them; it still listens when they are told to end."""
    ended: list[str] = []
    for part, name in ((Streaming, "streams"), (Server, "server"), (Node, "node")):
        monkeypatch.setattr(part, "stop", _telling(part.stop, ended, name))

    async def live() -> None:
        sandbox = Sandbox(home, SETTINGS)
        await sandbox.start(free_port())
        await sandbox.stop()

    asyncio.run(live())
    assert ended == ["streams", "server", "node"]


def _telling(stop: Callable[[Any], Awaitable[None]], ended: list[str], name: str) -> Callable[[Any], Awaitable[None]]:
    async def telling(part: Any) -> None:
        ended.append(name)
        await stop(part)

    return telling


def test_a_part_that_cannot_begin(home: Home) -> None:
    """What had begun before it is ended."""

    async def live(port: int) -> None:
        sandbox = Sandbox(home, SETTINGS)
        with pytest.raises(OSError, match="in use"):
            await sandbox.start(port)
        await sandbox.stop()
        assert len(asyncio.all_tasks()) == 1

    with socket.create_server(("127.0.0.1", 0)) as taken:
        asyncio.run(live(taken.getsockname()[1]))
