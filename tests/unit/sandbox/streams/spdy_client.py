"""A client's side of SPDY/3.1, written apart from the server's: frames in and out, nothing more."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from kubectl_ray.sandbox.streams.spdy_dictionary import DICTIONARY

if TYPE_CHECKING:
    from collections.abc import Iterator


class Frame(NamedTuple):
    """A frame: `kind` 0 is data."""

    kind: int
    stream: int
    flags: int
    payload: bytes


def data(stream: int, payload: bytes, *, last: bool = False) -> bytes:
    """A data frame."""
    return struct.pack(">II", stream, last << 24 | len(payload)) + payload


def control(kind: int, payload: bytes, flags: int = 0) -> bytes:
    """A control frame."""
    return struct.pack(">HHI", 0x8003, kind, flags << 24 | len(payload)) + payload


class Client:
    """Compression goes on over all frames of a connection, so one is kept for each."""

    def __init__(self) -> None:
        self._pack = zlib.compressobj(zdict=DICTIONARY)
        self._unpack = zlib.decompressobj(zdict=DICTIONARY)
        self._buffer = b""

    def open(self, stream: int, last: bool = False, /, **headers: str) -> bytes:
        """SYN_STREAM."""
        plain = struct.pack(">I", len(headers))
        for name, value in headers.items():
            plain += struct.pack(">I", len(name)) + name.encode() + struct.pack(">I", len(value)) + value.encode()
        block = self._pack.compress(plain) + self._pack.flush(zlib.Z_SYNC_FLUSH)
        return control(1, struct.pack(">IIBB", stream, 0, 0, 0) + block, flags=int(last))

    def feed(self, received: bytes) -> Iterator[Frame]:
        """The frames that are complete."""
        self._buffer += received
        while len(self._buffer) >= 8:
            first, second = struct.unpack(">II", self._buffer[:8])
            length = second & 0xFFFFFF
            if len(self._buffer) < 8 + length:
                return
            payload = self._buffer[8 : 8 + length]
            self._buffer = self._buffer[8 + length :]
            if not first >> 31:
                yield Frame(0, first, second >> 24, payload)
                continue
            kind = first & 0xFFFF
            stream = struct.unpack(">I", payload[:4])[0]
            if kind == 2:
                payload = self._unpack.decompress(payload[4:])
            yield Frame(kind, stream, second >> 24, payload)
