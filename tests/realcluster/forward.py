"""Brings the node's API server to the machine's loopback: `127.0.0.1:PORT` out here is port 6443 in there.

It runs in the node, as `python3 -m tests.realcluster.forward PORT`, begun in the machine's network namespace:
there it listens, and then starts itself again in the node's namespace with the listening socket still open. It is one
process, does not fork for a connection, and goes with the node.
"""

from __future__ import annotations

import os
import socket
import sys
import threading

from tests.realcluster.places import API_PORT

CHUNK = 1 << 18
BACKLOG = 128


def listen(port: int) -> None:
    """Listen in this network namespace, then go on in that of the node's first process."""
    listener = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
    listener.set_inheritable(True)
    again = [sys.executable, "-m", "tests.realcluster.forward", "--accept", str(listener.detach())]
    os.execvp("nsenter", ["nsenter", "--net=/proc/1/ns/net", *again])  # noqa: S606 -- the arguments are our own


def serve(descriptor: int) -> None:
    """Join each connection to one to the API server."""
    with socket.socket(fileno=descriptor) as listener:
        while True:
            client, _ = listener.accept()
            threading.Thread(target=join, args=(client,), daemon=True).start()


def join(client: socket.socket, port: int = API_PORT) -> None:
    """Carry bytes to a port of the node and back until both sides have said their last; drop what is refused there."""
    with client:
        try:
            server = socket.create_connection(("127.0.0.1", port))
        except OSError:
            return
        with server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            upward = threading.Thread(target=pump, args=(client, server), daemon=True)
            upward.start()
            pump(server, client)
            upward.join()


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Carry bytes one way; the end of one side becomes the end of what the other hears."""
    buffer = memoryview(bytearray(CHUNK))
    try:
        while count := source.recv_into(buffer):
            sink.sendall(buffer[:count])
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        # reset by one side: the other must not wait for more, in either direction
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


if __name__ == "__main__":
    if sys.argv[1] == "--accept":
        serve(int(sys.argv[2]))
    else:
        listen(int(sys.argv[1]))
