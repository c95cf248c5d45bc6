"""One connection of the fake API server: requests in, the right answers or the ordered faults out."""

from __future__ import annotations

import gzip
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.wire.patches import merge, operate, selector
from tests.wire.store import Refused, failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tests.wire.faults import Fault
    from tests.wire.server import ApiServer

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


class Listener(ThreadingHTTPServer):
    """A thread for each connection; none of them outlives a test."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or one of our own faults: tests look at the client, not at this side."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet
    disable_nagle_algorithm = True
    api: ApiServer

    def handle(self) -> None:
        """From the first request to the last."""
        self.number = self.api.enter(self.connection)
        try:
            super().handle()
        finally:
            self.api.leave(self.connection)

    def handle_one_request(self) -> None:
        """Read a request, remember it, and do to it what was ordered, else what is right."""
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
