"""SPDY/3.1, the server's side, without I/O: bytes in, events and bytes out.

Kubernetes sends exec and port-forward over it. Its client never waits for a WINDOW_UPDATE and sends none that mean
anything, so there is no flow control here either: who reads slowly must stop feeding `receive`.

Source: SPDY Protocol Draft 3.1; where it leaves room, Kubernetes' spdystream.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from kubectl_ray.sandbox.streams.spdy_dictionary import DICTIONARY

SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
FIN = 0x01
PROTOCOL_ERROR, REFUSED_STREAM, CANCEL = 1, 3, 5
"""Reasons of RST_STREAM."""

DATA_PIECE = 64 * 1024
"""Bytes of data in one frame that we send; received frames of any length are handed on as they come in."""
MAX_CONTROL_FRAME = 64 * 1024
MAX_HEADERS = 256 * 1024
"""Bytes of a header block when it is unpacked."""
MAX_STREAMS = 2_048
"""Open at a time; further ones are refused one by one."""

_HEAD, _NUMBER = 8, 4
_SYN_STREAM_HEAD = 10  # stream, associated stream, priority and slot before the headers
_ID_MASK = 0x7FFFFFFF
_CONTROL_VERSION = 0x8003


class SpdyError(Exception):
    """The bytes are no SPDY/3.1, or more than we keep; the connection cannot go on."""


class Opened(NamedTuple):
    """The client opened a stream; header names are in lower case."""

    stream: int
    headers: dict[str, str]
    finished: bool


class Received(NamedTuple):
    """Data of a stream; `finished` when the client sends no more of it."""

    stream: int
    data: bytes
    finished: bool


class Reset(NamedTuple):
    """The client gave a stream up, both directions."""

    stream: int
    reason: int


class GoneAway(NamedTuple):
    """The client opens no more streams."""

    reason: int


Event = Opened | Received | Reset | GoneAway


class Session:
    """One connection. What is to be sent gathers until `take`."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._out = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)
        self._theirs: set[int] = set()  # streams that the client may still send on
        self._ours: set[int] = set()  # streams that we may still send on
        self._last = 0
        self._pinged = 0
        self._data: tuple[int, int, bool] | None = None  # the data frame being read: stream, bytes to come, last one
        self._broken = ""

    def receive(self, data: bytes) -> list[Event]:
        """Take bytes in any pieces; what they mean.

        Raises:
            SpdyError: they cannot be understood. Every later call raises it too.
        """
        if self._broken:
            raise SpdyError(self._broken)
        self._buffer += data
        events: list[Event] = []
        try:
            while self._step(events):
                pass
        except SpdyError as error:
            self._broken = str(error)
            raise
        return events

    def take(self) -> bytes:
        """What is to be sent now; it is forgotten here."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def reply(self, stream: int, headers: dict[str, str] | None = None) -> None:
        """Accept a stream that the client opened."""
        packed = bytearray(struct.pack(">I", len(headers or {})))
        for name, value in (headers or {}).items():
            for text in (name.lower().encode("latin-1"), value.encode("latin-1")):
                packed += struct.pack(">I", len(text)) + text
        block = self._deflate.compress(bytes(packed)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self._control(SYN_REPLY, struct.pack(">I", stream) + block)

    def send(self, stream: int, data: bytes, *, finish: bool = False) -> None:
        """Send data, and say whether it is the last; nothing happens on a stream that is closed on our side."""
        if stream not in self._ours:
            return
        view = memoryview(data)
        while len(view) > DATA_PIECE:
            self._out += struct.pack(">II", stream, DATA_PIECE) + view[:DATA_PIECE]
            view = view[DATA_PIECE:]
        if len(view) or finish:
            self._out += struct.pack(">II", stream, (FIN << 24 if finish else 0) | len(view)) + view
        if finish:
            self._ours.discard(stream)

    def reset(self, stream: int, reason: int = CANCEL) -> None:
        """Give a stream up; what still comes of it is dropped."""
        if stream in self._ours or stream in self._theirs:
            self._forget(stream)
            self._control(RST_STREAM, struct.pack(">II", stream, reason))

    def ping(self) -> None:
        """Ask whether the client is there; its answer is not reported."""
        self._pinged += 2
        self._control(PING, struct.pack(">I", self._pinged & _ID_MASK))

    def go_away(self, reason: int = 0) -> None:
        """Tell that the connection ends."""
        self._control(GOAWAY, struct.pack(">II", self._last, reason))

    def _control(self, kind: int, payload: bytes) -> None:
        self._out += struct.pack(">HHI", _CONTROL_VERSION, kind, len(payload)) + payload

    def _forget(self, stream: int) -> None:
        self._ours.discard(stream)
        self._theirs.discard(stream)

    def _step(self, events: list[Event]) -> bool:
        """Read one frame, or a piece of data; whether there may be more."""
        if self._data is not None:
            return self._read_data(events, *self._data)
        if len(self._buffer) < _HEAD:
            return False
        first, second = struct.unpack_from(">II", self._buffer)
        flags, length = second >> 24, second & 0xFFFFFF
        if not first >> 31:
            del self._buffer[:_HEAD]
            return self._read_data(events, first, length, bool(flags & FIN))
        if first >> 16 != _CONTROL_VERSION:
            raise SpdyError(f"a control frame of version {first >> 16 & 0x7FFF}, not 3")
        if length > MAX_CONTROL_FRAME:
            raise SpdyError(f"a control frame of {length} bytes")
        if len(self._buffer) < _HEAD + length:
            return False
        payload = bytes(self._buffer[_HEAD : _HEAD + length])
        del self._buffer[: _HEAD + length]
        self._read_control(events, first & 0xFFFF, flags, payload)
        return True

    def _read_data(self, events: list[Event], stream: int, length: int, finished: bool) -> bool:
        piece = bytes(self._buffer[:length])
        del self._buffer[: len(piece)]
        left = length - len(piece)
        self._data = (stream, left, finished) if left else None
        ended = finished and not left
        if (piece or ended) and stream in self._theirs:
            events.append(Received(stream, piece, ended))
            if ended:
                self._theirs.discard(stream)
        return not left

    def _read_control(self, events: list[Event], kind: int, flags: int, payload: bytes) -> None:
        if kind == SYN_STREAM:
            self._opened(events, flags, payload)
        elif kind == RST_STREAM:
            stream, reason = _numbers(payload)
            if stream in self._ours or stream in self._theirs:
                self._forget(stream)
                events.append(Reset(stream, reason))
        elif kind == PING:
            (number,) = _numbers(payload, 1)
            if number % 2:  # an even one answers a ping of a server; we send none
                self._control(PING, payload)
        elif kind == GOAWAY:
            events.append(GoneAway(_numbers(payload)[1]))
        elif kind in (SYN_REPLY, HEADERS):
            _numbers(payload[:4], 1)
            self._headers(payload[4:])  # unpacked all the same: the compression goes on over all blocks
        # SETTINGS and WINDOW_UPDATE change nothing here; unknown frames are to be ignored (§2.2.1)

    def _opened(self, events: list[Event], flags: int, payload: bytes) -> None:
        if len(payload) < _SYN_STREAM_HEAD:
            raise SpdyError("a SYN_STREAM frame that is too short")
        stream = struct.unpack_from(">I", payload)[0] & _ID_MASK
        headers = self._headers(payload[_SYN_STREAM_HEAD:])
        if stream % 2 == 0 or stream <= self._last:
            raise SpdyError(f"stream {stream} cannot be opened after stream {self._last}")
        self._last = stream
        if len(self._ours | self._theirs) >= MAX_STREAMS:
            self._control(RST_STREAM, struct.pack(">II", stream, REFUSED_STREAM))
            return
        self._ours.add(stream)
        finished = bool(flags & FIN)
        if not finished:
            self._theirs.add(stream)
        events.append(Opened(stream, headers, finished))

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            plain = self._inflate.decompress(block, MAX_HEADERS)
        except zlib.error as error:
            raise SpdyError(f"headers that cannot be unpacked: {error}") from error
        if self._inflate.unconsumed_tail or self._inflate.unused_data:
            raise SpdyError("headers that are too long")
        return _pairs(plain)


def _numbers(payload: bytes, count: int = 2) -> tuple[int, ...]:
    if len(payload) != 4 * count:
        raise SpdyError(f"a control frame of {len(payload)} bytes where {4 * count} belong")
    return struct.unpack(f">{count}I", payload)


def _pairs(plain: bytes) -> dict[str, str]:
    """Name and value pairs (§2.6.10); several values of one name stay together, divided by NUL."""
    at = 0

    def text() -> bytes:
        nonlocal at
        length = int.from_bytes(plain[at : at + 4], "big")
        piece = plain[at + 4 : at + 4 + length]
        if len(plain) < at + 4 + length:
            raise SpdyError("headers that end too early")
        at += 4 + length
        return piece

    if len(plain) < _NUMBER:
        raise SpdyError("headers that end too early")
    count = int.from_bytes(plain[:4], "big")
    at = 4
    if count > len(plain) // 8:
        raise SpdyError("headers that end too early")
    return {text().decode("latin-1").lower(): text().decode("latin-1") for _ in range(count)}
