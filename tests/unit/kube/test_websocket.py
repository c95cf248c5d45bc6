"""`kube.websocket`: RFC 6455 framing, however the network cuts it."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

from kubectl_ray.errors import KubectlRayError
from kubectl_ray.kube.websocket import (
    GOING_AWAY,
    NO_CODE,
    Client,
    Closed,
    Data,
    Ping,
    Pong,
    WebSocketError,
    accept_for,
    handshake_key,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubectl_ray.kube.websocket import Event

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """`data` in pieces."""
    marks = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(marks)]


def said(event: Event) -> tuple[object, ...]:
    """An event as a value."""
    if isinstance(event, Data):
        return (bytes(event.data), event.final)
    if isinstance(event, Closed):
        return ("closed", event.code, event.reason)
    return ("ping" if isinstance(event, Ping) else "pong", event.payload)


def heard(client: Client, *pieces: bytes) -> list[tuple[object, ...]]:
    """What the pieces mean to a client."""
    return [said(event) for piece in pieces for event in client.feed(piece)]


def messages(events: list[tuple[object, ...]]) -> list[bytes]:
    """The messages that pieces make up; all must be whole."""
    whole, current = [], b""
    for data, final in (event for event in events if isinstance(event[0], bytes)):
        current += data  # type: ignore[operator]
        if final:
            whole.append(current)
            current = b""
    assert current == b""
    return whole


def server_with(*frames: bytes) -> ServerProtocol:
    """A server of the `websockets` library behind its handshake, that was sent these frames."""
    server = ServerProtocol(max_size=None)
    server.receive_data(
        f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    (request,) = server.events_received()
    server.send_response(server.accept(request))  # type: ignore[arg-type]
    server.data_to_send()
    for frame in frames:
        server.receive_data(frame)
    return server


def frame(opcode: Opcode, data: bytes, *, final: bool = True) -> bytes:
    """A server's frame, as the `websockets` library writes it."""
    return Frame(opcode, data, final).serialize(mask=False)


def test_the_key_of_a_handshake_is_answered_as_specified() -> None:
    """RFC 6455 §1.3 gives an example."""
    assert accept_for(KEY) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_every_handshake_has_a_key_of_its_own() -> None:
    """Sixteen random bytes in base64."""
    assert len({handshake_key() for _ in range(20)}) == 20
    assert len(handshake_key()) == 24


@pytest.mark.parametrize(
    ("wire", "size"),
    [("827e0100", 256), ("827f0000000000010000", 65536)],
    ids=["256 bytes in one frame", "64 KiB in one frame"],
)
def test_binary_messages_of_the_specification(wire: str, size: int) -> None:
    """RFC 6455 §5.7: lengths of 2 and of 8 bytes."""
    assert heard(Client(), bytes.fromhex(wire) + b"x" * size) == [(b"x" * size, True)]


def test_ping_and_pong_of_the_specification() -> None:
    """RFC 6455 §5.7: an unmasked ping with "Hello", and its answer."""
    client = Client()
    assert heard(client, bytes.fromhex("890548656c6c6f")) == [("ping", b"Hello")]
    assert heard(client, bytes.fromhex("8a0548656c6c6f")) == [("pong", b"Hello")]


def test_data_is_handed_on_before_its_frame_is_whole() -> None:
    """Nothing of a message is held back; the last piece says that it is the last."""
    client = Client()
    wire = frame(Opcode.BINARY, b"abcdef")
    assert heard(client, wire[:4]) == [(b"ab", False)]
    assert heard(client, wire[4:7]) == [(b"cde", False)]
    assert heard(client, wire[7:]) == [(b"f", True)]


def test_data_is_not_copied() -> None:
    """A piece is a view of the bytes that were given."""
    wire = bytearray(frame(Opcode.BINARY, b"abcdef"))
    (event,) = Client().feed(wire)
    assert isinstance(event, Data)
    wire[2:3] = b"X"
    assert bytes(event.data) == b"Xbcdef"


def test_a_message_may_come_in_fragments_with_a_ping_between_them() -> None:
    """RFC 6455 §5.4 and §5.5: control frames may stand in the middle of a message."""
    wire = (
        frame(Opcode.BINARY, b"Hel", final=False)
        + frame(Opcode.PING, b"?")
        + frame(Opcode.CONT, b"", final=False)
        + frame(Opcode.CONT, b"lo")
    )
    assert heard(Client(), wire) == [(b"Hel", False), ("ping", b"?"), (b"lo", True)]


def test_an_empty_message_is_a_message() -> None:
    """It is told, also at the end of fragments."""
    assert heard(Client(), frame(Opcode.BINARY, b"")) == [(b"", True)]
    wire = frame(Opcode.BINARY, b"a", final=False) + frame(Opcode.CONT, b"")
    assert heard(Client(), wire) == [(b"a", False), (b"", True)]


def test_close_is_the_last_event() -> None:
    """Code and words are told; what follows means nothing."""
    client = Client()
    assert heard(client, bytes.fromhex("8805") + b"\x03\xe9bye" + b"garbage") == [("closed", GOING_AWAY, "bye")]
    assert heard(client, b"\xff\xff\xff") == []


def test_close_may_have_no_code() -> None:
    """Then 1005 stands for it (RFC 6455 §7.1.5)."""
    assert heard(Client(), bytes.fromhex("8800")) == [("closed", NO_CODE, "")]


@pytest.mark.parametrize(
    "wire",
    [
        "c200",  # a reserved bit, and so an extension
        "828100000000ff",  # masked
        "8300",  # a kind that does not exist
        "8100",  # text
        "8b00",  # a control frame that does not exist
        "0900",  # a ping in fragments
        "897e0080",  # a ping of 128 bytes
        "8000",  # goes on with a message that never began
        "02016182",  # a message that begins within another
        "827e0010",  # 16 bytes, whose length is written in 2 bytes
        "827f000000000000ffff",  # 65,535 bytes, whose length is written in 8 bytes
        "827f8000000000000000",  # a length with its highest bit set
        "880103",  # half a code
    ],
)
def test_what_no_server_may_send_is_refused(wire: str) -> None:
    """And the connection stays refused, whatever follows."""
    client = Client()
    with pytest.raises(WebSocketError):
        client.feed(bytes.fromhex(wire) + b"\0")
    with pytest.raises(WebSocketError):
        client.feed(frame(Opcode.BINARY, b"fine"))


@given(st.lists(st.binary(max_size=300), max_size=6), st.lists(st.integers(0, 2000), max_size=12))
def test_cuts_do_not_change_messages(payloads: list[bytes], places: list[int]) -> None:
    """Whatever pieces the network makes of a server's messages, they are the same messages."""
    server = server_with()
    for payload in payloads:
        server.send_binary(payload)
        server.send_ping(payload[:125])
    wire = b"".join(server.data_to_send())
    events = heard(Client(), *cut(wire, places))
    assert messages(events) == payloads
    assert [event[1] for event in events if event[0] == "ping"] == [payload[:125] for payload in payloads]


@given(st.lists(st.binary(max_size=60), min_size=1))
def test_any_bytes_give_events_or_our_error(pieces: list[bytes]) -> None:
    """Garbage of a server is our error, and nothing else."""
    client = Client()
    with suppress(KubectlRayError):
        for piece in pieces:
            client.feed(piece)


@given(
    st.lists(
        st.builds(
            lambda first, payload: bytes((first, len(payload))) + payload,
            st.sampled_from((0x00, 0x80, 0x02, 0x82, 0x88, 0x89, 0x8A, 0x81, 0x09)),
            st.binary(max_size=125),
        )
        | st.binary(max_size=4)
    ),
    st.lists(st.integers(0, 2000), max_size=12),
)
def test_frames_in_any_order_give_events_or_our_error(frames: list[bytes], places: list[int]) -> None:
    """The same for what looks like frames."""
    client = Client()
    with suppress(KubectlRayError):
        for piece in cut(b"".join(frames), places):
            client.feed(piece)


@pytest.mark.parametrize("size", [0, 1, 3, 125, 126, 65535, 65536, 200_001])
def test_our_messages_are_read_by_a_server(size: int) -> None:
    """Masked, with the shortest length there is; the parts are one message."""
    payload = bytes(index * 7 % 256 for index in range(size))
    (event,) = server_with(Client().message(payload[:1], memoryview(payload)[1:])).events_received()
    assert isinstance(event, Frame)
    assert (event.opcode, event.fin, bytes(event.data)) == (Opcode.BINARY, True, payload)


def test_every_frame_has_a_mask_of_its_own() -> None:
    """RFC 6455 §5.3: it must not be foreseeable."""
    client = Client()
    assert len({client.message(b"")[2:6] for _ in range(20)}) == 20


def test_our_ping_is_answered_and_our_pong_is_an_answer() -> None:
    """A server sends our payload back."""
    client = Client()
    server = server_with(client.ping(b"there?"), client.pong(b"here"))
    assert heard(client, *server.data_to_send()) == [("pong", b"there?")]
    assert [event.opcode for event in server.events_received() if isinstance(event, Frame)] == [
        Opcode.PING,
        Opcode.PONG,
    ]


def test_our_close_ends_the_websocket() -> None:
    """The server answers with the same code."""
    client = Client()
    server = server_with(client.close(GOING_AWAY))
    assert heard(client, *server.data_to_send()) == [("closed", GOING_AWAY, "")]
    assert server.close_expected()


def test_a_pong_that_nobody_asked_for_is_told() -> None:
    """RFC 6455 §5.5.3: it may come as a sign of life."""
    (event,) = Client().feed(frame(Opcode.PONG, b""))
    assert isinstance(event, Pong)
