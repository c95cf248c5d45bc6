"""What the relay makes of what should never happen, and of an end in the middle of something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubectl_ray.kube.relay_told import Died

if TYPE_CHECKING:
    from tests.wire.farside import Pod
    from tests.wire.nearside import Near


def test_its_thread_fails(near: Near, pod: Pod) -> None:
    """Nobody waits for a relay whose thread is gone: it tells so, and its ports are closed."""

    def enough(answer: bytes) -> bool:
        raise ValueError(answer)

    near.to(pod)
    port = near.relay.listen(["127.0.0.1"], 0, 8000)
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
