"""The three ways that Kubernetes has to a pod's ports, in their order, and what a refusal of each means.

1. WebSocket with the subprotocol `SPDY/3.1+portforward.k8s.io`: SPDY inside one WebSocket (KEP-4006), kubectl's way.
2. WebSocket `v4.channel.k8s.io`: one connection for each WebSocket, and no half-close towards the pod.
3. `POST` with `Upgrade: SPDY/3.1`: the oldest, and the only one for a role that grants `create` alone.

WebSockets ask for the right to get pods/portforward (since Kubernetes 1.35 also to create), POST for that to create.
"""

from __future__ import annotations

import re

from kubectl_ray.errors import KubectlRayError, NotAllowed, NotFound, NotLoggedIn, NotReady, ServerError, Unreachable
from kubectl_ray.kube import websocket
from kubectl_ray.kube.carrier import CHANNELS, SPDY, TUNNEL, ChannelCarrier, SpdyCarrier, TunnelCarrier
from kubectl_ray.kube.connection import CutOff, Dropped
from kubectl_ray.models.resources import PODS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from kubectl_ray.kube.carrier import Carrier, Way
    from kubectl_ray.kube.client import Client
    from kubectl_ray.kube.http import Headers

PROTOCOL = "portforward.k8s.io"
ORDER = (TUNNEL, CHANNELS, SPDY)
SECONDS = 15.0
"""For one upgrade, connecting included; the API server reaches the node in milliseconds or not at all."""

_SUBPROTOCOL = {TUNNEL: f"SPDY/3.1+{PROTOCOL}", CHANNELS: "v4.channel.k8s.io"}

_HOMELESS = "does not have a host assigned"


class Unfit(ServerError):
    """The server agreed to something else than was asked for."""


def dial(api: Client, namespace: str, pod: str, port: int, way: Way | None = None) -> Carrier:
    """Open a way to the pod; blocks. `way` is what worked before, and is tried first; `Carrier.way` says what worked.

    `port` is the one that a carrier for a single connection (way 2) leads to; the others lead to any port.

    Raises:
        NotFound: the pod is gone.
        NotLoggedIn: the login is not accepted.
        NotReady: the pod has no node yet.
        NotAllowed: no way is allowed; the words name pods/portforward and both verbs.
        Unreachable: the API server does not answer.
        ServerError: it answers, but cannot make the way (the node does not answer, the pod has ended).
    """
    refusals: dict[Way, KubectlRayError] = {}
    for each in (*((way,) if way else ()), *(other for other in ORDER if other != way)):
        if each == CHANNELS and isinstance(refusals.get(TUNNEL), NotAllowed):
            continue  # the same right is missing
        try:
            return _try(api, namespace, pod, port, each)
        except KubectlRayError as error:
            refusal = _as_a_right(error)
            if _is_final(refusal):
                raise _in_words(refusal, pod, namespace) from error
            refusals[each] = refusal
    raise _all_refused(refusals, namespace)


def _try(api: Client, namespace: str, pod: str, port: int, way: Way) -> Carrier:
    if way == SPDY:
        headers = [("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1"), ("X-Stream-Protocol-Version", PROTOCOL)]
        sock, leftover, answer = _upgrade(api, "POST", namespace, pod, headers, {})
        _check(sock, answer, "spdy/3.1", {"x-stream-protocol-version": PROTOCOL})
        return SpdyCarrier(sock, leftover=leftover)
    key = websocket.handshake_key()
    headers = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")]
    headers += [("Sec-WebSocket-Key", key), ("Sec-WebSocket-Protocol", _SUBPROTOCOL[way])]
    query = {"ports": str(port)} if way == CHANNELS else {}
    sock, leftover, answer = _upgrade(api, "GET", namespace, pod, headers, query)
    wanted = {"sec-websocket-accept": websocket.accept_for(key), "sec-websocket-protocol": _SUBPROTOCOL[way]}
    _check(sock, answer, "websocket", wanted)
    return TunnelCarrier(sock, leftover) if way == TUNNEL else ChannelCarrier(sock, port, leftover)


def _upgrade(
    api: Client, method: str, namespace: str, pod: str, headers: list[tuple[str, str]], query: dict[str, str]
) -> tuple[socket.socket, bytes, Headers]:
    """Ask for it, once more where an idle connection turned out to be dead: nothing was done that could be twice."""

    def ask() -> tuple[socket.socket, bytes, Headers]:
        return api.upgrade(
            method, PODS, pod, namespace, subresource="portforward", headers=headers, query=query, timeout=SECONDS
        )

    try:
        return ask()
    except Unreachable as error:
        if method == "GET" or not _was_dropped(error):  # a GET was tried again already
            raise
    return ask()


def _check(sock: socket.socket, answer: Headers, protocol: str, wanted: dict[str, str]) -> None:
    """RFC 6455 §4.1: a client fails the connection where one of these is not what it must be.

    Raises:
        Unfit: it is not; the socket is closed.
    """
    told = {name: value.strip() for name, value in answer}
    wrong = [name for name, value in wanted.items() if told.get(name) != value]
    if told.get("upgrade", "").lower() != protocol:
        wrong.append("upgrade")
    if wrong:
        sock.close()
        raise Unfit(
            f"The API server agreed to a stream to the pod, but not to the one asked for ({', '.join(wrong)})",
            "A proxy before it may change WebSockets; ask the cluster's administrator.",
        )


def _is_final(error: KubectlRayError) -> bool:
    """Whether another way would fail as this one did.

    Refusals of a right, of a protocol (400, 403, 405, 501 …), and connections that a proxy cuts when it sees an upgrade
    are about the way. All else is about the login, the pod, its node, or the network.
    """
    if isinstance(error, CutOff | Unfit):
        return False
    if isinstance(error, NotLoggedIn | Unreachable):
        return not (isinstance(error, Unreachable) and _was_dropped(error))
    if isinstance(error, NotFound):
        return error.reason == "NotFound"  # else a path that a proxy or an old server does not know
    if error.code == 403:  # noqa: PLR2004 -- Forbidden
        return not isinstance(error, NotAllowed)  # an admission webhook's word counts for all ways
    return _HOMELESS in error.message or (error.code >= 500 and error.code != 501)  # noqa: PLR2004 -- Not Implemented


def _as_a_right(error: KubectlRayError) -> KubectlRayError:
    """The same error, but that a WebSocket needs the right to create as well, which servers refuse without a reason.

    Seen at 1.36: `pods "head" is forbidden:`, with nothing behind it.
    """
    if error.code != 403 or not error.message.rstrip(": ").endswith("is forbidden"):  # noqa: PLR2004 -- Forbidden
        return error
    return _like(error, NotAllowed("You may not create pods/portforward", "Ask the cluster's administrator for it."))


def _was_dropped(error: KubectlRayError) -> bool:
    """Whether the connection was made, and closed by the other side without an answer."""
    return isinstance(error.__cause__, Dropped)


def _in_words(error: KubectlRayError, pod: str, namespace: str) -> KubectlRayError:
    """The same error, where its words can be plainer."""
    why = error.message.lower()
    if _HOMELESS in why:
        return _like(
            error, NotReady(f'The pod "{pod}" in namespace "{namespace}" has no node yet', "Wait until it runs.")
        )
    if error.code < 500 or isinstance(error, NotFound):  # noqa: PLR2004 -- server errors
        return error
    if "pod not found" in why or ("not found" in why and pod in why):
        plain: KubectlRayError = NotFound(
            f'The pod "{pod}" in namespace "{namespace}" has ended', "It is replaced if its owner still exists."
        )
    elif any(word in why for word in ("dialing backend", "no route to host", "i/o timeout", "no agent available")):
        plain = ServerError(
            f'The API server cannot reach the node of pod "{pod}": {error.message.rpartition("): ")[2]}',
            "The node may be down or just starting; see kubectl get nodes.",
        )
    else:
        return error
    return _like(error, plain)


def _like(error: KubectlRayError, plain: KubectlRayError) -> KubectlRayError:
    """In other words, and with what the server said beside them."""
    plain.code, plain.reason, plain.details = error.code, error.reason, error.details
    return plain


def _all_refused(refusals: dict[Way, KubectlRayError], namespace: str) -> KubectlRayError:
    """Rights first: they are what a person can do something about."""
    denied = [error for error in refusals.values() if isinstance(error, NotAllowed) and _denied(error)]
    if not denied:
        return next(iter(refusals.values()))
    user = denied[-1].message.partition(" may not ")[0]  # that of POST names who it is
    verbs = " and ".join(sorted({_denied(error) for error in denied}))
    answer = NotAllowed(
        f"{user} may not forward ports in namespace {namespace}: the right to {verbs} pods/portforward is missing",
        "Ask the cluster's administrator for the verbs get and create of pods/portforward; to see what you have: "
        f"kubectl auth can-i create pods/portforward -n {namespace}",
    )
    answer.code, answer.reason = denied[0].code, denied[0].reason
    return answer


def _denied(error: KubectlRayError) -> str:
    """The verb that a refusal names; "" where it is about something else."""
    found = re.search(r"may not (get|create) pods/portforward", error.message)
    return found[1] if found else ""
