"""`node.plain_path`: a way to Python without blanks in it."""

from __future__ import annotations

import subprocess
import venv
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.sandbox.node.places import Places
from kubectl_ray.sandbox.node.plain_path import plain, remove
from kubectl_ray.sandbox.node.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """The folder of programs of a virtual environment, as people name their folders."""
    folder = tmp_path / "mein ürdner"
    venv.create(folder, with_pip=False, symlinks=True)
    return folder / "bin"


def settings(tmp_path: Path, programs: Path) -> Settings:
    """With a place for short paths that is this test's own."""
    short = tmp_path / "t"
    short.mkdir(exist_ok=True)
    return Settings(cpus=1, memory=1, ray_bin=programs, temporary=(str(short),))


def test_the_environment_works_through_it(tmp_path: Path, environment: Path) -> None:
    """Its Python finds its own packages, all by paths without a blank."""
    given = settings(tmp_path, environment)
    made = plain(Places(tmp_path / "home", given), given).ray_bin
    code = "import sys, sysconfig; print(sys.executable, sys.prefix, sysconfig.get_path('purelib'), sep='\\n')"
    said = subprocess.check_output([made / "python", "-c", code], text=True).splitlines()
    assert all(line.startswith(str(made.parent)) for line in said)
    assert " " not in str(made.relative_to(tmp_path))


def test_a_plain_path_stays(tmp_path: Path) -> None:
    """No link where none is needed."""
    given = settings(tmp_path, tmp_path / "bin")
    assert plain(Places(tmp_path / "home", given), given) == given


def test_a_second_start_and_the_end(tmp_path: Path, environment: Path) -> None:
    """The link leads to the environment of this start, and goes when all is forgotten."""
    given = settings(tmp_path, environment)
    places = Places(tmp_path / "home", given)
    plain(places, settings(tmp_path, tmp_path / "an older one" / "bin"))
    made = plain(places, given).ray_bin
    assert made.resolve() == environment
    remove(places)
    remove(places)
    assert not made.parent.is_symlink()
