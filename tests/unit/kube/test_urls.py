"""`kube.urls`: addresses of servers and proxies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import Invalid
from kubectl_ray.kube import urls

HTTP = ("http", "https")


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://api.example.test", ("https", "api.example.test", 443, "")),
        ("https://api.example.test:6443/", ("https", "api.example.test", 6443, "")),
        ("HTTPS://API:1", ("https", "API", 1, "")),
        ("http://host", ("http", "host", 80, "")),
        ("host:8080", ("http", "host", 8080, "")),
        ("https://[::1]:6443/k8s/clusters/c-1/", ("https", "::1", 6443, "/k8s/clusters/c-1")),
        ("https://[fe80::1%25eth0]", ("https", "fe80::1%eth0", 443, "")),
        ("https://host:/p?query#fragment", ("https", "host", 443, "/p")),
        ("https://h\u00e4use.test", ("https", "xn--huse-loa.test", 443, "")),
    ],
)
def test_parts(url: str, parts: tuple[str, str, int, str]) -> None:
    """A URL is scheme, host, port with the scheme's default, and the path prefix without its last slash."""
    address = urls.parse(url, "it", HTTP)
    assert (address.scheme, address.host, address.port, address.prefix) == parts


@pytest.mark.parametrize(
    ("url", "login"),
    [
        ("https://ada:p%40ss%3A@host", ("ada", "p@ss:")),
        ("https://ada@host", ("ada", "")),
        ("https://a%:b%4%zz@host", ("a%", "b%4%zz")),
        ("https://a%ff@host", ("a%ff", "")),
        ("https://host", None),
    ],
)
def test_login(url: str, login: tuple[str, str] | None) -> None:
    """User and password are taken out of the URL and unescaped."""
    assert urls.parse(url, "it", HTTP).login == login


def test_text_shows_no_login() -> None:
    """What is shown of an address holds no password."""
    address = urls.parse("https://ada:hunter2@[::1]/p", "it", HTTP)
    assert str(address) == "https://[::1]:443/p"
    assert "hunter2" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "https://:443",
        "https://host:0",
        "https://host:65536",
        "https://host:99999999999999999999",
        "https://host:port",
        "https://a b",
        "https://a\nb",
        "https://[::1",
        "https://[host]",
        "ftp://host",
        "https://ho%00st",
        "https://" + "\u00e4" * 70,
    ],
)
def test_refused(url: str) -> None:
    """What is no URL of a server is an `Invalid` that says where it stood."""
    with pytest.raises(Invalid, match="The server"):
        urls.parse(url, "The server", HTTP)


def test_refusal_shows_no_password() -> None:
    """The words about a bad URL do not repeat it."""
    with pytest.raises(Invalid) as caught:
        urls.parse("ftp://ada:hunter2@host", "it", HTTP)
    assert "hunter2" not in caught.value.message + caught.value.hint


@given(st.text(max_size=60), st.sampled_from(["", "https://", "http://u:p@", "https://[", "socks5://"]))
def test_fuzz(text: str, start: str) -> None:
    """Any text gives an address with a usable port, or an `Invalid`."""
    try:
        address = urls.parse(start + text, "it", HTTP)
    except Invalid:
        return
    assert 0 < address.port < 65536
    assert address.host.isascii()
