"""Local ports: on all addresses or none, the next free one, and nothing that spins when descriptors are out."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.errors import WrongUse
from kubectl_ray.kube.relay_door import PAUSE, Door, bind
from kubectl_ray.kube.relay_loop import READ, Loop

if TYPE_CHECKING:
    from collections.abc import Iterator

BOTH = ["127.0.0.1", "::1"]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of 127.0.0.1 on which somebody listens, and after which there are others."""
    with socket.socket() as sock:
        for port in range(20000, 60000):
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            break
        sock.listen()
        yield sock.getsockname()[1]


def ports(socks: dict[str, socket.socket]) -> set[int]:
    """Their ports; they are closed."""
    found = {sock.getsockname()[1] for sock in socks.values()}
    for sock in socks.values():
        sock.close()
    return found


def test_the_same_port_on_both() -> None:
    """One port, on as many addresses as there are."""
    socks = bind(BOTH, 0)
    assert len(socks) == (2 if _has_ipv6() else 1)
    assert len(ports(socks)) == 1


def test_the_next_port(taken: int) -> None:
    """A port that is taken on one address is used on none."""
    (port,) = ports(bind(list(reversed(BOTH)), taken))
    assert port > taken


def test_an_address_that_is_not_here() -> None:
    """One that this machine does not have is left out beside one that it has, and is not said to be there."""
    socks = bind(["127.0.0.1", "2001:db8::1"], 0)
    assert list(socks) == ["127.0.0.1"]
    assert len(ports(socks)) == 1


@pytest.mark.parametrize("address", ["192.0.2.1", "not an address"])
def test_no_address_at_all(address: str) -> None:
    """Alone, it is an error in words."""
    with pytest.raises(WrongUse, match="Cannot listen"):
        bind([address], 0)


class Scarce:
    """A listening socket for which there are no descriptors."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.tries = 0

    def fileno(self) -> int:
        """The real one's."""
        return self._sock.fileno()

    def accept(self) -> tuple[socket.socket, object]:
        """None left, the first time."""
        self.tries += 1
        if self.tries == 1:
            raise OSError(errno.EMFILE, "Too many open files")
        return self._sock.accept()


def test_no_descriptors() -> None:
    """Nothing is taken in for a moment, and then what waited is."""
    now = [5.0]
    loop = Loop(lambda: now[0])
    real = bind(["127.0.0.1"], 0)["127.0.0.1"]
    scarce = Scarce(real)
    entered: list[socket.socket] = []
    door = Door(loop, scarce, entered.append)  # type: ignore[arg-type] # as much of a socket as is used
    door.open()
    with real, socket.create_connection(real.getsockname(), timeout=5):
        loop.turn(door.tick)
        assert (scarce.tries, entered, door.mask) == (1, [], 0)
        now[0] += PAUSE
        loop.turn(door.tick)
        assert door.mask == READ
        loop.turn(door.tick)
        assert len(entered) == 1
        entered[0].close()
        loop.watch(door, 0)
    loop.close()


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True
