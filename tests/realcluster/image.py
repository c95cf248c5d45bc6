"""Writes images as `docker save` does, straight into containerd's import: no registry, no Docker.

The layout is that of the "docker-archive": layer tars, a JSON configuration named by its hash, and `manifest.json`
(Docker Image Specification v1.2, "Combined Image JSON + Filesystem Changeset Format").
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CREATED = "2026-01-01T00:00:00Z"  # fixed: the same content gives the same image


@dataclass(frozen=True)
class Layer:
    """One tar of files; `digest` is the SHA-256 of the tar in hex."""

    file: Path
    digest: str


@dataclass(frozen=True)
class Image:
    """A name, layers from the lowest on, and what containers made of it start with."""

    name: str
    layers: Sequence[Layer]
    architecture: str
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    extra_names: tuple[str, ...] = field(default=())


def stored_layer(folder: Path) -> Layer:
    """The layer in a folder that `store_digest` has finished."""
    return Layer(folder / "layer.tar", (folder / "digest").read_text().strip())


def store_digest(folder: Path) -> None:
    """Write the digest of the folder's `layer.tar` beside it."""
    with (folder / "layer.tar").open("rb") as tar:
        digest = hashlib.file_digest(tar, "sha256").hexdigest()
    (folder / "digest").write_text(digest + "\n")


def configuration(image: Image) -> bytes:
    """The image's JSON configuration."""
    container = {
        "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", *image.environment],
        "WorkingDir": "/",
        "Cmd": list(image.command) or None,
        "Entrypoint": list(image.entrypoint) or None,
    }
    document = {
        "architecture": image.architecture,
        "os": "linux",
        "created": CREATED,
        "config": {name: value for name, value in container.items() if value},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in image.layers]},
        "history": [{"created": CREATED, "created_by": "kubectl-ray tests"} for _ in image.layers],
    }
    return json.dumps(document, sort_keys=True).encode()


def write(image: Image, out: IO[bytes]) -> None:
    """Write the archive; `out` need not be seekable."""
    config = configuration(image)
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    layer_names = [f"{layer.digest}/layer.tar" for layer in image.layers]
    manifest = [{"Config": config_name, "RepoTags": [image.name, *image.extra_names], "Layers": layer_names}]
    for name, content in ((config_name, config), ("manifest.json", json.dumps(manifest).encode())):
        _member(out, name, len(content), io.BytesIO(content))
    for name, layer in zip(layer_names, image.layers, strict=True):
        with layer.file.open("rb") as tar:
            _member(out, name, layer.file.stat().st_size, tar)
    out.write(bytes(2 * tarfile.BLOCKSIZE))


def _member(out: IO[bytes], name: str, size: int, content: IO[bytes]) -> None:
    member = tarfile.TarInfo(name)
    member.size = size
    out.write(member.tobuf(tarfile.GNU_FORMAT))
    shutil.copyfileobj(content, out, 1 << 20)
    out.write(bytes(-size % tarfile.BLOCKSIZE))
