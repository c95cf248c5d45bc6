"""SPDY/3.1, the client's side, without I/O: bytes in, events and bytes out.

Kubernetes' port-forward speaks it, raw or inside of a WebSocket (KEP-4006). Its server never waits for a WINDOW_UPDATE,
so there is no flow control here either: who cannot take more stops reading the socket. A frame of data is never held:
each piece is handed on as it comes in, as a view of the bytes that were given, so it is good until their buffer is used
again. What a server's headers say is of no interest to a port-forward, and they are not even unpacked.

Source: SPDY Protocol Draft 3.1; where it leaves room, Kubernetes' spdystream.
"""

from __future__ import annotations

import struct
import zlib

from kubectl_ray.errors import ServerError
from kubectl_ray.kube.spdy_dictionary import DICTIONARY

TYPE_CHECKING = False
if TYPE_CHECKING:
    Bytes = bytes | bytearray | memoryview

PROTOCOL_ERROR, REFUSED_STREAM, CANCEL = 1, 3, 5
"""Reasons of RST_STREAM (§2.6.3)."""
PIECE = 65536
"""Bytes of data in one frame that we send."""
CONTROL_LIMIT = 65536
"""Bytes of a control frame that we take."""

_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING, _GOAWAY, _HEADERS = 1, 2, 3, 6, 7, 8
_FIN = 0x01
_HEAD = 8
_ID = 0x7FFFFFFF
_VERSION = 0x8003  # a control frame of version 3
_TOP = 0x80000000


class SpdyError(ServerError):
    """The bytes are no SPDY/3.1, or more than we keep; the connection cannot go on."""


class Replied:
    """The server took a stream that we opened."""

    __slots__ = ("stream",)

    def __init__(self, stream: int) -> None:
        self.stream = stream


class Received:
    """Data of a stream: a view of the bytes given to `feed`. `finished`: the server sends no more of it."""

    __slots__ = ("data", "finished", "stream")

    def __init__(self, stream: int, data: Bytes, finished: bool) -> None:
        self.stream = stream
        self.data = data
        self.finished = finished


class Reset:
    """The server gave a stream up, both directions, for a reason (§2.6.3)."""

    __slots__ = ("reason", "stream")

    def __init__(self, stream: int, reason: int) -> None:
        self.stream = stream
        self.reason = reason


class Ponged:
    """The server answers the ping of this number."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


class GoneAway:
    """The server takes no more streams; 0 is the reason of an ordinary end."""

    __slots__ = ("reason",)

    def __init__(self, reason: int) -> None:
        self.reason = reason


if TYPE_CHECKING:
    Event = Replied | Received | Reset | Ponged | GoneAway


class Client:
    """One connection. What is to be sent gathers until `take`."""

    __slots__ = ("_broken", "_deflate", "_ended", "_kept", "_last", "_left", "_need", "_ours", "_out", "_pinged",
                 "_stream", "_theirs")  # fmt: skip

    def __init__(self) -> None:
        self._out: list[Bytes] = []
        self._deflate = zlib.compressobj(zdict=DICTIONARY)
        self._ours: set[int] = set()  # streams that we may still send on
        self._theirs: set[int] = set()  # streams that the server may still send on
        self._last = -1
        self._pinged = -1
        self._kept = bytearray()  # the start of a frame, until `_need` bytes of it are there
        self._need = _HEAD
        # The frame of data that is being read: its stream, bytes to come, whether it is the stream's last.
        self._stream = 0
        self._left = 0
        self._ended = False
        self._broken = ""

    def open(self, headers: dict[str, str], *, finish: bool = False) -> int:
        """Open a stream, and say whether we send nothing on it; its number. Data may be sent before `Replied`.

        Raises:
            SpdyError: all of the numbers that a connection has (a thousand million) were used.
        """
        stream = self._last + 2
        if stream > _ID:
            raise SpdyError("The tunnel has had all the connections that it can have.")
        self._last = stream
        packed = bytearray(len(headers).to_bytes(4, "big"))
        for name, value in headers.items():
            for text in (name.lower().encode("latin-1"), value.encode("latin-1")):
                packed += len(text).to_bytes(4, "big") + text
        block = self._deflate.compress(packed) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        # Of no other stream, of the highest priority, in no slot (§2.6.1).
        self._control(_SYN_STREAM, struct.pack(">IIH", stream, 0, 0) + block, _FIN if finish else 0)
        self._theirs.add(stream)
        if not finish:
            self._ours.add(stream)
        return stream

    def send(self, stream: int, data: Bytes, *, finish: bool = False) -> None:
        """Send data, and say whether it is the last; nothing happens on a stream that is closed on our side.

        The data is not copied: it must stay as it is until what `take` gives was sent.
        """
        if stream not in self._ours:
            return
        size = len(data)
        view = data
        if size > PIECE:
            view = memoryview(data)
            while size > PIECE:
                self._out += (struct.pack(">II", stream, PIECE), view[:PIECE])
                view = view[PIECE:]
                size -= PIECE
        if size or finish:
            self._out.append(struct.pack(">II", stream, (_FIN << 24 if finish else 0) | size))
            if size:
                self._out.append(view)
        if finish:
            self._ours.discard(stream)

    def reset(self, stream: int, reason: int = CANCEL) -> None:
        """Give a stream up; what still comes of it is dropped."""
        if stream in self._ours or stream in self._theirs:
            self._forget(stream)
            self._control(_RST_STREAM, struct.pack(">II", stream, reason))

    def ping(self) -> int:
        """Ask whether the server is there; the number that `Ponged` will have."""
        self._pinged = (self._pinged + 2) & _ID
        self._control(_PING, self._pinged.to_bytes(4, "big"))
        return self._pinged

    def go_away(self) -> None:
        """Say that the connection ends."""
        self._control(_GOAWAY, bytes(8))  # the last stream that the server opened: none; an ordinary end

    def take(self) -> list[Bytes]:
        """What is to be sent now, in order; it is forgotten here."""
        out = self._out
        self._out = []
        return out

    def feed(self, data: Bytes) -> list[Event]:
        """Take bytes in any pieces; what they mean. A ping of the server is answered here.

        Raises:
            SpdyError: they cannot be understood. Every later call raises it too.
        """
        left = self._left
        if left > len(data):  # in the middle of a frame of data: by far the most frequent case
            self._left = left - len(data)
            return [Received(self._stream, data, finished=False)] if data and self._stream in self._theirs else []
        if self._broken:
            raise SpdyError(self._broken)
        events: list[Event] = []
        view = memoryview(data)
        try:
            while view:
                view = self._piece(events, view) if self._left else self._begin(events, view)
        except SpdyError as error:
            self._broken = error.message
            raise
        return events

    def _piece(self, events: list[Event], view: memoryview) -> memoryview:
        """Hand on what is there of the current frame of data; the rest."""
        left = self._left
        piece = view[:left]
        self._left = left - len(piece)
        self._received(events, piece, self._ended and not self._left)
        return view[left:]

    def _received(self, events: list[Event], piece: Bytes, finished: bool) -> None:
        if self._stream in self._theirs:
            if finished:
                self._theirs.discard(self._stream)
            events.append(Received(self._stream, piece, finished))

    def _begin(self, events: list[Event], view: memoryview) -> memoryview:
        """Read a frame's head, and all of a control frame; the rest. What is not whole yet is kept."""
        kept = self._kept
        start: Bytes = view
        used = self._need
        if kept or len(view) < used:
            used = used - len(kept)
            kept += view[:used]
            if len(kept) < self._need:
                return view[len(view) :]
            start = kept
        first, second = struct.unpack_from(">II", start)
        if first & _TOP:
            need = _HEAD + self._length(first, second)
            if len(start) < need:
                if start is not kept:
                    kept += start
                    used = len(start)
                self._need = need
                return view[used:]
            if start is not kept:
                used = need
            self._read_control(events, first & 0xFFFF, second >> 24, bytes(start[_HEAD:need]))
        else:
            self._stream, self._left, self._ended = first, second & 0xFFFFFF, bool(second >> 24 & _FIN)
            if self._ended and not self._left:
                self._received(events, b"", finished=True)
        if start is kept:
            self._kept = bytearray()
            self._need = _HEAD
        return view[used:]

    def _length(self, first: int, second: int) -> int:
        """Bytes of a control frame behind its head."""
        length = second & 0xFFFFFF
        if first >> 16 != _VERSION:
            raise SpdyError(f"The server sent a SPDY frame of version {first >> 16 & 0x7FFF}, not 3.")
        if length > CONTROL_LIMIT:
            raise SpdyError(f"The server sent a SPDY control frame of {length} bytes.")
        return length

    def _read_control(self, events: list[Event], kind: int, flags: int, payload: bytes) -> None:
        if kind in (_SYN_STREAM, _SYN_REPLY, _HEADERS):
            if len(payload) < 4:  # noqa: PLR2004 - a stream's number
                raise SpdyError("The server sent a SPDY frame that is too short.")
            self._headed(events, kind, flags, int.from_bytes(payload[:4], "big") & _ID)
        elif kind == _RST_STREAM:
            stream, reason = _numbers(payload, 2)
            if stream in self._ours or stream in self._theirs:
                self._forget(stream)
                events.append(Reset(stream, reason))
        elif kind == _PING:
            (number,) = _numbers(payload, 1)
            if number % 2:
                events.append(Ponged(number))
            else:  # the server's own: those of a server are even (§2.6.5)
                self._control(_PING, payload)
        elif kind == _GOAWAY:
            events.append(GoneAway(_numbers(payload, 2)[1]))
        # SETTINGS and WINDOW_UPDATE change nothing here; unknown frames are to be ignored (§2.2.1)

    def _headed(self, events: list[Event], kind: int, flags: int, stream: int) -> None:
        if kind == _SYN_STREAM:  # a stream of the server's: nothing of ours takes one
            self._control(_RST_STREAM, struct.pack(">II", stream, REFUSED_STREAM))
        elif stream in self._ours or stream in self._theirs:
            if kind == _SYN_REPLY:
                events.append(Replied(stream))
            if flags & _FIN and stream in self._theirs:
                self._theirs.discard(stream)
                events.append(Received(stream, b"", finished=True))

    def _forget(self, stream: int) -> None:
        self._ours.discard(stream)
        self._theirs.discard(stream)

    def _control(self, kind: int, payload: bytes, flags: int = 0) -> None:
        self._out.append(struct.pack(">HHI", _VERSION, kind, flags << 24 | len(payload)) + payload)


def _numbers(payload: bytes, count: int) -> tuple[int, ...]:
    if len(payload) != 4 * count:
        raise SpdyError(f"The server sent a SPDY frame of {len(payload)} bytes where {4 * count} belong.")
    return struct.unpack(f">{count}I", payload)
