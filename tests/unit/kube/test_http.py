"""`kube.http`: heads and bodies of answers, however the network cuts them."""

from __future__ import annotations

import gzip
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import KubectlRayError, ServerError, WrongUse
from kubectl_ray.kube.connection import Connection, CutOff, Dropped, Silent
from kubectl_ray.kube.http import PIECE, Response, exchange, read_response, write_head
from tests.wire import ScriptedSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def connection(*pieces: bytes | Exception) -> Connection:
    """A connection from which these pieces are read."""
    socket: Any = ScriptedSocket(pieces)
    return Connection(socket, "The server")


def answer(*pieces: bytes | Exception, method: str = "GET") -> Response:
    """The answer that these pieces are."""
    return read_response(connection(*pieces), method)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """`data` in pieces."""
    marks = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(marks)]


def chunked(body: bytes, sizes: list[int]) -> bytes:
    """`body` in chunks."""
    out = b""
    for size in sizes:
        if body[:size]:
            out += b"%x;note=1\r\n%s\r\n" % (len(body[:size]), body[:size])
        body = body[size:]
    if body:
        out += b"%X\r\n%s\r\n" % (len(body), body)
    return out + b"0\r\nTrailer: x\r\n\r\n"


def test_head_is_read() -> None:
    """Status, reason and headers come from the head; names are lower case, values without space around them."""
    response = answer(b"HTTP/1.1 404 Not Found\r\nContent-Type:  application/json \r\nWarning: a\r\nwarning: b\r\n\r\n")
    assert (response.status, response.reason) == (404, "Not Found")
    assert response.header("content-type") == "application/json"
    assert response.values("warning") == ["a", "b"]


def test_lines_may_end_without_cr() -> None:
    """RFC 9112 §2.2 lets a client take a lone line feed for a line's end."""
    response = answer(b"HTTP/1.0 200 OK\nA: b\nContent-Length: 2\n\nok")
    assert (response.header("a"), response.read_all()) == ("b", b"ok")


def test_reason_may_be_missing() -> None:
    """RFC 9112 §4: a status line may end after the code."""
    assert answer(b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n").status == 200


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@given(
    body=st.binary(max_size=400),
    sizes=st.lists(st.integers(1, 50), max_size=8),
    places=st.lists(st.integers(0, 2000), max_size=12),
    packed=st.booleans(),
)
def test_body_comes_whole_however_it_is_cut(
    framing: str, body: bytes, sizes: list[int], places: list[int], packed: bool
) -> None:
    """Whatever the framing, the packing and the places where the network cuts, the body is the body that was sent."""
    sent = gzip.compress(body) if packed else body
    head = b"HTTP/1.1 200 OK\r\n" + (b"Content-Encoding: gzip\r\n" if packed else b"")
    match framing:
        case "length":
            data = head + b"Content-Length: %d\r\n\r\n" % len(sent) + sent
        case "chunked":
            data = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(sent, sizes)
        case _:
            data = head + b"\r\n" + sent
    response = answer(*cut(data, places))
    assert response.read_all() == body
    assert response.received == len(sent)
    assert response.done
    assert response.reusable == (framing != "close")


@given(body=st.binary(min_size=1, max_size=300), sizes=st.lists(st.integers(1, 50), max_size=8), data=st.data())
def test_cut_off_body_is_an_error(body: bytes, sizes: list[int], data: st.DataObject) -> None:
    """A body that ends before its framing says so is CutOff, never a shorter body."""
    sent = chunked(body, sizes)
    end = data.draw(st.integers(0, len(sent) - 1))
    response = answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", sent[:end])
    with pytest.raises(CutOff):
        response.read_all()
    assert not response.reusable


def test_short_length_is_an_error() -> None:
    """A connection that ends before Content-Length bytes came is CutOff."""
    with pytest.raises(CutOff):
        answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"12345").read_all()


def test_cut_off_gzip_is_an_error() -> None:
    """A gzip member that does not end is CutOff, also where the framing cannot tell."""
    packed = gzip.compress(b"x" * 1000)
    with pytest.raises(CutOff):
        answer(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", packed[:-9]).read_all()


def test_damaged_gzip_is_an_error() -> None:
    """Bytes that are no gzip are a ServerError."""
    with pytest.raises(ServerError, match="gzip"):
        answer(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc").read_all()


def test_bytes_after_gzip_are_an_error() -> None:
    """One member is the whole body; what follows it is not silently dropped."""
    sent = gzip.compress(b"x") + b"more"
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(sent)
    with pytest.raises(ServerError):
        answer(head, sent).read_all()


def test_unpacking_is_bounded() -> None:
    """However well data is packed, one read gives at most PIECE bytes."""
    packed = gzip.compress(b"\0" * (20 * PIECE))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    response = answer(head + packed)
    sizes = [len(piece) for piece in iter(response.read, b"")]
    assert max(sizes) <= PIECE
    assert sum(sizes) == 20 * PIECE


def test_reading_goes_on_after_silence() -> None:
    """A read that timed out loses nothing: the next one goes on where it stopped, even inside a chunk's size line."""
    response = answer(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
        TimeoutError(),
        b"c\r\n1",
        TimeoutError(),
        b"0\r\n0123456789abcdef\r\n0\r\n\r\n",
    )
    seen = []
    while not response.done:
        try:
            seen.append(response.read())
        except Silent:
            seen.append(b"|")
    assert b"".join(seen) == b"ab|c|0123456789abcdef"


def test_interim_answers_are_passed_over() -> None:
    """1xx come before the answer and are not it."""
    response = answer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n", b"HTTP/1.1 204 No\r\n\r\n")
    assert response.status == 204
    assert response.done


def test_endless_interim_answers_are_an_error() -> None:
    """A server that only ever says 1xx is given up."""
    with pytest.raises(ServerError, match="1xx"):
        answer(b"HTTP/1.1 100 Continue\r\n\r\n" * 50)


def test_upgrade_leaves_what_follows() -> None:
    """After 101 nothing more is understood: what was read beyond the head is there for the new protocol."""
    line = connection(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi")
    response = exchange(line, "GET", "/", [("Upgrade", "websocket")], b"")
    assert response.status == 101
    assert line.leftover() == b"\x81\x02hi"


def test_answer_to_head_has_no_body() -> None:
    """Content-Length of an answer to HEAD tells of a body that is not sent."""
    assert answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", method="HEAD").read_all() == b""


@pytest.mark.parametrize(
    ("head", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: Foo, Close\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", True),
    ],
)
def test_connection_is_kept_as_the_head_says(head: bytes, reusable: bool) -> None:
    """RFC 9112 §9.3: 1.1 stays open unless told, 1.0 closes unless told."""
    response = answer(head + b"Content-Length: 2\r\n\r\nok")
    assert response.read_all() == b"ok"
    assert response.reusable is reusable


def test_bytes_after_an_answer_forbid_reuse() -> None:
    """What comes unasked makes a connection useless for the next request."""
    line = connection(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n")
    assert read_response(line, "GET").read_all() == b"ok"
    assert not line.alive()


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/2 200 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"<html><body>Not Found</body></html>\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 20\r\n\r\n",
        b"HTTP/1.1 2000\r\n\r\n",
        b"HTTP/1.1 099 X\r\n\r\n",
        b"HTTP/1.1  200 OK\r\n\r\n",
        b"HTTP/1.1 2\xb20 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 400_000,
        b"\x15\x03\x01\x00\x02\x02\x46",
    ],
)
def test_what_is_not_http_is_an_error(head: bytes) -> None:
    """Another protocol, and heads that RFC 9112 forbids, are a ServerError."""
    with pytest.raises(ServerError):
        answer(head)


@pytest.mark.parametrize("body", [b"x\r\n", b"-1\r\na\r\n", b"0x1\r\na\r\n", b"1\r\nab\r\n0\r\n\r\n", b"1" * 9000])
def test_bad_chunks_are_an_error(body: bytes) -> None:
    """Chunks that RFC 9112 §7.1 forbids are a ServerError."""
    with pytest.raises(ServerError):
        answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", body).read_all()


@given(pieces=st.lists(st.binary(max_size=60), max_size=10), start=st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n"]))
def test_any_bytes_give_an_answer_or_one_of_our_errors(pieces: list[bytes], start: bytes) -> None:
    """No bytes of a server can raise anything but our own errors."""
    with suppress(KubectlRayError):
        answer(start, *pieces).read_all()


@given(
    headers=st.lists(
        st.tuples(
            st.sampled_from(["Content-Length", "Transfer-Encoding", "Content-Encoding", "Connection", "X"]),
            st.sampled_from(
                ["", "0", "3", "3, 3", "4,5", "chunked", "gzip", "gzip, chunked", "identity", "close", "é"]
            ),
        ),
        max_size=5,
    ),
    body=st.binary(max_size=40),
    status=st.integers(100, 599),
)
def test_any_framing_headers_give_an_answer_or_one_of_our_errors(
    headers: list[tuple[str, str]], body: bytes, status: int
) -> None:
    """No combination of framing headers can raise anything but our own errors, or loop."""
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
    with suppress(KubectlRayError):
        answer(head.encode("latin-1") + body).read_all()


def test_no_answer_is_dropped() -> None:
    """A connection that ends before one byte of an answer is Dropped, which callers may try again."""
    with pytest.raises(Dropped):
        answer()
    with pytest.raises(Dropped):
        answer(ConnectionResetError(104, "Connection reset by peer"))


def test_half_a_head_is_cut_off() -> None:
    """A connection that ends inside the head is CutOff: the server had begun to answer."""
    with pytest.raises(CutOff):
        answer(b"HTTP/1.1 200")


def test_request_is_written() -> None:
    """Method, path, headers in the order given, empty line, body."""
    socket: Any = ScriptedSocket([b"HTTP/1.1 204 No Content\r\n\r\n"])
    exchange(Connection(socket, "The server"), "POST", "/a?b=c", [("Host", "h"), ("X", "ü")], b"{}")
    assert socket.sent == "POST /a?b=c HTTP/1.1\r\nHost: h\r\nX: ü\r\n\r\n{}".encode()


class Deaf(ScriptedSocket):
    """Takes nothing, as a server that closed for reading."""

    def sendall(self, data: bytes) -> None:
        """Fail."""
        raise BrokenPipeError(32, f"Broken pipe before {len(data)} bytes")


def test_early_answer_is_read() -> None:
    """A server that refuses a large request while it is still being written has said why."""
    socket: Any = Deaf([b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"])
    assert exchange(Connection(socket, "The server"), "POST", "/", [], b"x").status == 413


@pytest.mark.parametrize("pieces", [[], [TimeoutError()], [b"nonsense"]])
def test_request_that_cannot_be_written_is_dropped(pieces: list[bytes | Exception]) -> None:
    """Without such an answer the request is Dropped."""
    socket: Any = Deaf(pieces)
    with pytest.raises(Dropped):
        exchange(Connection(socket, "The server"), "POST", "/", [], b"x")


@pytest.mark.parametrize("value", ["a\r\nEvil: 1", "a\nb", "\x00", "\x7f", "\ud800"])
def test_control_characters_cannot_be_sent(value: str) -> None:
    """A user's text (--as, a token) can not become another header."""
    with pytest.raises(WrongUse):
        write_head("GET", "/", [("Impersonate-User", value)])


def test_kept_body_can_be_read_again() -> None:
    """`keep` looks at a body without taking it away."""
    response = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert response.keep() == b"ok"
    assert response.read_all() == b"ok"
    assert response.read_all() == b""


def test_early_close_closes_the_connection() -> None:
    """Giving up a body in its middle makes the connection useless, and says so once."""
    line = connection(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123")
    response = read_response(line, "GET")
    ended: list[Response] = []
    response.on_end = ended.append
    response.close()
    response.close()
    assert ended == [response]
    assert line.closed
