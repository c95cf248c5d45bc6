"""HTTP/1.1 (RFC 9112) as a client over a connection that is already open; knows nothing of Kubernetes."""

from __future__ import annotations

import zlib

from kubectl_ray.errors import ServerError, WrongUse
from kubectl_ray.kube.connection import CutOff, Dropped, Silent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kubectl_ray.kube.connection import Connection

    Headers = list[tuple[str, str]]

PIECE = 262144
"""Bytes that unpacking gives at most at once, however well the data was packed."""
HEAD_LIMIT = 262144
"""Bytes of a response head; no API server sends a hundredth of it."""
LINE_LIMIT = 8192
"""Bytes of a chunk's size line or of one trailer."""
INTERIM_LIMIT = 10
"""1xx responses before the real one."""

# Sets of bytes instead of patterns: compiling four of those costs every command a millisecond.
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")  # RFC 9110 §5.6.2
_HEX = frozenset(b"0123456789abcdefABCDEF")
_CONTROL = bytes(set(range(32)) - {9} | {127})
_NO_BODY, _LENGTH, _CHUNKED, _UNTIL_CLOSE = range(4)


class Response:
    """The head of an answer, and its body as it comes in, unpacked if it was gzipped.

    `received` counts the bytes of the body as sent. When the body is over, or after `close`, `on_end` is called once.
    """

    __slots__ = ("_chunk_open", "_framing", "_kept", "_left", "_unpack", "connection", "done", "headers", "minor",
                 "on_end", "reason", "received", "status")  # fmt: skip

    def __init__(self, connection: Connection, status: int, reason: str, headers: Headers, minor: int) -> None:
        self.connection = connection
        self.status = status
        self.reason = reason
        self.headers = headers
        self.minor = minor
        self.received = 0
        self.done = False
        self.on_end: Callable[[Response], None] | None = None
        self._framing = _NO_BODY
        self._left = 0
        self._chunk_open = False
        self._kept: bytes | None = None
        self._unpack: zlib._Decompress | None = None

    def header(self, name: str) -> str:
        """The first value of a header, its name in lower case; "" where there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def values(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for key, value in self.headers if key == name]

    @property
    def reusable(self) -> bool:
        """Whether the connection can carry another request after this answer (RFC 9112 §9.3)."""
        if not self.done or self._framing == _UNTIL_CLOSE or self.connection.closed:
            return False
        options = ",".join(self.values("connection")).lower().replace(" ", "").split(",")
        return "close" not in options and (self.minor >= 1 or "keep-alive" in options)

    def read(self) -> bytes:
        """The next piece of the body, as soon as there is any; empty at its end.

        Raises:
            Silent: nothing came in time; call again to wait on.
            CutOff: the body ended in its middle.
            ServerError: it is not framed or packed as HTTP says.
        """
        if self._kept is not None:
            data, self._kept = self._kept, b""
            return data
        return self._next() if self._unpack is None else self._unpacked()

    def read_all(self) -> bytes:
        """The rest of the body."""
        return b"".join(iter(self.read, b""))

    def keep(self) -> bytes:
        """The whole body, to look at it; `read` gives it once more."""
        self._kept = self.read_all()
        return self._kept

    def close(self) -> None:
        """Be done with this answer; a body not read to its end closes the connection."""
        if not self.done:
            self.connection.close()
        self._end()

    def expect_body(self, method: str) -> None:
        """Find out from the head how the body is framed (RFC 9112 §6.3)."""
        if method == "HEAD" or self.status in {204, 304}:
            self._end()
            return
        encodings = ",".join(self.values("transfer-encoding")).lower()
        if encodings:
            self._framing = _CHUNKED if encodings.rpartition(",")[2].strip() == "chunked" else _UNTIL_CLOSE
        elif lengths := {part.strip() for value in self.values("content-length") for part in value.split(",")}:
            length = lengths.pop()
            if lengths or not (length.isascii() and length.isdigit() and len(length) < 16):  # noqa: PLR2004 -- a petabyte
                raise ServerError(f"{self.connection.server} answered with a Content-Length that cannot be")
            self._framing = _LENGTH
            self._left = int(length)
            if not self._left:
                self._end()
        else:
            self._framing = _UNTIL_CLOSE
        coding = self.header("content-encoding").strip().lower()
        if coding in {"gzip", "x-gzip"}:
            self._unpack = zlib.decompressobj(31)
        elif coding not in {"", "identity"}:
            raise ServerError(
                f"{self.connection.server} answered in an encoding that was not asked for: {coding[:40]!r}"
            )

    def _end(self) -> None:
        self.done = True
        if self.on_end is not None:
            ended, self.on_end = self.on_end, None
            ended(self)

    def _unpacked(self) -> bytes:
        unpack = self._unpack
        assert unpack is not None  # noqa: S101 -- read() asks only then
        try:
            while True:
                data = unpack.unconsumed_tail or self._next()
                piece = unpack.decompress(data, PIECE)
                if piece:
                    return piece
                if unpack.unused_data or not data:
                    break
        except zlib.error as error:
            self.close()
            raise ServerError(f"{self.connection.server} answered with damaged gzip data") from error
        if unpack.unused_data:  # neither a second member nor anything else belongs there
            raise self._garbled()
        if self.received and not unpack.eof:
            raise self._cut_off()
        return b""

    def _next(self) -> bytes:
        """The next bytes of the body as they were sent."""
        if self.done:
            return b""
        if self._framing == _CHUNKED:
            return self._next_chunks()
        data = self.connection.receive()
        if self._framing == _LENGTH:
            if not data:
                raise self._cut_off()
            if len(data) > self._left:
                self.connection.put_back(data[self._left :])
                data = data[: self._left]
            self._left -= len(data)
        self.received += len(data)
        if not data or (self._framing == _LENGTH and not self._left):
            self._end()
        return data

    def _next_chunks(self) -> bytes:
        """What all chunks that are at hand carry, joined: servers send gzip in chunks of 2 KiB (RFC 9112 §7.1)."""
        held = b""
        while not self.done:
            try:
                data = self.connection.receive()
            except (Silent, CutOff):
                self.connection.put_back(held)
                raise
            if not data:
                raise self._cut_off()
            pieces, held = self._split(held + data if held else data)
            joined = b"".join(pieces)
            self.received += len(joined)
            if pieces or self.done:
                self.connection.put_back(held)
            if self.done:
                self._end()
            if pieces:
                return joined
        return b""

    def _split(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Chunk payloads at the front of `data`, and the bytes that need more to be understood."""
        pieces: list[bytes] = []
        at, end = 0, len(data)
        while at < end:
            if self._left > 0:
                piece = data[at : at + self._left]
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                continue
            stop = data.find(b"\n", at)
            if stop < 0:
                if end - at > LINE_LIMIT:
                    raise self._garbled()
                break
            line = data[at:stop].removesuffix(b"\r")
            at = stop + 1
            if self._left < 0:  # in the trailers, which nobody needs; an empty line ends them
                if not line:
                    self.done = True
                    break
            elif self._chunk_open:
                if line:
                    raise self._garbled()
                self._chunk_open = False
            else:
                size = line.partition(b";")[0].strip(b" \t")
                if not 0 < len(size) < 16 or not _HEX.issuperset(size):  # noqa: PLR2004 -- digits of an exabyte
                    raise self._garbled()
                self._left = int(size, 16) or -1
                self._chunk_open = True
        return pieces, data[at:]

    def _garbled(self) -> ServerError:
        self.close()
        return ServerError(f"{self.connection.server} answered with a body that is not framed as HTTP says")

    def _cut_off(self) -> CutOff:
        self.close()
        return CutOff(
            f"{self.connection.server} cut its answer off after {self.received} bytes",
            "The API server, or a proxy before it, closed the connection too early: try again.",
        )


def exchange(
    connection: Connection, method: str, path: str, headers: Iterable[tuple[str, str]], body: bytes
) -> Response:
    """Send one request and read the head of its answer; `path` is as it goes on the wire, with its query.

    Raises:
        Dropped: the connection ended before an answer.
        Silent: no answer in time.
        ServerError: the answer is not HTTP.
        WrongUse: a header's value has a line end or another control character in it.
    """
    request = write_head(method, path, headers) + body
    connection.used = True
    try:
        connection.send(request)
    except Dropped:
        # A server that refuses a request early (413, or a TLS alert) says why and closes while we still write.
        try:
            return read_response(connection, method)
        except (Silent, ServerError):
            pass
        raise
    return read_response(connection, method)


def write_head(method: str, path: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """The head of a request as bytes; values are sent as UTF-8, as Go's client does."""
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers]
    try:
        sent = [line.encode("utf-8", "surrogateescape") for line in lines]
    except UnicodeEncodeError as error:
        raise WrongUse("A name, token or address has a character in it that is none") from error
    if any(len(line) != len(line.translate(None, _CONTROL)) for line in sent):
        raise WrongUse("A name, token or address has a line end or another control character in it")
    return b"\r\n".join(sent) + b"\r\n\r\n"


def read_response(connection: Connection, method: str) -> Response:
    """Read heads until the final one; 1xx are passed over, except 101 (RFC 9110 §15.2)."""
    for _ in range(INTERIM_LIMIT):
        response = parse_head(connection, _read_head(connection))
        if response.status == 101:  # noqa: PLR2004 -- Switching Protocols
            response.done = True
            return response
        if response.status >= 200:  # noqa: PLR2004 -- the final answer
            response.expect_body(method)
            return response
    raise ServerError(f"{connection.server} keeps saying 1xx and never answers")


def _read_head(connection: Connection) -> bytes:
    data = b""
    while True:
        try:
            more = connection.receive()
        except CutOff as error:
            if data:
                raise
            raise Dropped(error.message) from error
        if not more:
            connection.close()
            if data:
                raise CutOff(f"{connection.server} cut its answer off in its head")
            raise Dropped(f"{connection.server} closed the connection without an answer")
        data = (data + more).lstrip(b"\r\n") if not data else data + more
        ends = [end for mark in (b"\n\r\n", b"\n\n") if (end := data.find(mark)) >= 0]
        if ends:  # a line may end without its CR, RFC 9112 §2.2
            end = min(ends)
            connection.put_back(data[end + (3 if data[end + 1 : end + 2] == b"\r" else 2) :])
            return data[:end].removesuffix(b"\r")
        if len(data) > HEAD_LIMIT or not b"HTTP/1.".startswith(data[:7]):
            connection.close()
            raise ServerError(
                f"{connection.server} does not speak HTTP/1.1",
                "Is this the address of a Kubernetes API server, and is it http:// or https:// as it should be?",
            )


def parse_head(connection: Connection, head: bytes) -> Response:
    """A response from the bytes before the empty line (RFC 9112 §4 and §5)."""
    lines = head.decode("latin-1").replace("\r\n", "\n").split("\n")
    version, code, reason = lines[0][:8], lines[0][8:12], lines[0][12:]
    wrong = version not in {"HTTP/1.1", "HTTP/1.0"} or (reason and reason[0] != " ")
    wrong = wrong or code[:1] != " " or not (code.isascii() and code[1:].isdigit()) or not 100 <= int(code) <= 999  # noqa: PLR2004 -- three digits
    headers: Headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        wrong = wrong or not colon or not name or not _TOKEN.issuperset(name)
        headers.append((name.lower(), value.strip(" \t")))
    if wrong:
        connection.close()
        raise ServerError(
            f"{connection.server} answered with something that is not HTTP/1.1",
            "Is this the address of a Kubernetes API server?",
        )
    return Response(connection, int(code), reason[1:], headers, int(version[7]))
