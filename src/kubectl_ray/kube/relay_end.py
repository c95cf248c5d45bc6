"""What is joined to a port of the pod: a local connection, or a question of our own."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections import deque

from kubectl_ray.kube.relay_loop import NEVER, READ, WRITE
from kubectl_ray.kube.relay_told import BROKEN, NO_ANSWER, NO_WAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_ray.kube.relay_door import Listening
    from kubectl_ray.kube.relay_link import Link
    from kubectl_ray.kube.relay_loop import Loop

PIECE = 65536
"""Bytes read from a local connection at once."""
PAUSE_ABOVE, RESUME_BELOW = 262144, 65536
"""Bytes held for a local reader: above, its own carrier is not read any more; below, it is again."""
GIVE_UP_ABOVE = 786432
"""Bytes held on a carrier that others use too: the connection is given up. With one buffer more it is 1 MiB."""
GATHERED = 256
"""Pieces that are sent as they are; more are joined before. POSIX promises 16 a call, every system here takes 1024."""
ANSWER_LIMIT = 65536
"""Bytes of an answer that a question gathers."""
CANNOT_HALF_CLOSE = 60.0
"""Seconds of silence after the local side has finished, where the pod cannot be told so (WebSocket channels)."""

_RESET = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # SO_LINGER: on, 0 s


class End:
    """The near side of one connection to the pod.

    `deadline`: when `expire` is to be called. `tells`: what goes wrong with it is told to the relay's owner. The rest
    is the link's: its stream, whether bytes came from the pod (`got`) and went there (`sent`), whether the pod
    (`heard_all`) and this side (`said_all`) have finished, what the error stream said, and whether the deadline is the
    link's (`judging`), be it to call `joined` (`waking`).
    """

    tells = True
    brief = False
    """Whether it is over after a few bytes, and so keeps nobody on its carrier waiting."""

    def __init__(self, loop: Loop, remote: int) -> None:
        self.loop = loop
        self.remote = remote
        self.deadline = NEVER
        self.since = loop.clock()
        self.link: Link | None = None
        self.stream = 0
        self.got = False
        self.heard_all = False
        self.said_all = False
        self.was_reset = False
        self.sent = False
        self.judging = False
        self.waking = False
        self.error = bytearray()
        self.error_over = False
        self.dialled = False
        self.held = 0
        self.closed = False
        self.on_close: Callable[[End], None] | None = None

    def until(self, when: float) -> None:
        """Set the deadline."""
        self.deadline = when
        self.loop.at(when)

    def redirected(self) -> None:
        """It waits, and is to go to another pod than it was to, whose port may be another."""

    def joined(self) -> None:
        """There is a stream now."""

    def take(self, pieces: list[memoryview]) -> None:
        """Bytes of the pod; they are views of a buffer that is used again."""

    def finished(self) -> None:
        """The pod sends no more."""

    def over(self) -> None:
        """Both sides are done with it: after what is held, it is to be closed."""

    def broken(self, why: str) -> None:
        """It came to nothing, or to less than all."""

    @property
    def whole(self) -> bool:
        """Whether the pod has finished, and nothing speaks against it: what came is all there is."""
        return self.heard_all and not self.was_reset and (self.got or self.error_over)

    def cut(self) -> None:
        """Its carrier carries it no more, be it that it broke or that the pod is left: not the same as an end."""
        if self.whole:
            self.over()
        else:
            self.broken(BROKEN)

    def room(self) -> None:
        """The carrier takes data again."""

    def expire(self, now: float) -> None:
        """The deadline has come."""

    def close(self) -> None:
        """Forget it."""
        if not self.closed:
            self.closed = True
            self.deadline = NEVER
            link, self.link = self.link, None
            if link is not None:
                link.drop(self)
            if self.on_close is not None:
                self.on_close(self)


class Pipe(End):
    """A local connection."""

    def __init__(self, loop: Loop, listening: Listening, sock: socket.socket) -> None:
        super().__init__(loop, listening.remote)
        self.listening = listening
        self.sock = sock
        self.mask = 0
        self._waiting: deque[bytes] = deque()
        self._shut = False  # our side towards the local client is closed, or to be closed after what is held
        self._ending = False

    def redirected(self) -> None:
        """To where its local port leads now."""
        self.remote = self.listening.remote

    def joined(self) -> None:
        """What the client has sent meanwhile goes out together with the opening of the stream."""
        self.deadline = NEVER
        self._read()
        self._watch()

    def ready(self, mask: int) -> None:
        """The local socket can be used."""
        if mask & WRITE:
            self._deliver()
        if mask & READ and not self.closed:
            self._read()
        if not self.closed:
            self._watch()

    def take(self, pieces: list[memoryview]) -> None:
        """Straight into the local socket; only what it does not take is copied and held."""
        sent = 0
        if not self._waiting:
            try:
                sent = self.sock.send(pieces[0]) if len(pieces) == 1 else _send_all(self.sock, pieces)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.close()
                return
        for piece in pieces:
            size = len(piece)
            if sent >= size:
                sent -= size
                continue
            rest = bytes(piece[sent:]) if sent else bytes(piece)
            sent = 0
            self._waiting.append(rest)
            self.held += len(rest)
        if self.said_all and self.link is not None and not self.link.many:
            self.until(self.loop.clock() + CANNOT_HALF_CLOSE)
        if self.held:
            self._watch()
            if self.held > PAUSE_ABOVE and self.link is not None:
                self.link.stalled(self)

    def finished(self) -> None:
        """Half-close the local socket, after what is held."""
        self._shut = True
        if not self._waiting:
            self._shut_local()

    def over(self) -> None:
        """Close the local socket, after what is held."""
        self._ending = True
        self.heard_all = self.said_all = True
        if self._waiting:
            self._watch()
        else:
            self.close()

    def broken(self, why: str) -> None:
        """The local client meets a reset: to one that reads until the end, an end would say that all had come."""
        del why
        self.abort()

    def leave(self) -> None:
        """The relay ends: what the local client does not have yet, it will not get."""
        if self.whole and not self._waiting:
            self.close()
        else:
            self.abort()

    def abort(self) -> None:
        """Reset the local connection."""
        with contextlib.suppress(OSError):  # it is gone already
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.close()

    def room(self) -> None:
        """Read on."""
        if not self.closed:
            self._watch()

    def expire(self, now: float) -> None:
        """Nobody came for it in time, or the pod, which cannot be told of our end, has been silent for long enough."""
        del now
        self.abort()

    def close(self) -> None:
        """Close the local socket too."""
        if not self.closed:
            self.loop.watch(self, 0)
            self.sock.close()
            self._waiting.clear()
            self.held = 0
        super().close()

    def _watch(self) -> None:
        link = self.link
        mask = WRITE if self._waiting else 0
        if link is not None and not self.said_all and not link.full(self):
            mask |= READ
        self.loop.watch(self, mask)

    def _read(self) -> None:
        link = self.link
        if link is None or self.said_all:
            return
        try:
            data = self.sock.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:  # the client is gone
            self.close()
            return
        if data:
            link.send(self, data)
        else:
            self.said_all = True
            link.finish(self)
            if not link.many and self.link is not None:
                self.until(self.loop.clock() + CANNOT_HALF_CLOSE)

    def _deliver(self) -> None:
        """Send what is held."""
        waiting = self._waiting
        try:
            while waiting:
                sent = self.sock.send(waiting[0])
                self.held -= sent
                if sent < len(waiting[0]):
                    waiting[0] = waiting[0][sent:]
                else:
                    waiting.popleft()
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        if self.held < RESUME_BELOW and self.link is not None:
            self.link.resume(self)
        if not waiting:
            if self._ending:
                self.close()
            elif self._shut:
                self._shut_local()

    def _shut_local(self) -> None:
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()


class Question(End):
    """A request of our own and its answer, for `Relay.probe`."""

    tells = False

    brief = True

    def __init__(
        self,
        loop: Loop,
        remote: int,
        request: bytes,
        enough: Callable[[bytes], bool],
        then: Callable[[bytes, str], None],
        limit: float,
    ) -> None:
        super().__init__(loop, remote)
        self._limit = limit
        self.until(limit)
        self._request = request
        self._enough = enough
        self._then = then
        self._answer = bytearray()

    def joined(self) -> None:
        """Ask."""
        self.until(self._limit)
        if self.link is not None:
            self.link.send(self, self._request)

    def take(self, pieces: list[memoryview]) -> None:
        """Gather."""
        for piece in pieces:
            self._answer += piece
        if self._enough(bytes(self._answer)):
            self._tell("")
        elif len(self._answer) > ANSWER_LIMIT:
            self._tell("the answer is not what it should be")

    def finished(self) -> None:
        """No more comes."""
        self._tell("the connection was closed without the answer that was asked for")

    def over(self) -> None:
        """The pod has ended it."""
        self.finished()

    def broken(self, why: str) -> None:
        """The pod refused, or the carrier broke."""
        self._tell(why)

    def expire(self, now: float) -> None:
        """It took too long."""
        del now
        self._tell(NO_ANSWER if self.link is not None else NO_WAY)

    def _tell(self, why: str) -> None:
        if not self.closed:
            self.close()
            self._then(bytes(self._answer), why)


def _send_all(sock: socket.socket, pieces: list[memoryview]) -> int:
    """As much of the pieces as goes in one call, where the system has one for as many (Windows has none at all)."""
    if hasattr(sock, "sendmsg") and len(pieces) <= GATHERED:
        return sock.sendmsg(pieces)
    return sock.send(b"".join(pieces))
