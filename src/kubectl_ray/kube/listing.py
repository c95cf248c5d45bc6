"""Lists, item by item, as they come in over the network: what is held is one item and a few hundred kilobytes.

The decoding is json's C scanner, called once an item on a text that grows by what was read; no list ever stands in
memory as a whole, however long it is.
"""

from __future__ import annotations

import codecs
import json.decoder

from kubectl_ray.errors import Expired, ServerError
from kubectl_ray.kube.connection import CutOff

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Generator, Iterator
    from typing import Any

    from kubectl_ray.kube.http import Response
    from kubectl_ray.models.resources import Resource

FLOOR = 65536
"""Characters that are at hand before an item is tried again."""
ITEM_LIMIT = 1 << 26
"""Characters of one item; etcd holds 1.5 MB at most, so 64 MB are no item but a fault."""
RESTARTS = 5
"""Of a paged list whose continue token expired."""

_space: Callable[[str, int], re.Match[str]] = json.decoder.WHITESPACE.match  # type: ignore[attr-defined]  # compiled already
# What raw_decode calls; called directly, it says "cut off" by StopIteration without counting lines first.
_scan: Callable[[str, int], tuple[Any, int]] = json.decoder.JSONDecoder().scan_once  # type: ignore[attr-defined]


class Listing:
    """An iterator over the items of a list; `resource_version` and `metadata` are known when it is over.

    `fetch` opens a page by its continue token ("" is the first). With `paged`, a token that expired is replaced by the
    one the server offers, or the list begins again, and no item is given twice.
    """

    def __init__(self, fetch: Callable[[str], Response], resource: Resource, *, paged: bool = False) -> None:
        self.resource_version = ""
        self.metadata: dict[str, Any] = {}
        self._resource = resource
        self._fetch = fetch
        self._seen: set[tuple[Any, Any]] | None = set() if paged else None
        # The first page is asked for at once, so that "not allowed" is said where the list is, not where it is read.
        self._response = fetch("")
        self._items = self._run()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self._items

    def __next__(self) -> dict[str, Any]:
        return next(self._items)

    def close(self) -> None:
        """Stop reading; what is not read yet is thrown away with its connection."""
        self._items.close()
        self._response.close()

    def _run(self) -> Generator[dict[str, Any], None, None]:
        restarts = 0
        try:
            while True:
                about: dict[str, Any] = {}
                for item in scan(self._response.read, about, self._response.connection.server):
                    if self._seen is None or self._new(item):
                        yield self._named(item)
                metadata = about.get("metadata")
                self.metadata = metadata if isinstance(metadata, dict) else {}
                version = self.metadata.get("resourceVersion")
                self.resource_version = version if isinstance(version, str) else ""
                token = self.metadata.get("continue")
                while token and isinstance(token, str):
                    try:
                        self._response = self._fetch(token)
                        break
                    except Expired as error:
                        restarts += 1
                        if restarts > RESTARTS:
                            raise
                        token = error.details.get("continue")
                        if not isinstance(token, str) or not token:
                            self._response = self._fetch("")
                            break
                else:
                    return
        finally:
            self._response.close()

    def _new(self, item: dict[str, Any]) -> bool:
        metadata = item.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        key = (str(metadata.get("namespace")), str(metadata.get("name")))
        assert self._seen is not None  # noqa: S101 -- asked only when paged
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    def _named(self, item: dict[str, Any]) -> dict[str, Any]:
        """With apiVersion and kind, which lists of built-in resources leave out of their items."""
        if "kind" in item and "apiVersion" in item:
            return item
        return {"apiVersion": self._resource.api_version, "kind": self._resource.kind, **item}


class _Text:
    """The part of a JSON text that is at hand, and where reading stands in it."""

    __slots__ = ("_decode", "_ended", "_read", "_server", "at", "text")

    def __init__(self, read: Callable[[], bytes], server: str) -> None:
        self.text = ""
        self.at = 0
        self._read = read
        self._server = server
        self._ended = False
        self._decode = codecs.getincrementaldecoder("utf-8")().decode

    def more(self) -> None:
        """Read at least as much again as is held, so that even a large item is tried only a few times."""
        held = self.text[self.at :]
        if self._ended:
            raise self._cut_off()
        if len(held) > ITEM_LIMIT:
            raise self.broken()
        parts, size, goal = [held], len(held), max(2 * len(held), FLOOR)
        try:
            while size < goal:
                piece = self._read()
                part = self._decode(piece, not piece)
                parts.append(part)
                size += len(part)
                if not piece:
                    self._ended = True
                    break
        except UnicodeDecodeError as error:
            raise self.broken() from error
        self.text = "".join(parts)
        self.at = 0

    def peek(self) -> str:
        """The next character that is no white space."""
        while True:
            self.at = _space(self.text, self.at).end()
            if self.at < len(self.text):
                return self.text[self.at]
            self.more()

    def value(self, closers: str) -> Any:
        """The next value; it is whole only when one of `closers` follows it (a number may go on)."""
        while True:
            try:
                value, end = _scan(self.text, _space(self.text, self.at).end())
            except (StopIteration, ValueError):
                self.more()  # cut in its middle, or no JSON: the end of the text tells
                continue
            except RecursionError as error:
                raise self.broken() from error
            end = _space(self.text, end).end()
            if end < len(self.text) and self.text[end] in closers:
                self.at = end
                return value
            self.more()

    def drain(self) -> None:
        """Read to the end, where there must be nothing but white space."""
        while not self._ended:
            if self.text[self.at :].strip():
                raise self.broken()
            self.text, self.at = "", 0
            self.more()
        if self.text[self.at :].strip():
            raise self.broken()

    def broken(self) -> ServerError:
        """What is said of an answer that is not a list."""
        return ServerError(
            f"{self._server} answered with something that is not a list of objects",
            "Is this the address of a Kubernetes API server, and no proxy or login page before it?",
        )

    def _cut_off(self) -> CutOff:
        return CutOff(
            f"{self._server} sent a list that ends in its middle, or is damaged",
            "The API server, or a proxy before it, closed the connection too early: try again.",
        )


def scan(read: Callable[[], bytes], about: dict[str, Any], server: str) -> Iterator[dict[str, Any]]:
    """The objects of a JSON list's `items`; all its other members are put into `about`.

    `read` gives the next bytes of the text, and none at its end. `metadata` may stand before or after the items.

    Raises:
        CutOff: the text ends before the list does.
        ServerError: it is no list.
    """
    text = _Text(read, server)
    if text.peek() != "{":
        raise text.broken()
    text.at += 1
    listed = False
    more = text.peek() != "}"
    while more:
        key = text.value(":")
        text.at += 1
        if key == "items":
            listed = True
        if key == "items" and text.peek() == "[":
            text.at += 1
            yield from _objects(text)
        elif isinstance(key, str):
            about[key] = text.value(",}")
        else:
            raise text.broken()
        mark = text.peek()
        if mark not in ",}":
            raise text.broken()
        more = mark == ","
        text.at += more
    text.at += 1
    text.drain()
    if not listed:
        raise text.broken()


def _objects(text: _Text) -> Iterator[dict[str, Any]]:
    """The objects of an array whose `[` was read, and its `]`."""
    if text.peek() == "]":
        text.at += 1
        return
    more = True
    while more:
        item = text.value(",]")
        if not isinstance(item, dict):
            raise text.broken()
        more = text.text[text.at] == ","
        text.at += 1
        yield item
