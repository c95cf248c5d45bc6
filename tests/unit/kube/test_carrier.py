"""One upgraded connection: what its end, its silence and its queue look like to who owns it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.kube import spdy
from kubectl_ray.kube.carrier import Carrier, ChannelCarrier, Ended, SpdyCarrier, TunnelCarrier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLOSED = b"\x88\x0c\x03\xe9restarting"  # RFC 6455 §5.5.1: code 1001 and words
PONG = b"\x8a\x00"
BUFFER = memoryview(bytearray(65536))


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Our end and the API server's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize("make", [TunnelCarrier, lambda sock: ChannelCarrier(sock, 80)], ids=["tunnel", "channels"])
def test_a_close_frame_is_the_end(
    pair: tuple[socket.socket, socket.socket], make: Callable[[socket.socket], Carrier]
) -> None:
    """A closed WebSocket is over, though the server leaves its socket open: nobody waits until it counts as silent."""
    carrier = make(pair[0])
    pair[1].sendall(CLOSED)

    carrier.receive(BUFFER)

    assert carrier.more
    with pytest.raises(Ended, match="restarting") as end:
        carrier.receive(BUFFER)
    assert end.value.orderly


def test_bytes_without_a_meaning_are_heard(pair: tuple[socket.socket, socket.socket]) -> None:
    """Whatever comes shows that somebody is there; a WebSocket's pong is no event."""
    carrier = ChannelCarrier(pair[0], 80)
    assert carrier.receive(BUFFER) == []
    assert carrier.came == 0

    pair[1].sendall(PONG)

    assert carrier.receive(BUFFER) == []
    assert carrier.came


def test_data_of_a_stream_that_is_gone_does_not_wait(pair: tuple[socket.socket, socket.socket]) -> None:
    """What is dropped is not counted as waiting: nobody would be read, and nothing asked, ever again."""
    carrier = SpdyCarrier(pair[0])
    stream = carrier.open(80)
    carrier.flush()
    pair[1].sendall(b"\x80\x03\x00\x03\x00\x00\x00\x08" + stream.to_bytes(4, "big") + spdy.CANCEL.to_bytes(4, "big"))
    assert [type(event) for event in carrier.receive(BUFFER)] == [spdy.Reset]

    carrier.send(stream, b"late")
    carrier.flush()

    assert carrier.pending == 0
