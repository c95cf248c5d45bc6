"""Connections through the relay, by each of the three ways: bytes, ends and refusals."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.kube.carrier import CHANNELS, SPDY, TUNNEL
from kubectl_ray.kube.relay_told import Refused
from tests.wire.farside import Pod, Wire, saying
from tests.wire.nearside import Near, exactly

if TYPE_CHECKING:
    from collections.abc import Callable

WAYS = [TUNNEL, CHANNELS, SPDY]
STREAMS = [TUNNEL, SPDY]


@pytest.mark.parametrize("way", WAYS)
def test_bytes_go_both_ways_unchanged(near: Near, pod_by: Callable[[str], Pod], way: str) -> None:
    """A few megabytes that the pod sends back come as they went."""
    near.to(pod_by(way))
    sock = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    data = os.urandom(3_000_000)
    sender = threading.Thread(target=sock.sendall, args=(data,))
    sender.start()
    assert hashlib.sha256(exactly(sock, len(data))).digest() == hashlib.sha256(data).digest()
    sender.join(10)


@pytest.mark.parametrize("way", STREAMS)
def test_half_close_towards_the_pod(near: Near, pod_by: Callable[[str], Pod], way: str) -> None:
    """A client that sends no more still gets the rest, then the end."""
    pod = pod_by(way)
    pod.ports[8000] = saying(b"late", after_all=True)
    near.to(pod)
    sock = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    sock.sendall(b"all")
    sock.shutdown(socket.SHUT_WR)
    assert exactly(sock, 100) == b"late"


@pytest.mark.parametrize("way", STREAMS)
def test_half_close_from_the_pod(near: Near, pod_by: Callable[[str], Pod], way: str) -> None:
    """After the pod's end the client may go on sending."""
    pod = pod_by(way)
    got = bytearray()

    def answer(wire: Wire, data: bytes, finished: bool) -> None:
        if not got:
            wire.send(b"bye")
            wire.finish()
        got.extend(data)
        if finished:
            pod.note("all")

    pod.ports[8000] = answer
    near.to(pod)
    sock = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    sock.sendall(b"one")
    assert exactly(sock, 100) == b"bye"
    sock.sendall(b"two")
    sock.close()
    pod.wait("all")
    assert bytes(got) == b"onetwo"


def test_the_pod_speaks_first(near: Near, pod: Pod) -> None:
    """A stream is opened before the client sends anything."""
    pod.greet[8000] = b"220 ready"
    near.to(pod)
    assert exactly(near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port), 9) == b"220 ready"


@pytest.mark.parametrize("way", WAYS)
def test_nobody_listens(near: Near, pod_by: Callable[[str], Pod], way: str) -> None:
    """The client's connection is reset, the owner is told, and other ports go on."""
    pod = pod_by(way)
    pod.refuse.add(8001)
    near.to(pod)
    near.refused(near.relay.listen(["127.0.0.1"], 0, 8001).port)
    told = near.hear(Refused)
    assert (told.remote, told.nobody, told.why) == (8001, True, "nothing listens on port 8001 of the pod")
    other = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    other.sendall(b"x")
    assert other.recv(1) == b"x"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('uid : network namespace for sandbox "ed55" is closed', "the pod is gone"),
        ('uid : sandbox "57c6" not found', "the pod is gone"),
        ('uid : failed in network namespace "x": read tcp4 127.0.0.1:1: connection\x1b reset', "connection reset"),
        ("no words\x07 at all", "no words at all"),
    ],
)
def test_other_words_of_the_node(near: Near, pod: Pod, said: str, why: str) -> None:
    """What else goes wrong is told in the node's words, cleaned, and is no missing listener."""
    pod.errors[8001] = said
    near.to(pod)
    near.refused(near.relay.listen(["127.0.0.1"], 0, 8001).port)
    told = near.hear(Refused)
    assert not told.nobody
    assert told.why.endswith(why)


def test_an_end_without_words_is_an_end(near: Near, pod: Pod) -> None:
    """A pod that closes without a byte, and a node that says nothing of an error, end the connection cleanly."""
    pod.ports[8000] = lambda wire, _data, _finished: wire.end()
    near.to(pod)
    sock = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    sock.sendall(b"x")
    assert sock.recv(1) == b""


def test_half_close_where_the_pod_cannot_be_told(near: Near, pod_by: Callable[[str], Pod]) -> None:
    """By WebSocket channels a client that sends no more gets what comes, and a reset after a minute of silence."""
    pod = pod_by(CHANNELS)
    near.to(pod)
    sock = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    sock.sendall(b"x")
    sock.shutdown(socket.SHUT_WR)
    assert sock.recv(1) == b"x"
    for _ in range(1000):
        near.settle()
        if any(end.said_all for end in near.relay._ends):
            break
    near.move(61)
    with pytest.raises(ConnectionResetError):
        sock.recv(1)
