"""The certificate that the server shows, from an authority of its own; both are kept, so that logins stay valid."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAMES = (
    "127.0.0.1",
    "::1",
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
AUTHORITY, SHOWN = "ca.crt", "server.pem"


def context(folder: Path) -> ssl.SSLContext:
    """What TLS needs; certificates are made at the first start, and again when those there are cannot be used.

    Raises:
        OSError: the folder cannot be written.
    """
    try:
        return _loaded(folder)
    except (OSError, ssl.SSLError):
        _make(folder)
        return _loaded(folder)


def authority(folder: Path) -> str:
    """The authority's certificate in PEM, which a client must know.

    Raises:
        OSError: there is none yet.
    """
    return (folder / AUTHORITY).read_text()


def _loaded(folder: Path) -> ssl.SSLContext:
    ssl.create_default_context(cafile=folder / AUTHORITY)
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(folder / SHOWN)
    made.set_alpn_protocols(["http/1.1"])
    return made


def _make(folder: Path) -> None:
    """The authority's own key is not kept: it signs one certificate."""
    import trustme

    signer = trustme.CA(organization_name="kubectl-ray sandbox")
    shown = signer.issue_cert(*NAMES, common_name="kubectl-ray-sandbox")
    pem = shown.private_key_pem.bytes() + b"".join(each.bytes() for each in shown.cert_chain_pems)
    write_private(folder / SHOWN, pem)
    write_private(folder / AUTHORITY, signer.cert_pem.bytes())


def write_private(path: Path, content: bytes) -> None:
    """A file that only its owner reads, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    begun = path.with_name(path.name + ".new")
    begun.unlink(missing_ok=True)
    handle = os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    begun.replace(path)
