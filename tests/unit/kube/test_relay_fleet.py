"""When the way to a pod counts as lost: no later than a silent peer is known to be dead, and never without need."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.errors import Unreachable
from kubectl_ray.kube.carrier import SPDY, Carrier, Ended, SpdyCarrier
from kubectl_ray.kube.relay_door import Listening
from kubectl_ray.kube.relay_end import Pipe, Question
from kubectl_ray.kube.relay_fleet import JUDGED_AFTER, Fleet
from kubectl_ray.kube.relay_loop import Loop
from kubectl_ray.kube.relay_told import Connected, Lost, Told

if TYPE_CHECKING:
    from collections.abc import Iterator


class World:
    """A fleet with a clock of ours. Its first carriers lead to peers that never answer, later ones are never made."""

    def __init__(self, carriers: int) -> None:
        self.now = 100.0
        self.loop = Loop(lambda: self.now)
        self.told: list[Told] = []
        self.fleet = Fleet(self.loop, self.told.append)
        self.pairs = [socket.socketpair() for _ in range(carriers)]
        self.made = iter([ours for ours, _theirs in self.pairs])
        self.dialled = threading.Event()
        self.over = threading.Event()

    def dial(self, _port: int, _way: str | None) -> Carrier:
        """One that is there; else hang."""
        ours = next(self.made, None)
        if ours is not None:
            return SpdyCarrier(ours, SPDY)
        self.dialled.set()
        self.over.wait(30)
        raise Unreachable("nobody answers")

    def until(self, carriers: int) -> None:
        """Turn until so many carriers are there."""
        while len(self.fleet.links) < carriers:
            self.loop.turn(self.fleet.tick)

    def at(self, when: float) -> None:
        """Turn as often as it takes, up to this time."""
        while self.now < when:
            self.now += 0.25
            self.loop.call(lambda: None)
            self.loop.turn(self.fleet.tick)

    def close(self) -> None:
        """End all of it."""
        self.over.set()
        self.fleet.close()
        for thread in list(self.fleet.threads):
            thread.join(5)
        self.loop.close()
        for pair in self.pairs:
            for each in pair:
                each.close()


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """With as many carriers as the case says."""
    made = World(request.param)
    made.fleet.connect(made.dial, 1)
    made.until(1)
    assert [type(each) for each in made.told] == [Connected]
    yield made
    made.close()


def lost(world: World) -> list[Lost]:
    """What was said about it."""
    return [each for each in world.told if isinstance(each, Lost)]


@pytest.mark.parametrize("world", [1], indirect=True)
def test_one_that_is_being_made_does_not_hide_a_dead_peer(world: World) -> None:
    """The last carrier falls silent while the dialling of another hangs: the loss is told within ten seconds, once."""
    world.fleet._want(1)
    assert world.dialled.wait(5)
    world.at(110.0)
    assert [each.why for each in lost(world)] == ["nothing came for 6 s"]


@pytest.mark.parametrize("world", [2], indirect=True)
def test_one_that_is_not_read_does_not_hide_a_dead_peer(world: World) -> None:
    """A carrier whose reader stalls cannot tell that its peer is dead: another is made to see, and that one hangs."""
    world.fleet._want(1)
    world.until(2)
    world.fleet.links[0].paused = True
    world.at(110.0)
    assert world.dialled.is_set()
    assert [each.why for each in lost(world)] == ["nothing came for 6 s"]


@pytest.mark.parametrize("world", [3], indirect=True)
def test_one_that_is_not_read_is_kept_while_others_can_be_made(world: World) -> None:
    """The same, but another is there at once: nothing is lost, and the stalled connection's carrier stays."""
    world.fleet._want(1)
    world.until(2)
    stalled = world.fleet.links[0]
    stalled.paused = True
    world.at(106.5)
    world.until(2)
    assert JUDGED_AFTER < 1.0
    world.at(108.0)
    assert lost(world) == []
    assert stalled in world.fleet.links


@pytest.mark.parametrize("world", [1], indirect=True)
def test_questions_and_the_first_connection_share_the_first_carrier(world: World) -> None:
    """A question is over soon: nobody waits behind one, and none waits for a carrier of its own."""
    here, there = socket.socketpair()
    with there:
        here.settimeout(0)
        pipe = Pipe(world.loop, Listening(0, 8265, []), here)
        questions = [
            Question(world.loop, 8265, b"?", bool, lambda _answer, _why: None, world.now + 5) for _ in range(2)
        ]
        for question in questions:
            world.fleet.add(question)
        world.fleet.add(pipe)
        (link,) = world.fleet.links
        assert [end.link for end in (pipe, *questions)] == [link] * 3
        assert not world.dialled.is_set()
        pipe.close()


@pytest.mark.parametrize("world", [1], indirect=True)
def test_a_connection_has_no_other_connection_on_its_carrier(world: World) -> None:
    """The second one waits for a carrier that is being made."""
    pairs = [socket.socketpair() for _ in range(2)]
    pipes = [Pipe(world.loop, Listening(0, 8265, []), here) for here, _there in pairs]
    for pipe in pipes:
        pipe.sock.settimeout(0)
        world.fleet.add(pipe)
    assert pipes[0].link is not None
    assert pipes[1].link is None
    for pipe, (_here, there) in zip(pipes, pairs, strict=True):
        pipe.close()
        there.close()


@pytest.mark.parametrize("world", [2], indirect=True)
def test_one_that_is_not_read_does_not_hide_a_farewell(world: World) -> None:
    """The server closes the one that is read, and no other can be made: the way is lost, stalled one or not."""
    world.fleet._want(1)
    world.until(2)
    stalled, idle = world.fleet.links
    stalled.paused = True
    world.over.set()
    world.fleet._lost(idle, Ended("the API server closed the connection", orderly=True))
    assert world.dialled.wait(5)
    for thread in list(world.fleet.threads):
        thread.join(5)
    world.at(100.5)
    assert len(lost(world)) == 1


@pytest.mark.parametrize("world", [1], indirect=True)
def test_a_spare_that_cannot_be_made_beside_one_that_is_not_read(world: World) -> None:
    """Two tries, a second apart, that fail: there is no way any more, although nothing was read that would say so."""
    world.fleet.links[0].paused = True
    world.over.set()
    world.fleet._spare_at = world.now
    for when in (100.5, 102.5, 104.0):
        world.at(when)
        for thread in list(world.fleet.threads):
            thread.join(5)
    world.at(104.5)
    assert [each.why for each in lost(world)] == ["nobody answers"]
