"""Which Ray the pods run: the installed one, or another in a virtual environment that is made when first asked for."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import kubectl_ray
from kubectl_ray.sandbox.home import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERSION = re.compile(r"\d+\.\d+\.\d+(?:[a-z0-9.]*)")
_DONE = ".complete"
_BESIDE = "protobuf<7"
"""Ray Serve up to 2.52 reads a field that 7 took away; no version needs a newer one."""


def installed() -> str:
    """The version beside this program."""
    return metadata.version("ray")


def beside() -> Path:
    """The folder with the Python that has it."""
    return Path(sys.executable).parent


class Environment:
    """One further version's place in the cache."""

    def __init__(self, version: str, cache: Path) -> None:
        if not _VERSION.fullmatch(version):
            raise Trouble(f"{version!r} is not a version of Ray", "Write it like 2.52.0.")
        self.version = version
        python = f"py{sys.version_info.major}{sys.version_info.minor}"
        self.folder = cache / f"ray-{version}-{python}"

    @property
    def programs(self) -> Path:
        """The folder with its Python."""
        return self.folder / "bin"

    @property
    def complete(self) -> bool:
        """Was it made, to the end?"""
        return (self.folder / _DONE).exists()

    def link(self) -> None:
        """Let its Python find this package, and nothing else of what is installed here: pods' `ray` is a program of it.

        Raises:
            Trouble: the disk does not take it.
        """
        ours = Path(kubectl_ray.__file__).parent
        name = f"python{sys.version_info.major}.{sys.version_info.minor}"
        there = self.folder / "lib" / name / "site-packages" / ours.name
        try:
            if not there.is_symlink() or there.readlink() != ours:
                there.unlink(missing_ok=True)
                there.symlink_to(ours)
        except OSError as error:
            raise self._failed(error.strerror or str(error)) from error

    def make(self) -> Iterator[str]:
        """Make it, saying now and then how far it is; one that was begun and never finished is made anew.

        Raises:
            Trouble: the network or the disk is in the way, or there is no such version for this Python.
        """
        yield f"Fetching Ray {self.version}, some 200 MB, once"
        try:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            yield from _run([sys.executable, "-m", "venv", str(self.folder)])
            pip = [str(self.programs / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
            yield from _run([*pip, "--progress-bar=off", f"ray[default,serve]=={self.version}", _BESIDE])
            (self.folder / _DONE).touch()
        except OSError as error:
            raise self._failed(error.strerror or str(error)) from error
        except _Failed as error:
            raise self._failed(str(error)) from error
        finally:
            if not self.complete:
                shutil.rmtree(self.folder, ignore_errors=True)

    def _failed(self, why: str) -> Trouble:
        return Trouble(
            f"Ray {self.version} cannot be fetched: {why}",
            f"It needs the network, once. The installed Ray {installed()} needs none: leave --ray-version out.",
        )


class _Failed(Exception):
    """A program's last word."""


def _run(argv: list[str]) -> Iterator[str]:
    """Run it, and yield what it says; its errors become one line."""
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None  # noqa: S101 -- it was asked for
        last = wrong = ""
        try:
            for line in process.stdout:
                last = line.strip() or last
                if last.startswith("Downloading ") and last.endswith(" MB)"):
                    yield last  # the large ones; there are sixty
                elif last.startswith("Installing "):
                    yield "Installing"
                elif last.startswith("ERROR: "):
                    wrong = last.removeprefix("ERROR: ")
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise _Failed(wrong or last or f"exit code {process.returncode}")
