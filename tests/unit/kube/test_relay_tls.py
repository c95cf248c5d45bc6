"""Carriers over TLS, and over TLS to a proxy with the API server's TLS inside: nothing stays behind in a TLS object."""

from __future__ import annotations

import os
import select
import socket
import ssl
import threading
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.kube import tls
from kubectl_ray.kube.carrier import TUNNEL, TunnelCarrier
from kubectl_ray.kube.relay_told import Connected
from tests.wire.certificates import authority
from tests.wire.farside import Node, Pod
from tests.wire.nearside import exactly
from tests.wire.proxies import http_proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kubectl_ray.kube.carrier import Carrier
    from tests.wire.nearside import Near

NAMES = ("127.0.0.1", "localhost")


class Listening:
    """An API server that upgrades at once: TLS on a port, and the pod's far side behind it."""

    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self._context = authority().server(*NAMES)
        self._threads: list[threading.Thread] = []

    def dial(self, proxy: int = 0) -> Carrier:
        """A carrier, through a proxy on this port where there is one."""
        thread = threading.Thread(target=self._accept)
        thread.start()
        trusting = tls.context(authority().pem, insecure=False)
        below: socket.socket = socket.create_connection(("127.0.0.1", proxy or self.port), timeout=10)
        if proxy:
            outer = trusting.wrap_socket(below, server_hostname="localhost")
            outer.sendall(b"CONNECT api:443 HTTP/1.1\r\n\r\n")
            assert outer.recv(1000).startswith(b"HTTP/1.1 200")
            below = outer
        made = TunnelCarrier(tls.wrap(below, trusting, "localhost"))
        thread.join(10)
        return made

    def _accept(self) -> None:
        sock, _ = self.listener.accept()
        self.pod.nodes.append(Node(self.pod, self._context.wrap_socket(sock, server_side=True), 0))


@pytest.fixture
def server() -> Iterator[Listening]:
    """A server with a pod."""
    made = Listening(Pod(TUNNEL))
    with made.listener:
        yield made
        made.pod.close()


def there_and_back(near: Near) -> None:
    """Pieces of all sizes around those of TLS records and of our buffers come back as they went."""
    sock = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    for size in (1, 16383, 16384, 16385, 65536, 100_000, 3, 131_072, 40_000):
        data = os.urandom(size)
        sock.sendall(data)
        assert exactly(sock, size) == data


def test_tls(near: Near, server: Listening) -> None:
    """Over TLS."""
    near.relay.connect(lambda _port, _way: server.dial())
    near.hear(Connected)
    there_and_back(near)


def test_tls_inside_tls(near: Near, server: Listening) -> None:
    """Through a proxy that is reached over TLS itself."""
    with http_proxy(server.port, context=authority().server(*NAMES)) as proxy:
        near.relay.connect(lambda _port, _way: server.dial(proxy.port))
        near.hear(Connected)
        there_and_back(near)
        near.relay.close()


def push(nested: tls.NestedTLS, data: bytes, *, blocked: Callable[[], None]) -> None:
    """Send all, and what is left of it inside; `blocked` is called whenever that has to wait."""
    while data or nested.unsent:
        try:
            data = data[nested.send(data[:50_000]) :]
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            assert nested.unsent
            blocked()
            select.select([], [nested], [], 10)


def test_a_nested_connection_that_takes_no_more() -> None:
    """What TLS made of data that was taken is kept until the outer connection takes it: nothing is lost, or twice."""
    ours, theirs = socket.socketpair()
    inner_ours, inner_theirs = socket.socketpair()
    context = authority().server(*NAMES)
    trusting = tls.context(authority().pem, insecure=False)

    def far() -> None:
        with context.wrap_socket(theirs, server_side=True) as outer, inner_ours:
            for _ in range(2):  # the hello, and the end of the handshake
                inner_ours.sendall(outer.recv(65536))
                outer.sendall(inner_ours.recv(65536))
            go.wait(10)
            while data := outer.recv(65536):
                inner_ours.sendall(data)

    def server() -> None:
        with context.wrap_socket(inner_theirs, server_side=True) as inner:
            while data := inner.recv(65536):
                got.extend(data)

    go = threading.Event()
    got = bytearray()
    threads = [threading.Thread(target=work, daemon=True) for work in (far, server)]
    for thread in threads:
        thread.start()
    nested = tls.wrap(trusting.wrap_socket(ours, server_hostname="localhost"), trusting, "localhost")
    assert isinstance(nested, tls.NestedTLS)
    nested.settimeout(0)
    data = os.urandom(4_000_000)
    push(nested, data, blocked=go.set)
    assert go.is_set()
    nested.close()
    for thread in threads:
        thread.join(10)
    assert bytes(got) == data
