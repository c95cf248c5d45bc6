"""Writes kubeconfig files. JSON is YAML, so the standard library suffices."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

CONTEXT = "realcluster"


def client_certificate(folder: Path, name: str) -> dict[str, Any]:
    """The user entry that shows the certificate `NAME.crt`."""
    return {
        "client-certificate-data": encoded(folder / f"{name}.crt"),
        "client-key-data": encoded(folder / f"{name}.key"),
    }


def kubeconfig(server: str, authority: Path, user: dict[str, Any], namespace: str | None = None) -> dict[str, Any]:
    """A kubeconfig with one context, which is current."""
    place = {"namespace": namespace} if namespace else {}
    cluster = {"server": server, "certificate-authority-data": encoded(authority)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "users": [{"name": CONTEXT, "user": user}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT, **place}}],
        "current-context": CONTEXT,
    }


def encoded(file: Path) -> str:
    """A file's content as the `…-data` fields hold it."""
    return base64.b64encode(file.read_bytes()).decode()


def write(file: Path, document: dict[str, Any]) -> Path:
    """Write a kubeconfig that only its owner can read."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        json.dump(document, out, indent=2)
        out.write("\n")
    return file
