"""From a `Target` to an open connection: TCP, the proxy, TLS; every failure in words."""

from __future__ import annotations

import os
import selectors
import socket
import ssl
import time

from kubectl_ray.errors import KubectlRayError, NotLoggedIn, Unreachable
from kubectl_ray.kube import proxy, tls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from kubectl_ray.kube.credentials import Credentials
    from kubectl_ray.kube.kubeconfig import Target

_CONNECT_TIMEOUT = 30.0  # seconds; kubectl's
_HEAD_START = 0.25  # seconds an address gets before the next one is tried as well (RFC 8305 §5)


def open_socket(
    target: Target,
    credentials: Credentials,
    env: Mapping[str, str],
    *,
    timeout: float | None,
    contexts: tls.Contexts | None = None,
) -> socket.socket:
    """Connect to the API server; `timeout` is in seconds, for the connecting and for each read and write afterwards.

    What comes back has the methods of a socket; it speaks TLS where the server does. `contexts` keeps what TLS needs
    for the next connection to the same target.

    Raises:
        Unreachable: nobody answers there, or somebody whose certificate does not prove it.
        NotLoggedIn: the client certificate cannot be had, or the server refuses it.
        Invalid: an address or certificate is malformed.
    """
    limit = _CONNECT_TIMEOUT if timeout is None else timeout
    deadline = time.monotonic() + limit
    way = proxy.choose(target, env)
    below: socket.socket | None = None
    reached = way.authority if way else ""
    try:
        below = _dial(way.host if way else target.host, way.port if way else target.port, limit)
        if way:
            if way.scheme == "https":
                outer = tls.context(target.ca, insecure=target.insecure, system_too=True)
                below = outer.wrap_socket(below, server_hostname=tls.spelled(way.host))
            proxy.tunnel(below, way, target.host, target.port)
            reached = ""
        if target.scheme == "https":
            made = (contexts or tls.Contexts()).of(target.ca, credentials.certificate(), insecure=target.insecure)
            below.settimeout(max(deadline - time.monotonic(), 1.0))
            below = tls.wrap(below, made, _server_name(target))
        below.settimeout(timeout)
    except BaseException as error:
        if below is not None:
            below.close()
        if isinstance(error, OSError | ValueError):
            raise explain(target, error, via=reached) from error
        raise
    return below


def _server_name(target: Target) -> str:
    """What the certificate has to be for, and the SNI; as Go has it, without a final dot or an IPv6 zone."""
    return (target.tls_server_name or target.host.partition("%")[0]).rstrip(".")


def explain(target: Target, error: Exception, *, via: str = "") -> KubectlRayError:
    """Say in words why connecting to `target`, or talking to it, failed; `via` is the proxy if it was that."""
    where = f"the proxy {via}" if via else f"the API server {target.server}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return _distrust(target, error, where)
    if isinstance(error, ssl.SSLError):
        return _tls(error, where)
    what, hint = _network(error, where)
    return Unreachable(what, hint=hint)


def _network(error: Exception, where: str) -> tuple[str, str]:
    match error:
        case socket.gaierror():
            what = f"The host name of {where} is not known"
            hint = "Look at the network and the VPN; or the cluster is gone and the kubeconfig is old."
        case TimeoutError():
            what = f"No answer in time from {where}"
            hint = "Look at the network, the VPN and the firewall, or give more time with --request-timeout."
        case ConnectionRefusedError():
            what = f"Nobody listens at {where}: connection refused"
            hint = "Is the cluster running, and is this the right context? kubectl config get-contexts"
        case ValueError():
            what, hint = f"The host name of {where} cannot be", "Correct the kubeconfig."
        case _:
            why = getattr(error, "strerror", None) or type(error).__name__
            what = f"The connection to {where} failed: {why}"
            hint = "Look at the network and the VPN, then try again."
    return what, hint


def _distrust(target: Target, error: ssl.SSLCertVerificationError, where: str) -> KubectlRayError:
    why = error.verify_message
    if error.verify_code in {62, 64}:  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
        name = target.tls_server_name or target.host
        return Unreachable(
            f"The certificate of {where} is for another name than {name}",
            hint="Correct the server's address; or name what the certificate is for with --tls-server-name.",
        )
    if error.verify_code in {9, 10}:  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
        return Unreachable(
            f"The certificate of {where} cannot be trusted: {why}",
            hint="Look at this machine's clock; else the cluster's administrator has to renew the certificate.",
        )
    if error.verify_code in {2, 18, 19, 20, 21}:  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT and its kin
        why = f"it is signed by an unknown authority ({why})"
    return Unreachable(
        f"The certificate of {where} cannot be trusted: {why}",
        hint="The cluster may have been made anew: log in again; or give its authority with --certificate-authority.",
    )


def _tls(error: ssl.SSLError, where: str) -> KubectlRayError:
    reason = (error.reason or "").replace("_", " ").lower()
    if "certificate" in reason or "bad cert" in reason or "unknown ca" in reason:
        return NotLoggedIn(
            f"Our client certificate is refused by {where} ({reason})",
            hint="It may have expired: log in again with the tool of your cluster's provider.",
        )
    if reason in {"wrong version number", "http request", "packet length too long", "record layer failure"}:
        return Unreachable(
            f"There is no TLS at {where}", hint="Look at the address: does it have to start with http:// ?"
        )
    return Unreachable(
        f"TLS with {where} failed: {reason or 'the connection broke'}", hint="Look at the address and the proxy."
    )


def _dial(host: str, port: int, limit: float) -> socket.socket:
    """Connect to the first address of `host` that answers; each gets a head start before the next is tried as well."""
    waiting = _in_turns(socket.getaddrinfo(tls.spelled(host), port, type=socket.SOCK_STREAM))
    deadline = time.monotonic() + limit
    failure: OSError = TimeoutError()
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or selector.get_map():
                if waiting:
                    failure = _begin(selector, waiting.pop(0)) or failure
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                if not selector.get_map():
                    continue
                for key, _ in selector.select(min(_HEAD_START, left) if waiting else left):
                    attempt: socket.socket = key.data
                    selector.unregister(attempt)
                    code = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if not code:
                        return _ready(attempt, limit)
                    attempt.close()
                    failure = OSError(code, os.strerror(code))
        finally:
            for key in list(selector.get_map().values()):
                key.data.close()
    raise failure


def _begin(selector: selectors.BaseSelector, info: tuple[Any, ...]) -> OSError | None:
    """Start connecting to one address, and have `selector` tell when that is decided."""
    family, kind, protocol, _, address = info
    try:
        attempt = socket.socket(family, kind, protocol)
    except OSError as error:  # a machine without IPv6
        return error
    attempt.settimeout(0)
    try:
        attempt.connect(address)
    except (BlockingIOError, InterruptedError):
        pass
    except OSError as error:
        attempt.close()
        return error
    selector.register(attempt, selectors.EVENT_WRITE, attempt)
    return None


def _ready(attempt: socket.socket, limit: float) -> socket.socket:
    attempt.settimeout(limit)
    attempt.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    attempt.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return attempt


def _in_turns(found: list[Any]) -> list[Any]:
    """The addresses with IPv6 and IPv4 taking turns (RFC 8305 §4), so that a dead IPv6 costs a quarter of a second."""
    first = [info for info in found if info[0] == found[0][0]]
    other = [info for info in found if info[0] != found[0][0]]
    turns = [info for pair in zip(first, other, strict=False) for info in pair]
    shorter = min(len(first), len(other))
    return turns + first[shorter:] + other[shorter:]
