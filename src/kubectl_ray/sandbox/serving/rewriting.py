"""Links in proxied answers, so that they lead through the proxy again: `Location` headers and HTML.

Source: Kubernetes' `k8s.io/apimachinery/pkg/util/proxy/transport.go`, v1.36.
"""

from __future__ import annotations

import gzip
import html
import posixpath
import re
import zlib
from contextlib import suppress
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

MAX_HTML = 16 * 1024 * 1024
"""Bytes of a page, also when unpacked; a longer one goes through as it is."""

_LINKS = {
    "a": "href",
    "applet": "codebase",
    "area": "href",
    "audio": "src",
    "base": "href",
    "blockquote": "cite",
    "body": "background",
    "button": "formaction",
    "command": "icon",
    "del": "cite",
    "embed": "src",
    "form": "action",
    "frame": "longdesc|src",
    "head": "profile",
    "html": "manifest",
    "iframe": "longdesc|src",
    "img": "longdesc|src|usemap",
    "input": "src|usemap|formaction",
    "ins": "cite",
    "link": "href",
    "object": "classid|codebase|data|usemap",
    "q": "cite",
    "script": "src",
    "source": "src",
    "video": "poster|src",
}
_VALUE = r"""(?P<is>\s*=\s*)(?P<value>"[^"]*"|'[^']*'|[^\s"'>]+)"""
_PATTERNS = {
    tag: re.compile(rf"""(?<=[\s"'/])(?P<name>{names}){_VALUE}""", re.IGNORECASE) for tag, names in _LINKS.items()
}


class Links(NamedTuple):
    """How links are to be read: the path in front of the proxied one, and the two hosts that mean the backend."""

    prefix: str
    backend: str
    asked: str

    def through(self, link: str) -> str:
        """The link as it leads through the proxy; unchanged where it is relative or leads elsewhere."""
        try:
            parts = urlsplit(link)
        except ValueError:
            return link
        elsewhere = parts.netloc and parts.netloc not in (self.backend, self.asked)
        if elsewhere or not parts.path.startswith("/"):
            return link
        if parts.netloc != self.asked:
            parts = parts._replace(scheme="", netloc="")
        if not parts.path.startswith(self.prefix):
            path = posixpath.normpath(self.prefix + parts.path)
            parts = parts._replace(path=path + "/" if parts.path.endswith("/") else path)
        return urlunsplit(parts)


def page(body: bytes, encoding: str, links: Links) -> bytes | None:
    """An HTML page with its links rewritten, packed as it was; None when it is to go through as it is."""
    plain = _unpacked(body, encoding)
    if plain is None:
        return None
    changed = _rewritten(plain.decode("latin-1"), links).encode("latin-1", "xmlcharrefreplace")
    if encoding == "gzip":
        return gzip.compress(changed)
    return changed


def _unpacked(body: bytes, encoding: str) -> bytes | None:
    if encoding == "":
        return body
    if encoding != "gzip":
        return None
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = unpack.decompress(body, MAX_HTML)
    except zlib.error:
        return None
    return plain if unpack.eof and not unpack.unused_data else None


def _rewritten(text: str, links: Links) -> str:
    finder = _Finder(text, links)
    with suppress(AssertionError):  # the parser's answer to `<![` and no name: what follows stays as it is
        finder.feed(text)
        finder.close()
    return finder.result()


class _Finder(HTMLParser):
    """Finds the tags; everything else stays as it is, byte by byte."""

    def __init__(self, text: str, links: Links) -> None:
        super().__init__(convert_charrefs=False)
        self._text = text
        self._links = links
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self._pieces: list[str] = []
        self._done = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that may have links."""
        del attrs
        pattern = _PATTERNS.get(tag)
        raw = self.get_starttag_text()
        if pattern is None or not raw:
            return
        line, column = self.getpos()
        at = self._lines[line - 1] + column
        self._pieces += [self._text[self._done : at], pattern.sub(self._link, raw)]
        self._done = at + len(raw)

    def _link(self, match: re.Match[str]) -> str:
        value = match["value"]
        quote = value[0] if value[0] in "\"'" else ""
        link = html.unescape(value.strip(quote) if quote else value)
        through = self._links.through(link)
        if through == link:
            return match[0]
        return f'{match["name"]}{match["is"]}"{html.escape(through)}"'

    def result(self) -> str:
        """The whole page."""
        return "".join([*self._pieces, self._text[self._done :]])
