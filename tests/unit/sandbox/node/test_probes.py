"""Probes, one at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.node.probes import ERRED, FAILED, PASSED, READINESS, Look, Prober, Verdict, looks

if TYPE_CHECKING:
    from collections.abc import Sequence

WGET = "wget --tries 1 -T 2 -q -O- http://localhost:52365/api/local_raylet_healthz | grep success"
PYTHON = (
    "python -c \"import urllib.request; r=urllib.request.urlopen('http://localhost:8265/api/gcs_healthz', timeout=10);"
    " exit(0 if b'success' in r.read() else 1)\""
)


class Container:
    """A target whose ports are those of a server."""

    def __init__(self, port: int = 1, code: int = 0, output: bytes = b"", error: Exception | None = None) -> None:
        self.port = port
        self.answer = code, output
        self.error = error

    def address(self, _port: int) -> tuple[str, int]:
        """All of them."""
        return "127.0.0.1", self.port

    def number(self, port: int | str) -> int | None:
        """Only `web` has a name."""
        return 80 if port == "web" else port if isinstance(port, int) else None

    async def run(self, _command: Sequence[str], _seconds: float) -> tuple[int, bytes]:
        """As it was told."""
        if self.error:
            raise self.error
        return self.answer


def probed(probe: dict[str, Any], target: Container) -> Verdict:
    """What one look finds."""
    prober = Prober(READINESS, probe, target, eager=1, told=lambda _passed: None, event=lambda _text: None)
    return asyncio.run(prober.once())


def served(probe: dict[str, Any], status: int = 200, text: str = "success") -> Verdict:
    """The same with a server."""

    async def work() -> Verdict:
        app = web.Application()

        async def answer(_request: web.Request) -> web.Response:
            return web.Response(status=status, text=text)

        app.router.add_get("/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port: int = runner.addresses[0][1]
        target = Container(port)
        prober = Prober(READINESS, probe, target, eager=1, told=lambda _passed: None, event=lambda _text: None)
        try:
            return await prober.once()
        finally:
            await runner.cleanup()

    return asyncio.run(work())


def test_the_operators_probes_are_known() -> None:
    """With wget as with Python, one or more of them."""
    assert looks({"exec": {"command": ["bash", "-c", f"{WGET} && {PYTHON}"]}}) == [
        Look(52365, "/api/local_raylet_healthz", 2.0, "success"),
        Look(8265, "/api/gcs_healthz", 10.0, "success"),
    ]


@pytest.mark.parametrize("script", ["true", f"{WGET}; true", f"{WGET} && true", f"{WGET} || true", ""])
def test_any_other_command_is_run(script: str) -> None:
    """Also one that is nearly an operator's."""
    assert looks({"exec": {"command": ["bash", "-c", script]}}) == []


@given(st.lists(st.text()))
def test_any_command_can_be_looked_at(command: list[str]) -> None:
    """Few are the operator's."""
    assert looks({"exec": {"command": command}}) == []


def test_an_operators_probe_asks_over_http() -> None:
    """The word must be in the answer; failures have no text, as with wget -q."""
    probe = {"exec": {"command": ["bash", "-c", WGET]}, "timeoutSeconds": 5}
    assert served(probe) == Verdict(PASSED)
    assert served(probe, text="no") == Verdict(FAILED)
    assert served(probe, status=500) == Verdict(FAILED)
    assert probed(probe, Container()) == Verdict(FAILED)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict(PASSED)),
        (399, Verdict(PASSED)),
        (404, Verdict(FAILED, "HTTP probe failed with statuscode: 404")),
    ],
)
def test_http(status: int, verdict: Verdict) -> None:
    """Everything from 200 to 399 is fine."""
    assert served({"httpGet": {"path": "/x", "port": "web"}}, status) == verdict


def test_nobody_listens() -> None:
    """The texts have the container's port."""
    refused = "dial tcp 127.0.0.1:9999: connect: connection refused"
    assert probed({"tcpSocket": {"port": 9999}}, Container()) == Verdict(FAILED, refused)
    shown = f'Get "http://127.0.0.1:9999/x": {refused}'
    assert probed({"httpGet": {"path": "x", "port": 9999}}, Container()) == Verdict(FAILED, shown)


def test_a_port_without_a_number() -> None:
    """That is no failure of the container."""
    assert probed({"tcpSocket": {"port": "no"}}, Container()) == Verdict(ERRED, 'couldn\'t find port: "no"')


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        (Container(code=0, output=b"x"), Verdict(PASSED)),
        (Container(code=3, output=b"out\nerr\n"), Verdict(FAILED, "out\nerr\n")),
        (Container(error=TimeoutError()), Verdict(FAILED, 'command timed out: "sh -c x" timed out after 1s')),
    ],
)
def test_commands(target: Container, verdict: Verdict) -> None:
    """Their output is the event's text."""
    assert probed({"exec": {"command": ["sh", "-c", "x"]}}, target) == verdict


def test_a_command_that_is_not_there_is_an_unknown_state() -> None:
    """It neither fails nor passes."""
    found = probed({"exec": {"command": ["nosuch"]}}, Container(error=FileNotFoundError(2, "no")))
    assert found.result == ERRED
    assert found.text.endswith('exec: "nosuch": executable file not found in $PATH: unknown')
