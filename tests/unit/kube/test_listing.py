"""`kube.listing`: lists that stream in, and lists in pages."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import Expired, KubectlRayError, ServerError
from kubectl_ray.kube import listing as listing_module
from kubectl_ray.kube.connection import Connection, CutOff
from kubectl_ray.kube.http import read_response
from kubectl_ray.kube.listing import FLOOR, Listing, scan
from kubectl_ray.models.resources import PODS
from tests.wire import ScriptedSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kubectl_ray.kube.http import Response

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.text(max_size=6), values, max_size=4)
members = st.dictionaries(st.sampled_from(["kind", "apiVersion", "metadata", "extra", "n"]), values, max_size=5)


def reader(data: bytes, places: list[int]) -> Callable[[], bytes]:
    """Gives `data` cut at these places."""
    marks = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    pieces = iter([data[a:b] for a, b in pairwise(marks)])
    return lambda: next(pieces, b"")


def items_of(data: bytes, places: list[int] | None = None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The items of a list, and its other members."""
    about: dict[str, Any] = {}
    return list(scan(reader(data, places or []), about, "The server")), about


@given(
    items=st.lists(objects, max_size=6),
    before=members,
    after=members,
    places=st.lists(st.integers(0, 5000), max_size=20),
    spaced=st.booleans(),
    ascii_only=st.booleans(),
)
def test_list_is_read_however_it_is_cut(  # what varies
    items: list[Any],
    before: dict[str, Any],
    after: dict[str, Any],
    places: list[int],
    spaced: bool,
    ascii_only: bool,
) -> None:
    """Items and members are what json would read, wherever the bytes are cut and wherever `metadata` stands."""
    after = {key: value for key, value in after.items() if key not in before}
    whole = {**before, "items": items, **after}
    text = json.dumps(whole, indent=2 if spaced else None, ensure_ascii=ascii_only)
    found, about = (
        items_of(text.encode("utf-8", "surrogatepass"), places)
        if ascii_only
        else items_of(text.encode("utf-8", "replace"), places)
    )
    again = json.loads(text.encode("utf-8", "surrogatepass") if ascii_only else text.encode("utf-8", "replace"))
    assert found == again.pop("items")
    assert about == again


@given(
    items=st.lists(objects, min_size=1, max_size=5), places=st.lists(st.integers(0, 999), max_size=8), data=st.data()
)
def test_truncated_list_is_an_error(items: list[Any], places: list[int], data: st.DataObject) -> None:
    """A list that ends before its last brace is a ServerError, after the items that came whole."""
    text = json.dumps({"metadata": {"resourceVersion": "12"}, "items": items}).encode()
    end = data.draw(st.integers(1, len(text) - 1))
    seen: list[Any] = []
    with pytest.raises(CutOff):
        seen.extend(scan(reader(text[:end], places), {}, "The server"))
    assert seen == json.loads(text)["items"][: len(seen)]


@given(
    data=st.binary(max_size=80), start=st.sampled_from([b"", b"{", b'{"items":[', b'{"items":[{}', b'{"items":[{}],'])
)
def test_any_bytes_give_items_or_one_of_our_errors(data: bytes, start: bytes) -> None:
    """No bytes of a server can raise anything but our own errors."""
    with suppress(KubectlRayError):
        items_of(start + data)


@pytest.mark.parametrize("text", ['{"items":null}', '{"items":[]}', ' { "items" : [ ] } \n'])
def test_empty_lists(text: str) -> None:
    """Go's nil slice is `null`; both forms are an empty list."""
    assert items_of(text.encode())[0] == []


@pytest.mark.parametrize(
    "text",
    ["<html></html>", "[]", '"x"', '{"kind":"Status"}', "{}", '{"items":[1]}', '{"items":[null]}', '{"items":[]} x'],
)
def test_what_is_no_list_is_an_error(text: str) -> None:
    """A web page, another JSON value, or items that are no objects are a ServerError."""
    with pytest.raises(ServerError):
        items_of(text.encode())


def test_deep_nesting_is_an_error() -> None:
    """JSON that is nested beyond Python's depth is a ServerError, not a crash."""
    with pytest.raises(ServerError):
        items_of(b'{"items":[{"a":' + b"[" * 200_000)


def test_bad_utf8_is_an_error() -> None:
    """Bytes that are no UTF-8 are a ServerError."""
    with pytest.raises(ServerError):
        items_of(b'{"items":[{"a":"\xff\xfe"}]}')


def test_items_come_before_the_rest_has_arrived() -> None:
    """The first item is given while most of the list is still on its way, so a long list is never held whole."""
    item = json.dumps({"metadata": {"name": "x" * 1000}}).encode()
    data = b'{"items":[' + b",".join([item] * 2000) + b"]}"
    asked = 0

    def read() -> bytes:
        nonlocal asked
        piece = data[asked : asked + 4096]
        asked += len(piece)
        return piece

    reading = scan(read, {}, "The server")
    next(reading)
    assert asked <= FLOOR + 4096
    ahead = []
    for count, _ in enumerate(reading, start=2):
        ahead.append(asked - count * len(item))
    assert max(ahead) <= 2 * FLOOR


def test_large_items_are_tried_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """An item of 8 MB in pieces of 16 kB is decoded in a few tries, since each try waits for twice as much."""
    data = b'{"items":[' + json.dumps({"data": "x" * 8_000_000}).encode() + b"]}"
    tries = 0
    decode = listing_module._scan

    def count(text: str, at: int) -> tuple[Any, int]:
        nonlocal tries
        tries += 1
        return decode(text, at)

    monkeypatch.setattr(listing_module, "_scan", count)
    (item,), _ = items_of(data, list(range(0, len(data), 16384)))
    assert len(item["data"]) == 8_000_000
    assert tries < 15


class Pages:
    """Pages by token, as a Listing fetches them; an Expired among them is raised."""

    def __init__(self, pages: dict[str, list[Any]]) -> None:
        self.pages = pages
        self.asked: list[str] = []

    def __call__(self, token: str) -> Response:
        """The next answer to this token."""
        self.asked.append(token)
        page = self.pages[token].pop(0)
        if isinstance(page, Exception):
            raise page
        body = json.dumps(page).encode()
        socket: Any = ScriptedSocket([b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body])
        return read_response(Connection(socket, "The server"), "GET")


def page(names: str, token: str = "", version: str = "7") -> dict[str, Any]:
    """A page with an object for each letter."""
    metadata = {"resourceVersion": version, **({"continue": token} if token else {})}
    return {"metadata": metadata, "items": [{"metadata": {"name": name, "namespace": "n"}} for name in names]}


def expired(token: str = "") -> Expired:
    """A 410, with or without a token to go on with."""
    error = Expired("too old")
    if token:
        error.details["continue"] = token
    return error


def names(listing: Listing) -> str:
    """The names of a listing's items, joined."""
    return "".join(item["metadata"]["name"] for item in listing)


def test_pages_are_joined() -> None:
    """Pages follow their tokens; the last page's resource version is the list's."""
    pages = Pages({"": [page("ab", "t1")], "t1": [page("cd", "t2")], "t2": [page("e", version="9")]})
    listing = Listing(pages, PODS, paged=True)
    assert names(listing) == "abcde"
    assert listing.resource_version == "9"
    assert pages.asked == ["", "t1", "t2"]


def test_expired_token_goes_on_with_a_fresh_one() -> None:
    """A 410 may bring a token to go on with."""
    pages = Pages({"": [page("ab", "t1")], "t1": [expired("t2")], "t2": [page("cd")]})
    assert names(Listing(pages, PODS, paged=True)) == "abcd"


def test_expired_token_without_another_begins_again() -> None:
    """Without one the list begins again, and no item is given twice."""
    pages = Pages({"": [page("ab", "t1"), page("abx", "t2")], "t1": [expired()], "t2": [page("cd")]})
    assert names(Listing(pages, PODS, paged=True)) == "abxcd"


def test_tokens_that_always_expire_end_in_an_error() -> None:
    """A server that never lets a list be finished is given up."""
    pages = Pages({"": [page("ab", "t1") for _ in range(20)], "t1": [expired() for _ in range(20)]})
    with pytest.raises(Expired):
        names(Listing(pages, PODS, paged=True))


def test_items_get_their_kind() -> None:
    """Items of built-in lists name neither apiVersion nor kind; ours do."""
    item = next(Listing(Pages({"": [page("a")]}), PODS))
    assert (item["apiVersion"], item["kind"]) == ("v1", "Pod")


def test_first_page_is_asked_for_at_once() -> None:
    """An error of the first request is raised where the list is asked for, not where it is read."""
    with pytest.raises(Expired):
        Listing(Pages({"": [expired()]}), PODS)
