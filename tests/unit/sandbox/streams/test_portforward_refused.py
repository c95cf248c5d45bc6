"""Port-forwards that are refused before they begin."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from kubectl_ray.sandbox.api.kinds import PODS
from tests.unit.sandbox.streams.dialing import HANDSHAKE, SPDY, V4, ask, dial, message, path
from tests.unit.sandbox.streams.world import pod, serving

TUNNEL = "SPDY/3.1+portforward.k8s.io"
PROTOCOL = "portforward.k8s.io"
UPGRADE = "unable to upgrade:"


@pytest.mark.parametrize(
    ("where", "changes", "told"),
    [
        (path("portforward", "nope"), {}, (404, 'pods "nope" not found')),
        (path("portforward"), {"node": ""}, (400, "pod web does not have a host assigned")),
        (
            path("portforward", ports="x"),
            {},
            (400, 'cannot convert to []int32: strconv.ParseUint: parsing "x": invalid syntax'),
        ),
        (
            path("portforward", ports="70000"),
            {},
            (400, 'cannot convert to []int32: strconv.ParseUint: parsing "70000": value out of range'),
        ),
        (
            path("portforward", ports="9" * 5000),
            {},
            (400, f'cannot convert to []int32: strconv.ParseUint: parsing "{"9" * 5000}": value out of range'),
        ),
        (
            path("portforward", ports=["1"] * 129),
            {},
            (400, "129 ports are more than the 128 that one connection can carry"),
        ),
    ],
)
def test_what_is_wrong_is_a_status(where: str, changes: dict[str, Any], told: tuple[int, str]) -> None:
    """Before any upgrade."""
    assert message(ask("GET", where, HANDSHAKE, **changes)) == told


def test_a_plain_request_is_refused() -> None:
    """Port-forward is an upgrade or nothing."""
    assert message(ask("GET", path("portforward"), {})) == (400, "Upgrade request required")


@pytest.mark.parametrize(
    ("where", "changes", "told"),
    [
        (path("portforward", "nope"), {}, (404, 'pods "nope" not found')),
        (path("portforward"), {"node": ""}, (400, "pod web does not have a host assigned")),
    ],
)
def test_a_plain_request_to_a_pod_that_cannot_take_it(
    where: str, changes: dict[str, Any], told: tuple[int, str]
) -> None:
    """What is wrong with the pod comes before the missing upgrade."""
    assert message(ask("GET", where, {}, **changes)) == told


@pytest.mark.parametrize(
    ("method", "where", "headers", "code", "told"),
    [
        ("GET", path("portforward"), HANDSHAKE, 400, 'query parameter "port" is required'),
        ("GET", path("portforward", ports=0), HANDSHAKE, 400, 'port "0" must be > 0'),
        (
            "GET",
            path("portforward"),
            {**HANDSHAKE, "Sec-WebSocket-Protocol": "SPDY/3.1+foo.k8s.io"},
            403,
            f"{UPGRADE} unable to negotiate protocol: client supports [foo.k8s.io], server accepts [{PROTOCOL}]",
        ),
        ("POST", path("portforward"), SPDY, 400, f"{UPGRADE} X-Stream-Protocol-Version is required"),
    ],
)
def test_the_kubelet_refuses_in_plain_words(
    method: str, where: str, headers: dict[str, str], code: int, told: str
) -> None:
    """As they were seen."""
    assert ask(method, where, headers) == (code, "text/plain", told)


def test_a_pod_that_is_over_is_not_found() -> None:
    """By the kubelet, though the object is there."""

    async def inner() -> tuple[int, bytes]:
        async with serving() as world:
            world.objects.store.put(PODS, {**pod(), "status": {"phase": "Failed"}})
            with pytest.raises(InvalidStatus) as refused:
                await dial(world, path("portforward", ports=1), V4)
            return refused.value.response.status_code, bytes(refused.value.response.body)

    assert asyncio.run(inner()) == (500, b'pod not found ("web_default")')
