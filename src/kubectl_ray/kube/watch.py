"""Watches: changes as they happen, over connections that end whenever a server or a network likes.

Source of the protocol: Kubernetes API concepts, "Efficient detection of changes"; what a real server was seen to do is
in the comments. Bookmarks are asked for and never relied on: some servers send none.
"""

from __future__ import annotations

import json

from kubectl_ray.errors import Expired, KubectlRayError, ServerError, Unreachable
from kubectl_ray.kube.connection import CutOff, Silent
from kubectl_ray.kube.status import Asked, Status, error_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import Any

    from kubectl_ray.kube.http import Response
    from kubectl_ray.kube.listing import Listing
    from kubectl_ray.kube.transport import Transport

    Event = tuple[str, Any]

IDLE_SECONDS = 240.0
"""Without a byte; then the watch is opened anew, since a dead connection looks the same as a quiet one."""
QUIET_SECONDS = 5.0
"""A watch that lasted as long as this was a good one, though nothing happened."""
PAUSE_LIMIT = 15.0
"""Seconds between two tries to get a lost watch back, at most."""
TOO_LARGE_LIMIT = 10
"""Answers that a resource version lies in the future, before a new list is thought to be needed."""
EVENT_LIMIT = 1 << 26
"""Bytes of one event; etcd holds objects of 1.5 MB at most."""
TICK = "TICK"


class Watch:
    """The changes of some objects after a point in history; `start` opens a watch request from there.

    `tick`: seconds of silence after which `("TICK", {})` is given, so that the caller can look at its clock.
    `idle`: seconds of silence after which the connection is not believed in any more.
    """

    def __init__(
        self,
        start: Callable[[str], Response],
        asked: Asked,
        transport: Transport,
        *,
        idle: float = IDLE_SECONDS,
        tick: float | None = None,
    ) -> None:
        self._start = start
        self._asked = asked
        self._transport = transport
        self._idle = idle
        self._tick = tick
        self._failures = 0
        self._too_large = 0
        self._heard = False
        self._version = ""

    def events(self, version: str) -> Iterator[Event]:
        """`(type, object)` of each change after `version`; ends only when the client is closed.

        A lost connection is made anew from the last version seen, with growing pauses.

        Raises:
            Expired: the server no longer knows that version: list again.
            NotAllowed, Invalid, ServerError: the server does not want to, and will not want to later.
        """
        self._version = version
        while not self._transport.closed:
            began = self._transport.clock()
            self._heard = False
            try:
                refusal = yield from self._changes()
            except KubectlRayError as error:
                if not passing(error):
                    raise
                if not self._transport.closed:
                    yield from self.lost(error)
                continue
            if refusal is not None:
                raise refusal
            # Opened and ended without a word, more than once: not in a tight circle.
            if self._heard or self._transport.clock() - began >= QUIET_SECONDS:
                self._failures = 0
            elif not self._transport.closed:
                yield from self.pause(self._next_pause())

    def relisted(self, fetch: Callable[[], Listing]) -> Iterator[Event]:
        """`("LISTED", items)`, then changes; again from a new list whenever the server forgot where we were."""
        first = True
        while True:
            try:
                listing = fetch()
                items = list(listing)
            except KubectlRayError as error:
                if first or not passing(error):
                    raise
                if self._transport.closed:
                    return
                yield from self.lost(error)
                continue
            first = False
            yield "LISTED", items
            try:
                yield from self.events(listing.resource_version)
            except Expired:
                # A server that forgets at once what it has just told is asked less and less often.
                yield from self.pause(self._next_pause())
                continue
            return

    def lost(self, error: KubectlRayError) -> Iterator[Event]:
        """Say that the connection is lost (unless it may be back at once), and wait."""
        seconds = self._next_pause()
        level = 2 if self._failures == 1 else 0
        self._transport.talk(level, f"{error.message}; trying again" + (f" in {seconds:g} s" if seconds else ""))
        yield from self.pause(seconds)

    def pause(self, seconds: float) -> Iterator[Event]:
        """Sleep, giving ticks in between."""
        while seconds > 0:
            step = seconds if self._tick is None else min(seconds, self._tick)
            self._transport.sleep(step)
            seconds -= step
            if self._tick is not None:
                yield TICK, {}

    def _next_pause(self) -> float:
        """0, 0.5, 1, 2, 4, 8, 15, 15, … seconds, until something is heard again."""
        self._failures += 1
        return min(0.5 * 2 ** (self._failures - 2), PAUSE_LIMIT) if self._failures > 1 else 0.0

    def _changes(self) -> Generator[Event, None, KubectlRayError | None]:
        """The changes that one request tells; returns what the server said if it does not want to go on."""
        for kind, item in self._stream(self._version):
            if kind == TICK:
                yield TICK, {}
                continue
            self._heard = True
            if kind == "ERROR":
                return (yield from self._refused(item))
            self._too_large = 0
            self._version = _version(item) or self._version
            if kind != "BOOKMARK":
                yield kind, item
        return None

    def _refused(self, item: Any) -> Generator[Event, None, KubectlRayError | None]:
        """An ERROR event, whose Status comes with HTTP 200: an error, unless the server only wishes us to wait."""
        status = Status(0, item)
        error = error_from(status, self._asked)
        # 504 "Too large resource version" comes right after writes, and from a server that lags behind another.
        if status.code in {429, 503, 504}:
            self._too_large += 1
            if self._too_large > TOO_LARGE_LIMIT:
                return Expired(error.message, error.hint)
            yield from self.pause(max(status.retry_after, 1.0))
            return None
        return error if isinstance(error, Expired | ServerError) else ServerError(error.message, error.hint)

    def _stream(self, version: str) -> Iterator[Event]:
        """The events of one request, and TICK; ends when the server ends it or nothing came for too long."""
        response = self._start(version)
        wait = self._idle if self._tick is None else min(self._tick, self._idle)
        response.connection.silence = wait
        quiet = 0.0
        held = b""
        try:
            while True:
                try:
                    piece = response.read()
                except Silent:
                    quiet += wait
                    if quiet >= self._idle:
                        return
                    yield TICK, {}
                    continue
                quiet = 0.0
                if not piece:
                    if held.strip():
                        raise CutOff(f"{self._asked.server} ended a watch in the middle of an event")
                    return
                *lines, held = (held + piece).split(b"\n")
                if len(held) > EVENT_LIMIT:
                    raise self._garbled()
                for line in lines:
                    if line.strip():
                        yield self._decode(line)
        finally:
            response.close()

    def _decode(self, line: bytes) -> Event:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise self._garbled() from error
        if isinstance(event, dict):
            kind, item = event.get("type"), event.get("object")
            if isinstance(kind, str) and isinstance(item, dict):
                return kind, item
        raise self._garbled()

    def _garbled(self) -> ServerError:
        return ServerError(
            f"{self._asked.server} sent something in a watch that is no event",
            "Is this the address of a Kubernetes API server, and no proxy before it?",
        )


def passing(error: KubectlRayError) -> bool:
    """Whether the same request may succeed in a moment."""
    if hasattr(error.__cause__, "verify_code"):  # ssl.SSLCertVerificationError: waiting makes no certificate better
        return False
    return isinstance(error, Unreachable | CutOff) or error.code in {429, 500, 502, 503, 504}


def _version(item: dict[str, Any]) -> str:
    metadata = item.get("metadata")
    version = metadata.get("resourceVersion") if isinstance(metadata, dict) else None
    return version if isinstance(version, str) else ""
