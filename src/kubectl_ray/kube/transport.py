"""Requests over a small pool of connections: credentials, retries of what is safe, time limits, talk.

What is tried again, and why that is safe:

- HTTP 401, once, if the credentials have something new to offer: the server has done nothing.
- HTTP 429 with any verb: the server refused before it looked at the request. HTTP 503 with Retry-After for reads only:
  a proxy may say that after it passed a write on.
- A dropped connection that had been idle: reads, once. A write is sent again only if the connection was found closed
  before its first byte was written; later nobody knows whether the server acted on it, and that is said.
"""

from __future__ import annotations

import time
from _thread import allocate_lock  # threading itself is not needed, and is not free to import
from functools import partial

from kubectl_ray import __version__
from kubectl_ray.errors import ServerError, Unreachable
from kubectl_ray.kube.connection import Connection, Dropped, Silent
from kubectl_ray.kube.http import exchange
from kubectl_ray.kube.paths import encode_query

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Mapping

    from kubectl_ray.errors import KubectlRayError
    from kubectl_ray.kube.credentials import Credentials
    from kubectl_ray.kube.http import Response
    from kubectl_ray.kube.kubeconfig import Target

    Opener = Callable[..., socket.socket]

CONNECT_SECONDS = 30.0
"""kubectl's own limit for TCP and TLS together."""
SILENCE_SECONDS = 90.0
"""Without a byte; the API server itself gives up on an ordinary request after 60."""
TRIES = 5
"""Of one request that the server puts off with 429 or 503."""
PAUSE_LIMIT = 30.0
"""Seconds of Retry-After that are waited at most."""
READS = frozenset({"GET", "HEAD"})
_SECRET = ("authorization", "token", "cookie")


class Transport:
    """Sends requests to one API server; safe to use from several threads.

    `connect` opens a socket as `kube.connect.open_socket` does. `clock` and `sleep` count seconds.
    """

    def __init__(  # what varies is handed in
        self,
        target: Target,
        credentials: Credentials,
        env: Mapping[str, str],
        *,
        request_timeout: float | None = None,
        talk: Callable[[int, str], None] | None = None,
        connect: Opener | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.target = target
        self.credentials = credentials
        self.request_timeout = request_timeout or None
        self.talk = talk or _silent
        self.clock = clock
        self.sleep = sleep
        self.requests = 0
        self.closed = False
        self.server = f"The API server {target.server}"
        self._env = env
        self._connect = connect
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._lock = allocate_lock()

    def open(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        timeout: float | None = None,
        relayed: bool = False,
    ) -> Response:
        """Send a request, with what retries are safe, and give the answer whatever its status.

        `timeout` (seconds, for everything up to the end of the body) stands in for --request-timeout; 0 is for ever.
        `relayed`: the answer may come from behind the API server (a service proxy), so its 429 and 503 are the
        caller's, and a 401 counts only if it is the API server's own.

        Raises:
            Unreachable: no connection, no answer, or none in time.
            ServerError: an answer that is not HTTP.
        """
        limit = self.request_timeout if timeout is None else timeout
        deadline = time.monotonic() + limit if limit else None
        where = self.target.prefix + path + encode_query(query)
        renewed = False
        tries = 0
        while True:
            response = self._send(method, where, list(headers), body, deadline)
            if response.status == 401 and not renewed and self._may_renew(response, relayed=relayed):  # noqa: PLR2004 -- Unauthorized
                renewed = True
                continue
            tries += 1
            pause = None if relayed or tries >= TRIES else put_off(method, response)
            if pause is None or (deadline is not None and time.monotonic() + pause > deadline):
                return response
            self._discard(response)
            self.talk(
                0 if pause > 1 else 2, f"The API server is busy ({response.status}); trying again in {pause:g} s."
            )
            self.sleep(pause)

    def hand_over(self, connection: Connection) -> socket.socket:
        """Give a connection away after an upgrade; `close` no longer knows it."""
        with self._lock:
            self._busy.discard(connection)
        return connection.sock

    def forget_idle(self) -> None:
        """Close the connections that nobody uses: after a network was gone they look open, and are dead."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def close(self) -> None:
        """Close all connections; whoever reads from one in another thread gets its end, and watches end."""
        self.closed = True
        with self._lock:
            idle, self._idle = self._idle, []
            busy = list(self._busy)
        for connection in idle:
            connection.close()
        for connection in busy:
            connection.wake()  # its reader closes it: a descriptor closed under a reader may be another's by then

    def _may_renew(self, response: Response, *, relayed: bool) -> bool:
        body = response.keep()
        if relayed and b'"Status"' not in body:
            return False
        return self.credentials.renew()

    def _discard(self, response: Response) -> None:
        """Read a short answer to its end, so that its connection can be used again."""
        try:
            response.read_all()
        except (Unreachable, ServerError):
            response.close()

    def _send(
        self, method: str, where: str, headers: list[tuple[str, str]], body: bytes, deadline: float | None
    ) -> Response:
        asked = [("Host", host(self.target)), ("User-Agent", f"kubectl-ray/{__version__}"), *headers]
        if body or method not in READS:
            asked.append(("Content-Length", str(len(body))))
        while True:
            connection, login = self._ready(deadline)
            sent = [*asked, *login]
            idle = connection.used
            began = time.monotonic()
            with self._lock:
                self.requests += 1
            self.talk(
                3, "\n".join([f"> {method} {where}", *(f"> {name}: {hide(name, value)}" for name, value in sent)])
            )
            try:
                response = exchange(connection, method, where, sent, body)
            except Dropped as error:
                self._forget(connection)
                if idle and method in READS:
                    continue
                raise self._dropped(method, error) from error
            except BaseException:
                self._forget(connection)
                raise
            break
        seen = "\n".join(
            [f"< {response.status} {response.reason}", *(f"< {n}: {hide(n, v)}" for n, v in response.headers)]
        )
        self.talk(3, seen)

        def ended(response: Response) -> None:
            took = (time.monotonic() - began) * 1000
            size = f"{response.received / 1000:.1f} kB"
            url = f"{self.target.scheme}://{host(self.target)}{where}"
            self.talk(2, f"{method} {url} {response.status} in {took:.0f} ms, {size}")
            self._release(response)

        if response.done:
            if response.status != 101:  # noqa: PLR2004 -- an upgraded connection belongs to its new user
                ended(response)
        else:
            response.on_end = ended
        return response

    def _dropped(self, method: str, error: Dropped) -> KubectlRayError:
        cause: BaseException | None = error
        while cause is not None and "ALERT" not in str(getattr(cause, "reason", "")):
            cause = cause.__cause__
        if isinstance(cause, OSError):
            # In TLS 1.3 a server refuses a client certificate only after the handshake: at the first read.
            from kubectl_ray.kube.connect import explain

            return explain(self.target, cause)
        if method in READS:
            hint = "The API server may be starting anew: try again in a moment."
        else:
            hint = "It is not known whether the change was made: look before you try again."
        return Unreachable(error.message, hint)

    def _ready(self, deadline: float | None) -> tuple[Connection, list[tuple[str, str]]]:
        """A connection and the headers of the login; an exec plugin works while the connection is made."""
        self.credentials.warm()
        connection = self._take(deadline)
        try:
            login = self.credentials.headers()
        except BaseException:
            self._forget(connection)
            raise
        if not connection.used and not connection.alive():
            # The login took its time (a person had to type), and the server did not wait for it.
            self._forget(connection)
            connection = self._take(deadline)
        return connection, login

    def _take(self, deadline: float | None) -> Connection:
        """An idle connection that is still good, or a new one."""
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise Silent(f"{self.server} did not answer in time", "Give it longer with --request-timeout.")
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                connection = self._dial(CONNECT_SECONDS if left is None else min(left, CONNECT_SECONDS))
            elif connection.generation != self.credentials.generation or not connection.alive():
                connection.close()
                continue
            connection.deadline = deadline
            connection.silence = SILENCE_SECONDS
            with self._lock:
                self._busy.add(connection)
            if self.closed:  # asked only now, so that `close` either sees this connection or is seen here
                self._forget(connection)
                raise Unreachable(f"The connection to {self.target.server} was closed on this side")
            return connection

    def opener(self) -> Opener:
        """What opens connections; the real way out is imported when it is first taken: ssl is not free."""
        if self._connect is None:
            from kubectl_ray.kube.connect import open_socket
            from kubectl_ray.kube.tls import Contexts

            contexts = Contexts()
            with self._lock:
                self._connect = self._connect or partial(open_socket, contexts=contexts)
        return self._connect

    def _dial(self, seconds: float) -> Connection:
        try:
            sock = self.opener()(self.target, self.credentials, self._env, timeout=seconds)
        except OSError as error:
            raise Unreachable(
                f"{self.server} cannot be reached: {error.strerror or error}",
                "Is the cluster running, and is this the right context? kubectl config get-contexts",
            ) from error
        # Read after connecting: that is when the certificate may have been fetched.
        return Connection(sock, self.server, generation=self.credentials.generation)

    def _release(self, response: Response) -> None:
        connection = response.connection
        with self._lock:
            self._busy.discard(connection)
            reusable = response.reusable and not self.closed  # nobody would close it after `close`
            if reusable:
                self._idle.append(connection)
        if not reusable:
            connection.close()

    def _forget(self, connection: Connection) -> None:
        with self._lock:
            self._busy.discard(connection)
        connection.close()


def put_off(method: str, response: Response) -> float | None:
    """Seconds to wait before the same request may be sent again, or None where it may not."""
    told = response.header("retry-after").strip()
    seconds = float(told) if told.isascii() and told.isdigit() and len(told) < 8 else None  # noqa: PLR2004 -- months
    if response.status == 429:  # noqa: PLR2004 -- Too Many Requests
        return min(1.0 if seconds is None else seconds, PAUSE_LIMIT)
    if response.status == 503 and method in READS and seconds is not None:  # noqa: PLR2004 -- Service Unavailable
        return min(seconds, PAUSE_LIMIT)
    return None


def host(target: Target) -> str:
    """The Host header: the port only where it is not the scheme's own."""
    name = f"[{target.host}]" if ":" in target.host else target.host
    return name if target.port == {"http": 80, "https": 443}.get(target.scheme) else f"{name}:{target.port}"


def hide(name: str, value: str) -> str:
    """A header's value as it may be shown."""
    return "<redacted>" if any(word in name.lower() for word in _SECRET) else value


def _silent(_level: int, _text: str) -> None:
    """Nobody listens."""
