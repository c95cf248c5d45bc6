"""Local ports as a program on this machine sees them: whether they answer, with what, and whether anybody is left."""

from __future__ import annotations

import errno
import http.client
import json
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IPV4, IPV6 = "127.0.0.1", "::1"
NOBODY = {errno.ECONNREFUSED, errno.EADDRNOTAVAIL}


def get(port: int, path: str = "/api/version", *, host: str = IPV4, within: float = 15.0) -> tuple[int, bytes]:
    """Status and body of one request on a connection of its own."""
    return ask("GET", port, path, host=host, within=within)


def ask(
    method: str,
    port: int,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    host: str = IPV4,
    within: float = 15.0,
) -> tuple[int, bytes]:
    """Status and body of any request."""
    connection = http.client.HTTPConnection(host, port, timeout=within)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def answered(port: int, path: str = "/api/version", **more: Any) -> Any:
    """The JSON that a request is answered with.

    Raises:
        AssertionError: another status than 200.
    """
    status, body = get(port, path, **more)
    assert status == 200, (status, body[:500])
    return json.loads(body)


def nobody_listens(port: int, host: str = IPV4) -> bool:
    """Connections to it are refused."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(5)
        return probe.connect_ex((host, port)) in NOBODY


def need_ipv6() -> None:
    """Leave a case out on a machine that cannot listen on ::1."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind((IPV6, 0))
    except OSError as error:
        pytest.skip(f"this machine has no address ::1: {error}")


@contextmanager
def taken(host: str = IPV4) -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as holder:
        holder.bind((host, 0))
        holder.listen()
        yield holder.getsockname()[1]
