"""Certificates for tests: one authority, a server's certificate, client certificates."""

from __future__ import annotations

import hashlib
import ssl
from functools import cache

import trustme


class Identity:
    """A client certificate and its key, as PEM; `digest` is what a server sees of it."""

    def __init__(self, issued: trustme.LeafCert) -> None:
        self.certificate = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        self.key = issued.private_key_pem.bytes()
        self.digest = digest(ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode()))


class Authority:
    """A certificate authority and what it signs."""

    def __init__(self) -> None:
        self._authority = trustme.CA()
        self.pem = self._authority.cert_pem.bytes()

    def server(self, *names: str) -> ssl.SSLContext:
        """A server for these names that asks for, and records, client certificates of this authority."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*names).configure_cert(made)
        made.load_verify_locations(cadata=self.pem.decode())
        made.verify_mode = ssl.CERT_OPTIONAL
        made.set_alpn_protocols(["http/1.1"])
        return made

    def client(self, name: str) -> Identity:
        """A client certificate for a user of this name."""
        return Identity(self._authority.issue_cert(f"{name}@example.test", common_name=name))


def digest(der: bytes | None) -> str:
    """A short name for a certificate, empty for none."""
    return hashlib.sha256(der).hexdigest()[:16] if der else ""


@cache
def authority() -> Authority:
    """The authority of this test run: making one costs time."""
    return Authority()


@cache
def stranger() -> Authority:
    """Another authority, that nobody trusts."""
    return Authority()


@cache
def identity(name: str) -> Identity:
    """A client certificate of this test run's authority."""
    return authority().client(name)
