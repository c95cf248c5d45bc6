"""What the rest of the plugin asks of the API server: objects in, objects out, errors in words.

Raw dicts and our own errors leave this module, and nothing of HTTP but the `Answer` of `raw`.
"""

from __future__ import annotations

import json

from kubectl_ray.errors import Conflict, Invalid, ServerError
from kubectl_ray.kube.answer import Answer
from kubectl_ray.kube.listing import Listing
from kubectl_ray.kube.paths import as_kubectl, encode_query, path_of, selection
from kubectl_ray.kube.status import Asked, error_from, read_status, read_warnings
from kubectl_ray.kube.transport import Transport
from kubectl_ray.kube.watch import IDLE_SECONDS, Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from kubectl_ray.kube.credentials import Credentials
    from kubectl_ray.kube.http import Headers, Response
    from kubectl_ray.kube.kubeconfig import Target
    from kubectl_ray.models.resources import Resource

_JSON = ("Accept", "application/json")
_NOTHING: tuple[tuple[str, Any], ...] = (("query", {}), ("headers", ()), ("body", b""))
_GZIP = ("Accept-Encoding", "gzip")


class Client:
    """The API server of one login. Making one does no I/O; it may be used from several threads.

    `request_timeout`: seconds for one request from connecting to the last byte; None and 0 are for ever (a server that
    is silent for 90 s is given up all the same). `warnings` collects what the server remarked, each remark once.
    Options not named in the signature (`connect`, `clock`, `sleep`) go to the Transport.
    """

    def __init__(
        self,
        target: Target,
        credentials: Credentials,
        env: Mapping[str, str],
        *,
        request_timeout: float | None = None,
        talk: Callable[[int, str], None] | None = None,
        field_manager: str = "kubectl-ray",
        **transport: Any,
    ) -> None:
        self.target = target
        self.namespace = target.namespace
        self.field_manager = field_manager
        self.warnings: list[str] = []
        self._transport = Transport(target, credentials, env, request_timeout=request_timeout, talk=talk, **transport)

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._transport.requests

    def prepare(self) -> None:
        """Load what the first connection needs, for who is about to ask from several threads at once; no I/O."""
        self._transport.opener()

    def close(self) -> None:
        """Close all connections, and end an exec plugin that still runs; watches in other threads end."""
        self._transport.close()
        self._transport.credentials.close()

    def forget_idle(self) -> None:
        """Ask over new connections from here on: the old ones may be dead without knowing it (network gone, sleep)."""
        self._transport.forget_idle()

    def get(self, resource: Resource, name: str, namespace: str | None = None) -> dict[str, Any]:
        """One object.

        Raises:
            NotFound: there is none of that name.
        """
        asked = self._asked("get", resource, namespace, name)
        return self._object(asked, "GET", path_of(asked))

    def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int | None = None,
        resource_version: str | None = None,
    ) -> Listing:
        """All objects, each as soon as it has come in; namespace None is the login's own, "" is all.

        In one piece, unless `limit` asks for pages of that size. `resource_version="0"` allows an answer from a cache
        that may be older than our last write.
        """
        asked = self._asked("list", resource, namespace, "")
        query = selection(label_selector, field_selector)
        if limit is not None:
            query["limit"] = str(limit)
        headers = [_JSON] if self.target.disable_compression else [_JSON, _GZIP]

        def fetch(token: str) -> Response:
            page = {**query, "continue": token} if token else query
            if resource_version is not None and not token:
                page = {**page, "resourceVersion": resource_version}
            return self._open(asked, "GET", path_of(asked, collection=True), query=page, headers=headers)

        return Listing(fetch, resource, paged=limit is not None)

    def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str,
        idle_timeout: float = IDLE_SECONDS,
        tick: float | None = None,
    ) -> Iterator[tuple[str, Any]]:
        """`("ADDED"|"MODIFIED"|"DELETED", object)` as changes happen, over a connection of its own.

        It outlives lost connections; it ends when the client is closed. With `tick`, `("TICK", {})` comes after that
        many seconds of silence. `idle_timeout`: seconds of silence after which the connection is made anew.

        Raises:
            Expired: the server no longer knows `resource_version`, or the last one seen: list again.
        """
        query = selection(label_selector, field_selector)
        return self._watch(resource, namespace, query, idle_timeout, tick).events(resource_version)

    def list_and_watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        tick: float | None = None,
    ) -> Iterator[tuple[str, Any]]:
        """`("LISTED", [objects])`, then changes as `watch` gives them; LISTED again after a gap."""
        query = selection(label_selector, field_selector)
        return self._watch(resource, namespace, query, IDLE_SECONDS, tick).relisted(
            lambda: self.list(resource, namespace, label_selector=label_selector, field_selector=field_selector)
        )

    def create(
        self, resource: Resource, body: dict[str, Any], namespace: str | None = None, *, dry_run: bool = False
    ) -> dict[str, Any]:
        """Create an object, never touching one that exists; fields unknown to the server are an error.

        Raises:
            AlreadyExists: the name is taken.
            Invalid: the server refuses the object; the message names the fields.
        """
        metadata = body.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        asked = self._asked("create", resource, namespace, name if isinstance(name, str) else "")
        return self._object(asked, "POST", path_of(asked, collection=True), query=self._writing(dry_run), body=body)

    def patch_json(
        self,
        resource: Resource,
        name: str,
        operations: Sequence[dict[str, Any]],
        namespace: str | None = None,
        *,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Change an object by RFC 6902 operations, of which `test` ones guard against changing what is not as thought.

        Raises:
            Conflict: a `test` failed, or a path is not there (the server does not tell which).
            Invalid: the object would not be valid afterwards.
        """
        asked = self._asked("patch", resource, namespace, name)
        try:
            return self._patch(asked, "application/json-patch+json", operations, self._writing(dry_run))
        except Invalid as error:
            if error.code != 422 or error.details.get("causes"):  # noqa: PLR2004 -- Unprocessable Content
                raise
            conflict = Conflict(
                f"{asked.what}{asked.where} is not as it was when this change was prepared",
                "Look at it as it is now, then try again.",
            )
            conflict.code, conflict.reason, conflict.details = error.code, error.reason, error.details
            raise conflict from error

    def patch_merge(
        self,
        resource: Resource,
        name: str,
        body: dict[str, Any],
        namespace: str | None = None,
        *,
        dry_run: bool = False,
        subresource: str | None = None,
    ) -> dict[str, Any]:
        """Change an object by an RFC 7386 merge patch (which replaces lists as a whole)."""
        asked = self._asked("patch", resource, namespace, name)
        return self._patch(asked, "application/merge-patch+json", body, self._writing(dry_run), subresource)

    def apply(
        self,
        resource: Resource,
        name: str,
        body: dict[str, Any],
        namespace: str | None = None,
        *,
        force: bool = False,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Server-side apply: the object is made or changed so that it has these fields.

        Raises:
            Conflict: somebody else manages one of the fields, and `force` is not given.
        """
        asked = self._asked("apply", resource, namespace, name)
        query = self._writing(dry_run)
        if force:
            query["force"] = "true"
        return self._patch(asked, "application/apply-patch+yaml", body, query)

    def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        propagation: str | None = None,
        uid: str | None = None,
        grace_seconds: int | None = None,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Delete an object; gives it back if it stays for a while (finalizers), else a Status that names it.

        Raises:
            NotFound: there is none.
            Conflict: `uid` is not its uid: it was made anew.
        """
        asked = self._asked("delete", resource, namespace, name)
        options: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1"}
        if propagation is not None:
            options["propagationPolicy"] = propagation
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        if dry_run:
            options["dryRun"] = ["All"]
        return self._object(asked, "DELETE", path_of(asked), body=options)

    def raw(
        self,
        method: str,
        path: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        query: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Any request, such as one to a service behind the API server's proxy; every status is an answer.

        Raises:
            Unreachable: no connection, no answer, or none in time.
            ServerError: an answer that is not HTTP, or is cut off.
        """
        response = self._transport.open(
            method, path, query=query, headers=headers, body=body, timeout=timeout, relayed=True
        )
        try:
            return Answer(response.status, response.headers, response.read_all())
        finally:
            response.close()

    def upgrade(
        self,
        method: str,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        subresource: str,
        headers: Iterable[tuple[str, str]],
        query: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> tuple[socket.socket, bytes, Headers]:
        """Turn a request into a stream (HTTP 101): the socket, what was already read from it, the answer's headers.

        The socket is the caller's from here on; it still waits as long as the request did. A connection that is idle
        is used. `timeout`: seconds for the answer.

        Raises:
            KubectlRayError: the server does not switch (`code` is its status); as for any other request.
        """
        asked = self._asked(subresource, resource, namespace, name)
        path = path_of(asked, subresource=subresource)
        response = self._transport.open(method, path, query=query, headers=headers, timeout=timeout)
        if response.status != 101:  # noqa: PLR2004 -- Switching Protocols
            raise self._failure(response, asked)
        self._transport.talk(2, f"{method} {path}{encode_query(query)} 101")
        return self._transport.hand_over(response.connection), response.connection.leftover(), response.headers

    def _watch(
        self, resource: Resource, namespace: str | None, query: dict[str, str], idle: float, tick: float | None
    ) -> Watch:
        asked = self._asked("watch", resource, namespace, "")

        def start(version: str) -> Response:
            place = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version}
            path = path_of(asked, collection=True)
            # --request-timeout is for one answer; this one is meant to go on.
            return self._open(asked, "GET", path, query={**query, **place}, headers=[_JSON], timeout=0)

        return Watch(start, asked, self._transport, idle=idle, tick=tick)

    def _asked(self, verb: str, resource: Resource | None, namespace: str | None, name: str) -> Asked:
        space = self.namespace if namespace is None else namespace
        if resource is not None and resource.namespaced and not space and verb not in {"list", "watch"}:
            space = self.namespace
        return Asked(verb, resource, space, name, server=self._transport.server, user=self.target.user_name or "")

    def _writing(self, dry_run: bool) -> dict[str, str]:
        query = {"fieldManager": self.field_manager, "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        return query

    def _patch(
        self, asked: Asked, kind: str, body: Any, query: dict[str, str], subresource: str | None = None
    ) -> dict[str, Any]:
        path = path_of(asked, subresource=subresource)
        return self._object(asked, "PATCH", path, query=query, body=body, content_type=kind)

    def _object(
        self,
        asked: Asked,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        headers = [_JSON]
        content = b""
        if body is not None:
            headers.append(("Content-Type", content_type))
            content = json.dumps(body, separators=(",", ":")).encode()
        response = self._open(asked, method, path, query=query, headers=headers, body=content)
        try:
            text = response.read_all()
        finally:
            response.close()
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise ServerError(
                f"{asked.server} answered with something that is not a Kubernetes object",
                "Is this the address of a Kubernetes API server, and no proxy or login page before it?",
            )
        return found

    def _open(self, asked: Asked, method: str, path: str, **request: Any) -> Response:
        """A response that is a success."""
        query, headers, body = (request.get(part) or empty for part, empty in _NOTHING)
        same = as_kubectl(asked, query, headers, body)
        if same:
            self._transport.talk(1, same)
        response = self._transport.open(method, path, **request)
        for warning in read_warnings(response.values("warning")):
            if warning not in self.warnings:
                self.warnings.append(warning)
        if not 200 <= response.status < 300:  # noqa: PLR2004 -- success
            raise self._failure(response, asked)
        return response

    def _failure(self, response: Response, asked: Asked) -> Exception:
        try:
            return error_from(read_status(response.status, response.read_all()), asked)
        finally:
            response.close()
