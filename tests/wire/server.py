"""The fake API server: `with ApiServer() as api: api.add(obj); run(env=api.env); api.requests[0].path`."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import socket
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.wire.faults import Fault
from tests.wire.patches import merge, operate, selector
from tests.wire.store import Refused, Store, failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext
    from typing import Any, Self

GZIP_FROM = 128 * 1024
"""Bytes from which a real API server packs an answer."""
_JSON_PATCH = "application/json-patch+json"


class Request:
    """One request as it came. `query` holds the last value of each name; header names are in lower case."""

    def __init__(self, method: str, target: str, headers: dict[str, str], body: bytes, connection: int) -> None:
        split = urlsplit(target)
        self.method = method
        self.target = target
        self.path = unquote(split.path)
        self.query = dict(parse_qsl(split.query, keep_blank_values=True))
        self.headers = headers
        self.body = body
        self.connection = connection

    def __repr__(self) -> str:
        return f"<{self.method} {self.target}>"

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


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
        handler = type("Handler", (_Handler,), {"api": self})
        self._server = _Server(("127.0.0.1", port), handler)
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
        return os.path.join(self._folder, "config")  # noqa: PTH118  # strings go into an environment

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
        with open(self.kubeconfig, "w", encoding="utf-8") as stream:  # noqa: PTH123  # as above
            json.dump(config, stream)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or one of our own faults: tests look at the client, not at this side."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet
    disable_nagle_algorithm = True
    api: ApiServer

    def handle(self) -> None:
        self.number = self.api.enter(self.connection)
        try:
            super().handle()
        finally:
            self.api.leave(self.connection)

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, self.rfile.read(length), self.number)
        with self.api.lock:
            self.api.requests.append(request)
        self.cut: int | None = None
        fault = self.api.take_fault(request)
        if fault is not None and self._hurt(fault, request):
            return
        try:
            self._answer(request)
        except Refused as refused:
            self._send(refused.code, refused.status, request)

    def _hurt(self, fault: Fault, request: Request) -> bool:
        """Do a fault; whether that was all."""
        if fault.delay:
            time.sleep(fault.delay)
        if fault.after:
            self.muted = True
            try:
                self._answer(request)
            finally:
                self.muted = False
        if fault.raw or fault.drop or fault.hold:
            self.wfile.write(fault.raw)
            self.wfile.flush()
            while fault.hold and not self._gone():
                time.sleep(0.01)
            self.close_connection = True
            return True
        if fault.status:
            self._send(fault.status, fault.body if fault.body is not None else {}, request, fault.headers)
            return True
        self.cut = fault.cut
        return False

    muted = False

    def log_message(self, *_: Any) -> None:
        """Tests print nothing."""

    def _send(self, code: int, body: Any, request: Request, headers: dict[str, str] | None = None) -> None:
        if self.muted:
            return
        given = {name.lower() for name in headers or {}}
        plain = isinstance(body, bytes)
        data = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode() + b"\n"
        self.send_response_only(code)
        if "content-type" not in given:
            self.send_header("Content-Type", "text/plain; charset=utf-8" if plain else "application/json")
        if "gzip" in request.headers.get("accept-encoding", "") and len(data) > GZIP_FROM:
            data = gzip.compress(data, 1)
            self.send_header("Content-Encoding", "gzip")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if "content-length" not in given:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.cut is not None:
            self.wfile.write(data[: self.cut])
            self.close_connection = True
        elif request.method != "HEAD":
            self.wfile.write(data)
        self.wfile.flush()

    def _answer(self, request: Request) -> None:
        api = self.api
        if api.token and request.headers.get("authorization") != f"Bearer {api.token}":
            raise Refused(401, "Unauthorized", "Unauthorized")
        for prefix, answer in api.routes:
            if request.path.startswith(prefix):
                self._send(*answer(request), request)
                return
        if request.path == "/version":
            self._send(200, {"major": "1", "minor": "36", "gitVersion": "v1.36.1"}, request)
            return
        parts = request.path.strip("/").split("/")
        if parts[0] == "api":
            group, rest = "", parts[2:]
        elif parts[0] == "apis" and len(parts) > 3 and parts[1] not in api.missing_groups:
            group, rest = parts[1], parts[3:]
        else:
            self._send(404, b"404 page not found\n", request)
            return
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:  # below one, not one itself
            namespace, rest = rest[1], rest[2:]
        plural, name, subresource = (*rest, "", "")[:3]
        self._allow(request, group, plural, namespace, name, subresource)
        if plural == "selfsubjectaccessreviews":
            self._review(request)
        elif not name:
            self._collection(request, group, plural, namespace)
        else:
            self._one(request, (group, plural, namespace, name), subresource)

    def _allow(  # the parts of a path
        self, request: Request, group: str, plural: str, namespace: str, name: str, subresource: str
    ) -> None:
        verbs = {"POST": "create", "PATCH": "patch", "PUT": "update", "DELETE": "delete"}
        verb = verbs.get(request.method) or ("get" if name else "watch" if "watch" in request.query else "list")
        resource = f"{plural}/{subresource}" if subresource else plural
        if self.api.refuses(verb, resource, namespace):
            full = f"{plural}.{group}" if group else plural
            where = f' in the namespace "{namespace}"' if namespace else " at the cluster scope"
            subject = f'{full} "{name}"' if name else full
            cannot = f'User "{self.api.user}" cannot {verb} resource "{resource}" in API group "{group}"{where}'
            raise Refused(403, "Forbidden", f"{subject} is forbidden: {cannot}", name=name, group=group, kind=plural)

    def _review(self, request: Request) -> None:
        asked = request.json["spec"]["resourceAttributes"]
        resource = "/".join(part for part in (asked.get("resource"), asked.get("subresource")) if part)
        allowed = not self.api.refuses(asked.get("verb", ""), resource, asked.get("namespace", ""))
        self._send(201, {**request.json, "status": {"allowed": allowed}}, request)

    def _collection(self, request: Request, group: str, plural: str, namespace: str) -> None:
        store, query = self.api.store, request.query
        if request.method == "POST":
            item = request.json
            key = (group, plural, namespace, item.get("metadata", {}).get("name", ""))
            self._send(201, store.create(key, item, dry_run="dryRun" in query), request)
            return
        if request.method != "GET":
            raise Refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        matches = selector(query.get("labelSelector", ""), query.get("fieldSelector", ""), plural)
        if query.get("watch") in {"1", "true"}:
            self._watch(request, (group, plural, namespace), matches)
            return
        items = store.select(group, plural, namespace, matches)
        metadata: dict[str, Any] = {"resourceVersion": str(store.version)}
        if "continue" in query:
            version, _, start = query["continue"].partition(":")
            if int(version) < store.oldest:
                status = failure(410, "Expired", "The provided continue parameter is too old")
                status["metadata"] = {"continue": f"{store.version}:{start}", "resourceVersion": str(store.version)}
                self._send(410, status, request)
                return
            items = [i for i in items if (i["metadata"].get("namespace", ""), i["metadata"]["name"]) > _place(start)]
        limit = int(query.get("limit") or 0)
        if limit and len(items) > limit:
            last = items[limit - 1]["metadata"]
            metadata["continue"] = f"{store.version}:{last.get('namespace', '')}/{last['name']}"
            metadata["remainingItemCount"] = len(items) - limit
            items = items[:limit]
        if not group:  # as a real server: items of built-in lists do not name their kind
            items = [{k: v for k, v in item.items() if k not in {"kind", "apiVersion"}} for item in items]
        version = f"{group}/v1" if group else "v1"
        self._send(200, {"kind": "List", "apiVersion": version, "metadata": metadata, "items": items}, request)

    def _one(self, request: Request, key: tuple[str, str, str, str], subresource: str) -> None:
        store = self.api.store
        dry_run = "dryRun" in request.query
        match request.method:
            case "GET":
                self._send(200, store.read(key), request)
            case "DELETE":
                self._send(200, store.delete(key, request.json if request.body else {}), request)
            case "PUT":
                self._send(200, store.replace(key, request.json, dry_run=dry_run, subresource=subresource), request)
            case "PATCH":
                self._patch(request, key, subresource, dry_run=dry_run)
            case _:
                raise Refused(405, "MethodNotAllowed", "the server does not allow this method")

    def _patch(self, request: Request, key: tuple[str, str, str, str], subresource: str, *, dry_run: bool) -> None:
        store = self.api.store
        kind = request.headers.get("content-type", "")
        if kind == "application/apply-patch+yaml":
            try:
                old = store.read(key)
            except Refused:
                self._send(201, store.create(key, request.json, dry_run=dry_run), request)
                return
            new = merge(old, request.json)
        elif kind == _JSON_PATCH:
            new = operate(store.read(key), request.json)
        elif kind == "application/merge-patch+json":
            new = merge(store.read(key), request.json)
        else:
            raise Refused(415, "UnsupportedMediaType", "the body of the request was in an unknown format")
        self._send(200, store.replace(key, new, dry_run=dry_run, subresource=subresource), request)

    def _watch(self, request: Request, where: tuple[str, str, str], matches: Callable[[Any], bool]) -> None:
        api, store = self.api, self.api.store
        self.send_response_only(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        version = int(request.query.get("resourceVersion") or store.version)
        if version < store.oldest:
            self._event("ERROR", failure(410, "Expired", f"too old resource version: {version} ({store.oldest})"))
            self._chunk(b"")
            return
        epoch = api.watch_epoch
        until = time.monotonic() + float(request.query.get("timeoutSeconds") or 3600)
        with api.lock:
            api.watches += 1
        try:
            for number, event, key, item in store.since(
                version, lambda: api.watch_epoch != epoch or time.monotonic() > until or self._gone()
            ):
                if key[:2] == where[:2] and where[2] in {"", key[2]} and matches(item):
                    self._event(event, item)
                elif api.bookmarks:
                    metadata = {"resourceVersion": str(number)}
                    self._event("BOOKMARK", {"kind": item["kind"], "metadata": metadata})
            self._chunk(b"")
        finally:
            with api.lock:
                api.watches -= 1

    def _gone(self) -> bool:
        """Whether the client closed, so that a watch does not outlive its test."""
        self.connection.settimeout(0)
        try:
            return not self.connection.recv(1)
        except (BlockingIOError, OSError) as error:
            return not isinstance(error, BlockingIOError) and "Want" not in type(error).__name__
        finally:
            self.connection.settimeout(None)

    def _event(self, event: str, item: dict[str, Any]) -> None:
        self._chunk(json.dumps({"type": event, "object": item}, separators=(",", ":")).encode() + b"\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()


def _place(start: str) -> tuple[str, str]:
    namespace, _, name = start.partition("/")
    return namespace, name
