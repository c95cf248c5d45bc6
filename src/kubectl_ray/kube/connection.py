"""A connected socket with the bytes that were read from it and not yet understood.

Everything read stays with the connection until it is understood, so a read that timed out can simply be tried again:
that is how a watch waits for news and still looks at the clock.
"""

from __future__ import annotations

import time

from kubectl_ray.errors import ServerError, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

RECEIVE = 65536
"""Bytes asked from the socket at once; a TLS record never holds more than 16 KiB."""


class Dropped(Unreachable):
    """The connection ended before one byte of the answer came."""


class Silent(Unreachable):
    """Nothing came in the time allowed; what came before is kept, and reading may go on."""


class CutOff(ServerError):
    """The answer ended in its middle."""


class Connection:
    """A connected socket, what was read from it and not yet understood, and how long to wait for more.

    `silence`: seconds without a byte before a read gives up; `deadline`: on the clock of `time.monotonic`, or None.
    """

    __slots__ = ("_buffer", "closed", "deadline", "generation", "server", "silence", "sock", "used")

    def __init__(self, sock: socket.socket, server: str, *, generation: int = 0) -> None:
        self.sock = sock
        self.server = server
        self.generation = generation
        self.silence: float = 90.0
        self.deadline: float | None = None
        self.closed = False
        self.used = False
        self._buffer = b""

    def close(self) -> None:
        """Close the socket, at once and without a word to the other side."""
        self.closed = True
        try:
            self.sock.close()
        except OSError:
            return

    def wake(self) -> None:
        """End both directions, so that a thread that waits for bytes here gets an end of stream, and closes.

        Done on a second descriptor of the same connection: TLS objects are not to be touched by two threads.
        """
        import socket

        try:
            with socket.socket(fileno=socket.dup(self.sock.fileno())) as same:
                same.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def alive(self) -> bool:
        """Whether an idle connection is still open and quiet, as far as this side can know.

        A read that must not wait, since TLS 1.3 session tickets make an idle socket look readable.
        """
        if self.closed or self._buffer:
            return False
        try:
            self.sock.settimeout(0)
            self.sock.recv(1)
        except OSError as error:
            # BlockingIOError, or the SSLWantReadError of TLS (ssl need not be imported for plain connections).
            return isinstance(error, BlockingIOError) or type(error).__name__ in {
                "SSLWantReadError",
                "SSLWantWriteError",
            }
        return False

    def send(self, data: bytes) -> None:
        """Write all of `data`.

        Raises:
            Dropped: the other side closed; part of it may have arrived.
            Silent: the other side takes nothing more.
        """
        patience = self._patience()
        try:
            self.sock.settimeout(patience)
            self.sock.sendall(data)
        except TimeoutError as error:
            raise self._silent() from error
        except OSError as error:
            raise Dropped(f"{self.server} closed the connection: {_words(error)}") from error

    def receive(self) -> bytes:
        """What is at hand, or the next bytes from the socket; empty at the end of the stream.

        Raises:
            Silent: nothing came in time.
            CutOff: the connection broke.
        """
        if self._buffer:
            data, self._buffer = self._buffer, b""
            return data
        patience = self._patience()
        try:
            self.sock.settimeout(patience)
            return self.sock.recv(RECEIVE)
        except TimeoutError as error:
            raise self._silent() from error
        except OSError as error:
            self.close()
            raise CutOff(f"{self.server} broke the connection: {_words(error)}") from error

    def put_back(self, data: bytes) -> None:
        """Keep bytes for the next `receive`."""
        self._buffer = data + self._buffer

    def leftover(self) -> bytes:
        """Take what was read and not understood (after an upgrade it belongs to the new protocol)."""
        data, self._buffer = self._buffer, b""
        return data

    def _patience(self) -> float:
        if self.deadline is None:
            return self.silence
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise self._silent()
        return min(left, self.silence)

    def _silent(self) -> Silent:
        return Silent(
            f"{self.server} did not answer in time",
            "The API server or the way to it is slow: try again, and give it longer with --request-timeout.",
        )


def _words(error: OSError) -> str:
    """An OSError without its number; a TLS error by its reason."""
    reason = getattr(error, "reason", None)
    return (
        (reason.replace("_", " ").lower() if isinstance(reason, str) else "") or error.strerror or type(error).__name__
    )
