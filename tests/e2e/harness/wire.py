"""A stretch of the way to the API server that can go bad: it ends TLS on both sides, so it sees and spoils frames.

Upgraded port-forward connections are told from the others, and what is done to one is exact to the byte. A cut strikes
in the middle of what is under way. Garbage comes where a WebSocket frame should begin: inside of one nobody could tell.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import random
import re
import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import trustme

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

PIECE = 1 << 16
REQUEST = re.compile(rb"(GET|POST|PUT|PATCH|DELETE) (\S+) HTTP/1\.1\r\n")
LEAST = 1000
"""Bytes of a piece that a fault strikes: smaller ones may be whole frames."""
GARBAGE = b"\xff\xff"
"""No frame begins so: its reserved bits are set."""
AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: a closed connection is reset."""


class Frames:
    """Where WebSocket frames begin (RFC 6455 §5.2) in what a server sends after the head of its answer."""

    def __init__(self) -> None:
        self._answer: bytes | None = b""
        self._head = b""
        self._left = 0

    def first(self, piece: bytes) -> int | None:
        """The place of the first frame that begins in this piece."""
        at, found = 0, None
        if self._answer is not None:
            self._answer += piece
            before, blank, _ = self._answer.partition(b"\r\n\r\n")
            if not blank:
                return None
            at = len(piece) - len(self._answer) + len(before) + len(blank)
            self._answer = None
        while at < len(piece):
            step = min(self._left, len(piece) - at)
            at, self._left = at + step, self._left - step
            if self._left or at == len(piece):
                break
            if found is None and not self._head:
                found = at
            self._head += piece[at : at + 1]
            at += 1
            length = self._head[1] & 127 if len(self._head) > 1 else 0
            if len(self._head) == 2 + {126: 2, 127: 8}.get(length, 0):
                self._left = int.from_bytes(self._head[2:], "big") if length > 125 else length
                self._head = b""
        return found


@dataclass(eq=False)
class Link:
    """One connection of the plugin's, and ours to the API server behind it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    forwards: bool = False
    framed: bool = False
    down: int = 0
    frames: Frames = field(default_factory=Frames)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self, *, reset: bool) -> None:
        """Close both sides in the middle of whatever is under way."""
        for writer in (self.client, self.server):
            if reset and not writer.is_closing():
                with contextlib.suppress(OSError):
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            writer.transport.abort()
        self.over.set()


@dataclass
class Fault:
    """Strikes once, at the first port-forward that has brought this many bytes since: `cut`, `reset` or `garbage`."""

    act: str
    after: int
    struck: threading.Event = field(default_factory=threading.Event)


class Wire:
    """Listens on a loopback port; `server` is a kubeconfig's entry for the API server behind it."""

    def __init__(self, server: Mapping[str, Any]) -> None:
        parts = urlsplit(str(server["server"]))
        self._behind = (parts.hostname or "", parts.port or 443)
        self._name = server.get("tls-server-name") or self._behind[0]
        self._outward = self._trust(server) if parts.scheme == "https" else None
        self._authority = trustme.CA()
        self._inward = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert("127.0.0.1").configure_cert(self._inward)
        self._links: set[Link] = set()
        self._refused: list[tuple[re.Pattern[bytes], bytes]] = []
        self._fault: Fault | None = None
        self._frozen = False
        self._listener: asyncio.Server | None = None
        self.port = 0
        self.upgrades = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.restore()

    @staticmethod
    def _trust(server: Mapping[str, Any]) -> ssl.SSLContext:
        authority = base64.b64decode(server.get("certificate-authority-data", "")).decode() or None
        context = ssl.create_default_context(cadata=authority)
        if server.get("insecure-skip-tls-verify"):
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._do(self._settle())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def entry(self) -> dict[str, str]:
        """For a kubeconfig: the API server by this way."""
        authority = base64.b64encode(self._authority.cert_pem.bytes()).decode()
        return {"server": f"https://127.0.0.1:{self.port}", "certificate-authority-data": authority}

    @property
    def forwards(self) -> int:
        """How many port-forward connections are open now."""
        return sum(link.forwards for link in list(self._links))

    @property
    def open(self) -> int:
        """How many connections of any kind."""
        return len(self._links)

    def cut(self) -> None:
        """Be gone: refuse connections, and reset those that are open."""

        async def act() -> None:
            if self._listener is not None:
                self._listener.close()
            self._listener = None
            for link in list(self._links):
                link.end(reset=True)

        self._do(act())

    def restore(self) -> None:
        """Listen, on the same port as before."""

        async def act() -> None:
            self._listener = await asyncio.start_server(
                self._serve, "127.0.0.1", self.port, ssl=self._inward, backlog=512
            )
            self.port = self._listener.sockets[0].getsockname()[1]

        self._do(act())

    def freeze(self) -> None:
        """Carry nothing any more and say nothing, as a cable that was pulled; what is open stays so for ever."""
        self._frozen = True

    def thaw(self) -> None:
        """Carry what comes from now on; what was frozen is lost without a word."""

        async def act() -> None:
            for link in list(self._links):
                link.end(reset=False)
            self._frozen = False

        self._do(act())

    def arm(self, act: str, after: int) -> Fault:
        """Have a fault strike once so many bytes have come by one port-forward from now on."""
        for link in list(self._links):
            link.down = 0
        self._fault = Fault(act, after)
        return self._fault

    def reset_one(self) -> None:
        """Reset the port-forward that has brought the most since the last fault."""

        async def act() -> None:
            open_ones = [link for link in self._links if link.forwards]
            if open_ones:
                max(open_ones, key=lambda link: link.down).end(reset=True)
            for link in open_ones:
                link.down = 0

        self._do(act())

    def refuse(self, pattern: bytes, status: int, words: str) -> None:
        """Answer requests whose head matches by this, as an older API server, or a proxy before it, would."""
        body = words.encode()
        answer = b"HTTP/1.1 %d X\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
            status,
            len(body),
            body,
        )
        self._refused.append((re.compile(pattern, re.DOTALL | re.IGNORECASE), answer))

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _settle(self) -> None:
        """Let what was ended say so."""
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link: Link | None = None
        try:
            behind, server = await asyncio.open_connection(
                *self._behind, ssl=self._outward, server_hostname=self._name if self._outward else None
            )
            link = Link(writer, server)
            self._links.add(link)
            pumps = [
                asyncio.create_task(self._pump(link, reader, server, self._up)),
                asyncio.create_task(self._pump(link, behind, writer, self._down)),
                asyncio.create_task(link.over.wait()),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        except OSError:
            writer.transport.abort()
        except asyncio.CancelledError:
            return  # the wire is taken down
        finally:
            if link is not None:
                self._links.discard(link)
                link.end(reset=False)

    async def _pump(
        self,
        link: Link,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        look: Callable[[Link, bytes], bytes],
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(PIECE):
                if self._frozen:
                    await link.over.wait()
                    return
                kept = look(link, piece)
                if kept:
                    writer.write(kept)
                    await writer.drain()
                if link.over.is_set():
                    return
            # what was written still has to leave: the other side ends after it, not instead of it
            writer.close()
            await asyncio.wait_for(writer.wait_closed(), 5)

    def _up(self, link: Link, piece: bytes) -> bytes:
        if not link.forwards and (found := REQUEST.match(piece)):
            for pattern, answer in self._refused:
                if pattern.match(piece):
                    link.client.write(answer)
                    return b""
            link.forwards = b"/portforward" in found[2]
            link.framed = link.forwards and found[1] == b"GET"
            self.upgrades += link.forwards
        return piece

    def _down(self, link: Link, piece: bytes) -> bytes:
        if not link.forwards:
            return piece
        begin = link.frames.first(piece) if link.framed else None
        link.down += len(piece)
        fault = self._fault
        if fault is None or link.down < fault.after or len(piece) < LEAST or (fault.act == "garbage" and begin is None):
            return piece
        self._fault = None
        fault.struck.set()
        if fault.act == "garbage":
            return piece[:begin] + GARBAGE + random.Random(fault.after).randbytes(4096)  # noqa: S311 - no secret
        if fault.act == "cut":
            link.client.write(piece[: len(piece) // 2])
        link.end(reset=fault.act == "reset")
        return b""
