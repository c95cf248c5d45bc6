"""`kube.transport`: connections, retries, time limits and talk."""

from __future__ import annotations

import re
import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import NotAllowed, NotLoggedIn, ServerError, Unreachable
from kubectl_ray.kube.connection import Connection
from kubectl_ray.kube.http import Response
from kubectl_ray.kube.transport import PAUSE_LIMIT, TRIES, hide, put_off
from kubectl_ray.models.resources import PODS
from tests.wire import ApiServer, ScriptedSocket, client_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
NEW = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "new"}}


@pytest.fixture(params=["tcp", "tls"])
def api(request: pytest.FixtureRequest) -> Iterator[ApiServer]:
    """A server with one pod, over TCP and over TLS."""
    with ApiServer(token="secret" if request.param == "tls" else "") as server:
        server.add(POD)
        yield server


@pytest.fixture
def plain() -> Iterator[ApiServer]:
    """The same over TCP only."""
    with ApiServer() as server:
        server.add(POD)
        yield server


def test_one_connection_carries_many_requests(api: ApiServer) -> None:
    """Requests one after the other share a connection."""
    client = client_for(api)
    for _ in range(5):
        client.get(PODS, "a")
        list(client.list(PODS))
    client.create(PODS, NEW)
    assert api.connections == 1
    assert client.requests == 11


def test_requests_at_once_have_a_connection_each(api: ApiServer) -> None:
    """Several threads may use one client; each answer belongs to its request."""
    names = [f"p{number}" for number in range(8)]
    api.add(*({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}} for name in names))
    client = client_for(api)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda name: client.get(PODS, name)["metadata"]["name"], names * 5))
    assert found == names * 5
    assert api.connections <= 8


def test_list_being_read_does_not_disturb_others(api: ApiServer) -> None:
    """A second request while a list is being read takes another connection."""
    client = client_for(api)
    listing = client.list(PODS)
    assert client.get(PODS, "a")["kind"] == "Pod"
    assert [item["metadata"]["name"] for item in listing] == ["a"]
    assert api.connections == 2


def test_who_asks_is_said(plain: ApiServer) -> None:
    """The User-Agent names the plugin; nothing a browser would send is there."""
    client_for(plain).get(PODS, "a")
    headers = plain.requests[0].headers
    assert headers["user-agent"].startswith("kubectl-ray/")
    assert headers["accept"] == "application/json"
    assert headers["host"] == f"127.0.0.1:{plain.port}"
    assert not {"origin", "referer", "cookie"} & set(headers)


def test_idle_connection_found_closed_is_replaced(api: ApiServer) -> None:
    """A server that closed an idle connection is asked over a new one, also for writes."""
    client = client_for(api)
    client.get(PODS, "a")
    api.drop_connections()
    client.create(PODS, NEW)
    assert len(api.asked("POST")) == 1
    assert api.connections == 2


def test_read_is_repeated_when_an_idle_connection_drops(api: ApiServer) -> None:
    """A read on a connection that had been idle is sent again, once, if it ends without an answer."""
    client = client_for(api)
    client.get(PODS, "a")
    api.fault(method="GET", drop=True)
    assert client.get(PODS, "a")["kind"] == "Pod"
    assert len(api.requests) == 3
    assert api.connections == 2


def test_read_is_not_repeated_on_a_new_connection(plain: ApiServer) -> None:
    """A server that drops a fresh connection would drop the next."""
    plain.fault(drop=True, times=None)
    with pytest.raises(Unreachable, match="without an answer"):
        client_for(plain).get(PODS, "a")
    assert len(plain.requests) == 1


def test_write_is_never_repeated_after_it_was_sent(api: ApiServer) -> None:
    """A write whose answer is lost may have been done: it is not sent again, and the hint says to look."""
    client = client_for(api)
    client.get(PODS, "a")
    api.fault(method="POST", drop=True, after=True)
    with pytest.raises(Unreachable) as caught:
        client.create(PODS, NEW)
    assert "not known whether" in caught.value.hint
    assert len(api.asked("POST")) == 1
    assert api.store.has("pods", "new")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_busy_server_is_asked_again(plain: ApiServer, method: str) -> None:
    """429 is waited for as long as Retry-After says and tried again, with any verb: nothing was done."""
    waits: list[float] = []
    said: list[str] = []
    client = client_for(plain, sleep=waits.append, talk=lambda level, text: said.append(f"{level} {text}"))
    plain.fail(429, "TooManyRequests", method=method, times=2, headers={"Retry-After": "7"})
    if method == "GET":
        client.get(PODS, "a")
    else:
        client.create(PODS, NEW)
    assert waits == [7.0, 7.0]
    assert len(plain.requests) == 3
    assert plain.connections == 1
    assert sum(line.startswith("0 The API server is busy") for line in said) == 2


def test_busy_server_is_given_up(plain: ApiServer) -> None:
    """A server that stays busy is asked TRIES times, then its words are shown."""
    waits: list[float] = []
    plain.fail(429, "TooManyRequests", "please slow down", times=None)
    with pytest.raises(ServerError, match="please slow down"):
        client_for(plain, sleep=waits.append).get(PODS, "a")
    assert len(plain.requests) == TRIES
    assert waits == [1.0] * (TRIES - 1)


def test_unavailable_server_is_asked_again_for_reads_only(plain: ApiServer) -> None:
    """503 with Retry-After is tried again for reads; a write may have got through a proxy that says so."""
    waits: list[float] = []
    client = client_for(plain, sleep=waits.append)
    plain.fail(503, times=None, method="POST", headers={"Retry-After": "1"})
    plain.fail(503, times=1, method="GET", headers={"Retry-After": "1"})
    client.get(PODS, "a")
    with pytest.raises(ServerError):
        client.create(PODS, NEW)
    assert waits == [1.0]
    assert len(plain.asked("POST")) == 1


def test_retry_stays_within_the_request_timeout(plain: ApiServer) -> None:
    """A wait that would end after --request-timeout is not begun."""
    waits: list[float] = []
    plain.fail(429, times=None, headers={"Retry-After": "20"})
    with pytest.raises(ServerError):
        client_for(plain, request_timeout=5, sleep=waits.append).get(PODS, "a")
    assert not waits


def test_request_timeout(api: ApiServer) -> None:
    """--request-timeout bounds one request; the message names the server and the hint the flag."""
    api.fault(delay=30)
    client = client_for(api, request_timeout=0.3)
    with pytest.raises(Unreachable, match="in time") as caught:
        client.get(PODS, "a")
    assert "--request-timeout" in caught.value.hint


def test_request_timeout_covers_the_body(api: ApiServer) -> None:
    """A body that stops in its middle is bounded too."""
    api.fault(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", hold=True)
    with pytest.raises(Unreachable, match="in time"):
        client_for(api, request_timeout=0.3).get(PODS, "a")


class Renewing:
    """Credentials with a second token."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.generation = 0
        self.renewed = 0

    def warm(self) -> None:
        """Nothing to start."""

    def close(self) -> None:
        """Nothing to end."""

    def headers(self) -> list[tuple[str, str]]:
        """The token in force."""
        return [("Authorization", f"Bearer {self.tokens[0]}")]

    def certificate(self) -> None:
        """None."""
        return

    def renew(self) -> bool:
        """On to the next token."""
        self.renewed += 1
        if len(self.tokens) > 1:
            self.tokens.pop(0)
            return True
        return False


def with_tokens(api: ApiServer, *tokens: str) -> tuple[Any, Renewing]:
    """A client whose login has these tokens, one after the other."""
    client = client_for(api)
    credentials: Any = Renewing(list(tokens))
    client._transport.credentials = credentials
    return client, credentials


@pytest.fixture
def guarded() -> Iterator[ApiServer]:
    """The same with a token that is needed."""
    with ApiServer(token="good") as server:
        server.add(POD)
        yield server


def test_expired_login_is_renewed_once(guarded: ApiServer) -> None:
    """After a 401 the credentials may bring something new, and the request is sent again, writes too."""
    client, credentials = with_tokens(guarded, "old", "good")
    client.create(PODS, NEW)
    assert credentials.renewed == 1
    assert [r.headers["authorization"] for r in guarded.requests] == ["Bearer old", "Bearer good"]


def test_login_is_not_renewed_for_ever(guarded: ApiServer) -> None:
    """A second 401 is the answer."""
    client, credentials = with_tokens(guarded, "old", "older", "oldest")
    with pytest.raises(NotLoggedIn):
        client.get(PODS, "a")
    assert credentials.renewed == 1
    assert len(guarded.requests) == 2


def test_missing_right_renews_nothing(guarded: ApiServer) -> None:
    """403 is about rights, which no new token changes."""
    guarded.deny("get", "pods")
    client, credentials = with_tokens(guarded, "good", "good")
    with pytest.raises(NotAllowed):
        client.get(PODS, "a")
    assert credentials.renewed == 0
    assert len(guarded.requests) == 1


def test_new_certificate_needs_a_new_connection(guarded: ApiServer) -> None:
    """A client certificate belongs to a connection: idle ones with an older one are not used again."""
    client, credentials = with_tokens(guarded, "good")
    client.get(PODS, "a")
    credentials.generation += 1
    client.get(PODS, "a")
    client.get(PODS, "a")
    assert guarded.connections == 2


def test_login_of_a_relayed_service_is_its_own(guarded: ApiServer) -> None:
    """A 401 from behind the API server's proxy renews nothing; one of the API server itself does."""
    guarded.route("/relayed", lambda _: (401, b"no token for this dashboard"))
    client, credentials = with_tokens(guarded, "good", "good")
    assert client.raw("GET", "/relayed").body == b"no token for this dashboard"
    assert credentials.renewed == 0
    client, credentials = with_tokens(guarded, "old", "good")
    assert client.raw("GET", "/relayed").status == 401
    assert credentials.renewed == 1


def test_nobody_listens(plain: ApiServer) -> None:
    """Connection refused names the address and what to look at."""
    client = client_for(plain)
    plain.stop()
    with pytest.raises(Unreachable) as caught:
        client.get(PODS, "a")
    assert str(plain.port) in caught.value.message
    assert caught.value.hint


def test_talk_shows_requests_but_no_secret(guarded: ApiServer) -> None:
    """Level 2 is one line a request with status and size, level 3 the headers; tokens never."""
    said: list[tuple[int, str]] = []
    client_for(guarded, talk=lambda level, text: said.append((level, text))).get(PODS, "a")
    requests = [text for level, text in said if level == 2]
    assert len(requests) == 1
    assert requests[0].startswith(f"GET https://127.0.0.1:{guarded.port}/api/v1/namespaces/default/pods/a 200 in ")
    headers = "\n".join(text for level, text in said if level == 3)
    assert "> Authorization: <redacted>" in headers
    assert "< content-type: application/json" in headers
    assert re.search(r" in \d+ ms, 0\.[1-9] kB$", requests[0])
    assert "good" not in headers


@given(name=st.text(max_size=10), secret=st.text(min_size=9, max_size=12))
def test_secret_headers_are_hidden(name: str, secret: str) -> None:
    """Whatever is a token, cookie or authorization by its name is not shown."""
    for kind in ("Authorization", "token", "Cookie"):
        assert hide(f"{name}{kind}{name}", secret) == "<redacted>"


@given(status=st.integers(100, 599), told=st.text(max_size=12), method=st.sampled_from(["GET", "POST", "PATCH"]))
def test_any_retry_after_gives_a_bounded_pause(status: int, told: str, method: str) -> None:
    """Whatever Retry-After says, the pause is a number of seconds within bounds, or none."""
    socket: Any = ScriptedSocket([])
    pause = put_off(method, Response(Connection(socket, "s"), status, "", [("retry-after", told)], 1))
    assert pause is None or 0 <= pause <= PAUSE_LIMIT
    if status == 429:
        assert pause is not None
    elif status != 503 or method != "GET":
        assert pause is None


def test_refused_client_certificate(guarded: ApiServer) -> None:
    """TLS 1.3 tells at the first read that a client certificate is wanted; that is a login, not a broken line."""
    context = guarded._context
    assert context is not None
    context.load_verify_locations(cadata=guarded.ca.decode())
    context.verify_mode = ssl.CERT_REQUIRED
    with pytest.raises(NotLoggedIn, match="client certificate"):
        client_for(guarded).get(PODS, "a")


def test_connection_that_did_not_outlive_the_login_is_replaced(guarded: ApiServer) -> None:
    """A login may take minutes; a server that closed meanwhile is asked over a new connection, writes too."""
    client, credentials = with_tokens(guarded, "good")
    login = credentials.headers

    def slowly() -> list[tuple[str, str]]:
        if guarded.connections < 2:
            guarded.drop_connections()
        return login()

    credentials.headers = slowly  # type: ignore[method-assign]
    client.create(PODS, NEW)
    assert guarded.connections == 2
    assert len(guarded.requests) == 1


def test_close_ends_what_is_being_read(api: ApiServer) -> None:
    """After `close` nothing more is sent."""
    client = client_for(api)
    client.get(PODS, "a")
    client.close()
    with pytest.raises(Unreachable):
        client.get(PODS, "a")
    assert len(api.requests) == 1
