"""Watches: changes as they happen, from a version on, until the client or the time ends it.

Source: apiserver, `pkg/endpoints/handlers/watch.go` and `pkg/storage/cacher`; KEP-3157 for initial events.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttp import web

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.events import new_form
from kubectl_ray.sandbox.api.refusals import Refused, expired
from kubectl_ray.sandbox.serving import answers, forms, media, options, reads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kubectl_ray.sandbox.api.store import Change, Object
    from kubectl_ray.sandbox.serving.calls import Call
    from kubectl_ray.sandbox.serving.media import Form
    from kubectl_ray.sandbox.serving.options import Listing

BOOKMARKS = 60.0
"""Seconds between bookmarks."""
MOST_WAITING = 2_000
"""Changes that may wait for a slow client; with more it is cut off, and has to begin again from what it saw last."""
LONGEST = (1800.0, 3600.0)
"""Seconds that a watch lasts whose client gave no time: anything between, so that many do not end together."""
INITIAL_END = {"k8s.io/initial-events-end": "true"}
AT_A_TIME = 100
"""Events that are written before others get their turn."""


class Event(NamedTuple):
    """One line of a watch."""

    type: str
    object: Object


class Changes:
    """The changes of one kind that a client means, kept for it until it takes them."""

    def __init__(self, call: Call, meant: Callable[[Object], bool] | None) -> None:
        self._kind = kinds.EVENTS if call.kind is kinds.NEW_EVENTS else call.kind
        self._converted = call.kind is kinds.NEW_EVENTS
        self._namespace = call.namespace
        self._meant = meant
        self._waiting: deque[Event] = deque()
        self._there = asyncio.Event()
        self.overrun = False

    def event(self, change: Change) -> Event | None:
        """What the change is for this client: an object that begins or ceases to match comes or goes."""
        if change.kind is not self._kind or not self._inside(change.object):
            return None
        after, before = self._form(change.object), change.before and self._form(change.before)
        was = before is not None and self.matches(before)
        if change.what == "DELETED":
            return Event("DELETED", after) if was else None
        if self.matches(after):
            return Event("MODIFIED" if was else "ADDED", after)
        if not was or before is None:
            return None
        # It goes as it last was, with the version of the change: the client knows how far it has seen.
        version = after["metadata"]["resourceVersion"]
        return Event("DELETED", {**before, "metadata": {**before["metadata"], "resourceVersion": version}})

    def _inside(self, held: Object) -> bool:
        return not self._namespace or held["metadata"].get("namespace") == self._namespace

    def _form(self, held: Object) -> Object:
        return new_form(held) if self._converted else held

    def matches(self, held: Object) -> bool:
        """Whether the client means it."""
        return self._meant is None or self._meant(held)

    def forget(self) -> None:
        """What has happened so far is before the version that the client begins from."""
        self._waiting.clear()

    def add(self, change: Change) -> None:
        """A change has happened."""
        event = self.event(change)
        if event is None:
            return
        if len(self._waiting) >= MOST_WAITING:
            self.overrun = True
        else:
            self._waiting.append(event)
        self._there.set()

    async def take(self, seconds: float) -> list[Event]:
        """What has happened; waits at most so long for something."""
        if not self._waiting:
            self._there.clear()
            try:
                await asyncio.wait_for(self._there.wait(), max(seconds, 0))
            except TimeoutError:
                return []
        return [self._waiting.popleft() for _ in range(min(len(self._waiting), AT_A_TIME))]


async def watch(call: Call) -> web.StreamResponse:
    """Answer with changes, one JSON object a line.

    Raises:
        Refused: 400, 406, 422, 500; what is wrong with the version comes as an event instead.
    """
    form = call.form(watch=True)
    asked = options.listing(call.request.query, watch=True)
    meant = reads.chosen(call, asked.labels, asked.fields)
    if form.kind == media.TABLE:
        forms.included(call)
    answer = web.StreamResponse()
    answer.content_type = media.JSON
    answer.headers["Cache-Control"] = "no-cache, private"
    answer.enable_chunked_encoding()
    changes = Changes(call, meant)
    lines = _Lines(call, form, answer)
    store = call.objects.store
    end = store.listen(_cutting(changes, call.request))
    try:
        version = store.version
        await answer.prepare(call.request)
        try:
            begun = await _beginning(call, changes, asked, version)
        except Refused as refusal:
            await lines.write([Event("ERROR", refusal.status)])
            return answer
        for index in range(0, len(begun), AT_A_TIME):
            await lines.write(begun[index : index + AT_A_TIME])
        if asked.initial and asked.bookmarks:
            await lines.bookmark(version, INITIAL_END)
        await _go_on(changes, lines, asked, lambda: store.version)
    finally:
        end()
    if changes.overrun and call.request.transport is not None:
        call.request.transport.abort()
    return answer


def _cutting(changes: Changes, request: web.BaseRequest) -> Callable[[Change], None]:
    """Keep each change; a client that has too many waiting is cut off, wherever its watch just waits."""

    def add(change: Change) -> None:
        changes.add(change)
        if changes.overrun and request.transport is not None:
            request.transport.abort()

    return add


async def _beginning(call: Call, changes: Changes, asked: Listing, version: int) -> list[Event]:
    """What a client is told first: all there is, or what happened since its version.

    Changes after `version` wait in `changes` already.

    Raises:
        Refused: 410 the version is too old; 504 it does not come.
    """
    store = call.objects.store
    start = asked.version
    if asked.initial or (asked.initial is None and not start):
        if start and start > version:
            await reads.until(store, start)
        if version < store.oldest:  # so much has happened since the request came
            raise expired(f"too old resource version: {version} ({store.oldest})")
        found = reads.objects_at(call.objects, call.kind, call.namespace, version)
        return [Event("ADDED", each) for each in found if changes.matches(each)]
    if not start:
        return []
    if start > version:
        await reads.until(store, start)
        changes.forget()
        return []
    if start < store.oldest:
        raise expired(f"too old resource version: {start} ({store.oldest})")
    happened = (changes.event(change) for change in store.history if start < change.version <= version)
    return [each for each in happened if each is not None]


async def _go_on(changes: Changes, lines: _Lines, asked: Listing, version: Callable[[], int]) -> None:
    """Until the time is over, or the client too slow."""
    loop = asyncio.get_running_loop()
    end = loop.time() + (asked.timeout or random.uniform(*LONGEST))  # noqa: S311 - no secret
    bookmark = loop.time() + BOOKMARKS if asked.bookmarks else end
    while not changes.overrun and (now := loop.time()) < end:
        events = await changes.take(min(end, bookmark) - now)
        if events:
            await lines.write(events)
        elif asked.bookmarks and loop.time() >= min(bookmark, end):
            await lines.bookmark(version(), {})
            bookmark = loop.time() + BOOKMARKS


class _Lines:
    """The lines of one answer."""

    def __init__(self, call: Call, form: Form, answer: web.StreamResponse) -> None:
        self._call = call
        self._form = form
        self._answer = answer
        self._columns_told = False

    async def write(self, events: Sequence[Event]) -> None:
        """Send events; returns when there is room for more.

        Raises:
            ConnectionError: the client has gone.
        """
        if events:
            await self._answer.write(b"".join(self._line(each) for each in events))

    async def bookmark(self, version: int, annotations: dict[str, str]) -> None:
        """Tell how far the client has seen.

        Raises:
            ConnectionError: the client has gone.
        """
        kind = self._call.kind
        meta: dict[str, Any] = {"resourceVersion": str(version)}
        if annotations:
            meta["annotations"] = annotations
        await self.write([Event("BOOKMARK", {"kind": kind.name, "apiVersion": kind.api_version, "metadata": meta})])

    def _line(self, event: Event) -> bytes:
        return answers.encoded({"type": event.type, "object": self._shown(event)}) + b"\n"

    def _shown(self, event: Event) -> Object:
        if event.type == "ERROR" or not self._form.kind:
            return event.object
        if self._form.kind != media.TABLE:
            return forms.partial(event.object)
        if event.type == "BOOKMARK":
            rows = [{"cells": [""], "object": forms.partial(event.object)}]
            meta = {"resourceVersion": event.object["metadata"]["resourceVersion"]}
            return {
                "kind": "Table",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": meta,
                "columnDefinitions": None,
                "rows": rows,
            }
        made = forms.one(self._call, event.object, self._form)
        if self._columns_told:
            made = {**made, "columnDefinitions": None}
        self._columns_told = True
        return made
