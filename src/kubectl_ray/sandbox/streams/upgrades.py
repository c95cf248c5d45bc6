"""How a request asks to become a stream, and what the real server says when it cannot.

Source: Kubernetes' `k8s.io/streaming/pkg/httpstream` and `wsstream`; texts and codes were seen at v1.36.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from kubectl_ray.sandbox.api.refusals import bad_request

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_MESSAGE = 32 * 1024 * 1024
"""Bytes of one WebSocket message that we take."""

VERSION_HEADER = "X-Stream-Protocol-Version"


def words(request: web.BaseRequest, header: str) -> list[str]:
    """All values of a header that is a list, however many times it was sent."""
    return [each.strip() for line in request.headers.getall(header, []) for each in line.split(",") if each.strip()]


def is_upgrade(request: web.BaseRequest) -> bool:
    """It asks to become something else."""
    return "upgrade" in (each.lower() for each in words(request, hdrs.CONNECTION))


def require_upgrade(request: web.BaseRequest) -> None:
    """Refuse a plain request.

    Raises:
        Refused: 400.
    """
    if not is_upgrade(request):
        raise bad_request("Upgrade request required")


def is_websocket(request: web.BaseRequest) -> bool:
    """It asks for a WebSocket, the other possibility being SPDY."""
    return "websocket" in (each.lower() for each in words(request, hdrs.UPGRADE))


async def websocket(request: web.BaseRequest, protocol: str) -> web.WebSocketResponse:
    """Agree to a WebSocket of this subprotocol."""
    socket = web.WebSocketResponse(protocols=(protocol,), compress=False, max_msg_size=MAX_MESSAGE, autoping=True)
    await socket.prepare(request)
    return socket


def no_websocket_protocol() -> web.Response:
    """403 without a word: no subprotocol that we speak was offered."""
    refusal = web.Response(status=403)
    refusal.force_close()
    return refusal


def text(status: int, words: str, headers: Sequence[tuple[str, str]] = ()) -> web.Response:
    """An answer as the kubelet gives it: plain words, no Status."""
    answer = web.Response(status=status, text=words, content_type="text/plain")
    for name, value in headers:
        answer.headers.add(name, value)
    return answer


def not_negotiated(offered: Sequence[str], listed: Sequence[str]) -> web.Response:
    """403: no protocol inside SPDY that both sides speak."""
    told = (
        f"unable to upgrade: unable to negotiate protocol: client supports [{' '.join(offered)}],"
        f" server accepts [{' '.join(listed)}]"
    )
    return text(403, told, [("X-Accepted-Stream-Protocol-Versions", each) for each in listed])


def spdy_refusal(
    request: web.BaseRequest, offered: Sequence[str], accepted: Sequence[str], listed: Sequence[str]
) -> web.Response | None:
    """What is wrong with a request to speak SPDY; None when nothing is. `listed` is what the real server accepts."""
    if not offered:
        return text(400, f"unable to upgrade: {VERSION_HEADER} is required")
    if not set(offered) & set(accepted):
        return not_negotiated(offered, listed)
    if "spdy/3.1" not in (each.lower() for each in words(request, hdrs.UPGRADE)):
        return text(400, "unable to upgrade: missing upgrade headers in request")
    return None
