"""The service and pod proxies."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from kubectl_ray.sandbox.api.kinds import PODS
from tests.unit.sandbox.serving.proxied import ROOT, Front, front, pod

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

WEB = "/services/web:http/proxy"


def with_front(work: Callable[[Front], Awaitable[Any]]) -> Any:
    """What `work` finds."""

    async def run() -> Any:
        async with front() as made:
            return await work(made)

    return asyncio.run(run())


@pytest.mark.parametrize(
    "target",
    [
        "/services/web:http",
        "/services/web:80",
        "/services/http:web:http",
        "/services/:web:http",
        "/services/web:by-name",
        "/services/web:82",
        "/services/one",
        "/services/one:",
        "/services/one:80",
        "/services/always",
        "/pods/web",
        "/pods/web:8000",
        "/pods/http:web:8000",
    ],
)
def test_names_lead_to_the_pod(target: str) -> None:
    """A port by its name or number, or the only one; a pod's first one."""
    assert with_front(lambda it: it.told(f"{target}/proxy/x"))["path"] == "/x"


@pytest.mark.parametrize(
    ("target", "refusal"),
    [
        ("/services/nope:http", (404, "NotFound", 'services "nope" not found')),
        ("/services/nope", (404, "NotFound", 'services "nope" not found')),
        ("/services/web", (503, "ServiceUnavailable", 'no endpoints available for service "web"')),
        ("/services/web:foo", (503, "ServiceUnavailable", 'no endpoints available for service "web:foo"')),
        ("/services/web:nosuch", (503, "ServiceUnavailable", 'no endpoints available for service "web:nosuch"')),
        ("/services/web:8000", (503, "ServiceUnavailable", 'no service port 8000 found for service "web"')),
        ("/services/empty:http", (503, "ServiceUnavailable", 'no endpoints available for service "empty"')),
        ("/services/free", (503, "ServiceUnavailable", 'no endpoints available for service "free"')),
        ("/services/unready:http", (503, "ServiceUnavailable", 'no endpoints available for service "unready:http"')),
        ("/services/over", (503, "ServiceUnavailable", 'no endpoints available for service "over"')),
        ("/services/going", (503, "ServiceUnavailable", 'no endpoints available for service "going"')),
        (
            f"/services/web:{'9' * 5000}",
            (503, "ServiceUnavailable", f'no endpoints available for service "web:{"9" * 5000}"'),
        ),
        ("/services/ftp:web:http", (400, "BadRequest", 'invalid service request "ftp:web:http"')),
        ("/services/a:b:c:d", (400, "BadRequest", 'invalid service request "a:b:c:d"')),
        ("/pods/a:b:c:d", (400, "BadRequest", 'invalid pod request "a:b:c:d"')),
        ("/pods/nope", (404, "NotFound", 'pods "nope" not found')),
        ("/pods/waiting", (400, "BadRequest", "address not allowed")),
        (
            "/services/web:closed",
            (
                503,
                "ServiceUnavailable",
                "error trying to reach service: dial tcp 127.0.0.1:8001: connect: connection refused",
            ),
        ),
        (
            "/pods/web:99999",
            (503, "ServiceUnavailable", "error trying to reach service: dial tcp: address 99999: invalid port"),
        ),
        (
            "/services/https:web:http",
            (
                503,
                "ServiceUnavailable",
                "error trying to reach service: tls: first record does not look like a TLS handshake",
            ),
        ),
        ("/services/web:http/proxy/drop?", (503, "ServiceUnavailable", "error trying to reach service: EOF")),
    ],
)
def test_what_cannot_be_reached_is_told(target: str, refusal: tuple[int, str, str]) -> None:
    """In the real server's words."""
    path = target if "/proxy" in target else f"{target}/proxy/x"
    assert with_front(lambda it: it.refused(path)) == refusal


def test_a_port_whose_process_has_gone_is_told_with_its_address() -> None:
    """The address is the one on this machine."""

    async def work(it: Front) -> None:
        async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
            it.ports[8000] = port = server.sockets[0].getsockname()[1]
        told = f"error trying to reach service: dial tcp 127.0.0.1:{port}: connect: connection refused"
        assert await it.refused(f"{WEB}/x") == (503, "ServiceUnavailable", told)

    with_front(work)


def test_something_that_speaks_no_http_is_told() -> None:
    """It is an answer of the proxy, not a broken connection."""

    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"who are you?\r\n\r\n")
        writer.close()

    async def work(it: Front) -> None:
        async with await asyncio.start_server(rude, "127.0.0.1", 0) as server:
            it.ports[7000] = server.sockets[0].getsockname()[1]
            code, reason, told = await it.refused("/services/web:raw/proxy/x")
        assert (code, reason) == (503, "ServiceUnavailable")
        assert told.startswith("error trying to reach service: net/http: HTTP/1.x transport connection broken: ")

    with_front(work)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_methods_go_through(method: str) -> None:
    """All that the real one passes."""
    assert with_front(lambda it: it.told(f"{WEB}/x", method))["method"] == method


def test_a_method_that_is_not_proxied_is_refused() -> None:
    """As of every resource."""
    told = (405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    assert with_front(lambda it: it.refused(f"{WEB}/x", "PROPFIND")) == told


def test_head_has_the_headers_only() -> None:
    """With the length that GET would have."""
    code, headers, text = with_front(lambda it: it.ask(f"{WEB}/x", "HEAD"))
    assert (code, text) == (200, "")
    assert int(headers["Content-Length"]) > 100


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("/a/b?x=1%2F2&y", "/a/b?x=1%2F2&y"),
        ("/a%2Fb", "/a/b"),
        ("/a%20b%25%3F%23", "/a%20b%25%3F%23"),
        ("/x/", "/x/"),
        ("/x//", "/x/"),
        ("//x", "/x"),
        ("/?a=b", "/?a=b"),
        ("/a;b?q=%20+c", "/a;b?q=%20+c"),
        ("/.hidden/./x", "/.hidden/x"),
        ("/a/../b", "/b"),
        ("/%C3%A9!()*[]", "/%C3%A9%21%28%29%2A%5B%5D"),
    ],
)
def test_paths_are_cleaned_as_go_does(sent: str, seen: str) -> None:
    """Each was tried at the real server."""
    assert with_front(lambda it: it.told(WEB + sent))["path"] == seen


def test_headers_go_through_but_for_those_of_the_login() -> None:
    """`X-Ray-Authorization` is how a token reaches Ray; `Authorization` is the server's own."""
    sent = {
        "Authorization": "Bearer secret",
        "Impersonate-User": "x",
        "Impersonate-Extra-Scopes": "x",
        "X-Ray-Authorization": "Bearer ray",
        "Cookie": "a=b",
        "X-Forwarded-For": "9.9.9.9",
        "Connection": "close, X-Mine",
        "X-Mine": "1",
        "Proxy-Authorization": "x",
        "User-Agent": "me",
        "Accept": "text/x",
    }
    seen = dict(with_front(lambda it: it.told(f"{WEB}/x?y", headers=sent))["headers"])
    assert {
        "Authorization",
        "Impersonate-User",
        "Impersonate-Extra-Scopes",
        "X-Mine",
        "Proxy-Authorization",
    }.isdisjoint(seen)
    assert {name: seen[name] for name in ("X-Ray-Authorization", "Cookie", "User-Agent", "Accept")} == {
        "X-Ray-Authorization": "Bearer ray",
        "Cookie": "a=b",
        "User-Agent": "me",
        "Accept": "text/x",
    }
    assert seen["X-Forwarded-For"] == "9.9.9.9, 127.0.0.1"
    assert seen["X-Forwarded-Uri"] == f"{ROOT}{WEB}/x"
    assert "Content-Type" not in seen


def test_an_answers_headers_go_through_but_for_cors() -> None:
    """Each of several cookies as well."""
    _, headers, text = with_front(lambda it: it.ask(f"{WEB}/x"))
    assert headers.getall("Set-Cookie") == ["a=1", "b=2"]
    assert int(headers["Content-Length"]) == len(text)
    assert "Access-Control-Allow-Origin" not in headers


async def _pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield bytes(1_000_000)


@pytest.mark.parametrize("headers", [{"Content-Length": "60000000"}, {}])
def test_a_big_body_goes_through(headers: dict[str, str]) -> None:
    """With its length where it has one, in chunks where it has none."""
    seen = with_front(lambda it: it.told(f"{WEB}/x", "PUT", data=_pieces(60), headers=headers))
    assert seen["size"] == 60_000_000
    assert dict(seen["headers"]).get("Content-Length") == headers.get("Content-Length")


def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    """`Expect: 100-continue`; curl sends it with bodies of more than 1 MB."""

    async def work(it: Front) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        path = f"{ROOT}{WEB}/x"
        head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        writer.write(head.encode())
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"hello")
        answered = await reader.readuntil(b'"size": 5}')
        writer.close()
        return answered

    assert b"HTTP/1.1 200 OK\r\n" in with_front(work)


def test_a_header_in_no_known_letters_is_no_failure() -> None:
    """Its bytes that are no UTF-8 are replaced."""

    async def work(it: Front) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        writer.write(f"GET {ROOT}{WEB}/x HTTP/1.1\r\nHost: x\r\nX-Odd: ".encode() + b"a\xffb\r\n\r\n")
        answered = await reader.readuntil(b'"size": 0}')
        writer.close()
        return answered

    assert b'["X-Odd", "a\\ufffdb"]' in with_front(work)


def test_an_answer_goes_through_while_it_is_written() -> None:
    """A log that is followed shows its lines at once."""

    async def work(it: Front) -> tuple[bytes, bytes]:
        async with it.session.get(it.url(f"{WEB}/slowly")) as got:
            first = await got.content.readany()
            it.go.set()
            return first, await got.read()

    assert with_front(work) == (b"first", b" second")


def test_an_answer_that_breaks_off_breaks_off_here_too() -> None:
    """It must not look complete."""

    async def work(it: Front) -> None:
        async with it.session.get(it.url(f"{WEB}/half")) as got:
            assert got.headers["Content-Length"] == "1000"
            with pytest.raises(aiohttp.ClientError):
                await got.read()

    with_front(work)


def test_an_answer_without_a_body_stays_without() -> None:
    """204."""
    code, _, text = with_front(lambda it: it.ask(f"{WEB}/nothing"))
    assert (code, text) == (204, "")


def test_a_refusal_of_the_pod_stays_its_own() -> None:
    """Plain words are Ray's, a Status would be Kubernetes'."""
    code, headers, text = with_front(lambda it: it.ask(f"{WEB}/refuse"))
    assert (code, headers["X-Of"], text) == (403, "ray", "Forbidden: Invalid authentication token")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_bare_proxy_is_redirected_to_its_root(method: str) -> None:
    """So that relative links work; the query stays."""
    code, headers, _ = with_front(lambda it: it.ask(f"{WEB}?a=b%2F", method))
    assert (code, headers["Location"]) == (301, f"{ROOT}{WEB}/?a=b%2F")


def test_a_post_to_the_bare_proxy_is_for_the_root() -> None:
    """A redirect would lose its body."""
    assert with_front(lambda it: it.told(WEB, "POST", data=b"abc")) | {"headers": []} == {
        "method": "POST",
        "path": "/",
        "size": 3,
        "headers": [],
    }


@pytest.mark.parametrize(
    ("location", "seen"),
    [
        ("/other?x=1", f"{ROOT}{WEB}/other?x=1"),
        ("/other/", f"{ROOT}{WEB}/other/"),
        (f"{ROOT}{WEB}/there", f"{ROOT}{WEB}/there"),
        ("http://other.example/x", "http://other.example/x"),
        ("rel/x", "rel/x"),
    ],
)
def test_a_redirect_leads_through_the_proxy(location: str, seen: str) -> None:
    """Each was tried at the real server."""
    code, headers, _ = with_front(lambda it: it.ask(f"{WEB}/redirect", headers={"X-To": location}))
    assert (code, headers["Location"]) == (302, seen)


def test_a_service_chooses_among_its_pods() -> None:
    """Each one is reached after a while."""

    async def work(it: Front) -> None:
        second = pod("second")
        second["metadata"]["labels"] = {"app": "web"}
        it.objects.store.put(PODS, second)
        asked_for: set[str] = set()
        real = it.address

        def address(namespace: str, name: str, port: int) -> tuple[str, int] | None:
            asked_for.add(name)
            return real(namespace, name, port)

        from kubectl_ray.sandbox.api.kinds import SERVICES
        from kubectl_ray.sandbox.serving.proxy_target import find

        for _ in range(100):
            find(it.objects, address, SERVICES, "default", "one")
        assert asked_for == {"web", "second"}

    with_front(work)
