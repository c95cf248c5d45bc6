"""A pod behind a node: the far side of port-forward's three ways, over socket pairs, with what it shall do wrong.

`pod = Pod(); relay.connect(pod.dial)`; then `pod.nodes` are the carriers that were made.
"""

from __future__ import annotations

import socket
import struct
import threading

from kubectl_ray.kube.carrier import CHANNELS, SPDY, TUNNEL, ChannelCarrier, SpdyCarrier, TunnelCarrier
from kubectl_ray.sandbox.streams import spdy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_ray.errors import KubectlRayError
    from kubectl_ray.kube.carrier import Carrier

    Answer = Callable[["Wire", bytes, bool], object]

REFUSED = (
    "error forwarding port {port} to pod 57c6, uid : failed to execute portforward in network namespace"
    ' "/var/run/netns/cni-7b": failed to connect to localhost:{port} inside namespace "57c6", IPv4: dial tcp4'
    " 127.0.0.1:{port}: connect: connection refused IPv6 dial tcp6: address localhost: no suitable address found "
)


class Pod:
    """`ports`: what is done with each piece that comes (`answer(wire, data, finished)`); others echo.

    `refuse`: ports on which nobody listens. `errors`: words of the node for a port. `greet`: sent as a connection
    opens. `mute`: nodes answer no pings. `error`: what dialling raises. `seen`: what happened, for `wait`.
    """

    def __init__(self, way: str = TUNNEL) -> None:
        self.way = way
        self.ports: dict[int, Answer] = {}
        self.refuse: set[int] = set()
        self.errors: dict[int, str] = {}
        self.greet: dict[int, bytes] = {}
        self.mute = False
        self.error: KubectlRayError | None = None
        self.nodes: list[Node] = []
        self.seen: list[str] = []
        self.changed = threading.Condition()

    def dial(self, port: int, _way: str | None) -> Carrier:
        """As `portforward.dial`."""
        if self.error is not None:
            raise self.error
        near, far = socket.socketpair()
        node = Node(self, far, port)
        with self.changed:
            self.nodes.append(node)
        if self.way == TUNNEL:
            return TunnelCarrier(near)
        return SpdyCarrier(near) if self.way == SPDY else ChannelCarrier(near, port)

    def note(self, what: str) -> None:
        """Something happened that a test may wait for."""
        with self.changed:
            self.seen.append(what)
            self.changed.notify_all()

    def wait(self, what: str, times: int = 1) -> None:
        """Until it did, so often."""
        with self.changed:
            came = self.changed.wait_for(lambda: self.seen.count(what) >= times, 10)
            assert came, f"{what} did not come: {self.seen}"

    def close(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            node.cut()
            node.thread.join(10)


class Wire:
    """One connection as the pod sees it."""

    def __init__(self, node: Node, stream: int, error: int, port: int) -> None:
        self.node, self.stream, self.error, self.port = node, stream, error, port

    def send(self, data: bytes) -> None:
        """To the client."""
        self.node.data(self.stream, data)

    def finish(self) -> None:
        """The pod sends no more."""
        self.node.finish(self.stream)

    def end(self) -> None:
        """Both streams have ended."""
        self.node.finish(self.stream)
        self.node.finish(self.error)

    def fail(self, words: str) -> None:
        """As a real node does: the data's end comes before the words."""
        if self.node.pod.way != CHANNELS:
            self.node.finish(self.stream)
        self.node.data(self.error, words.encode())
        self.node.finish(self.error)


class Node:
    """The far end of one carrier, in a thread of its own."""

    def __init__(self, pod: Pod, sock: socket.socket, port: int) -> None:
        self.pod = pod
        self.sock = sock
        self.lock = threading.RLock()
        self.wires: dict[int, Wire] = {}
        self.opened = 0
        self.pings = 0
        self._errors: dict[str, int] = {}
        self._spdy = spdy.Session()
        self._buffer = b""
        self._port = port
        self.reading = threading.Event()
        self.reading.set()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    # What a test does to it.

    def cut(self) -> None:
        """The connection ends."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        with self.lock:
            self.sock.sendall(data)

    def go_away(self) -> None:
        """No more streams."""
        with self.lock:
            self._spdy.go_away()
            self._flush()

    def message(self, data: bytes) -> None:
        """A WebSocket message, or the bytes themselves."""
        if self.pod.way == SPDY:
            self.raw(data)
        else:
            self.raw(frame(2, data))

    # What the pod does.

    def data(self, stream: int, data: bytes) -> None:
        """Bytes of a stream."""
        with self.lock:
            if self.pod.way == CHANNELS:
                self.message(bytes([stream]) + data)
            else:
                self._spdy.send(stream, data)
                self._flush()

    def finish(self, stream: int) -> None:
        """FIN, or the end of the WebSocket."""
        with self.lock:
            if self.pod.way == CHANNELS:
                if stream == 1 or self.wires:
                    self.wires.clear()
                    self.raw(frame(8, struct.pack(">H", 1000)))
            else:
                self._spdy.send(stream, b"", finish=True)
                self._flush()

    def _flush(self) -> None:
        out = self._spdy.take()
        if out:
            self.message(out)

    def _run(self) -> None:
        try:
            with self.sock:
                if self.pod.way == CHANNELS:
                    self._start_channels()
                while True:
                    self.reading.wait()
                    data = self.sock.recv(65536)
                    if not data:
                        break
                    self._take(data)
        except OSError:
            pass
        finally:
            self.pod.note("node gone")

    def _start_channels(self) -> None:
        for channel in (0, 1):
            self.message(bytes([channel]) + struct.pack("<H", self._port))
        self._open(Wire(self, 0, 1, self._port))

    def _take(self, data: bytes) -> None:
        if self.pod.way == SPDY:
            self._speak(data)
            return
        self._buffer += data
        while (got := unframe(self._buffer)) is not None:
            opcode, payload, used = got
            self._buffer = self._buffer[used:]
            if opcode == 9:
                self._ping(lambda payload=payload: self.raw(frame(10, payload)))  # type: ignore[misc]
            elif opcode == 8:
                self.pod.note("goodbye")
            elif self.pod.way == TUNNEL:
                self._speak(payload)
            elif payload[0] == 0 and 0 in self.wires:
                self._got(self.wires[0], payload[1:], finished=False)

    def _ping(self, answer: Callable[[], None]) -> None:
        self.pings += 1
        self.pod.note("ping")
        if not self.pod.mute:
            answer()

    def _speak(self, data: bytes) -> None:
        """SPDY; pings are taken out, so that a test decides what becomes of them."""
        with self.lock:
            for event in self._spdy.receive(data):
                if isinstance(event, spdy.Opened):
                    self._opened(event)
                elif isinstance(event, spdy.Received) and event.stream in self.wires:
                    self._got(self.wires[event.stream], event.data, finished=event.finished)
                elif isinstance(event, spdy.Reset):
                    self.wires.pop(event.stream, None)
                    self.pod.note("reset")
                elif isinstance(event, spdy.GoneAway):
                    self.pod.note("goodbye")
            out = self._spdy.take()
            kept = b""
            while out:
                size = 8 + int.from_bytes(out[5:8], "big")
                piece, out = out[:size], out[size:]
                if piece[:4] == b"\x80\x03\x00\x06":
                    self._ping(lambda piece=piece: self.message(piece))  # type: ignore[misc]
                else:
                    kept += piece
            if kept:
                self.message(kept)

    def _opened(self, event: spdy.Opened) -> None:
        request = event.headers["requestid"]
        if event.headers["streamtype"] == "error":
            self._errors[request] = event.stream
        self._spdy.reply(event.stream)
        if event.headers["streamtype"] == "data":
            self._open(Wire(self, event.stream, self._errors.pop(request), int(event.headers["port"])))

    def _open(self, wire: Wire) -> None:
        self.opened += 1
        self.wires[wire.stream] = wire
        pod = self.pod
        if wire.port in pod.refuse:
            wire.fail(REFUSED.format(port=wire.port))
        elif wire.port in pod.errors:
            wire.fail(pod.errors[wire.port])
        elif wire.port in pod.greet:
            wire.send(pod.greet[wire.port])
        pod.note("opened")

    def _got(self, wire: Wire, data: bytes, *, finished: bool) -> None:
        if finished:
            self.pod.note("finished")
        answer = self.pod.ports.get(wire.port, echo)
        answer(wire, bytes(data), finished)


def echo(wire: Wire, data: bytes, finished: bool) -> None:
    """Send all back, and end after the client."""
    if data:
        wire.send(data)
    if finished:
        wire.end()


def saying(words: bytes, *, after_all: bool = False) -> Answer:
    """Send these words and end, be it after all that the client sends."""

    def answer(wire: Wire, _data: bytes, finished: bool) -> None:
        if finished or not after_all:
            wire.send(words)
            wire.end()

    return answer


def frame(opcode: int, data: bytes) -> bytes:
    """A server's WebSocket frame."""
    size = len(data)
    head = bytes([0x80 | opcode])
    if size < 126:
        return head + bytes([size]) + data
    if size < 65536:
        return head + b"\x7e" + struct.pack(">H", size) + data
    return head + b"\x7f" + struct.pack(">Q", size) + data


def unframe(data: bytes) -> tuple[int, bytes, int] | None:
    """A client's frame: its kind, its payload and its size; None when it is not whole."""
    if len(data) < 2:
        return None
    size, at = data[1] & 0x7F, 2
    if size >= 126:
        at = 4 if size == 126 else 10
        size = int.from_bytes(data[2:at], "big")
    if len(data) < at + 4 + size:
        return None
    mask = data[at : at + 4]
    payload = data[at + 4 : at + 4 + size]
    key = (mask * (size // 4 + 1))[:size]
    plain = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
    return data[0] & 0x0F, plain, at + 4 + size
