"""Getting an object, and listing many: versions, pages, selectors.

Source: apiserver, `pkg/storage/etcd3/store.go` and `pkg/storage/continue.go`; what versions mean is Kubernetes'
"API concepts" page.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from typing import TYPE_CHECKING, NamedTuple

from kubectl_ray.sandbox.api import kinds, selectors
from kubectl_ray.sandbox.api.decoding import complaint
from kubectl_ray.sandbox.api.events import new_form
from kubectl_ray.sandbox.api.refusals import Refused, bad_request, expired
from kubectl_ray.sandbox.serving import answers, forms, media, options

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object, Store
    from kubectl_ray.sandbox.serving.calls import Call

LATE = 3.0
"""Seconds to wait for a version that does not exist yet."""

TOKEN_VERSION = "meta.k8s.io/v1"  # noqa: S105 - not a password
TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without"
    " the continue parameter, or use the continue token in this response to retrieve the remainder of the results."
    " Continuing with the provided token results in an inconsistent list - objects that were created, modified, or"
    " deleted between the time the first chunk was returned and now may show up in the list."
)


async def get(call: Call) -> web.StreamResponse:
    """One object.

    Raises:
        Refused: 404; 406; 504 it shall be as new as a version that does not come.
    """
    form = call.form()
    await until(call.objects.store, options.exact_version(call.request.query.get("resourceVersion", "")))
    held = call.objects.get(call.kind, call.namespace, call.asked.name)
    return answers.answered(call.request, forms.one(call, held, form), media_type=form.media_type)


async def until(store: Store, version: int | None) -> None:
    """Wait a little until there is a version.

    Raises:
        Refused: 504, it did not come.
    """
    if version is None or version <= store.version:
        return
    there = asyncio.get_running_loop().create_future()

    def look(_change: object) -> None:
        if store.version >= version and not there.done():
            there.set_result(None)

    end = store.listen(look)
    try:
        await asyncio.wait_for(there, LATE)
    except TimeoutError:
        raise too_new(version, store.version) from None
    finally:
        end()


def too_new(version: int, current: int) -> Refused:
    """504: the version does not exist yet."""
    message = f"Timeout: Too large resource version: {version}, current: {current}"
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return Refused(504, "Timeout", message, {"causes": causes, "retryAfterSeconds": 1})


def chosen(call: Call, labels: str, fields: str) -> Callable[[Object], bool] | None:
    """Whether an object is meant; None when all are.

    Raises:
        Refused: 400.
    """
    by_label = selectors.labels(labels) if labels else None
    by_field = selectors.fields(call.kind, fields) if fields else None
    name = call.asked.name  # of the old path /api/v1/watch/…/NAME
    if by_label is None and by_field is None and not name:
        return None

    def meant(held: Object) -> bool:
        return (
            (not name or held["metadata"]["name"] == name)
            and (by_label is None or by_label(held))
            and (by_field is None or by_field(held))
        )

    return meant


def objects_at(objects: Objects, kind: Kind, namespace: str, version: int) -> list[Object]:
    """The objects as they were at a version, which the history must still reach back to."""
    store = objects.store
    if version >= store.version:
        return objects.list(kind, namespace)
    stored = kinds.EVENTS if kind is kinds.NEW_EVENTS else kind
    held = {_key(each): each for each in store.list(stored, namespace)}
    for change in reversed(store.history):
        if change.version <= version:
            break
        if change.kind is stored and (not namespace or change.object["metadata"].get("namespace") == namespace):
            if change.before is None:
                held.pop(_key(change.object), None)
            else:
                held[_key(change.object)] = change.before
    found = [held[key] for key in sorted(held)]
    return [new_form(each) for each in found] if kind is kinds.NEW_EVENTS else found


def _key(held: Object) -> tuple[str, str]:
    return held["metadata"].get("namespace", ""), held["metadata"]["name"]


class Page(NamedTuple):
    """Where a list goes on: after an object, at a version; version -1 is whatever there is now."""

    version: int
    after: tuple[str, str]


def token(page: Page, namespace: str) -> str:
    """The page as a client carries it."""
    start = page.after[1] if namespace or not page.after[0] else "/".join(page.after)
    text = json.dumps({"v": TOKEN_VERSION, "rv": page.version, "start": start + "\0"}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def page(text: str, namespace: str) -> Page:
    """The page that a token stands for.

    Raises:
        Refused: 400, it is no token of ours.
    """
    try:
        packed = text.encode("ascii", "strict")
        raw = base64.b64decode(packed + b"=" * (-len(packed) % 4), b"-_", validate=True).decode("utf-8", "replace")
    except (binascii.Error, UnicodeError):
        raise _no_token(f"illegal base64 data at input byte {_illegal(text)}") from None
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise _no_token(complaint(raw) or "invalid") from None
    if not isinstance(value, dict):
        raise _no_token("json: cannot unmarshal into Go value of type storage.continueToken")
    version, start = value.get("rv", 0), value.get("start", "")
    if value.get("v") != TOKEN_VERSION:
        raise _no_token(f"server does not recognize this encoded version {json.dumps(value.get('v', ''))}")
    if not isinstance(version, int) or isinstance(version, bool) or version == 0 or version < -1:
        raise _no_token(f"incorrect encoded start resourceVersion (version {TOKEN_VERSION})")
    if not isinstance(start, str) or not start:
        raise _no_token(f"encoded start key empty (version {TOKEN_VERSION})")
    place, _, name = start.removesuffix("\0").rpartition("/")
    return Page(version, (namespace or place, name))


def _illegal(text: str) -> int:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return next((at for at, char in enumerate(text) if char not in letters), len(text) // 4 * 4)


def _no_token(why: str) -> Refused:
    return bad_request(f"invalid continue token: continue key is not valid: {why}")


class _GoOn(Refused):
    """410 with a token that goes on from the same place in what there is now."""

    def __init__(self, fresh: str) -> None:
        super().__init__(410, "Expired", TOO_OLD)
        self._fresh = fresh

    @property
    def status(self) -> Object:
        return {**super().status, "metadata": {"continue": self._fresh}}


class Found(NamedTuple):
    """What a list shows: its objects, its metadata."""

    items: list[Object]
    meta: Object


async def find(call: Call) -> Found:
    """The objects that a list's options choose.

    Raises:
        Refused: 400, 410 (a token or a version is too old), 422, 504.
    """
    asked = options.listing(call.request.query, watch=False)
    meant = chosen(call, asked.labels, asked.fields)
    namespace = call.namespace
    where = await _where(call, asked)
    items = objects_at(call.objects, call.kind, namespace, where.version)
    if where.after != ("", ""):
        items = [each for each in items if _place(each, namespace) > where.after]
    if meant is not None:
        items = [each for each in items if meant(each)]
    meta: Object = {"resourceVersion": str(where.version)}
    if 0 < asked.limit < len(items) and asked.version != 0:
        rest = len(items) - asked.limit
        items = items[: asked.limit]
        meta["continue"] = token(Page(where.version, _place(items[-1], namespace)), namespace)
        if meant is None:
            meta["remainingItemCount"] = rest
    return Found(items, meta)


async def _where(call: Call, asked: options.Listing) -> Page:
    """At which version to list, and after which object.

    Raises:
        Refused: 400, 410, 504.
    """
    store = call.objects.store
    if asked.token:
        where = page(asked.token, call.namespace)
        if asked.version:
            raise bad_request("specifying resource version is not allowed when using continue")
        return where._replace(version=_reached(store, where, call.namespace))
    await until(store, asked.version)
    if asked.version and (asked.match == "Exact" or (asked.limit > 0 and not asked.match)):
        if asked.version < store.oldest:
            raise expired("The resourceVersion for the provided list is too old.")
        return Page(asked.version, ("", ""))
    return Page(store.version, ("", ""))


def _place(held: Object, namespace: str) -> tuple[str, str]:
    return namespace or held["metadata"].get("namespace", ""), held["metadata"]["name"]


def _reached(store: Store, where: Page, namespace: str) -> int:
    """The token's version, if it can still be shown; the newest where it does not matter.

    Raises:
        Refused: 410 with a token that goes on from the same place in what there is now; 400.
    """
    if where.version == -1:
        return store.version
    if where.version > store.version:
        raise bad_request("invalid continue token: its resourceVersion does not exist yet")
    if where.version < store.oldest:
        fresh = token(where._replace(version=-1), namespace)
        raise _GoOn(fresh)
    return where.version


async def list_(call: Call) -> web.StreamResponse:
    """Many objects.

    Raises:
        Refused: 400, 406, 410, 422, 504.
    """
    form = call.form()
    if form.kind == media.TABLE:
        forms.included(call)
    found = await find(call)
    head, items, field = forms.many(call, found.meta, found.items, form)
    if form.media_type == media.YAML:
        return answers.answered(call.request, {**head, field: items}, media_type=media.YAML)
    return await answers.listed(call.request, head, items, name=field)
