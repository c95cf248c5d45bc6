"""The fake API server: `with ApiServer() as api: api.add(obj); run(env=api.env); api.requests[0].path`."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import threading

from tests.wire.faults import Fault
from tests.wire.handler import Handler, Listener, Request
from tests.wire.store import Store, failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import ThreadingHTTPServer
    from ssl import SSLContext
    from typing import Any, Self


class ApiServer:
    """A server on a free port of 127.0.0.1, its objects, what it was asked, and what it shall do wrong.

    `tls=True` speaks TLS with a certificate of its own authority, which is in the kubeconfig. `token` must be sent, and
    means TLS: like kubectl, the client sends no login over plain HTTP.
    `groups`: API groups that are installed; another is answered by the plain 404 of a missing CRD.
    """

    def __init__(self, *, tls: bool = False, token: str = "", namespace: str = "default") -> None:
        self.store = Store()
        self.store.namespaces.add(namespace)
        self.at_exit: list[Callable[[], None]] = []
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.denied: list[tuple[str, str, str]] = []
        self.missing_groups: set[str] = set()
        self.routes: list[tuple[str, Callable[[Request], tuple[int, Any]]]] = []
        self.user = "jane"
        self.token = token
        self.namespace = namespace
        self.connections = 0
        self.watches = 0
        self.watch_epoch = 0
        self.bookmarks = False
        self.list_delay = 0.0
        self._tls = tls or bool(token)
        self._context: SSLContext | None = None
        self._folder = ""
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self._sockets: set[socket.socket] = set()
        self.lock = threading.Lock()

    def __enter__(self) -> Self:
        self._folder = tempfile.mkdtemp(prefix="wire-")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        for end in self.at_exit:
            end()
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    # What a test arranges.

    def add(self, *objects: dict[str, Any]) -> None:
        """Objects that are there."""
        self.store.add(*objects)

    def fault(self, path: str = "", **fault: Any) -> Fault:
        """Order a `Fault`; faults are tried in the order given."""
        made = Fault(path, **fault)
        self.faults.append(made)
        return made

    def fail(self, code: int, reason: str = "", message: str = "", *, path: str = "", **fault: Any) -> Fault:
        """Order a Status; headers (`{"Retry-After": "1"}`), method, times and the rest as for `Fault`."""
        return self.fault(path, status=code, body=failure(code, reason, message), **fault)

    def deny(self, verb: str, plural: str, namespace: str = "*") -> None:
        """Take a right away: `deny("list", "rayclusters")`; a subresource is `pods/exec`; `*` is any."""
        self.denied.append((verb, plural, namespace))

    def route(self, prefix: str, answer: Callable[[Request], tuple[int, Any]]) -> None:
        """Answer paths that begin so (a service proxy) by a function: `(status, object or bytes)`."""
        self.routes.append((prefix, answer))

    def close_watches(self) -> None:
        """End all watches that run, as a server does after timeoutSeconds."""
        self.watch_epoch += 1

    def drop_connections(self) -> None:
        """Cut every connection that is open."""
        with self.lock:
            sockets = list(self._sockets)
        for sock in sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def stop(self) -> None:
        """Go down: nobody listens any more; `start` comes up again on the same port."""
        if self._server is not None:
            self.close_watches()
            self._server.shutdown()
            self._server.server_close()
            self.drop_connections()
            self._server = None
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def start(self) -> None:
        """Listen."""
        port = self.port if hasattr(self, "port") else 0
        handler = type("Handler", (Handler,), {"api": self})
        self._server = Listener(("127.0.0.1", port), handler)
        self.port: int = self._server.server_address[1]
        if self._tls:
            self._secure(self._server)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        self._write_kubeconfig()

    # What a test uses.

    @property
    def url(self) -> str:
        """The server's address."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def kubeconfig(self) -> str:
        """The path of a kubeconfig for this server; its context is called `wire`."""
        return os.path.join(self._folder, "config")  # noqa: PTH118 -- strings go into an environment

    @property
    def env(self) -> dict[str, str]:
        """An environment in which this server is the current one, and nothing else of the machine is seen."""
        return {"KUBECONFIG": self.kubeconfig, "HOME": self._folder, "PATH": os.environ.get("PATH", "")}

    def asked(self, method: str = "", path: str = "") -> list[Request]:
        """The requests so far whose method is this and whose path contains that."""
        return [r for r in self.requests if method in {"", r.method} and path in r.path]

    def refuses(self, verb: str, plural: str, namespace: str) -> bool:
        """Whether a right is denied."""
        return any(v in {"*", verb} and p in {"*", plural} and n in {"*", namespace or "*"} for v, p, n in self.denied)

    def enter(self, sock: socket.socket) -> int:
        """A connection begins; its number."""
        with self.lock:
            self._sockets.add(sock)
            self.connections += 1
            return self.connections

    def leave(self, sock: socket.socket) -> None:
        """A connection ended."""
        with self.lock:
            self._sockets.discard(sock)

    def take_fault(self, request: Request) -> Fault | None:
        """The fault for this request, if there is one; `when` and counts are decided once."""
        with self.lock:
            return next((fault for fault in self.faults if fault.takes(request)), None)

    def _secure(self, server: ThreadingHTTPServer) -> None:
        import ssl

        import trustme

        if self._context is None:  # one authority for life: a server that comes up again is still the same
            authority = trustme.CA()
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("127.0.0.1").configure_cert(self._context)
            self.ca = authority.cert_pem.bytes()
        server.socket = self._context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)

    def _write_kubeconfig(self) -> None:
        import base64

        cluster: dict[str, Any] = {"server": self.url}
        if self._tls:
            cluster["certificate-authority-data"] = base64.b64encode(self.ca).decode()
        user = {"token": self.token} if self.token else {}
        context = {"cluster": "wire", "user": self.user, "namespace": self.namespace}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "wire", "cluster": cluster}],
            "users": [{"name": self.user, "user": user}],
            "contexts": [{"name": "wire", "context": context}],
            "current-context": "wire",
        }
        with open(self.kubeconfig, "w", encoding="utf-8") as stream:  # noqa: PTH123 -- as above
            json.dump(config, stream)
