"""What the relay makes of carriers that break, of peers that are dead, and of pods that change."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.errors import ServerError
from kubectl_ray.kube.carrier import CHANNELS, SPDY, TUNNEL
from kubectl_ray.kube.relay_told import Connected, Failed, Lost
from tests.wire.nearside import Near, exactly

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.wire.farside import Pod, Wire

WAYS = [TUNNEL, CHANNELS, SPDY]
STREAMS = [TUNNEL, SPDY]


def test_the_carrier_breaks(near: Near, pod: Pod) -> None:
    """Lost is told once, the connection is reset, a new one is held, and is served as soon as there is a way again."""
    near.to(pod)
    port = near.relay.listen(["127.0.0.1"], 0, 8000).port
    sock = near.client(port)
    sock.sendall(b"x")
    assert sock.recv(1) == b"x"
    for node in list(pod.nodes):
        node.cut()
    with pytest.raises(ConnectionResetError):
        sock.recv(1)
    assert near.hear(Lost).why == "the API server closed the connection"
    held = near.client(port)
    held.sendall(b"y")
    near.settle()
    near.relay.connect(pod.dial)
    near.hear(Connected)
    assert held.recv(1) == b"y"
    assert near.told.empty()


def test_cut_off_in_a_frame(near: Near, pod: Pod) -> None:
    """What came of a frame that was cut off is delivered, and then the connection is reset."""

    def answer(wire: Wire, _data: bytes, _finished: bool) -> None:
        whole = struct.pack(">II", wire.stream, 1000) + b"abc"
        wire.node.raw(b"\x82\x7e\x07\xd0" + whole)
        wire.node.cut()

    pod.ports[8000] = answer
    near.to(pod)
    sock = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    sock.sendall(b"x")
    assert exactly(sock, 3) == b"abc"
    with pytest.raises(ConnectionResetError):
        sock.recv(1)
    near.hear(Lost)


@pytest.mark.parametrize("way", WAYS)
def test_a_cut_answer_is_no_whole_one(near: Near, pod_by: Callable[[str], Pod], way: str) -> None:
    """Who reads until the end meets a reset, not an end, where the pod had not finished as its carrier broke."""
    pod = pod_by(way)
    pod.ports[8000] = lambda wire, _data, _finished: wire.send(b"half")
    near.to(pod)
    sock = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    sock.sendall(b"x")
    assert exactly(sock, 4) == b"half"
    for node in list(pod.nodes):
        node.cut()
    with pytest.raises(ConnectionResetError):
        sock.recv(1)


@pytest.mark.parametrize("way", STREAMS)
@pytest.mark.parametrize("error_too", [True, False])
def test_a_whole_answer_stays_one(near: Near, pod_by: Callable[[str], Pod], way: str, error_too: bool) -> None:
    """What the pod had finished ends in order, all of it, though the carrier breaks before this side has finished."""
    pod = pod_by(way)
    size = 2_000_000

    def answer(wire: Wire, _data: bytes, _finished: bool) -> None:
        wire.send(bytes(size))
        wire.end() if error_too else wire.finish()
        wire.node.cut()

    pod.ports[8000] = answer
    near.to(pod)
    sock = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    sock.sendall(b"x")
    assert exactly(sock, size + 1) == bytes(size)
    near.hear(Lost)


def test_a_close_frame_that_is_no_end(near: Near, pod_by: Callable[[str], Pod]) -> None:
    """By WebSocket channels only an orderly close is the pod's end; one that says why it is cut is a reset."""
    pod = pod_by(CHANNELS)
    pod.ports[8000] = lambda wire, _data, _finished: wire.node.raw(b"\x88\x0c\x03\xe9restarting")
    near.to(pod)
    sock = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    sock.sendall(b"x")
    with pytest.raises(ConnectionResetError):
        sock.recv(1)


def test_the_relay_ends_in_the_middle(near: Near, pod: Pod) -> None:
    """A session that ends cuts what runs, and says so: a reset."""
    near.to(pod)
    sock = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    sock.sendall(b"x")
    assert sock.recv(1) == b"x"
    near.relay.close()
    with pytest.raises(ConnectionResetError):
        sock.recv(1)


@pytest.mark.parametrize("garbage", [b"\xff" * 100, b"\x82\x10" + b"\x80\x07" + bytes(14), b"HTTP/1.1 400 Bad\r\n\r\n"])
def test_garbage(near: Near, pod: Pod, garbage: bytes) -> None:
    """Bytes that are no frames end the carrier, in words."""
    near.to(pod)
    pod.nodes[0].raw(garbage)
    assert "SPDY" in (why := near.hear(Lost).why) or "WebSocket" in why


def test_a_failed_attempt(near: Near, pod: Pod) -> None:
    """It is told with its number, once; and a later one is made only when asked for."""
    pod.error = ServerError("no node")
    attempt = near.relay.connect(pod.dial)
    failed = near.hear(Failed)
    assert (failed.attempt, failed.error) == (attempt, pod.error)
    near.move(60)
    assert near.told.empty()


@pytest.mark.parametrize("way", WAYS)
def test_a_dead_peer(near: Near, pod_by: Callable[[str], Pod], way: str) -> None:
    """It is asked after 3 s of silence, and given up within 10."""
    pod = pod_by(way)
    pod.mute = True
    near.to(pod)
    carrier = near.relay._fleet.links[0].carrier
    while way == CHANNELS and carrier.came < 10:  # the port, on both channels: it is not silent before
        near.settle()
    near.move(3.1)
    pod.wait("ping")
    assert near.told.empty()
    near.move(1.5)
    near.move(2)
    assert "nothing came for" in near.hear(Lost).why


def test_a_peer_that_answers_lives(near: Near, pod: Pod) -> None:
    """Silence of a minute is nothing while pings are answered."""
    near.to(pod)
    near.settle()
    link = near.relay._fleet.links[0]
    for _ in range(20):
        near.move(3.1)
        for _ in range(1000):
            if link.heard == near.now:
                break
            near.settle()
    assert near.told.empty()
    assert pod.nodes[0].pings >= 20


def test_a_dead_peer_while_sending(near: Near, pod: Pod) -> None:
    """Unanswered pings behind data that was sent are doubted, and given up when no other carrier hears either."""
    near.to(pod)
    sock = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    sock.sendall(b"x")
    assert sock.recv(1) == b"x"
    pod.mute = True
    pod.ports[8000] = lambda *_: None
    sock.sendall(b"y")
    near.settle()
    pod.error = ServerError("no way")
    for _ in range(10):
        near.move(1.05)
    near.hear(Lost)


def test_a_peer_that_does_not_read_is_doubted(near: Near, pod: Pod) -> None:
    """While our own bytes wait, however long, the question waits behind them: it is not dead after 6 s."""
    near.to(pod)
    near.settle()
    link = near.relay._fleet.links[0]
    pod.error = ServerError("no way")
    near.move(2)
    link.heard = near.now  # a byte came, long after the last was sent
    link.carrier.pending = 1
    link._first_asked = near.now + 3.0
    assert not link._dead(near.now + 6.5, 6.5)
    assert link._dead(near.now + 9.0, 9.0)


def test_another_pod(near: Near, pod_by: Callable[[str], Pod]) -> None:
    """What ran to the old pod is reset, since it had not finished; what comes goes to the new one."""
    old, new = pod_by(TUNNEL), pod_by(TUNNEL)
    new.greet[8000] = b"new"
    near.to(old)
    port = near.relay.listen(["127.0.0.1"], 0, 8000).port
    sock = near.client(port)
    sock.sendall(b"x")
    assert sock.recv(1) == b"x"
    near.to(new)
    with pytest.raises(ConnectionResetError):
        sock.recv(1)
    assert exactly(near.client(port), 3) == b"new"


@pytest.mark.parametrize("way", WAYS)
def test_another_port(near: Near, pod_by: Callable[[str], Pod], way: str) -> None:
    """A local port that is led elsewhere goes there with the next pod, and with it what is held until then."""
    pod = pod_by(way)
    pod.refuse.add(8000)
    pod.greet[8001] = b"new"
    local = near.relay.listen(["127.0.0.1"], 0, 8000)
    held = near.client(local.port)
    for _ in range(1000):
        near.settle()
        if near.relay._ends:
            break
    local.remote = 8001
    near.to(pod)
    assert exactly(held, 3) == b"new"
    assert exactly(near.client(local.port), 3) == b"new"
    assert near.told.empty()


def test_nowhere(near: Near, pod: Pod) -> None:
    """With nowhere to go, what comes is held for 10 s, and then reset; nothing is told."""
    near.to(pod)
    port = near.relay.listen(["127.0.0.1"], 0, 8000).port
    near.relay.connect(None)
    sock = near.client(port)
    for _ in range(1000):
        near.settle()
        if near.relay._ends:
            break
    near.move(9)
    assert near.relay._ends
    near.move(2)
    with pytest.raises(ConnectionResetError):
        sock.recv(1)
    assert near.told.empty()


def test_a_carrier_with_a_blocked_worker(near: Near, pod: Pod) -> None:
    """After an untidy end it is asked five times, and gets no other connection while one answer is missing."""
    near.to(pod)
    port = near.relay.listen(["127.0.0.1"], 0, 8000).port
    first = near.client(port)
    first.sendall(b"x")
    assert first.recv(1) == b"x"
    pod.mute = True
    first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    first.close()
    pod.wait("reset")
    pod.wait("ping")
    pod.mute = False
    second = near.client(port)
    second.sendall(b"y")
    near.settle()
    near.move(1.1)
    assert second.recv(1) == b"y"
    assert pod.nodes[0].opened == 1
    assert pod.nodes[0].pings >= 5
    near.move(3)
    pod.wait("goodbye")


def test_a_server_that_goes_away(near: Near, pod: Pod) -> None:
    """After GOAWAY a carrier gets no more connections; what runs on it goes on, and nothing is lost."""
    near.to(pod)
    port = near.relay.listen(["127.0.0.1"], 0, 8000).port
    old = near.client(port)
    old.sendall(b"a")
    assert old.recv(1) == b"a"
    pod.nodes[0].go_away()
    for _ in range(10_000):
        near.settle()
        if near.relay._fleet.links[0].retired:
            break
    new = near.client(port)
    new.sendall(b"b")
    assert new.recv(1) == b"b"
    old.sendall(b"c")
    assert old.recv(1) == b"c"
    assert pod.nodes[0].opened == 1
    assert near.told.empty()


def test_an_idle_carrier_that_is_closed_in_order(near: Near, pod: Pod) -> None:
    """It is replaced without a word."""
    near.to(pod)
    pod.nodes[0].raw(b"\x88\x02\x03\xe8")
    pod.nodes[0].cut()
    sock = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    sock.sendall(b"x")
    assert sock.recv(1) == b"x"
    assert near.told.empty()
