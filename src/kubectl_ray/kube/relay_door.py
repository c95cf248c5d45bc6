"""Local ports: bound on all addresses or on none, and connections taken in as they come."""

from __future__ import annotations

import errno
import os
import socket

from kubectl_ray.errors import WrongUse
from kubectl_ray.kube.relay_loop import READ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kubectl_ray.kube.relay_loop import Loop

BACKLOG = 1024
AT_ONCE = 64
"""Connections that are taken in at one turn, so that those that are open get theirs."""
PAUSE = 0.2
"""Seconds for which nothing is taken in when there are no descriptors: else the loop would spin."""
TRIES = 1000
"""Ports after the wanted one."""
LAST_PORT = 65535

_SCARCE = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_ABSENT = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


class Listening:
    """A local port, and where it leads. `addresses`: those asked for that listen, which may be fewer.

    `remote`: the pod's port for connections from now on; one that waits for a way takes the port of the next
    `Relay.connect`. Any thread may set it.
    """

    __slots__ = ("addresses", "port", "remote")

    def __init__(self, port: int, remote: int, addresses: Sequence[str]) -> None:
        self.port = port
        self.remote = remote
        self.addresses = list(addresses)


class Door:
    """One listening socket; `enter` gets each connection."""

    def __init__(self, loop: Loop, sock: socket.socket, enter: Callable[[socket.socket], None]) -> None:
        self.loop = loop
        self.sock = sock
        self.mask = 0
        self.shut_until = 0.0
        self._enter = enter

    def open(self) -> None:
        """Take connections in."""
        self.loop.watch(self, READ)

    def ready(self, _mask: int) -> None:
        """Somebody is there."""
        for _ in range(AT_ONCE):
            try:
                sock, _address = self.sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _SCARCE:
                    self.loop.watch(self, 0)
                    self.shut_until = self.loop.clock() + PAUSE
                    self.loop.at(self.shut_until)
                    return
                continue  # one that left before it was taken in
            sock.settimeout(0)
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:  # macOS says so where it has left already
                sock.close()
                continue
            self._enter(sock)

    def tick(self, now: float) -> float:
        """Open again after a pause; when to look again."""
        if self.mask:
            return float("inf")
        if now >= self.shut_until:
            self.open()
            return float("inf")
        return self.shut_until

    def close(self) -> None:
        """Give the port back."""
        self.loop.watch(self, 0)
        self.sock.close()


def bind(addresses: Sequence[str], wanted: int) -> dict[str, socket.socket]:
    """Listening sockets on one port of all these addresses, by address; the wanted port, or the next free on all.

    An address that this machine does not have is left out, if it has another of them. `wanted` 0 is any port.

    Raises:
        WrongUse: no address is one of this machine's, or no port can be had.
    """
    port = wanted
    for _ in range(TRIES):
        try:
            return _bind_all(addresses, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise WrongUse(
                    f"Cannot listen on port {port} of {' and '.join(addresses)}: {error.strerror or error}",
                    "Choose another port, above 1023, and an address of this machine.",
                ) from error
        port = (port + 1) if wanted else 0
        if port > LAST_PORT:
            break
    raise WrongUse(f"Neither port {wanted} nor the next ones are free on this machine", "Choose another port.")


def _bind_all(addresses: Sequence[str], port: int) -> dict[str, socket.socket]:
    made: dict[str, socket.socket] = {}
    absent: OSError | None = None
    try:
        for address in addresses:
            try:
                made[address] = sock = _bind(address, port)
                port = sock.getsockname()[1]
            except OSError as error:
                if error.errno not in _ABSENT and not isinstance(error, socket.gaierror):
                    raise
                absent = error
    except BaseException:
        for sock in made.values():
            sock.close()
        raise
    if not made:
        raise absent or OSError(errno.EADDRNOTAVAIL, "no address was given")
    return made


def _bind(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if ":" in address:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        sock.listen(BACKLOG)
        sock.settimeout(0)
    except BaseException:
        sock.close()
        raise
    return sock
