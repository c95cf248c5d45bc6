"""Keys and certificates of the node, fresh for each start, by the openssl program."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.realcluster.errors import RealClusterError
from tests.realcluster.places import NODE_ADDRESS, NODE_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DAYS = 30
SERVER, CLIENT = "serverAuth", "clientAuth"


@dataclass(frozen=True)
class Identity:
    """Who a certificate speaks for: `O=group/CN=user`, and the names a server may be called by."""

    name: str
    subject: str
    usage: str = CLIENT
    names: tuple[str, ...] = ()


def identities() -> Sequence[Identity]:
    """Everyone in the node who shows a certificate."""
    service = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    server_names = (*(f"DNS:{name}" for name in (*service, "localhost")), "IP:127.0.0.1", "IP:10.96.0.1")
    node_names = (f"DNS:{NODE_NAME}", f"IP:{NODE_ADDRESS}")
    return (
        Identity("kube-apiserver", "/CN=kube-apiserver", SERVER, (*server_names, f"IP:{NODE_ADDRESS}")),
        Identity("kube-apiserver-kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client"),
        Identity("admin", "/O=system:masters/CN=admin"),
        Identity("kuberay-operator", "/O=system:masters/CN=kuberay-operator"),
        Identity("kube-controller-manager", "/CN=system:kube-controller-manager"),
        Identity("kube-scheduler", "/CN=system:kube-scheduler"),
        Identity("kube-proxy", "/CN=system:kube-proxy"),
        Identity("kubelet", f"/O=system:nodes/CN=system:node:{NODE_NAME}", f"{CLIENT},{SERVER}", node_names),
    )


def make_authority(folder: Path) -> None:
    """Write `ca.crt` and `ca.key`, and the key pair `sa.key`, `sa.pub` that signs service accounts' tokens."""
    _key(folder / "ca.key")
    extensions = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,digitalSignature")
    _openssl(
        *("req", "-x509", "-new", "-key", folder / "ca.key", "-days", DAYS, "-subj", "/CN=kubernetes-ca"),
        *("-out", folder / "ca.crt", "-addext", extensions[0], "-addext", extensions[1]),
    )
    _openssl("genrsa", "-out", folder / "sa.key", 2048)
    _openssl("rsa", "-in", folder / "sa.key", "-pubout", "-out", folder / "sa.pub")


def make_certificate(folder: Path, who: Identity) -> None:
    """Write `NAME.crt` and `NAME.key`, signed by the folder's authority."""
    key, request, extensions = (folder / f"{who.name}.{suffix}" for suffix in ("key", "csr", "ext"))
    _key(key)
    _openssl("req", "-new", "-key", key, "-subj", who.subject, "-out", request)
    lines = ["basicConstraints=CA:FALSE", "keyUsage=digitalSignature,keyEncipherment", f"extendedKeyUsage={who.usage}"]
    # Python 3.13 verifies strictly, and wants to see which key signed
    lines += ["subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid"]
    if who.names:
        lines.append(f"subjectAltName={','.join(who.names)}")
    extensions.write_text("\n".join(lines) + "\n")
    _openssl(
        *("x509", "-req", "-in", request, "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-CAcreateserial"),
        *("-days", DAYS, "-extfile", extensions, "-out", folder / f"{who.name}.crt"),
    )
    request.unlink()
    extensions.unlink()


def signed(key: Path, content: bytes) -> bytes:
    """The RSA-SHA256 signature of some bytes."""
    return _openssl("dgst", "-sha256", "-sign", key, feed=content)


def _key(file: Path) -> None:
    _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", file)


def _openssl(*arguments: str | int | Path, feed: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *map(str, arguments)], input=feed, capture_output=True, check=False)
    if done.returncode:
        raise RealClusterError(f"openssl {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
