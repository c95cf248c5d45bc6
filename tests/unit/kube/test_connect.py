"""`kube.connect`: from a target to an open connection, and every failure in words. The servers here are real ones."""

from __future__ import annotations

import contextlib
import errno
import io
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.errors import KubectlRayError, NotLoggedIn, Unreachable
from kubectl_ray.kube import connect
from kubectl_ray.kube.credentials import Credentials
from kubectl_ray.kube.kubeconfig import Target
from tests.wire.certificates import authority, identity, stranger
from tests.wire.proxies import http_proxy, socks_proxy
from tests.wire.recorder import NAMES, Recorder, recorder, tls_recorder

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[Recorder]:
    with tls_recorder() as record:
        yield record


def _target(
    port: int, host: str = "127.0.0.1", scheme: str = "https", user: dict[str, Any] | None = None, **cluster: Any
) -> Target:
    known = {
        "certificate-authority-data": authority().pem,
        **{key.replace("_", "-"): value for key, value in cluster.items()},
    }
    return Target(f"{scheme}://{host}:{port}", known, user or {"token": "t"})


def _open(target: Target, timeout: float | None, **env: str) -> contextlib.closing[socket.socket]:
    credentials = Credentials(target, env, interactive=False, stderr=io.StringIO())
    return contextlib.closing(connect.open_socket(target, credentials, env, timeout=timeout))


def _asked(target: Target, **env: str) -> bytes:
    """The answer to one request."""
    with _open(target, 10, **env) as connection:
        connection.sendall(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
        return connection.recv(4096)


def _fails(target: Target, kind: type[KubectlRayError], words: str, timeout: float = 10, **env: str) -> KubectlRayError:
    with pytest.raises(kind, match=words) as caught:
        _open(target, timeout, **env)
    assert type(caught.value) is kind
    assert caught.value.hint
    return caught.value


@pytest.fixture(autouse=True)
def _fresh(server: Recorder) -> None:
    server.seen.clear()


def test_tls(server: Recorder) -> None:
    """A connection over TLS, with the timeout that was asked for; an address is no SNI."""
    with _open(_target(server.port), 7) as connection:
        assert connection.gettimeout() == 7
        connection.sendall(b"GET /x HTTP/1.1\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    assert server.seen[0].sni is None


def test_no_timeout_afterwards(server: Recorder) -> None:
    """Without a timeout reads may take for ever."""
    with _open(_target(server.port), None) as connection:
        assert connection.gettimeout() is None


@pytest.mark.parametrize(
    ("cluster", "host", "sni"),
    [
        ({}, "localhost", "localhost"),
        ({"tls_server_name": "api.example.test"}, "127.0.0.1", "api.example.test"),
        ({"tls_server_name": "api.example.test."}, "127.0.0.1", "api.example.test"),
        ({"certificate_authority_data": None, "insecure_skip_tls_verify": True}, "localhost", "localhost"),
    ],
)
def test_sni(cluster: dict[str, Any], host: str, sni: str, server: Recorder) -> None:
    """The name asked for is the host's, or tls-server-name, whether or not it is verified."""
    assert _asked(_target(server.port, host, **cluster))
    assert server.seen[0].sni == sni


def test_client_certificate(server: Recorder) -> None:
    """A client certificate reaches the server."""
    ada = identity("ada")
    user = {"client-certificate-data": ada.certificate, "client-key-data": ada.key}
    assert _asked(_target(server.port, user=user))
    assert server.seen[0].certificate == ada.digest


def test_plain() -> None:
    """An http:// server gets no TLS."""
    with recorder(None) as record:
        assert _asked(_target(record.port, scheme="http")).startswith(b"HTTP/1.1 200")


def test_ipv6() -> None:
    """An IPv6 address is reached, and proves itself by its certificate."""
    with tls_recorder(host="::1") as record:
        assert _asked(_target(record.port, "[::1]")).startswith(b"HTTP/1.1 200")


def test_second_address_when_the_first_refuses(server: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with a dead address and a good one is reached by the good one."""
    dead = _free_port()
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", dead)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert _asked(_target(server.port, "localhost"))


def test_second_address_when_the_first_is_silent(server: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that says nothing costs a head start, not the whole timeout."""
    with _full() as silent:
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", silent)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        began = time.monotonic()
        assert _asked(_target(server.port, "localhost"))
        assert time.monotonic() - began < 5  # the timeout is 10


def test_families_take_turns() -> None:
    """IPv6 and IPv4 are tried by turns, the resolver's favourite first."""
    found = [(6, "a"), (6, "b"), (6, "c"), (4, "d"), (4, "e")]
    assert [address for _, address in connect._in_turns(found)] == ["a", "d", "b", "e", "c"]


def test_refused() -> None:
    """Nobody listens."""
    _fails(_target(_free_port()), Unreachable, "connection refused")


def test_unknown_host() -> None:
    """A host that no name server knows."""
    _fails(_target(443, "api.nowhere.invalid"), Unreachable, "host name of the API server .* is not known")


def test_silent_server() -> None:
    """A server that accepts no connection is given up after the timeout."""
    with _full() as port:
        error = _fails(_target(port), Unreachable, "No answer in time", timeout=0.3)
    assert "--request-timeout" in error.hint


def test_silent_handshake() -> None:
    """A server that accepts and then says nothing is given up too."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        _fails(_target(listener.getsockname()[1]), Unreachable, "No answer in time", timeout=1)


def test_impossible_name(server: Recorder) -> None:
    """A server name that no certificate can have is an error in words."""
    _fails(_target(server.port, tls_server_name=".x"), Unreachable, "cannot be")


def test_unknown_authority(server: Recorder) -> None:
    """A server of another authority is not trusted, and that is said."""
    error = _fails(_target(server.port, certificate_authority_data=stranger().pem), Unreachable, "unknown authority")
    assert "--certificate-authority" in error.hint


def test_system_authorities_do_not_know_it(server: Recorder) -> None:
    """Without an authority of its own the system's have to know the server."""
    _fails(_target(server.port, certificate_authority_data=None), Unreachable, "unknown authority")


@pytest.mark.parametrize("name", ["other.example.test", "127.0.0.2"])
def test_other_name(name: str, server: Recorder) -> None:
    """A certificate for another name or address."""
    error = _fails(_target(server.port, tls_server_name=name), Unreachable, f"for another name than {name}")
    assert "--tls-server-name" in error.hint


def test_expired_server_certificate() -> None:
    """A server's certificate that is over is the cluster's trouble or the clock's."""
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_code, error.verify_message = 10, "certificate has expired"
    told = connect.explain(_target(1), error)
    assert "has expired" in told.message
    assert "clock" in told.hint


def test_no_tls_there() -> None:
    """A server that speaks plain http where TLS is expected."""
    with recorder(None) as record:
        error = _fails(_target(record.port), Unreachable, "There is no TLS")
    assert "http://" in error.hint


def test_server_that_hangs_up() -> None:
    """A connection that breaks during the handshake."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            connection, _ = listener.accept()
            connection.recv(1)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        _fails(_target(listener.getsockname()[1]), Unreachable, "failed")
        thread.join()


def test_refused_certificate() -> None:
    """A server that refuses the client certificate: that is the login."""
    error = ssl.SSLError(1, "x")
    error.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    told = connect.explain(_target(1), error)
    assert isinstance(told, NotLoggedIn)
    assert "log in again" in told.hint


@pytest.mark.parametrize("number", [errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ECONNRESET, errno.EPIPE, errno.EMFILE])
def test_every_other_error(number: int) -> None:
    """Whatever the system says is passed on in words."""
    import os

    told = connect.explain(_target(1), OSError(number, os.strerror(number)))
    assert isinstance(told, Unreachable)
    assert os.strerror(number) in told.message


def test_login_that_cannot_be_had(server: Recorder) -> None:
    """An error of the login comes through as it is."""
    user = {"client-certificate-data": b"x", "client-key-data": b"y"}
    _fails(_target(server.port, user=user), NotLoggedIn, "client certificate")


def test_http_proxy(server: Recorder) -> None:
    """Through an HTTP proxy, with its login."""
    with http_proxy(server.port) as proxy:
        target = _target(443, "api.example.test", proxy_url=f"http://ada:pw@127.0.0.1:{proxy.port}")
        assert _asked(target).startswith(b"HTTP/1.1 200")
    assert proxy.asked == [("api.example.test:443", "Basic YWRhOnB3")]
    assert server.seen[0].sni == "api.example.test"


def test_proxy_of_the_environment(server: Recorder) -> None:
    """Through the environment's proxy."""
    with http_proxy(server.port) as proxy:
        assert _asked(_target(6443, "api.example.test"), HTTPS_PROXY=f"127.0.0.1:{proxy.port}")
    assert proxy.asked == [("api.example.test:6443", "")]


def test_socks_proxy(server: Recorder) -> None:
    """Through a SOCKS5 proxy, which looks the name up."""
    with socks_proxy(server.port) as proxy:
        assert _asked(_target(6443, "api.example.test", proxy_url=f"socks5://127.0.0.1:{proxy.port}"))
    assert proxy.asked == [("api.example.test:6443", "")]


def test_https_proxy_carries_tls_inside_tls(server: Recorder) -> None:
    """Through a proxy that is itself reached over TLS, with a lot of data in both directions."""
    with http_proxy(server.port, context=authority().server(*NAMES)) as proxy:
        target = _target(443, "api.example.test", proxy_url=f"https://localhost:{proxy.port}")
        with _open(target, 10) as connection:
            head = b"GET /x HTTP/1.1\r\nX-Long: " + b"y" * 60_000 + b"\r\n\r\n"
            connection.sendall(head * 8)
            answer = b""
            while answer.count(b"HTTP/1.1 200") < 8:
                answer += connection.recv(65536)
            connection.settimeout(0)
            with pytest.raises((BlockingIOError, ssl.SSLWantReadError)):
                connection.recv(1)
    assert [len(seen.header("x-long") or "") for seen in server.seen] == [60_000] * 8


def test_https_proxy_presents_the_client_certificate_inside(server: Recorder) -> None:
    """The client certificate is for the API server, at the far end of the tunnel."""
    ada = identity("ada")
    user = {"client-certificate-data": ada.certificate, "client-key-data": ada.key}
    with http_proxy(server.port, context=authority().server(*NAMES)) as proxy:
        assert _asked(_target(443, "api.example.test", user=user, proxy_url=f"https://127.0.0.1:{proxy.port}"))
    assert server.seen[0].certificate == ada.digest


def test_end_of_the_inner_connection(server: Recorder) -> None:
    """When the server at the far end hangs up, reading comes to an end."""
    with http_proxy(server.port, context=authority().server(*NAMES)) as proxy:
        target = _target(443, "api.example.test", proxy_url=f"https://localhost:{proxy.port}")
        with _open(target, 10) as connection:
            connection.sendall(b"BROKEN\r\n")
            answer = b""
            while more := connection.recv(10):
                answer += more
    assert answer.startswith(b"HTTP/1.1 400")


def test_proxy_that_is_down(server: Recorder) -> None:
    """It is said that it is the proxy that nobody listens at."""
    _fails(_target(server.port, proxy_url=f"http://127.0.0.1:{_free_port()}"), Unreachable, "at the proxy 127.0.0.1")


def test_proxy_that_nobody_knows(server: Recorder) -> None:
    """An https proxy of another authority is not trusted, and it is said that it is the proxy."""
    with http_proxy(server.port, context=stranger().server(*NAMES)) as proxy:
        target = _target(443, "api.example.test", proxy_url=f"https://localhost:{proxy.port}")
        _fails(target, Unreachable, "certificate of the proxy localhost")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextlib.contextmanager
def _full() -> Iterator[int]:
    """A port whose queue of connections is full, so that a further one gets no answer."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)  # noqa: FBT003 -- the standard library's way
            with contextlib.suppress(BlockingIOError):
                waiting.connect(("127.0.0.1", port))
        yield port
