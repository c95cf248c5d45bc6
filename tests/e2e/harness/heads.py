"""A stand-in for a Ray head: a small program in a real pod, for cases about bytes rather than about Ray.

The pod has a head's labels and ports, and belongs to a Ray cluster that the operator never looks at. It starts within a
second, and can send what Ray does not: as many bytes as one likes, in an order that shows what is lost or doubled.
"""

from __future__ import annotations

import hashlib
import json
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.e2e.harness.boxes import IMAGE
from tests.e2e.harness.objects import reference, untouched
from tests.e2e.harness.sockets import IPV4, answered, ask

if TYPE_CHECKING:
    from tests.e2e.harness.oracle import Kubectl

Object = dict[str, Any]

BLOCK = 1 << 16
SERVER = r"""
import hashlib, json, os, socketserver, threading

BLOCK = 1 << 16
VERSION = {"version": "4", "ray_version": "2.52.0", "ray_commit": "none", "session_name": os.urandom(6).hex()}
ANSWERS = {
    b"/api/version": VERSION,
    b"/api/authentication_mode": {"authentication_mode": "disabled"},
    b"/nodes?view=summary": {"result": True, "data": {"summary": []}},
}
busy = 0
count = threading.Lock()


class Dashboard(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            method, path, _version = line.split()
            length = 0
            while (field := self.rfile.readline()).strip():
                if field.lower().startswith(b"content-length:"):
                    length = int(field.partition(b":")[2])
            if path.startswith(b"/bytes/"):
                self.count(int(path.rpartition(b"/")[2]))
            elif path == b"/digest":
                self.tell(digest(self.rfile, length))
            elif path == b"/busy":
                self.tell({"busy": busy})
            else:
                self.tell(ANSWERS.get(path, {}), "200 OK" if path in ANSWERS else "404 Not Found")

    def head(self, length, status="200 OK"):
        self.wfile.write(f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n".encode())

    def tell(self, what, status="200 OK"):
        body = json.dumps(what).encode()
        self.head(len(body), status)
        self.wfile.write(body)

    def count(self, length):
        global busy
        with count:
            busy += 1
        try:
            self.head(length)
            for number in range(-(-length // BLOCK)):
                block = number.to_bytes(8, "big") * (BLOCK // 8)
                self.wfile.write(block[:length - number * BLOCK])
        finally:
            with count:
                busy -= 1


def digest(stream, length):
    seen, found = 0, hashlib.sha256()
    while seen < length:
        piece = stream.read1(min(BLOCK, length - seen))
        if not piece:
            break
        seen += len(piece)
        found.update(piece)
    return {"bytes": seen, "sha256": found.hexdigest()}


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        "Somebody left."


Server(("127.0.0.1", int(os.environ["DASHBOARD"].rpartition(":")[2])), Dashboard).serve_forever()
"""


def cluster(kubectl: Kubectl, name: str) -> Object:
    """Create the Ray cluster that the pod will belong to."""
    return kubectl.create(untouched(name))


def head(kubectl: Kubectl, of: str, name: str) -> None:
    """Create the pod, and wait until it runs."""
    labels = {"ray.io/cluster": of, "ray.io/node-type": "head", "ray.io/is-ray-node": "yes"}
    container = {
        "name": "ray-head",
        "image": IMAGE,
        "command": ["python3", "-c", SERVER],
        "ports": [{"name": "dashboard", "containerPort": 8265}],
        # a sandbox, where all pods share an address, puts the port here that stands for this one
        "env": [{"name": "DASHBOARD", "value": "127.0.0.1:8265"}],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
    }
    owner = reference(kubectl.get("raycluster", of)) | {"blockOwnerDeletion": False}
    kubectl.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": labels, "ownerReferences": [owner]},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
        }
    )
    kubectl("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=60s")


def digest_of(length: int) -> bytes:
    """The checksum of what `/bytes/LENGTH` answers with, or of so much of a longer one."""
    found = hashlib.sha256()
    for number in range(-(-length // BLOCK)):
        found.update((number.to_bytes(8, "big") * (BLOCK // 8))[: length - number * BLOCK])
    return found.digest()


@dataclass(frozen=True)
class Received:
    """What came of a download: so many bytes of the body, each of them as it should be or not."""

    length: int
    right: bool


class Download:
    """One request for `length` bytes; nothing is read before `rest`."""

    def __init__(self, port: int, length: int, *, host: str = IPV4, within: float = 30.0, room: int = 0) -> None:
        self._length = length
        self.socket = socket.socket()
        if room:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self.socket.settimeout(within)
        self.socket.connect((host, port))
        self.socket.sendall(b"GET /bytes/%d HTTP/1.1\r\nHost: it\r\n\r\n" % length)

    def no_more(self) -> None:
        """Say that nothing else will be asked on this connection: half of it is closed."""
        self.socket.shutdown(socket.SHUT_WR)

    def vanish(self) -> None:
        """Be gone without a word, as a program that was killed: the connection is reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def first(self) -> None:
        """Wait for the first bytes, and leave them where they are."""
        assert self.socket.recv(1, socket.MSG_PEEK)

    def rest(self) -> Received:
        """Read to the end, which a far side that breaks brings early; never longer than `within` without a byte.

        Raises:
            TimeoutError: it hangs.
        """
        with self.socket:
            data = bytearray()
            found = hashlib.sha256()
            seen = 0
            begun = False
            while not begun or seen < self._length:
                try:
                    piece = self.socket.recv(1 << 18)
                except ConnectionError:
                    piece = b""
                if not piece:
                    break
                if not begun:
                    data += piece
                    before, blank, piece = bytes(data).partition(b"\r\n\r\n")
                    begun = bool(blank)
                    if not begun:
                        continue
                    assert before.startswith(b"HTTP/1.1 200"), before
                seen += len(piece)
                found.update(piece)
            return Received(seen, found.digest() == digest_of(seen))


def download(port: int, length: int, **more: Any) -> Received:
    """Fetch so many bytes on a connection of its own."""
    return Download(port, length, **more).rest()


def upload(port: int, data: bytes) -> Object:
    """Send these bytes to the dashboard's port: how many came there, and their checksum."""
    status, body = ask("POST", port, "/digest", data, within=60)
    assert status == 200, body
    return answered_as(body)


def checksum(data: bytes) -> Object:
    """What the far side says of these bytes when they have come."""
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def answered_as(body: bytes) -> Object:
    """The far side's JSON."""
    found: Object = json.loads(body)
    return found


def busy(port: int) -> int:
    """How many downloads the far side is still busy with."""
    return int(answered(port, "/busy")["busy"])
