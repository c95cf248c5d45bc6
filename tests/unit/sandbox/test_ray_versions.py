"""`sandbox.ray_versions`: another Ray than the installed one, in a virtual environment of its own."""

from __future__ import annotations

import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.sandbox.home import Trouble
from kubectl_ray.sandbox.ray_versions import Environment, beside, installed

if TYPE_CHECKING:
    from pathlib import Path

METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: default\nProvides-Extra: serve\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all packages that pip can find."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def put(shelf: Path, name: str, version: str) -> None:
    """A package that knows its version and nothing else."""
    with zipfile.ZipFile(shelf / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"__version__ = {version!r}\n")
        wheel.writestr(f"{name}-{version}.dist-info/METADATA", METADATA.format(name=name, version=version))
        wheel.writestr(f"{name}-{version}.dist-info/WHEEL", WHEEL)
        wheel.writestr(f"{name}-{version}.dist-info/RECORD", "")


def test_the_installed_one() -> None:
    """It lies beside the Python that runs this."""
    code = "import importlib.metadata as m; print(m.version('ray'))"
    assert subprocess.check_output([beside() / "python", "-c", code], text=True).strip() == installed()


def test_another_one(shelf: Path, tmp_path: Path) -> None:
    """Fetched once, in a folder whose name may have blanks and umlauts; one that was begun only is made anew."""
    put(shelf, "ray", "9.9.9")
    put(shelf, "protobuf", "6.1")
    made = Environment("9.9.9", tmp_path / "für später")
    made.folder.mkdir(parents=True)
    (made.folder / "rest").touch()
    assert not made.complete
    said = list(made.make())
    assert said[0].startswith("Fetching Ray 9.9.9")
    assert made.complete
    assert not (made.folder / "rest").exists()
    made.link()
    made.link()
    code = "import ray, kubectl_ray.sandbox.node; print(ray.__version__)"
    assert subprocess.check_output([made.programs / "python", "-c", code], text=True).strip() == "9.9.9"


def test_no_such_version(shelf: Path, tmp_path: Path) -> None:
    """Pip's own words, and the way without; nothing is left."""
    assert shelf.is_dir()
    made = Environment("9.9.8", tmp_path)
    with pytest.raises(Trouble, match=r"Ray 9\.9\.8 cannot be fetched: No matching distribution") as caught:
        list(made.make())
    assert installed() in caught.value.hint
    assert not made.folder.exists()


def test_a_full_disk(tmp_path: Path) -> None:
    """The system's word for why."""
    (tmp_path / "cache").touch()
    with pytest.raises(Trouble, match=r"cannot be fetched: Not a directory|cannot be fetched: File exists"):
        list(Environment("9.9.9", tmp_path / "cache").make())


@pytest.mark.parametrize("version", ["", "latest", "2.52", "--pre", "2.52.0;x", "2.52.0 x", "../x"])
def test_no_version(tmp_path: Path, version: str) -> None:
    """What is no version is refused before anything is asked."""
    with pytest.raises(Trouble, match="is not a version of Ray"):
        Environment(version, tmp_path)
