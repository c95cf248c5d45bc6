"""Addresses of API servers and proxies, taken apart by hand: importing urllib costs more than reading a kubeconfig.

The grammar is RFC 3986's, as far as Go's net/url accepts it for a server or a proxy.
"""

from __future__ import annotations

from kubectl_ray.errors import Invalid

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_MAX_PORT = 65535
_PORT_DIGITS = 6
_NO_HOST = frozenset(' /?#@[]\\<>"^`{|}')


class Address:
    """One URL, taken apart. `login` is its user and password, never part of any text this class makes."""

    def __init__(self, scheme: str, host: str, port: int, prefix: str, login: tuple[str, str] | None) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port
        self.prefix = prefix
        self.login = login

    @property
    def authority(self) -> str:
        """`host:port`, with brackets around an IPv6 address."""
        return join(self.host, self.port)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.prefix}"

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"


def join(host: str, port: int | str) -> str:
    """`host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse(url: str, what: str, schemes: tuple[str, ...]) -> Address:
    """Take `url` apart; `what` is what errors call it. A bare `host:port` means the first of `schemes`.

    Raises:
        Invalid: no such URL, or a scheme that is not among `schemes`.
    """
    scheme, colon, rest = url.partition("://")
    scheme, rest = (scheme.lower(), rest) if colon else (schemes[0], url)
    if not url or any(letter <= " " or letter in "\\\x7f" for letter in url):
        raise Invalid(f"{what} is not a URL", hint=f"It should look like {schemes[0]}://HOST:PORT.")
    if scheme not in schemes:
        raise Invalid(f"{what} is not a URL of the kind {', '.join(schemes)}", hint="Correct how it starts.")
    authority, path = _until(rest, "/?#")
    login, at, place = authority.rpartition("@")
    host, port = _place(place, what)
    prefix = _until(path, "?#")[0].rstrip("/")
    return Address(scheme, _host(host, what), port or _PORTS[scheme], prefix, _login(login) if at else None)


def _until(text: str, ends: str) -> tuple[str, str]:
    """`text` up to the first of the characters `ends`, and the rest from there."""
    end = min((place for place in map(text.find, ends) if place >= 0), default=len(text))
    return text[:end], text[end:]


def _place(place: str, what: str) -> tuple[str, int]:
    """Host and port; port 0 where there is none."""
    if place.startswith("["):
        host, bracket, port = place[1:].partition("]")
        if not bracket or ":" not in host or (port and not port.startswith(":")):
            raise Invalid(f"{what} holds no IPv6 address between [ and ]")
        port = port[1:]
    else:
        host, _, port = place.partition(":")
    if not port:
        return host, 0
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= _PORT_DIGITS else 0
    if not 0 < number <= _MAX_PORT:
        raise Invalid(f"{what} has no usable port", hint=f"A port is a number from 1 to {_MAX_PORT}.")
    return host, number


def _host(escaped: str, what: str) -> str:
    host = unescape(escaped)
    if host and host.isascii() and host.isprintable() and not set(host) & _NO_HOST:
        return host
    if not host.isascii():
        try:
            return host.encode("idna").decode("ascii")
        except UnicodeError:
            pass
    raise Invalid(f"{what} names no host, or one that cannot be")


def _login(userinfo: str) -> tuple[str, str]:
    user, _, password = userinfo.partition(":")
    return unescape(user), unescape(password)


def unescape(text: str) -> str:
    """Undo percent-encoding (RFC 3986 §2.1); what is no encoding of UTF-8 stays as it is."""
    if "%" not in text:
        return text
    first, *pairs = text.encode("utf-8", "surrogatepass").split(b"%")
    raw = first
    for pair in pairs:
        if len(pair) < 2:  # noqa: PLR2004 -- hexadecimal digits
            return text
        try:
            raw += bytes.fromhex(pair[:2].decode()) + pair[2:]
        except ValueError:
            return text
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return text
