"""What `tar` in a container calls its members."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.sandbox.node.archives import named_as_inside
from kubectl_ray.sandbox.node.translation import Translation

if TYPE_CHECKING:
    from pathlib import Path


def members(argv: list[str], folder: Path) -> list[str]:
    """Of the archive that the command makes."""
    meaning = Translation(paths=[("/data", str(folder / "real")), ("/data/deep", str(folder / "deep"))])
    for name in ("real", "deep"):
        (folder / name / "sub").mkdir(parents=True)
        (folder / name / "sub" / "file").write_text(name)
    made = meaning.argv(named_as_inside(argv, meaning, folder / "view"))
    archive = subprocess.run(made, capture_output=True, check=True).stdout
    told = subprocess.run(["tar", "tf", "-"], input=archive, capture_output=True, check=True).stdout
    return [line.rstrip("/") for line in told.decode().splitlines()]


@pytest.mark.parametrize("how", [["tar", "cf", "-"], ["tar", "-cf", "-"], ["/bin/tar", "--create", "-f", "-"]])
def test_members_have_their_names_inside(how: list[str], tmp_path: Path) -> None:
    """However it is told to create."""
    assert members([*how, "/data/sub"], tmp_path) == ["data/sub", "data/sub/file"]


def test_a_whole_volume(tmp_path: Path) -> None:
    """The folder itself, not the link that stands for it."""
    assert "data/./sub/file" in members(["tar", "cf", "-", "/data"], tmp_path)


def test_the_deepest_volume_counts(tmp_path: Path) -> None:
    """A volume within a volume."""
    assert members(["tar", "cf", "-", "/data/deep/sub/file"], tmp_path) == ["data/deep/sub/file"]


@pytest.mark.parametrize("argv", [["tar", "xmf", "-", "-C", "/data"], ["cat", "/data/c"], ["tar"], []])
def test_other_commands_are_left_alone(argv: list[str], tmp_path: Path) -> None:
    """Extraction, other programs, nothing."""
    meaning = Translation(paths=[("/data", "/elsewhere")])
    assert named_as_inside(argv, meaning, tmp_path) == argv
