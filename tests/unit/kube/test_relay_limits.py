"""How much the relay holds, how many it serves, and what it leaves behind."""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import threading
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.kube import relay_fleet, relay_link
from kubectl_ray.kube.carrier import CHANNELS, SPDY, TUNNEL
from kubectl_ray.kube.relay import Relay
from kubectl_ray.kube.relay_end import GIVE_UP_ABOVE
from kubectl_ray.kube.relay_loop import BUFFER
from tests.wire.nearside import Near, descriptors, exactly

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.wire.farside import Pod, Wire

WAYS = [TUNNEL, CHANNELS, SPDY]
STREAMS = [TUNNEL, SPDY]


def test_a_stalled_reader(near: Near, pod: Pod) -> None:
    """It holds less than 1 MiB, delays nobody, keeps its carrier alive, and gets every byte in the end."""
    blob = os.urandom(1 << 20)
    total = 24
    sent = threading.Event()

    def flood(wire: Wire, _data: bytes, _finished: bool) -> None:
        def run() -> None:
            for _ in range(total):
                wire.send(blob)
            wire.finish()
            sent.set()

        threading.Thread(target=run, daemon=True).start()

    pod.ports[8000] = flood
    near.to(pod)
    stalled = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    stalled.sendall(b"x")
    other = near.client(near.relay.listen(["127.0.0.1"], 0, 8001).port)
    for _ in range(100_000):
        near.settle()
        if any(link.paused for link in near.relay._fleet.links):
            break
    assert max(end.held for end in near.relay._ends) <= GIVE_UP_ABOVE + BUFFER <= 1 << 20
    assert not sent.is_set()
    near.move(20)
    other.sendall(b"quick")
    assert exactly(other, 5) == b"quick"
    digest, right = hashlib.sha256(), hashlib.sha256()
    left = total * len(blob)
    while left:
        piece = stalled.recv(65536)
        assert piece
        digest.update(piece)
        left -= len(piece)
    for _ in range(total):
        right.update(blob)
    assert digest.digest() == right.digest()
    assert near.told.empty()


def test_a_stalled_reader_on_a_shared_carrier(near: Near, pod: Pod, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where others need the carrier it is reset; they go on."""
    monkeypatch.setattr(relay_fleet, "MOST", 1)

    def flood(wire: Wire, _data: bytes, _finished: bool) -> None:
        def run() -> None:
            for _ in range(40):
                wire.send(bytes(1 << 20))

        threading.Thread(target=run, daemon=True).start()

    pod.ports[8000] = flood
    near.to(pod)
    other = near.client(near.relay.listen(["127.0.0.1"], 0, 8001).port)
    other.sendall(b"a")
    assert other.recv(1) == b"a"
    stalled = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    stalled.sendall(b"x")
    pod.wait("reset")
    other.sendall(b"b")
    assert other.recv(1) == b"b"
    assert len(pod.nodes) == 1
    with pytest.raises(ConnectionResetError):
        exactly(stalled, 40 << 20)


def test_a_pod_that_does_not_read(near: Near, pod: Pod) -> None:
    """What waits to be sent on a carrier stays small: the local client is not read any more."""
    near.to(pod)
    sock = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    sock.sendall(b"x")
    assert sock.recv(1) == b"x"
    for node in pod.nodes:
        node.reading.clear()
    sock.settimeout(0.5)
    with pytest.raises(TimeoutError):
        sock.sendall(bytes(100_000_000))
    near.settle()
    pending = max(link.carrier.pending for link in near.relay._fleet.links)
    assert 0 < pending <= relay_link.ROOM + 200_000
    for node in pod.nodes:
        node.reading.set()


def test_a_client_that_vanishes(near: Near, pod: Pod) -> None:
    """Its stream is reset, and nothing of it is left."""
    pod.ports[8000] = lambda wire, data, _finished: wire.send(data)
    near.to(pod)
    sock = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    sock.sendall(b"x")
    assert sock.recv(1) == b"x"
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    pod.wait("reset")
    near.settle()
    assert not near.relay._ends
    assert all(not link.streams for link in near.relay._fleet.links)


def test_hundreds_at_once(near: Near, pod: Pod) -> None:
    """All are served, by no more carriers than there may be."""
    near.to(pod)
    port = near.relay.listen(["127.0.0.1"], 0, 8000).port
    socks = [near.client(port) for _ in range(250)]
    for number, sock in enumerate(socks):
        sock.sendall(b"%06d" % number)
    near.now += 2  # the patience of those who wait for a carrier of their own
    near.settle()
    assert [exactly(sock, 6) for sock in socks] == [b"%06d" % number for number in range(250)]
    assert len(pod.nodes) <= relay_fleet.MOST
    assert near.told.empty()


def test_thousands_in_a_row(near: Near, pod: Pod) -> None:
    """None fails, and no descriptor or connection is left of them."""
    near.to(pod)
    port = near.relay.listen(["127.0.0.1"], 0, 8000).port
    before = 0
    for number in range(2000):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
            sock.sendall(b"ping")
            sock.shutdown(socket.SHUT_WR)
            assert exactly(sock, 5) == b"ping"
        if number == 200:
            before = descriptors()
    near.settle()
    assert descriptors() <= before + 4
    assert not near.relay._ends
    assert sum(node.opened for node in pod.nodes) == 2000


@pytest.mark.parametrize("way", WAYS)
def test_close_leaves_nothing(pod_by: Callable[[str], Pod], way: str) -> None:
    """No thread, no port, no descriptor, with connections open or not."""
    before, threads = descriptors(), threading.active_count()
    near = Near()
    pod = pod_by(way)
    near.to(pod)
    port = near.relay.listen(["127.0.0.1"], 0, 8000).port
    sock = near.client(port)
    sock.sendall(b"x")
    assert sock.recv(1) == b"x"
    near.relay.close()
    sock.close()
    pod.close()
    assert (descriptors(), threading.active_count()) == (before, threads)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_close_of_one_that_never_started() -> None:
    """Its descriptors are given back too, and closing twice is nothing."""
    before = descriptors()
    relay = Relay(lambda _: None)
    relay.listen(["127.0.0.1"], 0, 8000)
    relay.close()
    relay.close()
    assert descriptors() == before


def test_numbers_of_streams_run_out(near: Near, pod: Pod) -> None:
    """A carrier that has had nearly all of its streams is left in time."""
    near.to(pod)
    near.relay._loop.call(lambda: setattr(near.relay._fleet.links[0].carrier._spdy, "_last", 0x7FFFFF01))  # type: ignore[attr-defined]
    port = near.relay.listen(["127.0.0.1"], 0, 8000).port
    for _ in range(2):
        with near.client(port) as sock:
            sock.sendall(b"x")
            assert sock.recv(1) == b"x"
        near.move(1.1)
    assert [node.opened for node in pod.nodes][:2] == [1, 1]


def answered(near: Near, port: int, count: int) -> list[socket.socket]:
    """So many clients at once, each with an answer."""
    socks = [near.client(port) for _ in range(count)]
    for sock in socks:
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"
    return socks


def test_idle_carriers_are_closed(near: Near, pod: Pod) -> None:
    """Those that many connections needed at once go after a minute; two stay."""
    near.to(pod)
    port = near.relay.listen(["127.0.0.1"], 0, 8000).port
    socks = answered(near, port, 8)
    for sock in socks:
        sock.close()
    for _ in range(10_000):
        near.settle()
        if not near.relay._ends:
            break
    links = near.relay._fleet.links
    assert len(links) >= 8
    for _ in range(25):
        near.move(2.9)
        near.settle()
        if len(links) == relay_fleet.IDLE_MOST:
            break
    assert len(links) == relay_fleet.IDLE_MOST
    assert near.told.empty()


def test_more_idle_carriers_than_are_made_anew(near: Near, pod: Pod, monkeypatch: pytest.MonkeyPatch) -> None:
    """They were made beside readers that stalled and are gone: closed at once, down to as many as are ever made."""
    near.to(pod)
    port = near.relay.listen(["127.0.0.1"], 0, 8000).port
    socks = answered(near, port, 8)
    links = near.relay._fleet.links
    assert len(links) >= 8
    monkeypatch.setattr(relay_fleet, "MOST", 4)
    near.move(0.1)
    assert len(links) >= 8  # each is used
    for sock in socks:
        sock.close()
    for _ in range(10_000):
        near.move(0.001)
        if not near.relay._ends and len(links) == 4:
            break
    assert len(links) == 4
    assert near.told.empty()
