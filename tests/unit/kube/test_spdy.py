"""`kube.spdy`: SPDY/3.1 framing, however the network cuts it."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import KubectlRayError
from kubectl_ray.kube import spdy
from kubectl_ray.kube.spdy import CONTROL_LIMIT, PIECE, Client, Ponged, Received, Replied, Reset, SpdyError
from kubectl_ray.kube.spdy_dictionary import DICTIONARY
from kubectl_ray.sandbox.streams import spdy as server_side
from kubectl_ray.sandbox.streams.spdy import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubectl_ray.kube.spdy import Event


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """`data` in pieces."""
    marks = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(marks)]


def control(kind: int, payload: bytes, flags: int = 0) -> bytes:
    """A control frame."""
    return struct.pack(">HHI", 0x8003, kind, flags << 24 | len(payload)) + payload


def data(stream: int, payload: bytes, *, finished: bool = False) -> bytes:
    """A frame of data."""
    return struct.pack(">II", stream, int(finished) << 24 | len(payload)) + payload


def said(event: Event) -> tuple[object, ...]:
    """An event as a value."""
    if isinstance(event, Received):
        return ("received", event.stream, bytes(event.data), event.finished)
    if isinstance(event, Reset):
        return ("reset", event.stream, event.reason)
    if isinstance(event, Replied):
        return ("replied", event.stream)
    return ("ponged", event.number) if isinstance(event, Ponged) else ("gone away", event.reason)


def heard(client: Client, *pieces: bytes) -> list[tuple[object, ...]]:
    """What the pieces mean to a client."""
    return [said(event) for piece in pieces for event in client.feed(piece)]


def sent(client: Client) -> bytes:
    """What a client wants to send."""
    return b"".join(client.take())


def linked(streams: int = 1) -> tuple[Client, Session]:
    """A client, and the sandbox's server on which it has opened the streams 1, 3, 5 and so on."""
    client, session = Client(), Session()
    for _ in range(streams):
        client.open({"streamType": "data"})
    session.receive(sent(client))
    return client, session


def test_the_dictionary_is_the_specified_one() -> None:
    """Its checksum is the one that the first compressed header block of SPDY/3 names."""
    assert (len(DICTIONARY), zlib.adler32(DICTIONARY)) == (1423, 0xE3C6A7C2)


def test_streams_are_opened_with_odd_numbers_and_their_headers() -> None:
    """Names are sent in lower case; the compression goes on from block to block."""
    client, session = Client(), Session()
    for count in range(50):
        assert client.open({"streamType": "error", "port": "8000", "requestID": str(count)}) == 2 * count + 1
    events = session.receive(sent(client))
    assert events == [
        server_side.Opened(
            2 * count + 1, {"streamtype": "error", "port": "8000", "requestid": str(count)}, finished=False
        )
        for count in range(50)
    ]


def test_headers_are_packed_with_the_dictionary() -> None:
    """SPDY/3 §2.6.10.1: its checksum stands in the first block, so the receiver must have it too."""
    client = Client()
    client.open({})
    assert sent(client)[18:24] == b"\x78\xbb" + zlib.adler32(DICTIONARY).to_bytes(4, "big")


def test_a_stream_can_be_opened_on_which_we_send_nothing() -> None:
    """Port-forward's error stream is one."""
    client, session = Client(), Session()
    stream = client.open({}, finish=True)
    (event,) = session.receive(sent(client))
    assert event == server_side.Opened(1, {}, finished=True)
    client.send(stream, b"ignored")
    assert sent(client) == b""
    session.send(stream, b"an error", finish=True)
    assert heard(client, session.take()) == [("received", 1, b"an error", True)]


def test_numbers_of_streams_end() -> None:
    """There are 31 bits of them."""
    client = Client()
    client._last = 0x7FFFFFFF
    with pytest.raises(SpdyError):
        client.open({})


def test_a_reply_is_told() -> None:
    """What its headers say is not."""
    client, session = linked(2)
    session.reply(1)
    session.reply(3, {"name": "value"})
    assert heard(client, session.take()) == [("replied", 1), ("replied", 3)]


def test_data_goes_both_ways_and_each_ends_by_itself() -> None:
    """A direction that is closed leaves the other one open."""
    client, session = linked()
    client.send(1, b"question", finish=True)
    assert session.receive(sent(client)) == [server_side.Received(1, b"question", finished=True)]
    session.send(1, b"answer")
    session.send(1, b"", finish=True)
    assert heard(client, session.take()) == [("received", 1, b"answer", False), ("received", 1, b"", True)]


def test_nothing_is_sent_behind_the_end() -> None:
    """Data for a direction that we closed is dropped."""
    client, _ = linked()
    client.send(1, b"last", finish=True)
    sent(client)
    client.send(1, b"more")
    client.send(99, b"to nobody")
    assert client.take() == []


def test_nothing_is_told_behind_the_end() -> None:
    """A server that goes on after its end is not listened to."""
    client, _ = linked()
    wire = data(1, b"last", finished=True) + data(1, b"more") + data(77, b"of nobody")
    assert heard(client, wire) == [("received", 1, b"last", True)]


def test_much_data_is_sent_in_pieces_that_are_not_copied() -> None:
    """A frame has at most 64 KiB; what is given is sent as it is."""
    client, session = linked()
    payload = bytearray(b"x" * (PIECE + 10))
    client.send(1, payload)
    pieces = client.take()
    assert [len(piece) for piece in pieces] == [8, PIECE, 8, 10]
    payload[-1:] = b"y"
    events = session.receive(b"".join(pieces))
    assert b"".join(event.data for event in events if isinstance(event, server_side.Received)) == payload


def test_received_data_is_handed_on_before_its_frame_is_whole() -> None:
    """Only the last piece of the last frame says that it is the last; nothing is copied."""
    client, _ = linked()
    wire = bytearray(data(1, b"abcdef", finished=True))
    assert heard(client, bytes(wire[:10]), bytes(wire[10:13])) == [
        ("received", 1, b"ab", False),
        ("received", 1, b"cde", False),
    ]
    last = wire[13:]
    (event,) = client.feed(last)
    last[:] = b"F"
    assert said(event) == ("received", 1, b"F", True)


def test_a_stream_that_we_reset_is_over() -> None:
    """The server is told once; what still comes is dropped."""
    client, session = linked()
    client.reset(1)
    client.reset(1)
    assert session.receive(sent(client)) == [server_side.Reset(1, spdy.CANCEL)]
    client.send(1, b"more")
    assert sent(client) == b""
    assert heard(client, data(1, b"late"), control(3, struct.pack(">II", 1, 5))) == []


def test_data_of_a_frame_under_way_is_dropped_when_its_stream_is_reset() -> None:
    """And the next frame is found."""
    client, _ = linked(2)
    wire = data(1, b"x" * 100) + data(3, b"next")
    assert heard(client, wire[:50]) == [("received", 1, b"x" * 42, False)]
    client.reset(1)
    assert heard(client, wire[50:60], wire[60:]) == [("received", 3, b"next", False)]


def test_a_reset_of_the_server_is_told_once() -> None:
    """Both directions are over then."""
    client, _ = linked()
    reset = control(3, struct.pack(">II", 1, spdy.REFUSED_STREAM))
    assert heard(client, reset + reset) == [("reset", 1, spdy.REFUSED_STREAM)]
    client.send(1, b"more")
    assert client.take() == []


def test_a_reply_may_end_its_stream() -> None:
    """SPDY/3 §2.6.2: it may have the FIN flag, and so may HEADERS."""
    client, _ = linked(2)
    assert heard(client, control(2, struct.pack(">I", 1), 1), control(8, struct.pack(">I", 3), 1)) == [
        ("replied", 1),
        ("received", 1, b"", True),
        ("received", 3, b"", True),
    ]


def test_our_ping_is_answered() -> None:
    """Each has its number, and they are odd."""
    client, session = linked()
    numbers = [client.ping(), client.ping()]
    session.receive(sent(client))
    assert heard(client, session.take()) == [("ponged", number) for number in numbers]
    assert numbers == [1, 3]


def test_the_servers_ping_is_answered() -> None:
    """With its own number, and without a word to the caller."""
    client = Client()
    assert heard(client, control(6, struct.pack(">I", 2))) == []
    assert sent(client) == control(6, struct.pack(">I", 2))


def test_going_away_is_told_to_both_sides() -> None:
    """With the reason of an ordinary end."""
    client, session = linked()
    client.go_away()
    assert session.receive(sent(client)) == [server_side.GoneAway(0)]
    session.go_away(2)
    assert heard(client, session.take()) == [("gone away", 2)]


def test_a_stream_of_the_server_is_refused() -> None:
    """It has nothing to open."""
    client = Client()
    assert heard(client, control(1, struct.pack(">IIH", 2, 0, 0))) == []
    assert sent(client) == control(3, struct.pack(">II", 2, spdy.REFUSED_STREAM))


def test_settings_windows_and_unknown_frames_are_ignored() -> None:
    """SPDY/3 §2.2.1; there is no flow control here."""
    client, _ = linked()
    wire = control(4, bytes(12)) + control(9, struct.pack(">II", 1, 1000)) + control(99, b"") + data(1, b"x")
    assert heard(client, wire) == [("received", 1, b"x", False)]
    assert client.take() == []


@pytest.mark.parametrize(
    "wire",
    [
        struct.pack(">HHI", 0x8002, 3, 8) + bytes(8),
        struct.pack(">HHI", 0x8003, 4, CONTROL_LIMIT + 1),
        control(3, bytes(7)),
        control(6, bytes(8)),
        control(7, bytes(4)),
        control(2, bytes(3)),
    ],
    ids=["another version", "too long", "short reset", "long ping", "short going away", "reply of no stream"],
)
def test_what_is_no_spdy_is_refused(wire: bytes) -> None:
    """And the connection stays refused, whatever follows."""
    client, _ = linked()
    with pytest.raises(SpdyError):
        client.feed(wire)
    with pytest.raises(SpdyError):
        client.feed(data(1, b"fine"))


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=200)), max_size=8), st.lists(st.integers(0, 3000)))
def test_cuts_do_not_change_what_is_said(script: list[tuple[bool, bytes]], places: list[int]) -> None:
    """Whatever pieces the network makes of it, each stream gets its bytes in order, and its end."""
    client, session = linked(2)
    expected = {1: b"", 3: b""}
    for first, payload in script:
        stream = 1 if first else 3
        session.reply(stream)
        session.send(stream, payload)
        session.ping()
        expected[stream] += payload
    session.send(1, b"", finish=True)
    session.send(3, b"!", finish=True)
    events = [event for piece in cut(session.take(), places) for event in client.feed(piece)]
    for stream, whole in ((1, expected[1]), (3, expected[3] + b"!")):
        received = [event for event in events if isinstance(event, Received) and event.stream == stream]
        assert b"".join(event.data for event in received) == whole
        assert [event.finished for event in received] == [False] * (len(received) - 1) + [True]
    assert sum(isinstance(event, Replied) for event in events) == len(script)
    assert sent(client) == b"".join(control(6, struct.pack(">I", 2 * n)) for n in range(1, len(script) + 1))


@given(st.lists(st.binary(max_size=60), min_size=1))
def test_any_bytes_give_events_or_our_error(pieces: list[bytes]) -> None:
    """Garbage of a server is our error, and nothing else."""
    client, _ = linked()
    with suppress(KubectlRayError):
        for piece in pieces:
            client.feed(piece)


frames = st.builds(control, st.integers(0, 12), st.binary(max_size=20), st.integers(0, 3)) | st.builds(
    lambda stream, payload, finished: data(stream, payload, finished=finished),
    st.integers(0, 5),
    st.binary(max_size=20),
    st.booleans(),
)


@given(st.lists(frames), st.lists(st.integers(0, 1000), max_size=12))
def test_frames_in_any_order_give_events_or_our_error(some: list[bytes], places: list[int]) -> None:
    """What looks like frames means the same in one piece and in many, or is our error in both."""

    def outcome(pieces: list[bytes]) -> tuple[list[tuple[object, ...]], dict[int, bytes], str]:
        client, _ = linked(3)
        found: list[tuple[object, ...]] = []
        bodies = dict.fromkeys((1, 3, 5), b"")
        try:
            for piece in pieces:
                for event in client.feed(piece):
                    if isinstance(event, Received):
                        bodies[event.stream] += event.data
                        if event.finished:
                            found.append(("finished", event.stream))
                    else:
                        found.append(said(event))
        except SpdyError as error:
            # Events in front of the error are lost in one piece: only the words of the error can be compared.
            return [], {}, error.message
        return found, bodies, ""

    wire = b"".join(some)
    assert outcome([wire]) == outcome(cut(wire, places))
