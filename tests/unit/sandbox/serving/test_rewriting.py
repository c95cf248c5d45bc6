"""Links in proxied answers."""

from __future__ import annotations

import asyncio
import gzip

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kubectl_ray.sandbox.serving.rewriting import Links, page
from tests.unit.sandbox.serving.proxied import PAGE, ROOT, front

LINKS = Links("/p/proxy", "127.0.0.1:8000", "api:6443")


@pytest.mark.parametrize(
    ("link", "seen"),
    [
        ("/x", "/p/proxy/x"),
        ("/x/", "/p/proxy/x/"),
        ("/p/proxy/x", "/p/proxy/x"),
        ("x", "x"),
        ("", ""),
        ("http://127.0.0.1:8000/x", "/p/proxy/x"),
        ("http://api:6443/x", "http://api:6443/p/proxy/x"),
        ("https://other/x", "https://other/x"),
        ("//other/x", "//other/x"),
        ("mailto:x", "mailto:x"),
        ("http://[broken/x", "http://[broken/x"),
    ],
)
def test_only_links_to_the_pod_are_changed(link: str, seen: str) -> None:
    """By its address or by the host that was asked for."""
    assert LINKS.through(link) == seen


def test_only_links_of_a_page_are_changed() -> None:
    """Everything else stays, byte by byte: comments, scripts, quotes, letters."""
    seen = page(PAGE.encode(), "", LINKS)
    assert seen is not None
    assert seen.decode() == PAGE.replace('href="/static/a.js', 'href="/p/proxy/static/a.js').replace(
        "src='/i.png'", 'src="/p/proxy/i.png"'
    )


def test_a_packed_page_stays_packed() -> None:
    """Gzip is unpacked and packed again."""
    seen = page(gzip.compress(b"<a href=/x>"), "gzip", LINKS)
    assert seen is not None
    assert gzip.decompress(seen) == b'<a href="/p/proxy/x">'


@pytest.mark.parametrize(
    ("body", "encoding"), [(b"abc", "br"), (b"no gzip", "gzip"), (gzip.compress(b"x")[:-1], "gzip")]
)
def test_a_page_that_cannot_be_unpacked_is_left_alone(body: bytes, encoding: str) -> None:
    """It goes through as it is."""
    assert page(body, encoding, LINKS) is None


@given(st.one_of(st.binary(), st.text(alphabet="<a href=\"'/>!-[]&;x\n").map(str.encode)))
@example(b"<![\x00")
def test_any_page_can_be_rewritten(body: bytes) -> None:
    """Broken HTML is no error."""
    assert page(body, "", LINKS) is not None


@pytest.mark.parametrize("packed", ["", "?gzip"])
def test_a_page_through_the_proxy_has_its_new_length(packed: str) -> None:
    """And its links lead through the proxy."""

    async def run() -> tuple[str | None, bytes]:
        async with front() as it, it.session.get(it.url(f"/services/one/proxy/page{packed}")) as got:
            return got.headers.get("Content-Length"), await got.read()

    length, body = asyncio.run(run())
    assert length == str(len(body))
    text = gzip.decompress(body) if packed else body
    assert f'href="{ROOT}/services/one/proxy/static/a.js?x=1&amp;y"'.encode() in text
