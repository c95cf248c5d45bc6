"""The ways to a pod's ports: their order, what makes the next one be tried, and what a refusal says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.errors import Invalid, NotAllowed, NotFound, NotLoggedIn, NotReady, ServerError, Unreachable
from kubectl_ray.kube import portforward, websocket
from kubectl_ray.kube.carrier import CHANNELS, SPDY, TUNNEL
from kubectl_ray.kube.portforward import dial
from tests.wire.clients import client_for
from tests.wire.server import ApiServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_ray.kube.client import Client

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
"""Of RFC 6455 §1.3."""
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
PATH = "/api/v1/namespaces/default/pods/head/portforward"


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """A server."""
    with ApiServer() as made:
        yield made


@pytest.fixture
def client(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A client, and handshakes of which the key is known beforehand."""
    monkeypatch.setattr(websocket, "handshake_key", lambda: KEY)
    return client_for(api)


def agree(api: ApiServer, way: str, **changed: str) -> None:
    """Have a way succeed; `changed` headers (underscores for dashes) are other than they should be."""
    if way == SPDY:
        headers = {"upgrade": "SPDY/3.1", "x-stream-protocol-version": "portforward.k8s.io"}
    else:
        protocol = "SPDY/3.1+portforward.k8s.io" if way == TUNNEL else "v4.channel.k8s.io"
        headers = {"upgrade": "websocket", "sec-websocket-accept": ACCEPT, "sec-websocket-protocol": protocol}
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    raw = f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n{lines}\r\n".encode()
    api.fault(raw=raw, hold=True, when=lambda request: way_of(request) == way)


def way_of(request: Any) -> str:
    """Which way a request asks for."""
    protocol = request.headers.get("sec-websocket-protocol", "")
    return {"": SPDY, "v4.channel.k8s.io": CHANNELS}.get(protocol, TUNNEL)


def refuse(api: ApiServer, way: str, code: int, reason: str = "", message: str = "") -> None:
    """Have a way be refused by a Status, or by plain words where it has no reason."""
    if reason:
        api.fail(code, reason, message, times=None, when=lambda request: way_of(request) == way)
    else:
        api.fault(status=code, body=message.encode(), times=None, when=lambda request: way_of(request) == way)


def forbid(api: ApiServer, verb: str, *ways: str) -> None:
    """Take a right away."""
    cannot = f'User "jane" cannot {verb} resource "pods/portforward" in API group "" in the namespace "default"'
    for way in ways:
        refuse(api, way, 403, "Forbidden", f'pods "head" is forbidden: {cannot}')


def asked(api: ApiServer) -> list[str]:
    """The ways that were tried."""
    return [way_of(request) for request in api.requests]


@pytest.mark.parametrize("way", [TUNNEL, CHANNELS, SPDY])
def test_each_way(api: ApiServer, client: Client, way: str) -> None:
    """What worked before is tried first, and is what comes out."""
    agree(api, way)
    carrier = dial(client, "default", "head", 8265, way)
    carrier.close()
    assert carrier.way == way
    assert asked(api) == [way]
    request = api.requests[0]
    assert (request.method, request.path) == ("POST" if way == SPDY else "GET", PATH)
    assert request.query == ({"ports": "8265"} if way == CHANNELS else {})


def test_the_order(api: ApiServer, client: Client) -> None:
    """SPDY in a WebSocket, then channels, then POST: a server that speaks only the oldest is reached."""
    for way in (TUNNEL, CHANNELS):
        refuse(api, way, 400, message="unable to upgrade: missing upgrade headers in request")
    agree(api, SPDY)
    carrier = dial(client, "default", "head", 1)
    carrier.close()
    assert carrier.way == SPDY
    assert asked(api) == [TUNNEL, CHANNELS, SPDY]


def test_what_worked_may_stop_working(api: ApiServer, client: Client) -> None:
    """Then the others are tried."""
    refuse(api, SPDY, 400, message="no")
    agree(api, TUNNEL)
    carrier = dial(client, "default", "head", 1, SPDY)
    carrier.close()
    assert carrier.way == TUNNEL


def test_only_create(api: ApiServer, client: Client) -> None:
    """A role without get is tried by POST, without a second WebSocket."""
    forbid(api, "get", TUNNEL, CHANNELS)
    agree(api, SPDY)
    dial(client, "default", "head", 1).close()
    assert asked(api) == [TUNNEL, SPDY]


def test_no_right_at_all(api: ApiServer, client: Client) -> None:
    """The refusal names who, where, the resource and both verbs."""
    forbid(api, "get", TUNNEL, CHANNELS)
    forbid(api, "create", SPDY)
    with pytest.raises(NotAllowed) as caught:
        dial(client, "default", "head", 1)
    words = "jane may not forward ports in namespace default: the right to create and get pods/portforward is missing"
    assert caught.value.message == words
    assert "get and create of pods/portforward" in caught.value.hint
    assert caught.value.exit_code == 4


def test_only_get(api: ApiServer, client: Client) -> None:
    """Servers since 1.35 want create for a WebSocket too, and refuse it without a reason (seen at 1.36)."""
    for way in (TUNNEL, CHANNELS):
        refuse(api, way, 403, "Forbidden", 'pods "head" is forbidden: ')
    forbid(api, "create", SPDY)
    with pytest.raises(NotAllowed, match=r"^jane may not forward .*: the right to create pods/portforward is missing$"):
        dial(client, "default", "head", 1)
    assert asked(api) == [TUNNEL, SPDY]


@pytest.mark.parametrize(
    ("code", "reason", "message", "kind"),
    [
        (401, "Unauthorized", "Unauthorized", NotLoggedIn),
        (404, "NotFound", 'pods "head" not found', NotFound),
        (403, "Forbidden", "admission webhook denied the request", Invalid),
        (502, "", "error dialing backend: dial tcp 10.0.0.7:10250: connect: connection refused", ServerError),
        (500, "InternalError", "error dialing backend: No agent available", ServerError),
        (500, "", 'pod not found ("head_default")', NotFound),
        (503, "", "no", ServerError),
        (400, "BadRequest", "pod head does not have a host assigned", NotReady),
    ],
)
def test_what_no_other_way_helps(
    api: ApiServer, client: Client, code: int, reason: str, message: str, kind: type[Exception]
) -> None:
    """The login, the pod and its node are the same for all ways: one request, and its error."""
    refuse(api, TUNNEL, code, reason, message)
    with pytest.raises(kind):
        dial(client, "default", "head", 1)
    assert asked(api) == [TUNNEL]


def test_words_for_a_node_that_is_away(api: ApiServer, client: Client) -> None:
    """The node is named as what cannot be reached, not the pod."""
    refuse(api, TUNNEL, 502, message="error dialing backend: dial tcp 10.0.0.7:10250: i/o timeout")
    with pytest.raises(ServerError, match=r'cannot reach the node of pod "head": .*i/o timeout'):
        dial(client, "default", "head", 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sec_websocket_accept": "x"},
        {"sec_websocket_protocol": "v4.channel.k8s.io"},
        {"upgrade": "h2c"},
    ],
)
def test_an_agreement_to_something_else(api: ApiServer, client: Client, wrong: dict[str, str]) -> None:
    """A 101 that does not prove what was asked for is not used; the next way is."""
    agree(api, TUNNEL, **wrong)
    agree(api, CHANNELS)
    carrier = dial(client, "default", "head", 1)
    carrier.close()
    assert carrier.way == CHANNELS


def test_a_proxy_that_cuts_upgrades(api: ApiServer, client: Client) -> None:
    """A connection that is dropped for a WebSocket does not keep POST from being tried."""
    for way in (TUNNEL, CHANNELS):
        api.fault(drop=True, times=None, when=lambda request, way=way: way_of(request) == way)
    agree(api, SPDY)
    dial(client, "default", "head", 1).close()


def test_nobody_there(api: ApiServer, client: Client) -> None:
    """No API server is no question of ways."""
    api.stop()
    with pytest.raises(Unreachable):
        dial(client, "default", "head", 1)


def test_a_silent_server_is_given_up(api: ApiServer, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade has its own limit, and only one is waited for."""
    monkeypatch.setattr(portforward, "SECONDS", 0.2)
    api.fault(hold=True, raw=b"HTTP/1.1", times=None)
    with pytest.raises(Unreachable):
        dial(client, "default", "head", 1)
    assert asked(api) == [TUNNEL]


def test_bytes_behind_the_answer(api: ApiServer, client: Client) -> None:
    """What came with the 101 belongs to the carrier."""
    raw = (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " + ACCEPT.encode() + b"\r\n"
        b"Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n\x82\x03\x00\x49\x20\x82\x06\x00hello"
    )
    api.fault(raw=raw, hold=True)
    carrier = dial(client, "default", "head", 8265, CHANNELS)
    assert carrier.more
    events = carrier.receive(memoryview(bytearray(65536)))
    assert [bytes(event.data) for event in events] == [b"hello"]  # type: ignore[union-attr]
    carrier.close()
