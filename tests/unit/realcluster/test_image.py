"""Images are written as `docker save` does."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.realcluster.image import Image, Layer, configuration, store_digest, stored_layer, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def layers(tmp_path: Path) -> list[Layer]:
    """Two layers with one file each."""
    found = []
    for name in ("lower", "upper"):
        folder = tmp_path / name
        folder.mkdir()
        with tarfile.open(folder / "layer.tar", "w") as tar:
            member = tarfile.TarInfo(name)
            member.size = len(name)
            tar.addfile(member, io.BytesIO(name.encode()))
        store_digest(folder)
        found.append(stored_layer(folder))
    return found


def archive(image: Image) -> dict[str, bytes]:
    """The members of a written image."""
    out = io.BytesIO()
    write(image, out)
    with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as tar:
        return {member.name: content.read() for member in tar if (content := tar.extractfile(member))}


def manifest(members: dict[str, bytes]) -> dict[str, Any]:
    """The archive's only entry."""
    (entry,) = json.loads(members["manifest.json"])
    return dict(entry)


def test_layers_come_in_order_with_their_content(layers: list[Layer]) -> None:
    """The manifest lists the layers from the lowest on, and each is there byte for byte."""
    members = archive(Image("localhost/x:1", layers, "amd64"))
    assert [members[name] for name in manifest(members)["Layers"]] == [layer.file.read_bytes() for layer in layers]


def test_configuration_is_named_by_its_content(layers: list[Layer]) -> None:
    """The configuration's name is its SHA-256, and it lists the layers' digests."""
    members = archive(Image("localhost/x:1", layers, "amd64"))
    name = manifest(members)["Config"]
    assert name == hashlib.sha256(members[name]).hexdigest() + ".json"
    digests = [f"sha256:{hashlib.sha256(layer.file.read_bytes()).hexdigest()}" for layer in layers]
    assert json.loads(members[name])["rootfs"] == {"type": "layers", "diff_ids": digests}


def test_name_is_the_one_asked_for(layers: list[Layer]) -> None:
    """Pods find the image under this name."""
    assert manifest(archive(Image("localhost/x:1", layers, "amd64")))["RepoTags"] == ["localhost/x:1"]


def test_same_content_same_image(layers: list[Layer]) -> None:
    """No clock and no chance goes into an image."""
    assert archive(Image("localhost/x:1", layers, "amd64")) == archive(Image("localhost/x:1", layers, "amd64"))


def test_what_a_container_starts_with(layers: list[Layer]) -> None:
    """Command, entry point and environment are the image's; what is not set is left out."""
    image = Image("localhost/x:1", layers, "arm64", entrypoint=("/pause",), environment=("A=1",))
    document = json.loads(configuration(image))
    assert document["architecture"] == "arm64"
    assert document["config"]["Entrypoint"] == ["/pause"]
    assert document["config"]["Env"][-1] == "A=1"
    assert "Cmd" not in document["config"]
