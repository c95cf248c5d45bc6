"""The text that SPDY/3 primes its header compression with: both sides must have the same 1,423 bytes.

The sandbox's server has the same text once more: a client may not import the server that it is tested against, nor the
server its client, and two that were written down apart check each other.

Source: SPDY/3 §2.6.10.1. Its Adler-32, which the first compressed header block names, is e3c6a7c2.
"""

from __future__ import annotations

# Each of these stands behind its length in 4 bytes; the one with a space in it has _ here.
_WORDS = """
    options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow
    authorization cache-control connection content-base content-encoding content-language content-length
    content-location content-md5 content-range content-type date etag expect expires from host if-match
    if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma
    proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade
    user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie
    keep-alive origin
"""

# The rest follows without lengths: codes of answers, parts of dates, values that are frequent.
_CODES = (
    "100 101 201 202 205 206 300 302 303 304 305 306 307 402 405 406 407 408 409 410 411 412 413 414 415 416 417 502 "
    "504 505"
)
_ANSWERS = (
    "203 Non-Authoritative Information",
    "204 No Content",
    "301 Moved Permanently",
    "400 Bad Request",
    "401 Unauthorized",
    "403 Forbidden",
    "404 Not Found",
    "500 Internal Server Error",
    "501 Not Implemented",
    "503 Service Unavailable",
)
_VALUES = (
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT",
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,",
    "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.",
)

DICTIONARY = b"".join(
    (
        *(len(word).to_bytes(4, "big") + word.replace("_", " ").encode() for word in _WORDS.split()),
        _CODES.replace(" ", "").encode(),
        "".join((*_ANSWERS, *_VALUES)).encode(),
    )
)
