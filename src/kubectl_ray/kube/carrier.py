"""An upgraded connection to a pod: streams in and out of one socket that never blocks, whatever the way of framing.

All ways speak in the events of `spdy`: `Received`, `Reset`, `GoneAway`. A connection to a port of the pod is a pair of
streams, `data` and, two below it, `error`, on which the node says in plain words what went wrong (KEP-4006).
"""

from __future__ import annotations

import ssl
from collections import deque

from kubectl_ray.errors import KubectlRayError
from kubectl_ray.kube import spdy, websocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Final

    Event = spdy.Event

    Bytes = bytes | bytearray | memoryview

TUNNEL: Final = "SPDY in a WebSocket"
CHANNELS: Final = "WebSocket channels"
SPDY: Final = "SPDY"
if TYPE_CHECKING:
    Way = str
    """One of TUNNEL, CHANNELS and SPDY."""

RECORD = 16384
"""Bytes that a TLS record holds at most."""
MESSAGE = 131072
"""Bytes from which on no more is added to a WebSocket message."""
LAST_STREAM = 0x7FFFFF00
"""From here on a carrier is to be left: its stream numbers are running out."""
ERROR_BELOW = 2
"""The error stream of a connection has the number of its data stream less this."""

_DATA, _ERROR = 3, 1  # numbers of the two channels of a WebSocket without SPDY, chosen as SPDY's would be
_PORT_BYTES = 2


class Ended(KubectlRayError):
    """The connection is over; `message` says why and follows "the connection is lost: ". `orderly`: with a farewell."""

    def __init__(self, message: str, *, orderly: bool = False) -> None:
        super().__init__(message)
        self.orderly = orderly


class Carrier:
    """One upgraded socket. Nothing here waits: `receive` takes what is there, `flush` sends what goes.

    `many`: it carries any number of connections, one after the other and at once; else a single one, which cannot be
    half-closed towards the pod. `pending`: bytes that wait to be sent. `came`: bytes received so far, whatever they
    meant. `last`: the last stream opened.
    """

    many = True

    def __init__(self, sock: socket.socket, way: Way, leftover: bytes = b"") -> None:
        sock.settimeout(0)
        self.sock = sock
        self.way = way
        self.pending = 0
        self.came = 0
        self.last = 0
        self.closed = False
        self.write_to_read = False  # TLS has to write before it can read on
        self._leftover = leftover
        self._out: deque[Bytes] = deque()
        self._secure = hasattr(sock, "pending")
        self._farewell = "the API server closed the connection"
        self._said_farewell = False  # the other side; nothing comes after it, even where the socket stays open

    def fileno(self) -> int:
        """For a selector."""
        return self.sock.fileno()

    # What each way does in its own manner.

    def open(self, port: int) -> int:
        """Open a connection to a port of the pod, without waiting for an answer; the number of its data stream."""
        raise NotImplementedError

    def send(self, stream: int, data: Bytes) -> None:
        """Queue data; it must stay as it is."""
        raise NotImplementedError

    def finish(self, stream: int) -> None:
        """Say that nothing more is sent on a stream."""
        raise NotImplementedError

    def reset(self, stream: int) -> None:
        """Give a stream up."""
        raise NotImplementedError

    def ping(self) -> int:
        """Queue a question that the far end answers, by `spdy.Ponged` with this number where `many`."""
        raise NotImplementedError

    def understand(self, data: memoryview) -> list[Event]:
        """What bytes from the socket mean."""
        raise NotImplementedError

    def gather(self) -> None:
        """Move what the framing holds to the queue of bytes."""

    def farewell(self) -> None:
        """Queue the last word."""

    # What they have in common.

    @property
    def wants_write(self) -> bool:
        """Whether `flush` is to be called when the socket can be written to."""
        return bool(self._out) or self.write_to_read or bool(getattr(self.sock, "unsent", b""))

    @property
    def more(self) -> bool:
        """Whether something is at hand that no selector sees."""
        if self._leftover or self._said_farewell:
            return True
        return self._secure and bool(self.sock.pending())  # type: ignore[attr-defined] # of TLS

    def receive(self, buffer: memoryview) -> list[Event]:
        """What came, at most a buffer full; the events' data are views of the buffer.

        Raises:
            Ended: the other side closed, or the connection broke.
            ServerError: it sent what is not understood.
        """
        self.write_to_read = False
        if self._said_farewell:
            raise Ended(self._farewell, orderly=True)
        if self._leftover:
            data, self._leftover = self._leftover, b""
            self.came += len(data)
            return self.understand(memoryview(data))
        size = self._read(buffer)
        self.came += size
        return self.understand(buffer[:size]) if size else []

    def _read(self, buffer: memoryview) -> int:
        """Fill the buffer with what is there; how much that is."""
        size = 0
        recv_into = self.sock.recv_into
        while size <= len(buffer) - RECORD:
            try:
                got = recv_into(buffer[size:] if size else buffer)
            except (BlockingIOError, ssl.SSLWantReadError):
                break
            except ssl.SSLWantWriteError:
                self.write_to_read = True
                break
            except OSError as error:
                if not size:
                    raise Ended(_words(error)) from error
                break  # what came before it is still good; the next call meets the end again
            if not got and not size:
                raise Ended(self._farewell)
            size += got
            # A first piece that is short is all there is, mostly. Else read on until nothing is there.
            if not got or size < RECORD or not self._secure:
                break
        return size

    def flush(self) -> None:
        """Send what goes without waiting.

        Raises:
            Ended: the connection broke.
        """
        self.gather()
        out = self._out
        self.pending = sum(map(len, out))  # counted anew: what was queued for a stream that is gone was dropped
        send = self.sock.send
        try:
            if getattr(self.sock, "unsent", b""):
                send(b"")
            while out:
                data = out[0]
                sent = send(data)
                self.pending -= sent
                if sent < len(data):
                    out[0] = memoryview(data)[sent:]
                else:
                    out.popleft()
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        except OSError as error:
            raise Ended(_words(error)) from error

    def close(self) -> None:
        """Close the socket, with a last word if that can be said at once."""
        if self.closed:
            return
        self.closed = True
        try:
            self.farewell()
            self.flush()
        except KubectlRayError:
            pass
        finally:
            self._out.clear()
            self.sock.close()

    def _queue(self, data: Bytes) -> None:
        self._out.append(data)
        self.pending += len(data)


class SpdyCarrier(Carrier):
    """SPDY/3.1 on the socket itself."""

    def __init__(self, sock: socket.socket, way: Way = SPDY, leftover: bytes = b"") -> None:
        super().__init__(sock, way, leftover)
        self._spdy = spdy.Client()
        self._request = 0

    def open(self, port: int) -> int:
        """Both streams of a connection; the error stream is finished at once, as kubectl does."""
        told = {"streamtype": "error", "port": str(port), "requestid": str(self._request)}
        self._request += 1
        error = self._spdy.open(told)
        self._spdy.send(error, b"", finish=True)
        self.last = self._spdy.open({**told, "streamtype": "data"})
        return self.last

    def send(self, stream: int, data: Bytes) -> None:
        """Queue data."""
        self.pending += len(data)
        self._spdy.send(stream, data)

    def finish(self, stream: int) -> None:
        """FIN."""
        self._spdy.send(stream, b"", finish=True)

    def reset(self, stream: int) -> None:
        """RST_STREAM."""
        self._spdy.reset(stream)

    def ping(self) -> int:
        """PING: the node answers."""
        return self._spdy.ping()

    def understand(self, data: memoryview) -> list[Event]:
        """SPDY's events."""
        return self._spdy.feed(data)

    def gather(self) -> None:
        """One piece of bytes out of many small ones: a TLS record each would be dear."""
        parts = self._spdy.take()
        if parts:
            whole = parts[0] if len(parts) == 1 else b"".join(parts)
            self._out.append(whole)

    def farewell(self) -> None:
        """GOAWAY."""
        self._spdy.go_away()


class TunnelCarrier(SpdyCarrier):
    """SPDY/3.1 in the messages of a WebSocket (KEP-4006)."""

    def __init__(self, sock: socket.socket, leftover: bytes = b"") -> None:
        super().__init__(sock, TUNNEL, leftover)
        self._websocket = websocket.Client()

    def understand(self, data: memoryview) -> list[Event]:
        """The messages' contents are one stream of SPDY, whatever their borders."""
        events: list[Event] = []
        for frame in self._websocket.feed(data):
            if isinstance(frame, websocket.Data):
                if frame.data:
                    events += self._spdy.feed(frame.data)
            elif isinstance(frame, websocket.Ping):
                self._queue(self._websocket.pong(frame.payload))
            elif isinstance(frame, websocket.Closed):
                self._farewell, self._said_farewell = _goodbye(frame), True
        return events

    def gather(self) -> None:
        """Messages of a sensible size."""
        parts = self._spdy.take()
        if not parts:
            return
        held: list[Bytes] = []
        size = 0
        for part in parts:
            held.append(part)
            size += len(part)
            if size >= MESSAGE:
                self._out.append(self._websocket.message(*held))
                held, size = [], 0
        if held:
            self._out.append(self._websocket.message(*held))

    def farewell(self) -> None:
        """Both layers'."""
        super().farewell()
        self.gather()
        self._queue(self._websocket.close())


class ChannelCarrier(Carrier):
    """A WebSocket of channels (v4.channel.k8s.io): the connection that it carries begins with the upgrade.

    The client cannot say that it sends no more; `finish` does nothing. The pod has finished when the server closes the
    WebSocket in order; a connection that just breaks off, or a close with another code, is a cut.
    """

    many = False

    def __init__(self, sock: socket.socket, port: int, leftover: bytes = b"") -> None:
        super().__init__(sock, CHANNELS, leftover)
        self.port = port
        self._websocket = websocket.Client()
        self._channel = -1  # of the message that is being read
        self._skip = [_PORT_BYTES, _PORT_BYTES]  # each channel begins with the port

    def open(self, port: int) -> int:
        """It is open already."""
        del port
        self.last = LAST_STREAM
        return _DATA

    def send(self, stream: int, data: Bytes) -> None:
        """A message on the data channel."""
        del stream
        self._queue(self._websocket.message(b"\0", data))

    def finish(self, stream: int) -> None:
        """There is no way to say it."""

    def reset(self, stream: int) -> None:
        """The whole WebSocket is to be closed, by who owns it."""

    def ping(self) -> int:
        """A WebSocket's ping: the API server answers."""
        self._queue(self._websocket.ping())
        return 0

    def understand(self, data: memoryview) -> list[Event]:
        """The two channels as streams; the end of the WebSocket ends both."""
        events: list[Event] = []
        for frame in self._websocket.feed(data):
            if isinstance(frame, websocket.Data):
                self._piece(events, memoryview(frame.data), final=frame.final)
            elif isinstance(frame, websocket.Ping):
                self._queue(self._websocket.pong(frame.payload))
            elif isinstance(frame, websocket.Closed):
                self._farewell, self._said_farewell = _goodbye(frame), True
                if frame.code not in {websocket.NORMAL, websocket.NO_CODE}:
                    continue
                events += [spdy.Received(_ERROR, b"", finished=True), spdy.Received(_DATA, b"", finished=True)]
        return events

    def _piece(self, events: list[Event], data: memoryview, *, final: bool) -> None:
        if self._channel < 0 and data:
            self._channel, data = data[0], data[1:]
        channel = self._channel
        if final:
            self._channel = -1
        if channel not in {0, 1}:
            return
        skipped = min(self._skip[channel], len(data))
        self._skip[channel] -= skipped
        if len(data) > skipped:
            events.append(spdy.Received(_ERROR if channel else _DATA, data[skipped:], finished=False))

    def farewell(self) -> None:
        """A close frame."""
        self._queue(self._websocket.close())


def _goodbye(closed: websocket.Closed) -> str:
    said = "".join(letter for letter in closed.reason if letter.isprintable())[:200]
    if not said and closed.code in {websocket.NORMAL, websocket.GOING_AWAY, websocket.NO_CODE}:
        return "the API server closed the connection"
    return f"the API server closed the connection ({said or closed.code})"


def _words(error: OSError) -> str:
    """Why a connection broke, as a reader says it."""
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "the connection was reset"
    if isinstance(error, ssl.SSLError):
        return f"the connection broke ({(error.reason or 'TLS').replace('_', ' ').lower()})"
    return f"the connection broke ({(error.strerror or type(error).__name__).lower()})"
