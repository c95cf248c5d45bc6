"""What the relay makes of what should never happen, and of an end in the middle of something."""

from __future__ import annotations

import struct
import threading
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.kube.carrier import CHANNELS, SPDY
from kubectl_ray.kube.relay import Relay
from kubectl_ray.kube.relay_fleet import Fleet
from kubectl_ray.kube.relay_loop import Loop
from kubectl_ray.kube.relay_told import Connected, Died
from tests.wire.nearside import exactly

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_ray.kube.carrier import Carrier
    from tests.wire.farside import Pod, Wire
    from tests.wire.nearside import Near


def test_its_thread_fails(near: Near, pod: Pod) -> None:
    """Nobody waits for a relay whose thread is gone: it tells so, and its ports are closed."""

    def enough(answer: bytes) -> bool:
        raise ValueError(answer)

    near.to(pod)
    port = near.relay.listen(["127.0.0.1"], 0, 8000).port
    near.relay.probe(8000, b"x", enough, 5, lambda *_: None)

    assert isinstance(near.hear(Died).error, ValueError)
    near.relay.close()
    with pytest.raises(ConnectionRefusedError):
        near.client(port)


def test_nobody_is_answered_after_the_end(near: Near, pod: Pod) -> None:
    """A question that is out when the relay is closed stays without an answer."""
    pod.ports[8000] = lambda _wire, _data, _finished: pod.note("asked")
    near.to(pod)
    answers: list[str] = []
    near.relay.probe(8000, b"x", lambda _: False, 5, lambda _, why: answers.append(why))
    pod.wait("asked")

    near.relay.close()

    assert not answers


def test_dialling_fails_by_a_mistake(near: Near) -> None:
    """What a thread that makes a carrier did not foresee is told too: nobody waits for that carrier for ever."""

    def dial(_port: int, _way: str | None) -> Carrier:
        raise ValueError("a mistake")

    near.relay.connect(dial)

    assert str(near.hear(Died).error) == "a mistake"


def test_many_small_frames_at_once(near: Near, pod_by: Callable[[str], Pod]) -> None:
    """A pod that writes byte by byte fills a buffer with more pieces than the system sends in one call."""
    pod = pod_by(SPDY)

    def answer(wire: Wire, _data: bytes, _finished: bool) -> None:
        wire.node.raw((struct.pack(">II", wire.stream, 1) + b"x") * 5000)

    pod.ports[8000] = answer
    near.to(pod)
    sock = near.client(near.relay.listen(["127.0.0.1"], 0, 8000).port)
    sock.sendall(b"go")

    assert exactly(sock, 5000) == b"x" * 5000


def test_a_connection_whose_own_carrier_is_overtaken(near: Near, pod_by: Callable[[str], Pod]) -> None:
    """Where each connection needs its own, one that waits for the old pod's gets the new pod's instead."""
    old, new = pod_by(CHANNELS), pod_by(CHANNELS)
    asked, over = threading.Event(), threading.Event()

    def hangs_later(port: int, way: str | None) -> Carrier:
        if port == 8001:
            asked.set()
            over.wait(10)
        return old.dial(port, way)

    near.relay.connect(hangs_later)
    near.hear(Connected)
    port = near.relay.listen(["127.0.0.1"], 0, 8001).port
    socks = [near.client(port), near.client(port)]
    assert asked.wait(10)
    near.settle()

    near.relay.connect(new.dial)
    near.hear(Connected)
    for sock in socks:
        sock.sendall(b"hello")

    assert [exactly(sock, 5) for sock in socks] == [b"hello", b"hello"]
    over.set()


def test_one_that_cannot_be_closed_keeps_no_other_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake at the end of one door leaves no other port, and no selector, open."""
    relay = Relay(lambda _: None)
    relay.listen(["127.0.0.1"], 0, 8000)
    relay.listen(["127.0.0.1"], 0, 8001)
    first, second = relay._doors

    def fails() -> None:
        raise ValueError("a mistake")

    with monkeypatch.context() as patched:
        patched.setattr(first, "close", fails)
        with pytest.raises(ValueError, match="a mistake"):
            relay.close()

    assert second.sock.fileno() == relay._loop.sock.fileno() == -1
    first.sock.close()


def test_a_carrier_that_comes_after_the_last_turn(pod: Pod) -> None:
    """One that was made, and that the loop ended without taking over, is closed with all others."""
    loop = Loop(lambda: 0.0)
    fleet = Fleet(loop, lambda _: None)
    made: list[Carrier] = []

    def dial(port: int, way: str | None) -> Carrier:
        made.append(pod.dial(port, way))
        return made[0]

    fleet.connect(dial, 1)
    for thread in fleet.threads:
        thread.join(10)

    fleet.close()
    loop.close()

    assert made[0].closed
