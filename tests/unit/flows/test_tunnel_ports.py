"""What a port is asked, and which answers convince."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.flows.tunnel_ports import REMOTE, Port, convinces, question, remote_port
from kubectl_ray.models.pod import Pod
from tests.kuberay import head

SETTINGS = b"\x00\x00\x12\x04\x00\x00\x00\x00\x00"


@pytest.mark.parametrize(
    ("name", "answer", "convinced"),
    [
        ("client", SETTINGS, True),
        ("client", SETTINGS[:8], False),
        ("client", b"HTTP/1.1 400 Bad Request\r\n", False),
        ("dashboard", b"HTTP/1.1 200 OK\r\n", True),
        ("dashboard", b"HTTP/1.1 401 Unauthorized\r\n", True),
        ("dashboard", b"HTTP/1.1 302 Found\r\n", True),
        ("dashboard", b"HTTP/1.1 503 Service Unavailable\r\n", False),
        ("dashboard", b"SSH-2.0-OpenSSH\r\n", False),
        ("dashboard", b"", False),
        ("serve", b"HTTP/1.1 503 Service Unavailable\r\n", True),
        ("serve", b"nonsense\r\n", False),
        ("metrics", b"HTTP/1.0 404 Not Found\r\n", True),
    ],
)
def test_convinces(name: str, answer: bytes, convinced: bool) -> None:
    """Ray's client server speaks HTTP/2, the others HTTP; a dashboard that fails is not there yet."""
    assert convinces(name, answer) is convinced


@given(st.sampled_from(sorted(REMOTE)), st.binary(max_size=40))
def test_any_answer(name: str, answer: bytes) -> None:
    """Whatever comes back is judged, and nothing raises."""
    _, enough = question(name, 1)

    assert isinstance(enough(answer), bool)
    assert isinstance(convinces(name, answer), bool)


def test_question() -> None:
    """HTTP ports get a request that ends its connection; the client's port gets HTTP/2's first words."""
    request, enough = question("dashboard", 8265)
    assert request.startswith(b"GET /api/version HTTP/1.1\r\n")
    assert b"Connection: close" in request
    assert not enough(b"HTTP/1.1 200")
    assert enough(b"HTTP/1.1 200 OK\r\n")

    request, enough = question("client", 10001)
    assert request.startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert not enough(SETTINGS[:8])
    assert enough(SETTINGS)


def test_port() -> None:
    """Without a wish, a local port is as the remote one usually is; 0 is a wish."""
    assert Port("serve").wanted == 8000
    assert Port("serve", 0).wanted == 0


def test_remote_port() -> None:
    """By its name in the head's container, else the usual number."""
    raw = head("a")
    raw["spec"]["containers"][0]["ports"] = [{"name": "client", "containerPort": 20001}]

    assert remote_port(Pod(raw), "client") == 20001
    assert remote_port(Pod(raw), "dashboard") == 8265
