"""Which part of the server answers a request, after it was found that its user may ask.

Source of the order and the texts: apiserver, `pkg/server/config.go` (DefaultBuildHandlerChain) and
`pkg/endpoints/installer.go`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aiohttp import hdrs

from kubectl_ray.sandbox.api import kinds, patches
from kubectl_ray.sandbox.api.refusals import Refused, bad_request, not_found
from kubectl_ray.sandbox.serving import deleting, media, reads, reviews, subresources, versions, watches, writes
from kubectl_ray.sandbox.serving.calls import Call
from kubectl_ray.sandbox.serving.rights import Rights

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp import web

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.users import User
    from kubectl_ray.sandbox.serving.paths import Asked

    Answer = Callable[[Call], Awaitable[web.StreamResponse]]


class Stream(Protocol):
    """Answers a subresource that is no object: a log, a stream, a proxy."""

    async def __call__(self, request: web.Request, namespace: str, name: str, rest: str) -> web.StreamResponse:
        """The answer; `rest` is the path behind the subresource, percent-decoded, with its slash.

        Raises:
            Refused: it cannot be done.
        """


NOT_ALLOWED = "the server does not allow this method on the requested resource"
PATCHES = (patches.JSON_PATCH, patches.MERGE_PATCH, patches.STRATEGIC_PATCH, patches.APPLY_PATCH)
ON_COLLECTION: dict[str, Answer] = {
    "list": reads.list_,
    "watch": watches.watch,
    "create": writes.create,
    "deletecollection": deleting.delete_many,
}
ON_OBJECT: dict[str, Answer] = {
    "get": reads.get,
    "watch": watches.watch,
    "update": writes.update,
    "patch": writes.patch,
    "delete": deleting.delete,
}
JOINED = frozenset({"exec", "attach", "portforward"})
ON_STATUS: dict[str, Answer] = {"get": reads.get, "update": writes.update, "patch": writes.patch}


class Verbs:
    """Answers what is asked about objects, about rights and about the server itself."""

    def __init__(self, objects: Objects, streams: Mapping[tuple[Kind, str], Stream]) -> None:
        self._objects = objects
        self._streams = streams
        self.rights = Rights(objects)

    async def answer(self, request: web.Request, asked: Asked, user: User) -> web.StreamResponse:
        """The answer to a request.

        Raises:
            Refused: it is not done.
        """
        if not asked.plural:
            self._check_path(asked, user)
            return await versions.answer(request, asked)
        self._check(asked, user)
        review = reviews.KINDS.get((asked.group, asked.version, asked.plural))
        if review is not None:
            if asked.name or asked.namespace:
                return _unknown(asked)
            if asked.verb != "create":
                raise Refused(405, "MethodNotAllowed", NOT_ALLOWED, {})
            return await reviews.answer(request, review, f"{asked.group}/{asked.version}", user, self.rights)
        kind = kinds.by_path(asked.group, asked.version, asked.plural)
        if kind is None:
            return _unknown(asked)
        return await self._of_kind(Call(request, asked, kind, user, self._objects))

    def _check(self, asked: Asked, user: User) -> None:
        resource = f"{asked.plural}/{asked.subresource}" if asked.subresource else asked.plural
        if self.rights.may(user, asked.verb, asked.group, resource, asked.namespace, asked.name):
            return
        about = {
            **({"name": asked.name} if asked.name else {}),
            **({"group": asked.group} if asked.group else {}),
            "kind": asked.plural,
        }
        shown = f"{asked.plural}.{asked.group}" if asked.group else asked.plural
        named = f' "{asked.name}"' if asked.name else ""
        where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
        why = f'User "{user.name}" cannot {asked.verb} resource "{resource}" in API group "{asked.group}" {where}'
        raise Refused(403, "Forbidden", f"{shown}{named} is forbidden: {why}", about)

    def _check_joined(self, call: Call) -> None:
        """A WebSocket begins with a GET, but who may only read must not run commands in a pod.

        Source: `pkg/registry/core/pod/rest/subresources.go`, as of 1.35 (AuthorizePodWebsocketUpgradeCreatePermission).
        """
        asked, resource = call.asked, f"{call.asked.plural}/{call.asked.subresource}"
        if asked.verb != "get" or asked.subresource not in JOINED:
            return
        if not self.rights.may(call.user, "create", asked.group, resource, asked.namespace, asked.name):
            about = {"name": asked.name, "kind": asked.plural}
            raise Refused(403, "Forbidden", f'{asked.plural} "{asked.name}" is forbidden: ', about)

    def _check_path(self, asked: Asked, user: User) -> None:
        if self.rights.may_path(user, asked.verb, asked.path):
            return
        raise Refused(403, "Forbidden", f'forbidden: User "{user.name}" cannot {asked.verb} path "{asked.path}"', {})

    async def _of_kind(self, call: Call) -> web.StreamResponse:
        asked, kind = call.asked, call.kind
        stream = self._streams.get((kind, asked.subresource))
        if stream is not None and asked.name:
            self._check_joined(call)
            return await stream(call.request, call.namespace, asked.name, asked.rest)
        if bool(asked.namespace) != kind.namespaced and not _everywhere(asked, kind):
            return _unknown(asked)
        if asked.subresource and (asked.subresource not in kind.subresources or asked.rest):
            if kind.group == kinds.RAY:
                raise not_found(kind, asked.name)
            return _unknown(asked)
        found = _function(asked, kind)
        if found is None:
            return _no_such_verb(asked, kind)
        if kind.group != kinds.RAY:
            _route(call)
        return await found(call)


def _route(call: Call) -> None:
    """The router in front of Kubernetes' own kinds is stricter than what stands behind it.

    Raises:
        Refused: 405, 406, 415.
    """
    request = call.request
    if request.method == "HEAD":
        raise _not_allowed(call.asked, call.kind)
    media.routed(request.headers.get(hdrs.ACCEPT, ""), collection=call.asked.verb == "list")
    if call.asked.verb == "patch":
        given = request.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower()
        if given not in PATCHES:
            raise Refused(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def _no_such_verb(asked: Asked, kind: Kind) -> web.StreamResponse:
    if kind.group == kinds.RAY and not asked.name:
        if not asked.namespace:
            return versions.not_found()
        if asked.verb in {"update", "patch"}:
            raise bad_request("name must be provided")
    raise _not_allowed(asked, kind)


def _function(asked: Asked, kind: Kind) -> Answer | None:
    """What answers; None when there is no such verb here."""
    if asked.subresource == "status":
        return ON_STATUS.get(asked.verb)
    if asked.subresource:
        return subresources.ANSWERS.get((kind, asked.subresource, asked.verb))
    if asked.verb not in kind.verbs or (kind is kinds.NAMESPACES and asked.verb == "deletecollection"):
        return None
    if asked.name:
        return ON_OBJECT.get(asked.verb)
    if kind.namespaced and not asked.namespace and asked.verb not in {"list", "watch"}:
        return None
    return ON_COLLECTION.get(asked.verb)


def _everywhere(asked: Asked, kind: Kind) -> bool:
    """Of all namespaces; or a namespace itself, which is inside of itself as paths have it."""
    return (kind.namespaced and not asked.name) or kind is kinds.NAMESPACES


def _not_allowed(asked: Asked, kind: Kind) -> Refused:
    if kind.group == kinds.RAY:
        told = f'{asked.verb} is not supported on resources of kind "{kind.resource}"'
        return Refused(405, "MethodNotAllowed", told, {"group": kind.group, "kind": kind.plural})
    return Refused(405, "MethodNotAllowed", NOT_ALLOWED, {})


def _unknown(asked: Asked) -> web.Response:
    """404: in a group that is built in it is a Status, elsewhere (a CRD that is not installed) plain words."""
    known = {(kind.group, kind.version) for kind in kinds.KINDS if kind.group != kinds.RAY}
    known |= {(group, version) for group, version, _plural in reviews.KINDS}
    if not asked.group or (asked.group, asked.version) in known:
        raise Refused(404, "NotFound", "the server could not find the requested resource", {})
    return versions.not_found()
