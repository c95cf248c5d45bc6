"""Kubeconfigs are complete, and private."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from tests.realcluster.kubeconfig import client_certificate, kubeconfig, write

if TYPE_CHECKING:
    from pathlib import Path


def test_written_for_its_owner_only(tmp_path: Path) -> None:
    """Nobody else can read a file with a key in it, from the first moment on."""
    file = write(tmp_path / "config", {"kind": "Config"})
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text()) == {"kind": "Config"}


def test_current_context_joins_cluster_and_user(tmp_path: Path) -> None:
    """The one context is current and names entries that exist."""
    (tmp_path / "ca.crt").write_text("authority")
    document = kubeconfig("https://127.0.0.1:6443", tmp_path / "ca.crt", {"token": "t"}, "team")
    (context,) = [each for each in document["contexts"] if each["name"] == document["current-context"]]
    assert context["context"]["namespace"] == "team"
    assert context["context"]["cluster"] == document["clusters"][0]["name"]
    assert context["context"]["user"] == document["users"][0]["name"]
    assert base64.b64decode(document["clusters"][0]["cluster"]["certificate-authority-data"]) == b"authority"


def test_no_namespace_unless_asked_for(tmp_path: Path) -> None:
    """An empty namespace would not be the same as none."""
    (tmp_path / "ca.crt").touch()
    document = kubeconfig("https://127.0.0.1:6443", tmp_path / "ca.crt", {})
    assert "namespace" not in document["contexts"][0]["context"]


def test_certificates_are_embedded(tmp_path: Path) -> None:
    """The file can be copied away from its folder."""
    (tmp_path / "ada.crt").write_text("certificate")
    (tmp_path / "ada.key").write_text("key")
    user = client_certificate(tmp_path, "ada")
    assert {name: base64.b64decode(data) for name, data in user.items()} == {
        "client-certificate-data": b"certificate",
        "client-key-data": b"key",
    }
