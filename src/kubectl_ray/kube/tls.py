"""TLS to an API server: what to trust, whom to expect, and a client key that nobody else can read meanwhile."""

from __future__ import annotations

import contextlib
import os
import ssl
from _thread import allocate_lock

from kubectl_ray.errors import Invalid, NotLoggedIn

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from _typeshed import ReadableBuffer, WriteableBuffer

_CHUNK = 1 << 16


def context(ca: bytes | None, *, insecure: bool, system_too: bool = False) -> ssl.SSLContext:
    """Trust `ca` (PEM), or the system's authorities where there is none; ask for HTTP/1.1.

    As Go does it: a certificate in `ca` is trusted even if it is no root, and a subject's common name is no host name.

    Raises:
        Invalid: `ca` holds no certificate.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    if ssl.HAS_NEVER_CHECK_COMMON_NAME:
        made.hostname_checks_common_name = False
    if insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
        return made
    if ca:
        made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        # What stands between the PEM blocks may be anything; Python takes ASCII only.
        text = ca.decode("latin-1").encode("ascii", "replace").decode()
        try:
            made.load_verify_locations(cadata=text)
        except (ssl.SSLError, ValueError):
            raise Invalid(
                "The kubeconfig's certificate authority is not a certificate in PEM",
                hint="Log in again with the tool that wrote the kubeconfig.",
            ) from None
    if system_too or not ca:
        made.load_default_certs()
    return made


def present(made: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Have `made` log in with a client certificate (both PEM).

    OpenSSL's interface reads files only. On Linux the file is memory that has no name; elsewhere it is one that only
    its owner may read, in a folder that only its owner may open, and it is gone before this returns.

    Raises:
        NotLoggedIn: not a certificate and its key, or the key has a passphrase.
    """
    pem = certificate.rstrip() + b"\n" + key
    try:
        if hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd"):
            _from_memory(made, pem)
        else:
            _from_private_file(made, pem)
    except (ssl.SSLError, ValueError):
        raise NotLoggedIn(
            "The client certificate and key cannot be used: not PEM, not belonging together, or under a passphrase",
            hint="Log in again with the tool that wrote the kubeconfig.",
        ) from None


class Contexts:
    """The TLS context of a login to one API server, made once for all connections: each costs a millisecond."""

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._made: ssl.SSLContext | None = None
        self._for: tuple[bytes, bytes] | None = None

    def of(self, ca: bytes | None, pair: tuple[bytes, bytes] | None, *, insecure: bool) -> ssl.SSLContext:
        """With this client certificate and key (PEM), made anew when they are others than last time.

        Raises: as `context` and `present`.
        """
        with self._lock:  # two connections that begin at once share it as well
            if self._made is None or pair != self._for:
                made = context(ca, insecure=insecure)
                if pair:
                    present(made, *pair)
                self._made, self._for = made, pair
            return self._made


def _from_memory(made: ssl.SSLContext, pem: bytes) -> None:
    descriptor = os.memfd_create("kubectl-ray-login", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "wb", closefd=False) as stream:
            stream.write(pem)
        made.load_cert_chain(f"/proc/self/fd/{descriptor}", password=_no_passphrase)
    finally:
        os.close(descriptor)


def _from_private_file(made: ssl.SSLContext, pem: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="kubectl-ray-") as folder:  # made with mode 0700
        path = os.path.join(folder, "login.pem")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as stream:
            stream.write(pem)
        made.load_cert_chain(path, password=_no_passphrase)


def _no_passphrase() -> str:
    return ""  # without this OpenSSL asks on the terminal


class NestedTLS:
    """TLS inside a TLS connection (an API server behind an https:// proxy), with the methods of a socket that we use.

    `ssl` can only wrap a real socket, so that the inner records go through memory here.
    """

    def __init__(self, outer: ssl.SSLSocket, made: ssl.SSLContext, server_hostname: str) -> None:
        self._outer = outer
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._inner = made.wrap_bio(self._incoming, self._outgoing, server_hostname=spelled(server_hostname))
        self.unsent = b""
        """Records that are made and that the outer connection did not take yet; `send(b"")` tries again."""

    def do_handshake(self) -> None:
        """Shake hands with the server at the far end."""
        while True:
            try:
                self._inner.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            else:
                self._flush()
                return

    def recv_into(self, buffer: WriteableBuffer) -> int:
        """Read what there is, 0 at the end."""
        view = memoryview(buffer)
        size = len(view)
        while True:
            try:
                data = self._inner.read(size)
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return 0  # many servers leave without TLS's farewell, which ssl.SSLSocket overlooks as well
            else:
                view[: len(data)] = data
                return len(data)

    def recv(self, bufsize: int) -> bytes:
        """Read what there is, b"" at the end."""
        buffer = bytearray(bufsize)
        return bytes(buffer[: self.recv_into(buffer)])

    def sendall(self, data: ReadableBuffer) -> None:
        """Send everything."""
        view = memoryview(data).cast("B")
        while view:
            try:
                view = view[self._inner.write(view[:_CHUNK]) :]
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            self._flush()

    def send(self, data: ReadableBuffer) -> int:
        """Take as much as goes without waiting, as a socket does that never blocks.

        Raises:
            ssl.SSLWantWriteError: the outer connection has to take `unsent` first.
        """
        self._push()
        view = memoryview(data).cast("B")
        if not view:
            return 0
        sent = self._inner.write(view[:_CHUNK])
        self.unsent = self._outgoing.read()
        try:
            self._push()
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return sent
        return sent

    def pending(self) -> int:
        """How many bytes can be read without waiting."""
        return self._inner.pending() or self._incoming.pending or self._outer.pending()

    def settimeout(self, value: float | None) -> None:
        """Wait at most so many seconds for the network."""
        self._outer.settimeout(value)

    def gettimeout(self) -> float | None:
        """How many seconds a call waits for the network."""
        return self._outer.gettimeout()

    def fileno(self) -> int:
        """The descriptor to wait on; look at `pending` first."""
        return self._outer.fileno()

    def getpeercert(self, binary_form: bool = False) -> object:  # as ssl.SSLSocket has it
        """The server's certificate."""
        return self._inner.getpeercert(binary_form)

    def shutdown(self, how: int) -> None:
        """End the connection in one or both directions."""
        self._outer.shutdown(how)

    def close(self) -> None:
        """Close the connection."""
        self._outer.close()

    def _push(self) -> None:
        while self.unsent:
            self.unsent = self.unsent[self._outer.send(self.unsent) :]

    def _flush(self) -> None:
        if self._outgoing.pending:  # also an answer of TLS's own, to a key update, from a socket that never blocks
            self.unsent += self._outgoing.read()
        if self.unsent and not self._outer.gettimeout():
            with contextlib.suppress(ssl.SSLWantWriteError, ssl.SSLWantReadError):
                self._push()
        elif self.unsent:
            data, self.unsent = self.unsent, b""
            self._outer.sendall(data)

    def _fill(self) -> None:
        data = self._outer.recv(_CHUNK)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()


def spelled(host: str) -> bytes:
    """A host name as bytes: for text, socket and ssl import IDNA (1 ms), which leaves most names as they are.

    Raises:
        UnicodeError: no host can have this name.
    """
    return host.encode() if host.isascii() else host.encode("idna")


def wrap(below: socket.socket, made: ssl.SSLContext, server_hostname: str) -> socket.socket:
    """Start TLS on a connection, be it plain or TLS to a proxy already."""
    if isinstance(below, ssl.SSLSocket):
        nested = NestedTLS(below, made, server_hostname)
        nested.do_handshake()
        return nested  # type: ignore[return-value] # it has the methods of a socket that this package uses
    return made.wrap_socket(below, server_hostname=spelled(server_hostname))
