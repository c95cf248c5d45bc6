"""The few DNS messages that cluster names need, without I/O (RFC 1035 §4)."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ADDRESS, SERVICE, ANY = 1, 33, 255  # record types A, SRV and the wildcard
INTERNET = 1
NO_ERROR, NO_SUCH_NAME, NOT_IMPLEMENTED = 0, 3, 4
TTL = 1  # seconds: tests replace pods behind a name and look at once
LARGEST = 512  # bytes of a message over UDP; RFC 1035 §4.2.1
LONGEST_NAME = 255  # bytes on the wire; §2.3.4
HEADER, RECORD = 12, 16  # bytes; a record as we write it


class Malformed(ValueError):
    """Not a DNS query."""


@dataclass(frozen=True)
class Question:
    """What is asked; `wire` is the question as it came, to be repeated in the answer."""

    identity: int
    flags: int
    name: str
    kind: int
    wire: bytes


def question(message: bytes) -> Question:
    """Read a query.

    Raises:
        Malformed: it is not one, or asks more than one thing.
    """
    if len(message) < HEADER:
        raise Malformed("shorter than a header")
    identity, flags, count = struct.unpack_from("!HHH", message)
    if flags & 0x8000 or count != 1:
        raise Malformed("not a query with one question")
    labels = []
    at = HEADER
    while True:
        if at >= len(message):
            raise Malformed("a name without end")
        length = message[at]
        at += 1
        if not length:
            break
        if length > 63 or at + length > len(message):
            raise Malformed("a label that is too long")
        labels.append(message[at : at + length].decode("ascii", errors="replace").lower())
        at += length
    if at - HEADER > LONGEST_NAME:
        raise Malformed("a name that is too long")
    if at + 4 > len(message):
        raise Malformed("a question without a type")
    kind, family = struct.unpack_from("!HH", message, at)
    if family != INTERNET:
        raise Malformed("not about the Internet")
    return Question(identity, flags, ".".join(labels), kind, message[HEADER : at + 4])


def answer(asked: Question, addresses: Sequence[str] | None) -> bytes:
    """The answer: addresses, none of the kind asked for, or (None) that there is no such name."""
    code = NO_SUCH_NAME if addresses is None else NO_ERROR
    room = (LARGEST - HEADER - len(asked.wire)) // RECORD
    given = (addresses or ())[:room] if asked.kind in {ADDRESS, ANY} else ()
    # QR, opcode and RD as asked, AA, RA
    flags = 0x8000 | (asked.flags & 0x7900) | 0x0480 | code
    header = struct.pack("!HHHHHH", asked.identity, flags, 1, len(given), 0, 0)
    # 0xc00c points back at the name in the question
    records = [
        struct.pack("!HHHIH", 0xC00C, ADDRESS, INTERNET, TTL, 4) + ipaddress.IPv4Address(address).packed
        for address in given
    ]
    return header + asked.wire + b"".join(records)
