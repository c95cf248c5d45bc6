"""Addresses of API servers and proxies, taken apart by hand: importing urllib costs more than reading a kubeconfig.

The grammar is RFC 3986's, as far as Go's net/url accepts it for a server or a proxy.
"""

from __future__ import annotations

import re

from kubectl_ray.errors import Invalid

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?:(?P<userinfo>[^@/?#]*)@)?"
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+(?:%25[^\]/?#]+)?)\]|(?P<host>[^:/?#\[\]@\s\\]*))"
    r"(?::(?P<port>[0-9]{0,6}))?"
    r"(?P<path>/[^?#]*)?(?:\?[^#]*)?(?:#.*)?",
    re.DOTALL,
)
_MAX_PORT = 65535


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
    if "://" not in url:
        url = f"{schemes[0]}://{url}"
    found = _URL.fullmatch(url)
    if found is None or any(ord(letter) <= 0x20 or ord(letter) == 0x7F for letter in url):  # noqa: PLR2004 # ASCII controls
        raise Invalid(f"{what} is not a URL", hint=f"It should look like {schemes[0]}://HOST:PORT.")
    scheme = found["scheme"].lower()
    if scheme not in schemes:
        raise Invalid(f"{what} starts with {scheme}://", hint=f"It has to be one of {', '.join(schemes)}.")
    host = _host(found, what)
    port = int(found["port"]) if found["port"] else _PORTS[scheme]
    if not 0 < port <= _MAX_PORT:
        raise Invalid(f"{what} has the port {port}", hint=f"A port is a number from 1 to {_MAX_PORT}.")
    return Address(scheme, host, port, (found["path"] or "").rstrip("/"), _login(found["userinfo"]))


def _host(found: re.Match[str], what: str) -> str:
    if found["v6"]:
        return unescape(found["v6"])
    host = unescape(found["host"])
    if not host:
        raise Invalid(f"{what} names no host")
    if not host.isascii():
        try:
            return host.encode("idna").decode("ascii")
        except UnicodeError:
            raise Invalid(f"{what} names a host that cannot be") from None
    if not host.isprintable() or " " in host:
        raise Invalid(f"{what} names a host that cannot be")
    return host


def _login(userinfo: str | None) -> tuple[str, str] | None:
    if userinfo is None:
        return None
    user, _, password = userinfo.partition(":")
    return unescape(user), unescape(password)


def unescape(text: str) -> str:
    """Undo percent-encoding (RFC 3986 §2.1); what is not UTF-8 stays as it was escaped."""
    if "%" not in text:
        return text
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda pair: bytes([int(pair[1], 16)]), text.encode("utf-8", "surrogatepass"))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return text
