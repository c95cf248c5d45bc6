"""The way through a proxy: which one, if any, and the request that opens a tunnel through it.

Which one: the kubeconfig's `proxy-url`, always; else HTTPS_PROXY and NO_PROXY as Go's `golang.org/x/net/http/httpproxy`
reads them, where this machine itself is never behind a proxy. The tunnel: HTTP CONNECT (RFC 9110 §9.3.6) or SOCKS
version 5 (RFC 1928) with user and password (RFC 1929); names are looked up by the proxy.
"""

from __future__ import annotations

import binascii
import socket

from kubectl_ray.errors import Invalid, Unreachable
from kubectl_ray.kube import urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_ray.kube.kubeconfig import Target
    from kubectl_ray.kube.urls import Address

SCHEMES = ("http", "https", "socks5", "socks5h")
_MAX_HEAD = 65536
_SOCKS_WORDS = {
    1: "it failed",
    2: "its rules forbid the connection",
    3: "the network is unreachable from there",
    4: "the host is unreachable from there",
    5: "the connection was refused there",
    6: "it took too long",
}


def choose(target: Target, env: Mapping[str, str]) -> Address | None:
    """The proxy on the way to `target`, None for the direct way.

    Raises:
        Invalid: its address is no URL.
    """
    if target.proxy_url:
        return urls.parse(target.proxy_url, "The kubeconfig's proxy-url", SCHEMES)
    names = ("HTTPS_PROXY", "https_proxy") if target.scheme == "https" else ("HTTP_PROXY", "http_proxy")
    url = next((env[name] for name in names if env.get(name)), "")
    if not url or not _wanted(target.host, target.port, env.get("NO_PROXY") or env.get("no_proxy") or ""):
        return None
    return urls.parse(url, f"The proxy in {names[0]}", SCHEMES)


def _wanted(host: str, port: int, no_proxy: str) -> bool:
    """Whether the environment's proxy is for this host."""
    host = host.lower()
    address = _ip(host)
    if host == "localhost" or _is_loopback(address):
        return False
    for raw in no_proxy.split(","):
        entry = raw.strip().lower()
        if not entry:
            continue
        if entry == "*" or _matches(entry, host, address, port):
            return False
    return True


def _matches(entry: str, host: str, address: bytes | None, port: int) -> bool:
    network = _network(entry)
    if network is not None:
        return address is not None and _inside(address, *network)
    name, colon, number = entry.rpartition(":")
    if not colon or (":" in name and not (name.startswith("[") and name.endswith("]"))):
        name, number = entry, ""
    name = name.removeprefix("[").removesuffix("]")
    if not name or (number and number != str(port)):
        return False
    wanted = _ip(name)
    if wanted is not None:
        return address is not None and _long(wanted) == _long(address)
    if address is not None:
        return False
    name = name.removeprefix("*") if name.startswith("*.") else name
    if not name.isascii():
        try:
            name = name.encode("idna").decode()
        except UnicodeError:
            return False
    return host.endswith(name) if name.startswith(".") else host == name or host.endswith("." + name)


def _ip(text: str) -> bytes | None:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return socket.inet_pton(family, text.partition("%")[0])
        except (OSError, ValueError):
            continue
    return None


def _is_loopback(address: bytes | None) -> bool:
    if address is None:
        return False
    long = _long(address)
    return long[:13] == b"\0" * 10 + b"\xff\xff\x7f" or long == b"\0" * 15 + b"\x01"


def _long(address: bytes) -> bytes:
    """An IPv4 address in its IPv6 form (RFC 4291 §2.5.5.2)."""
    return address if len(address) == 16 else b"\0" * 10 + b"\xff\xff" + address  # noqa: PLR2004 -- bytes of IPv6


def _network(entry: str) -> tuple[bytes, int] | None:
    text, slash, bits = entry.partition("/")
    address = _ip(text)
    if not slash or address is None or "%" in text or not (bits.isascii() and bits.isdigit()):
        return None
    return (address, int(bits)) if len(bits) <= 3 and int(bits) <= 8 * len(address) else None  # noqa: PLR2004 -- of 128


def _inside(address: bytes, network: bytes, bits: int) -> bool:
    if len(address) != len(network):
        address = _long(address).removeprefix(b"\0" * 10 + b"\xff\xff") if len(network) == 4 else address  # noqa: PLR2004 -- bytes of IPv4
        if len(address) != len(network):
            return False
    shift = 8 * len(network) - bits
    return int.from_bytes(address, "big") >> shift == int.from_bytes(network, "big") >> shift


def tunnel(below: socket.socket, proxy: Address, host: str, port: int) -> None:
    """Have the proxy at the other end of `below` connect on to `host:port`.

    Raises:
        Unreachable: it refuses, or talks something else.
        OSError: the connection failed; the caller has the words for that.
    """
    if proxy.scheme.startswith("socks"):
        _socks(below, proxy, host, port)
    else:
        _connect(below, proxy, host, port)


def _connect(below: socket.socket, proxy: Address, host: str, port: int) -> None:
    authority = urls.join(host, port)
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if proxy.login:
        login = binascii.b2a_base64(":".join(proxy.login).encode(), newline=False).decode()
        lines.append(f"Proxy-Authorization: Basic {login}")
    below.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        # Byte by byte: what follows the head is TLS and belongs to somebody else.
        byte = below.recv(1)
        if not byte or len(head) > _MAX_HEAD:
            raise Unreachable(f"The proxy {proxy.authority} does not answer as an HTTP proxy does", hint=_HINT)
        head += byte
    status = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    if len(status) < 2 or not status[0].startswith("HTTP/"):  # noqa: PLR2004 -- version and code
        raise Unreachable(f"The proxy {proxy.authority} does not answer as an HTTP proxy does", hint=_HINT)
    if status[1] == "407":
        raise Unreachable(
            f"The proxy {proxy.authority} wants a login",
            hint="Write it into the proxy's URL: http://USER:PASSWORD@HOST:PORT",
        )
    if status[1] != "200":
        said = "".join(letter for letter in " ".join(status[1:]) if letter.isprintable())
        raise Unreachable(f"The proxy {proxy.authority} does not connect to {authority}: {said}", hint=_HINT)


def _socks(below: socket.socket, proxy: Address, host: str, port: int) -> None:
    methods = b"\x00\x02" if proxy.login else b"\x00"
    below.sendall(b"\x05" + bytes([len(methods)]) + methods)
    version, method = _exactly(below, 2, proxy)
    if version != 5 or method not in methods:  # noqa: PLR2004 -- SOCKS 5
        raise Unreachable(f"The proxy {proxy.authority} takes no login of ours as a SOCKS5 proxy", hint=_HINT)
    if method == 2 and proxy.login:  # noqa: PLR2004 -- user and password
        user, password = (part.encode() for part in proxy.login)
        if not 0 < len(user) < 256 or not len(password) < 256:  # noqa: PLR2004 -- one byte holds the length
            raise Invalid("The proxy's user or password is too long for SOCKS5")
        below.sendall(b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password)
        if _exactly(below, 2, proxy)[1] != 0:
            raise Unreachable(
                f"The proxy {proxy.authority} refuses the login", hint="Correct user and password in its URL."
            )
    below.sendall(b"\x05\x01\x00" + _socks_host(host) + port.to_bytes(2, "big"))
    _, reply, _, kind = _exactly(below, 4, proxy)
    if reply:
        why = _SOCKS_WORDS.get(reply, f"code {reply}")
        raise Unreachable(f"The proxy {proxy.authority} does not connect to {urls.join(host, port)}: {why}", hint=_HINT)
    length = {1: 4, 4: 16}.get(kind) or _exactly(below, 1, proxy)[0]
    _exactly(below, length + 2, proxy)


def _socks_host(host: str) -> bytes:
    address = _ip(host)
    if address is not None:
        return (b"\x01" if len(address) == 4 else b"\x04") + address  # noqa: PLR2004 -- bytes of IPv4
    name = host.encode()
    if len(name) > 255:  # noqa: PLR2004 -- one byte holds the length
        raise Invalid("The API server's host name is too long for SOCKS5")
    return b"\x03" + bytes([len(name)]) + name


def _exactly(below: socket.socket, size: int, proxy: Address) -> bytes:
    data = b""
    while len(data) < size:
        more = below.recv(size - len(data))
        if not more:
            raise Unreachable(f"The proxy {proxy.authority} does not answer as a SOCKS5 proxy does", hint=_HINT)
        data += more
    return data


_HINT = "Correct proxy-url in the kubeconfig, or HTTPS_PROXY and NO_PROXY in the environment."
