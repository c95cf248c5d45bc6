"""DNS messages as RFC 1035 has them."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.realcluster import dns

AAAA = 28


def query(name: str, kind: int = dns.ADDRESS, identity: int = 7) -> bytes:
    """A query with recursion desired, as a resolver sends it."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!HHHHHH", identity, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


def header(message: bytes) -> tuple[int, int, int]:
    """Identity, response code and number of answers."""
    identity, flags, _, answers = struct.unpack_from("!HHHH", message)
    assert flags & 0x8000, "not an answer"
    return identity, flags & 0xF, answers


def test_question_in_lower_case() -> None:
    """Names are compared without regard to case."""
    asked = dns.question(query("Head-SVC.default.svc.cluster.local"))
    assert (asked.identity, asked.name, asked.kind) == (7, "head-svc.default.svc.cluster.local", dns.ADDRESS)


def test_answer_carries_each_address() -> None:
    """One A record an address, for the name in the question."""
    message = dns.answer(dns.question(query("a.b")), ["10.0.0.1", "10.0.0.2"])
    assert header(message) == (7, dns.NO_ERROR, 2)
    record = struct.pack("!HHHIH", 0xC00C, dns.ADDRESS, 1, dns.TTL, 4)
    assert message.endswith(record + bytes([10, 0, 0, 1]) + record + bytes([10, 0, 0, 2]))


def test_no_such_name() -> None:
    """A resolver goes on to its next search domain at once."""
    assert header(dns.answer(dns.question(query("a.b")), None)) == (7, dns.NO_SUCH_NAME, 0)


def test_name_without_such_a_record() -> None:
    """A name that exists has no IPv6 address: not the same as no such name, or resolvers would give up on it."""
    assert header(dns.answer(dns.question(query("a.b", AAAA)), ["10.0.0.1"])) == (7, dns.NO_ERROR, 0)


def test_answer_fits_a_datagram() -> None:
    """RFC 1035 allows 512 bytes."""
    name = ".".join(["x" * 60, "y" * 20, "svc.cluster.local"])
    message = dns.answer(dns.question(query(name)), [f"10.0.0.{number}" for number in range(100)])
    assert 512 - 16 < len(message) <= 512


@pytest.mark.parametrize(
    "message", [b"", b"\0" * 12, query("a.b")[:-1], query("a.b")[:14], b"\x80" * 40, query("ab." * 90 + "c")]
)
def test_nonsense_is_refused(message: bytes) -> None:
    """What is no query gets no answer."""
    with pytest.raises(dns.Malformed):
        dns.question(message)


@given(st.binary(max_size=600))
def test_any_bytes(message: bytes) -> None:
    """Whatever arrives is a question or refused."""
    try:
        asked = dns.question(message)
    except dns.Malformed:
        return
    assert header(dns.answer(asked, ["10.0.0.1"]))[0] == asked.identity


@given(st.binary(max_size=80))
def test_any_question(rest: bytes) -> None:
    """The same behind a good header, where the name is read."""
    test = struct.pack("!HHHHHH", 1, 0x0100, 1, 0, 0, 0) + rest
    try:
        asked = dns.question(test)
    except dns.Malformed:
        return
    assert asked.wire == test[12 : 12 + len(asked.wire)]
