"""WebSocket framing (RFC 6455), the client's side, without I/O: bytes in, events and bytes out.

Only what a tunnel needs: binary messages, no extensions. Nothing of a message is held back: each piece of data is
handed on as it comes in, as a view of the bytes that were given, so it is good until their buffer is used again.
"""

from __future__ import annotations

import os

from kubectl_ray.errors import ServerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    Bytes = bytes | bytearray | memoryview

NORMAL, GOING_AWAY, PROTOCOL_ERROR = 1000, 1001, 1002
"""Codes of a close frame (RFC 6455 §7.4.1)."""
NO_CODE = 1005
"""What `Closed` says for a close frame without a code; never on the wire."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3
_CONTINUED, _BINARY, _CLOSE, _PING, _PONG = 0, 2, 8, 9, 10
_FIN, _RESERVED, _MASKED, _CONTROL = 0x80, 0x70, 0x80, 0x08
_CONTROL_LIMIT = 125
_SHORT, _LONG = 126, 127  # lengths that announce one in 2 and in 8 bytes
_HEAD = 2
_EVERY_BYTE = int.from_bytes(bytes(range(256)), "big")
_ONES = int.from_bytes(b"\1" * 256, "big")


class WebSocketError(ServerError):
    """The bytes are no WebSocket frames of a server; the connection cannot go on."""


class Data:
    """A piece of a message: a view of the bytes given to `feed`; `final` when the message ends with it."""

    __slots__ = ("data", "final")

    def __init__(self, data: Bytes, final: bool) -> None:
        self.data = data
        self.final = final


class Ping:
    """The server asks whether we are there: send `pong` with the same payload."""

    __slots__ = ("payload",)

    def __init__(self, payload: bytes) -> None:
        self.payload = payload


class Pong:
    """The server is there."""

    __slots__ = ("payload",)

    def __init__(self, payload: bytes) -> None:
        self.payload = payload


class Closed:
    """The server ends the WebSocket, with a code (`NO_CODE` if it gave none) and words; nothing comes after it."""

    __slots__ = ("code", "reason")

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason


if TYPE_CHECKING:
    Event = Data | Ping | Pong | Closed


def handshake_key() -> str:
    """A fresh value for Sec-WebSocket-Key (RFC 6455 §4.1)."""
    from base64 import b64encode

    return b64encode(os.urandom(16)).decode()


def accept_for(key: str) -> str:
    """The Sec-WebSocket-Accept with which a server answers a key (RFC 6455 §4.2.2)."""
    from base64 import b64encode

    try:
        # A tunnel's start waits for this, and hashlib takes 3 ms to import.
        from _sha1 import sha1  # type: ignore[import-not-found] # not in the stubs
    except ImportError:  # a Python that was built without it
        from hashlib import sha1
    return b64encode(sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


class Client:
    """One WebSocket after its handshake: reads a server's frames, writes a client's masked ones."""

    __slots__ = ("_broken", "_closed", "_final", "_head", "_left", "_open")

    def __init__(self) -> None:
        self._head = bytearray()  # the start of a frame, until it can be understood
        self._left = 0  # bytes of the current data frame to come
        self._final = True  # whether the current data frame is the last of its message
        self._open = False  # whether a message has begun and not ended
        self._closed = False
        self._broken = ""

    def feed(self, data: Bytes) -> list[Event]:
        """Take bytes in any pieces; what they mean. Bytes after a close frame mean nothing.

        Raises:
            WebSocketError: no frames of a server. Every later call raises it too.
        """
        left = self._left
        if left > len(data):  # in the middle of a frame: by far the most frequent case
            self._left = left - len(data)
            return [Data(data, final=False)] if data else []
        if self._broken:
            raise WebSocketError(self._broken)
        events: list[Event] = []
        view = memoryview(data)
        try:
            while view and not self._closed:
                view = self._piece(events, view) if self._left else self._begin(events, view)
        except WebSocketError as error:
            self._broken = error.message
            raise
        return events

    def message(self, *parts: Bytes) -> bytes:
        """One binary message of these parts, ready to be sent."""
        return _frame(_BINARY, parts)

    def ping(self, payload: bytes = b"") -> bytes:
        """Ask whether the server is there; at most 125 bytes, which its `Pong` brings back."""
        return _frame(_PING, (payload,))

    def pong(self, payload: bytes = b"") -> bytes:
        """Answer a `Ping`."""
        return _frame(_PONG, (payload,))

    def close(self, code: int = NORMAL) -> bytes:
        """Say that the WebSocket ends."""
        return _frame(_CLOSE, (code.to_bytes(2, "big"),))

    def _piece(self, events: list[Event], view: memoryview) -> memoryview:
        """Hand on what is there of the current frame; the rest."""
        left = self._left
        piece = view[:left]
        self._left = left - len(piece)
        final = self._final and not self._left
        if final:
            self._open = False
        events.append(Data(piece, final))
        return view[left:]

    def _begin(self, events: list[Event], view: memoryview) -> memoryview:
        """Read a frame's head, and all of a control frame; the rest. What is not whole yet is kept."""
        kept = len(self._head)
        start: Bytes = view
        if kept:
            # As much as a head or a control frame can have; more belongs to data, and stays where it is.
            start = self._head + view[: _HEAD + _CONTROL_LIMIT]
        size = _understood(start)
        if size is None:
            self._head += view
            return view[len(view) :]
        used, length = size
        opcode, final = start[0] & 0x0F, bool(start[0] & _FIN)
        if opcode & _CONTROL:
            self._control(events, opcode, bytes(start[_HEAD:used]))
        else:
            self._message(events, opcode, final=final, length=length)
        if kept:
            self._head = bytearray()
        return view[used - kept :]

    def _message(self, events: list[Event], opcode: int, *, final: bool, length: int) -> None:
        if (opcode == _CONTINUED) != self._open:
            raise WebSocketError("The server's WebSocket messages are mixed up.")
        self._open = not final
        self._final = final
        self._left = length
        if length:
            self._open = True  # until its last byte
        elif final:
            events.append(Data(b"", final=True))

    def _control(self, events: list[Event], opcode: int, payload: bytes) -> None:
        if opcode == _PING:
            events.append(Ping(payload))
        elif opcode == _PONG:
            events.append(Pong(payload))
        elif len(payload) == 1:
            raise WebSocketError("The server closed the WebSocket with half a code.")
        else:
            self._closed = True
            code = int.from_bytes(payload[:2], "big") if payload else NO_CODE
            events.append(Closed(code, payload[2:].decode("utf-8", "replace")))


def _understood(start: Bytes) -> tuple[int, int] | None:
    """How many bytes a frame's head has (a control frame: head and payload), and its payload; None: more is needed."""
    if len(start) < _HEAD:
        return None
    first, second = start[0], start[1]
    if first & _RESERVED:
        raise WebSocketError("The server sent a WebSocket frame with an extension that was not agreed on.")
    if second & _MASKED:
        raise WebSocketError("The server sent a masked WebSocket frame.")
    opcode = first & 0x0F
    if opcode & _CONTROL:
        if opcode not in (_CLOSE, _PING, _PONG) or not first & _FIN or second > _CONTROL_LIMIT:
            raise WebSocketError(f"The server sent a WebSocket control frame {first:#04x} of {second} bytes.")
        used = _HEAD + second
        return (used, second) if len(start) >= used else None
    if opcode not in (_CONTINUED, _BINARY):
        raise WebSocketError(f"The server sent a WebSocket frame of kind {opcode} where only binary ones belong.")
    if second < _SHORT:
        return _HEAD, second
    used, least = (4, _SHORT) if second == _SHORT else (10, 1 << 16)
    if len(start) < used:
        return None
    length = int.from_bytes(start[_HEAD:used], "big")
    if length < least or length >> 63:  # RFC 6455 §5.2: the shortest way must be used, the top bit must be 0
        raise WebSocketError(f"The server sent a WebSocket frame with a wrong length, {length}.")
    return used, length


def _frame(opcode: int, parts: tuple[Bytes, ...]) -> bytes:
    """A whole frame, masked with a fresh key (RFC 6455 §5.2 and §5.3)."""
    payload = b"".join(parts)
    size = len(payload)
    if size < _SHORT:
        head = bytes((_FIN | opcode, _MASKED | size))
    elif size < 1 << 16:
        head = bytes((_FIN | opcode, _MASKED | _SHORT)) + size.to_bytes(2, "big")
    else:
        head = bytes((_FIN | opcode, _MASKED | _LONG)) + size.to_bytes(8, "big")
    mask = os.urandom(4)
    # Every fourth byte has the same key: four translations by a table are the fastest XOR without an extension module.
    masked = bytearray(size)
    for phase, key in enumerate(mask):
        masked[phase::4] = payload[phase::4].translate((_EVERY_BYTE ^ _ONES * key).to_bytes(256, "big"))
    return head + mask + masked
