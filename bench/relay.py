"""A TCP relay on loopback that counts what passes, so that bytes and requests need no help from what is measured."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self

_REQUEST_LINE = b" HTTP/1.1\r\n"  # ends each request's first line; no URL and no header line of ours holds it


class Relay:
    """Joins each connection to one server; counts bytes both ways and, in plain text, HTTP/1.1 requests."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._joined: list[threading.Thread] = []
        self._bytes = 0
        self._requests = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def counted(self) -> tuple[int, int]:
        """Bytes and requests since the last call, once every connection has ended (10 s at most)."""
        with self._lock:
            joined, self._joined = self._joined, []
        for each in joined:
            each.join(timeout=10)
        with self._lock:
            counts = self._bytes, self._requests
            self._bytes = self._requests = 0
        return counts

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            try:
                server = socket.create_connection(self._upstream, timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            joined = threading.Thread(target=self._join, args=(client, server), daemon=True)
            with self._lock:
                self._joined.append(joined)
                joined.start()

    def _join(self, client: socket.socket, server: socket.socket) -> None:
        with client, server:
            back = threading.Thread(target=self._pump, args=(server, client), kwargs={"asks": False}, daemon=True)
            back.start()
            self._pump(client, server, asks=True)
            back.join()

    def _pump(self, source: socket.socket, sink: socket.socket, *, asks: bool) -> None:
        tail = b""
        try:
            while data := source.recv(65536):
                sink.sendall(data)
                seen = tail + data
                with self._lock:
                    self._bytes += len(data)
                    self._requests += seen.count(_REQUEST_LINE) if asks else 0
                tail = seen[-len(_REQUEST_LINE) + 1 :]
        except OSError:
            pass  # reset by either side: the program has ended
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
