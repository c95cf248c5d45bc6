"""`kube.proxy`: which proxy, if any, and what is said to it."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import Invalid, KubectlRayError, Unreachable
from kubectl_ray.kube import proxy, urls
from kubectl_ray.kube.kubeconfig import Target

if TYPE_CHECKING:
    from collections.abc import Iterator


def _chosen(server: str, proxy_url: str | None = None, **env: str) -> str | None:
    found = proxy.choose(Target(server, {"proxy-url": proxy_url} if proxy_url else {}, {}), env)
    return str(found) if found else None


def test_none() -> None:
    """Without any setting the way is direct."""
    assert _chosen("https://host") is None


def test_kubeconfig_first() -> None:
    """proxy-url is used always: before the environment's proxy, NO_PROXY or not, and for this machine too."""
    env = {"HTTPS_PROXY": "http://env:1", "NO_PROXY": "*"}
    assert _chosen("https://localhost", "socks5://own:2", **env) == "socks5://own:2"


@pytest.mark.parametrize(
    ("env", "wanted"),
    [
        ({"HTTPS_PROXY": "http://a:1", "https_proxy": "http://b:2"}, "http://a:1"),
        ({"HTTPS_PROXY": "", "https_proxy": "http://b:2"}, "http://b:2"),
        ({"HTTPS_PROXY": "a:1"}, "http://a:1"),
        ({"HTTPS_PROXY": "https://a"}, "https://a:443"),
        ({"HTTPS_PROXY": "socks5h://a"}, "socks5h://a:1080"),
        ({"HTTP_PROXY": "http://a:1", "ALL_PROXY": "http://b:2"}, None),
    ],
)
def test_environment(env: dict[str, str], wanted: str | None) -> None:
    """HTTPS_PROXY is for https; capitals win; a bare host and port is an HTTP proxy."""
    assert _chosen("https://host", **env) == wanted


def test_plain_http_has_its_own() -> None:
    """HTTP_PROXY is for plain http only."""
    assert _chosen("http://host", HTTP_PROXY="http://a:1", HTTPS_PROXY="http://b:2") == "http://a:1"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.10", "[::1]", "[::ffff:127.0.0.1]"])
def test_this_machine_is_never_behind_the_environments_proxy(host: str) -> None:
    """Go never sends this machine's own addresses to the environment's proxy."""
    assert _chosen(f"https://{host}:6443", HTTPS_PROXY="http://a:1") is None


@pytest.mark.parametrize(
    ("no_proxy", "server", "direct"),
    [
        ("example.test", "https://example.test", True),
        ("example.test", "https://EXAMPLE.test", True),
        ("EXAMPLE.TEST", "https://a.example.test", True),
        ("example.test", "https://badexample.test", False),
        (".example.test", "https://a.example.test", True),
        (".example.test", "https://example.test", False),
        ("*.example.test", "https://a.example.test", True),
        ("*.example.test", "https://example.test", False),
        ("example.test:6443", "https://example.test:6443", True),
        ("example.test:6443", "https://example.test", False),
        ("example.test:443", "https://example.test", True),
        ("*", "https://anything", True),
        (" , x ,example.test ", "https://example.test", True),
        ("10.0.0.0/8", "https://10.9.8.7", True),
        ("10.0.0.0/8", "https://11.0.0.1", False),
        ("10.0.0.0/8", "https://ten.test", False),
        ("10.9.8.7", "https://10.9.8.7:6443", True),
        ("10.9.8.7:443", "https://10.9.8.7:6443", False),
        ("10.9.8.7:6443", "https://10.9.8.7:6443", True),
        ("fd00::/8", "https://[fd12::1]", True),
        ("fd00::/8", "https://[fe80::1]", False),
        ("fd12::1", "https://[fd12::1]", True),
        ("[fd12::1]:6443", "https://[fd12::1]:6443", True),
        ("[fd12::1]:6443", "https://[fd12::1]", False),
        ("10.0.0.0/8", "https://[::ffff:10.1.2.3]", True),
        ("0.0.0.0/0", "https://[fd12::1]", False),
        ("::/0", "https://10.1.2.3", False),
        ("10.0.0.0/33", "https://10.0.0.1", False),
        (":6443", "https://host:6443", False),
        ("h\u00e4use.test", "https://h\u00e4use.test", True),
        ("a/b", "https://a", False),
    ],
)
def test_no_proxy(no_proxy: str, server: str, direct: bool) -> None:  # a table's column
    """NO_PROXY as Go reads it: names with their subdomains, ports, addresses, networks, `*`."""
    assert (_chosen(server, HTTPS_PROXY="http://a:1", NO_PROXY=no_proxy) is None) is direct
    assert (_chosen(server, HTTPS_PROXY="http://a:1", no_proxy=no_proxy) is None) is direct


def test_bad_address() -> None:
    """A proxy that is none is an error which says where it stands, without its password."""
    with pytest.raises(Invalid, match="HTTPS_PROXY") as caught:
        _chosen("https://host", HTTPS_PROXY="ftp://ada:hunter2@a")
    assert "hunter2" not in caught.value.message + caught.value.hint


@given(st.text(alphabet="a.*:/[]0123456789,- fe%", max_size=24))
def test_fuzz_no_proxy(no_proxy: str) -> None:
    """Any NO_PROXY is an answer."""
    for server in ("https://10.0.0.1", "https://[fe80::1]", "https://a.a"):
        assert _chosen(server, HTTPS_PROXY="http://a:1", NO_PROXY=no_proxy) in {None, "http://a:1"}


class Pair:
    """A connection whose far end says what it is told to, and keeps what it hears."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        self.near.settimeout(10)

    def says(self, answer: bytes) -> None:
        """Answer so, and say no more."""
        self.far.sendall(answer)
        self.far.shutdown(socket.SHUT_WR)

    def heard(self) -> bytes:
        """All that came."""
        self.near.shutdown(socket.SHUT_WR)
        with self.far.makefile("rb") as stream:
            return stream.read()


@pytest.fixture(name="pair")
def _pair() -> Iterator[Pair]:
    made = Pair()
    with made.near, made.far:
        yield made


def _address(url: str) -> urls.Address:
    return urls.parse(url, "it", proxy.SCHEMES)


def test_connect(pair: Pair) -> None:
    """CONNECT names host and port, with the login; what follows the answer's head is left on the connection."""
    pair.says(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nTLS")
    proxy.tunnel(pair.near, _address("http://ada:p%40w@proxy:1"), "fd00::1", 6443)
    assert pair.near.recv(9) == b"TLS"
    assert pair.heard() == (
        b"CONNECT [fd00::1]:6443 HTTP/1.1\r\nHost: [fd00::1]:6443\r\nProxy-Authorization: Basic YWRhOnBAdw==\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 407 Auth\r\n\r\n", "wants a login"),
        (b"HTTP/1.1 403 No\x1b[31m way\r\n\r\n", r"403 No\[31m way"),
        (b"HTTP/1.1 502 Bad Gateway\r\nX: y\r\n\r\n", "502 Bad Gateway"),
        (b"SSH-2.0-x\r\n\r\n", "does not answer as an HTTP proxy"),
        (b"HTTP/1.1 200", "does not answer as an HTTP proxy"),
        (b"", "does not answer as an HTTP proxy"),
    ],
)
def test_connect_refused(answer: bytes, words: str, pair: Pair) -> None:
    """A proxy that refuses is quoted; one that is none is called so."""
    pair.says(answer)
    with pytest.raises(Unreachable, match=words):
        proxy.tunnel(pair.near, _address("http://proxy:1"), "host", 443)


def test_socks(pair: Pair) -> None:
    """SOCKS5 without login: the host's name goes to the proxy, which looks it up."""
    pair.says(b"\x05\x00" + b"\x05\x00\x00\x03\x04name\x00\x01" + b"TLS")
    proxy.tunnel(pair.near, _address("socks5://proxy"), "host", 6443)
    assert pair.near.recv(9) == b"TLS"
    assert pair.heard() == b"\x05\x01\x00" + b"\x05\x01\x00\x03\x04host\x19\x2b"


def test_socks_with_login(pair: Pair) -> None:
    """SOCKS5 with user and password, to an address."""
    pair.says(b"\x05\x02" + b"\x01\x00" + b"\x05\x00\x00\x04" + b"\0" * 18)
    proxy.tunnel(pair.near, _address("socks5h://ada:pw@proxy"), "10.0.0.1", 443)
    assert pair.heard() == b"\x05\x02\x00\x02" + b"\x01\x03ada\x02pw" + b"\x05\x01\x00\x01\x0a\x00\x00\x01\x01\xbb"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"\x05\xff", "takes no login"),
        (b"\x04\x00", "takes no login"),
        (b"\x05\x02\x01\x01", "refuses the login"),
        (b"\x05\x00\x05\x05\x00\x01" + b"\0" * 6, "connection was refused there"),
        (b"\x05\x00\x05\x63\x00\x01" + b"\0" * 6, "code 99"),
        (b"\x05", "does not answer as a SOCKS5 proxy"),
        (b"\x05\x00\x05\x00", "does not answer as a SOCKS5 proxy"),
        (b"", "does not answer as a SOCKS5 proxy"),
    ],
)
def test_socks_refused(answer: bytes, words: str, pair: Pair) -> None:
    """A SOCKS5 proxy that refuses says why in words."""
    pair.says(answer)
    with pytest.raises(Unreachable, match=words):
        proxy.tunnel(pair.near, _address("socks5://ada:pw@proxy"), "host", 443)


@pytest.mark.parametrize(("url", "host"), [("socks5://" + "u" * 256 + ":p@h", "host"), ("socks5://h", "h" * 256)])
def test_too_long_for_socks(url: str, host: str, pair: Pair) -> None:
    """SOCKS5 counts lengths in one byte."""
    pair.says(b"\x05\x02" if "@" in url else b"\x05\x00")
    with pytest.raises(Invalid, match="too long"):
        proxy.tunnel(pair.near, _address(url), host, 443)


@given(st.sampled_from(["http://u:p@h", "socks5://u:p@h", "socks5://h"]), st.binary(max_size=40))
def test_fuzz_answers(url: str, answer: bytes) -> None:
    """Any answer opens the tunnel or is one of our errors."""
    pair = Pair()
    with pair.near, pair.far:
        drain = threading.Thread(target=lambda: pair.far.recv(65536))
        drain.start()
        pair.says(answer)
        try:
            proxy.tunnel(pair.near, _address(url), "host", 443)
        except KubectlRayError:
            pass
        finally:
            drain.join()
