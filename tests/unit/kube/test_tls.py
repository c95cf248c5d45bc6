"""`kube.tls`: whom to trust, client certificates without a readable key, TLS inside TLS."""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import Invalid, KubectlRayError, NotLoggedIn
from kubectl_ray.kube import tls
from tests.wire.certificates import authority, identity

if TYPE_CHECKING:
    from collections.abc import Callable


class Watching(ssl.SSLContext):
    """A context that looks at the key's file at the moment OpenSSL reads it."""

    look: Callable[[str], None]

    def load_cert_chain(self, certfile: Any, keyfile: Any = None, password: Any = None) -> None:
        """Look, then load."""
        self.look(certfile)
        super().load_cert_chain(certfile, keyfile, password)


def _watching(look: Callable[[str], None]) -> Watching:
    made = Watching(ssl.PROTOCOL_TLS_CLIENT)
    made.look = look
    return made


def test_trusts_only_the_given_authority() -> None:
    """With an authority of its own a cluster is not trusted by way of the system's."""
    made = tls.context(authority().pem, insecure=False)
    assert len(made.get_ca_certs()) == 1
    assert (made.verify_mode, made.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert made.minimum_version == ssl.TLSVersion.TLSv1_2


def test_remarks_in_the_authority() -> None:
    """Text between the certificates may be in any language."""
    remarked = "# Zertifikatsstelle für Häuser\n".encode() + authority().pem
    assert len(tls.context(remarked, insecure=False).get_ca_certs()) == 1


def test_insecure() -> None:
    """insecure-skip-tls-verify checks neither signature nor name."""
    made = tls.context(None, insecure=True)
    assert (made.verify_mode, made.check_hostname) == (ssl.CERT_NONE, False)


def test_one_context_for_all_connections_of_a_login() -> None:
    """It is made once; a renewed client certificate needs another."""
    first, second = ((found.certificate, found.key) for found in (identity("a"), identity("b")))
    contexts = tls.Contexts()
    made = contexts.of(authority().pem, first, insecure=False)
    assert contexts.of(authority().pem, first, insecure=False) is made
    renewed = contexts.of(authority().pem, second, insecure=False)
    assert renewed is not made
    assert contexts.of(authority().pem, second, insecure=False) is renewed


@pytest.mark.parametrize(
    "ca", [b"x", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\x00"]
)
def test_authority_that_is_none(ca: bytes) -> None:
    """An authority that is no PEM is an error in words."""
    with pytest.raises(Invalid, match="not a certificate in PEM"):
        tls.context(ca, insecure=False)


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="memory with a descriptor is Linux's")
def test_key_never_touches_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux the key is in nameless memory while OpenSSL reads it, and closed afterwards."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    seen: list[str] = []

    def look(path: str) -> None:
        seen.append(str(Path(path).readlink()))
        assert list(tmp_path.iterdir()) == []

    before = len(list(Path("/proc/self/fd").iterdir()))
    tls.present(_watching(look), identity("ada").certificate, identity("ada").key)
    assert seen[0].startswith("/memfd:")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_key_file_is_private_and_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere the key is in a file of mode 0600 in a folder of mode 0700, and gone at once, whatever the umask."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delattr(os, "memfd_create", raising=False)
    modes: list[int] = []

    def look(path: str) -> None:
        modes.extend(stat.S_IMODE(file.stat().st_mode) for file in (Path(path), Path(path).parent))
        assert Path(path).is_relative_to(tmp_path)

    old = os.umask(0)
    try:
        tls.present(_watching(look), identity("ada").certificate, identity("ada").key)
    finally:
        os.umask(old)
    assert modes == [0o600, 0o700]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("memory", [True, False])
def test_nothing_stays_after_an_error(memory: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that cannot be used leaves nothing behind, and none of it is in the words."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if not memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    with pytest.raises(NotLoggedIn, match="client certificate") as caught:
        tls.present(tls.context(None, insecure=True), identity("ada").certificate, b"hunter2")
    assert "hunter2" not in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_key_of_somebody_else() -> None:
    """A key that does not belong to the certificate is an error in words."""
    with pytest.raises(NotLoggedIn, match="not belonging together"):
        tls.present(tls.context(None, insecure=True), identity("ada").certificate, identity("bob").key)


def test_key_with_a_passphrase() -> None:
    """A key under a passphrase is refused instead of asking on the terminal from within OpenSSL."""
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(identity("ada").key, None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    with pytest.raises(NotLoggedIn, match="passphrase"):
        tls.present(tls.context(None, insecure=True), identity("ada").certificate, locked)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_fuzz(ca: bytes, key: bytes) -> None:
    """Any bytes for certificates give one of our errors."""
    with pytest.raises(KubectlRayError):
        tls.context(ca or b"x", insecure=False)
    with pytest.raises(KubectlRayError):
        tls.present(tls.context(None, insecure=True), identity("ada").certificate, key)
