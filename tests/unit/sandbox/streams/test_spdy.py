"""SPDY/3.1 framing."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.streams.spdy import (
    MAX_CONTROL_FRAME,
    MAX_STREAMS,
    GoneAway,
    Opened,
    Received,
    Reset,
    Session,
    SpdyError,
)
from kubectl_ray.sandbox.streams.spdy_dictionary import DICTIONARY
from tests.unit.sandbox.streams.spdy_client import Client, Frame, control, data


def opened(*streams: int) -> tuple[Session, Client]:
    """A session in which a client has opened these."""
    session, client = Session(), Client()
    for stream in streams:
        session.receive(client.open(stream, streamtype="data"))
    return session, client


def test_the_dictionary_is_the_specified_one() -> None:
    """Its checksum is the one that every compressed header block of SPDY/3 names."""
    assert (len(DICTIONARY), zlib.adler32(DICTIONARY)) == (1423, 0xE3C6A7C2)


def test_a_stream_is_opened_with_its_headers() -> None:
    """Names come in lower case."""
    session, client = Session(), Client()
    assert session.receive(client.open(1, streamType="error", port="8000")) == [
        Opened(1, {"streamtype": "error", "port": "8000"}, finished=False)
    ]


def test_headers_stay_readable_over_many_blocks() -> None:
    """The compression goes on from block to block."""
    session, client = Session(), Client()
    for stream in range(1, 100, 2):
        (event,) = session.receive(client.open(stream, requestid=str(stream)))
        assert isinstance(event, Opened)
        assert event.headers == {"requestid": str(stream)}


def test_our_reply_can_be_read() -> None:
    """SYN_REPLY has a header block packed with the same dictionary."""
    session, client = opened(1, 3)
    session.reply(1)
    session.reply(3, {"X-Name": "value"})
    first, second = client.feed(session.take())
    assert (first.kind, first.stream, first.payload) == (2, 1, struct.pack(">I", 0))
    assert second.payload == struct.pack(">II", 1, 6) + b"x-name" + struct.pack(">I", 5) + b"value"


def test_data_comes_as_it_arrives() -> None:
    """A frame needs not be complete; FIN is told with its last piece."""
    session, _ = opened(1)
    frame = data(1, b"abcdef", last=True)
    assert session.receive(frame[:10]) == [Received(1, b"ab", finished=False)]
    assert session.receive(frame[10:]) == [Received(1, b"cdef", finished=True)]


def test_an_empty_last_frame_is_told() -> None:
    """FIN may come alone."""
    session, _ = opened(1)
    assert session.receive(data(1, b"", last=True)) == [Received(1, b"", finished=True)]


def test_we_may_send_after_the_client_has_finished() -> None:
    """Half-close: each direction ends by itself."""
    session, client = opened(1)
    session.receive(data(1, b"", last=True))
    session.send(1, b"late", finish=True)
    assert list(client.feed(session.take())) == [Frame(0, 1, 1, b"late")]


def test_nothing_is_sent_after_our_finish() -> None:
    """A stream that is closed on our side takes no more."""
    session, _ = opened(1)
    session.send(1, b"", finish=True)
    session.take()
    session.send(1, b"more")
    assert session.take() == b""


def test_long_data_goes_out_in_frames_of_limited_length() -> None:
    """Other streams' frames fit in between."""
    session, client = opened(1)
    session.send(1, b"x" * 200_000, finish=True)
    frames = list(client.feed(session.take()))
    assert [len(frame.payload) for frame in frames] == [65536, 65536, 65536, 3392]
    assert [frame.flags for frame in frames] == [0, 0, 0, 1]


def test_a_ping_is_answered() -> None:
    """With the same number."""
    session = Session()
    session.receive(control(6, struct.pack(">I", 7)))
    assert session.take() == control(6, struct.pack(">I", 7))


def test_an_answer_to_our_ping_is_not_answered() -> None:
    """Even numbers are ours."""
    session = Session()
    session.ping()
    assert session.take() == control(6, struct.pack(">I", 2))
    session.receive(control(6, struct.pack(">I", 2)))
    assert session.take() == b""


def test_a_reset_ends_both_directions() -> None:
    """RST_STREAM; later data of that stream is dropped."""
    session, _ = opened(1)
    assert session.receive(control(3, struct.pack(">II", 1, 5))) == [Reset(1, 5)]
    assert session.receive(data(1, b"late")) == []
    session.send(1, b"late")
    assert session.take() == b""


def test_our_reset_is_sent_once() -> None:
    """A stream that is gone already is not reset."""
    session, client = opened(1)
    session.reset(1)
    session.reset(1)
    assert list(client.feed(session.take())) == [Frame(3, 1, 0, struct.pack(">II", 1, 5))]


def test_data_of_unknown_streams_is_dropped() -> None:
    """As spdystream does: the stream may just have ended here."""
    assert Session().receive(data(9, b"x")) == []


def test_frames_that_change_nothing_are_passed_over() -> None:
    """SETTINGS, WINDOW_UPDATE and types that nobody knows."""
    session = Session()
    for kind in (4, 9, 200):
        assert session.receive(control(kind, bytes(8))) == []


def test_go_away_is_told() -> None:
    """With its reason."""
    assert Session().receive(control(7, struct.pack(">II", 0, 1))) == [GoneAway(1)]


def test_too_many_streams_are_refused_one_by_one() -> None:
    """The connection goes on."""
    session, client = opened(*range(1, 2 * MAX_STREAMS, 2))
    session.take()
    assert session.receive(client.open(2 * MAX_STREAMS + 1)) == []
    assert next(client.feed(session.take())).kind == 3
    session.reset(1)
    assert len(session.receive(client.open(2 * MAX_STREAMS + 3))) == 1


def wrong_bytes() -> dict[str, bytes]:
    """By what is wrong with them."""
    client = Client()
    bomb = zlib.compressobj(zdict=DICTIONARY)
    packed = bomb.compress(struct.pack(">II", 1, 1) + b"a" + struct.pack(">I", 1_000_000) + b"\0" * 1_000_000)
    packed += bomb.flush(zlib.Z_SYNC_FLUSH)
    head = struct.pack(">IIBB", 1, 0, 0, 0)
    return {
        "another version": struct.pack(">HHI", 0x8002, 1, 0),
        "a control frame that is too long": struct.pack(">HHI", 0x8003, 1, MAX_CONTROL_FRAME + 1),
        "headers that are no zlib": control(1, head + b"abcdef"),
        "headers that unpack to too much": control(1, head + packed),
        "a SYN_STREAM that is too short": control(1, b"\0\0\0\1"),
        "an even stream": client.open(2),
        "stream 0": client.open(0),
        "a ping of the wrong length": control(6, b"\0"),
        "a reset of the wrong length": control(3, b"\0\0\0\1"),
        "a header block that ends early": control(
            1, head + zlib.compressobj(zdict=DICTIONARY).flush(zlib.Z_SYNC_FLUSH)
        ),
    }


@pytest.mark.parametrize("name", wrong_bytes())
def test_wrong_bytes_are_one_error(name: str) -> None:
    """And the connection stays broken after it."""
    session = Session()
    with pytest.raises(SpdyError):
        session.receive(wrong_bytes()[name])
    with pytest.raises(SpdyError):
        session.receive(b"")


def test_a_stream_number_cannot_come_twice() -> None:
    """Numbers only grow."""
    session, client = opened(3)
    with pytest.raises(SpdyError):
        session.receive(client.open(1))


@given(st.lists(st.binary(max_size=300), max_size=10))
def test_any_bytes_give_events_or_the_one_error(pieces: list[bytes]) -> None:
    """Nothing else is ever raised."""
    session = Session()
    try:
        for piece in pieces:
            session.receive(piece)
    except SpdyError:
        pass


_FRAMES = st.one_of(
    st.builds(lambda stream, body, last: ("data", stream, body, last), st.integers(0, 9), st.binary(), st.booleans()),
    st.builds(lambda stream, body, last: ("open", stream, body, last), st.integers(0, 9), st.binary(), st.booleans()),
    st.builds(lambda kind, body, flag: ("control", kind, body, flag), st.integers(0, 12), st.binary(), st.booleans()),
)


@given(
    st.lists(_FRAMES, max_size=12),
    st.lists(st.integers(1, 40), max_size=30),
    st.integers(0, 400),
    st.integers(0, 255),
)
def test_nearly_right_bytes_mean_the_same_in_any_pieces(
    frames: list[tuple[str, int, bytes, bool]], cuts: list[int], at: int, flipped: int
) -> None:
    """Frames with a byte changed somewhere: the same events however they are cut, or the one error."""
    client, raw = Client(), b""
    for kind, number, body, flag in frames:
        if kind == "data":
            raw += data(number, body, last=flag)
        elif kind == "open":
            raw += client.open(number, flag, name=body.hex())
        else:
            raw += control(number, body, flags=int(flag))
    changed = bytearray(raw)
    if at < len(changed):
        changed[at] ^= flipped
    whole, pieced = _events([bytes(changed)]), _events(_cut(bytes(changed), cuts))
    assert whole == pieced


def _cut(raw: bytes, cuts: list[int]) -> list[bytes]:
    pieces = []
    for cut in cuts:
        pieces.append(raw[:cut])
        raw = raw[cut:]
    return [*pieces, raw]


def _events(pieces: list[bytes]) -> object:
    """Data of one stream in a row taken together, as cutting splits it; "error" where it came to that."""
    session = Session()
    found: list[object] = []
    try:
        for piece in pieces:
            for event in session.receive(piece):
                last = found[-1] if found else None
                if isinstance(event, Received) and isinstance(last, Received) and last.stream == event.stream:
                    found[-1] = Received(event.stream, last.data + event.data, event.finished)
                else:
                    found.append(event)
    except SpdyError:
        return "error"
    return found, session.take()
