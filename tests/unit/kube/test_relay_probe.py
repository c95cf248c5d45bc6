"""Questions of our own to a port of the pod."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.kube.carrier import CHANNELS, SPDY, TUNNEL
from tests.wire.farside import Pod, Wire, saying

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.wire.nearside import Near

WAYS = [TUNNEL, CHANNELS, SPDY]
STREAMS = [TUNNEL, SPDY]


def ask(near: Near, remote: int, want: bytes = b"pong", timeout: float = 5) -> queue.Queue[tuple[bytes, str]]:
    """Probe a port; where the outcome will be."""
    got: queue.Queue[tuple[bytes, str]] = queue.Queue()
    near.relay.probe(
        remote, b"pong", lambda answer: want in answer, timeout, lambda answer, why: got.put((answer, why))
    )
    return got


@pytest.mark.parametrize("way", WAYS)
def test_a_probe(near: Near, pod_by: Callable[[str], Pod], way: str) -> None:
    """It needs no local port, waits for a way, and gives what came."""
    got = ask(near, 8000)
    near.to(pod_by(way))
    assert got.get(timeout=10) == (b"pong", "")


def test_a_probe_of_a_port_where_nobody_listens(near: Near, pod: Pod) -> None:
    """It says so, without telling the owner twice; when somebody listens there later, it answers."""
    pod.refuse.add(8001)
    near.to(pod)
    nobody = (b"", "nothing listens on port 8001 of the pod")
    assert ask(near, 8001).get(timeout=10) == nobody
    again = ask(near, 8001)
    pod.wait("opened", 2)
    assert again.get(timeout=10) == nobody
    pod.refuse.clear()
    got = ask(near, 8001)
    pod.wait("opened", 3)
    near.move(0.2)
    assert got.get(timeout=10) == (b"pong", "")
    assert near.told.empty()


def test_a_probe_of_a_port_that_refused_sends_nothing_at_once(near: Near, pod: Pod) -> None:
    """What nobody reads would block one of the node's workers for good."""
    pod.refuse.add(8001)
    near.to(pod)
    ask(near, 8001).get(timeout=10)
    pod.refuse.clear()
    sent: list[bytes] = []

    def answer(wire: Wire, data: bytes, _finished: bool) -> None:
        sent.append(data)
        wire.send(data)

    pod.ports[8001] = answer
    got = ask(near, 8001)
    pod.wait("opened", 2)
    near.settle()
    assert sent == []
    near.move(1)
    assert got.get(timeout=10) == (b"pong", "")


def test_a_probe_that_takes_too_long(near: Near, pod: Pod) -> None:
    """It says whether the pod or the way was missing."""
    pod.ports[8000] = lambda *_: None
    nowhere = ask(near, 8000, timeout=1)
    near.settle()
    near.move(1.5)
    assert nowhere.get(timeout=10) == (b"", "no way to the pod in time")
    near.to(pod)
    got = ask(near, 8000, timeout=1)
    pod.wait("opened")
    near.settle()
    near.move(1.5)
    assert got.get(timeout=10) == (b"", "no answer in time")


def test_a_probe_of_something_else(near: Near, pod: Pod) -> None:
    """An answer without what was wanted is given with the reason."""
    pod.ports[8000] = saying(b"no")
    near.to(pod)
    answer, why = ask(near, 8000).get(timeout=10)
    assert answer == b"no"
    assert "closed" in why
