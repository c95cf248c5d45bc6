"""Which Python is taken for the one that a person uses Ray with."""

from __future__ import annotations

import sys
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.flows.local_python import LocalPython

if TYPE_CHECKING:
    from pathlib import Path

    from kubectl_ray.diagnose.client_versions import Versions

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the programs of these cases are shell scripts")
PATH = {"PATH": "/usr/bin:/bin"}


def versions(env: dict[str, str]) -> Versions:
    """What is found in this environment."""
    return LocalPython(env).versions()


def program(path: Path, says: str) -> None:
    """A python3 that gives this answer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nprintf '{says}'\n")
    path.chmod(0o755)


def test_the_active_environment_comes_first(tmp_path: Path) -> None:
    """A virtual environment, then conda's, then PATH."""
    program(tmp_path / "venv/bin/python", "3.11.1\\n2.52.0\\n")
    program(tmp_path / "conda/bin/python", "3.12.2\\n\\n")
    program(tmp_path / "path/python3", "3.13.3\\n\\n")
    env = {
        "VIRTUAL_ENV": f"{tmp_path}/venv",
        "CONDA_PREFIX": f"{tmp_path}/conda",
        "PATH": f"{tmp_path}/path:/usr/bin:/bin",
    }
    found = versions(env)
    assert (found.python, found.ray) == ("3.11.1", "2.52.0")
    del env["VIRTUAL_ENV"]
    assert versions(env).python == "3.12.2"
    del env["CONDA_PREFIX"]
    found = versions(env)
    assert (found.python, found.ray) == ("3.13.3", "")


def test_an_environment_that_is_gone(tmp_path: Path) -> None:
    """What cannot be started is passed over."""
    program(tmp_path / "path/python3", "3.13.3\\n\\n")
    env = {"VIRTUAL_ENV": f"{tmp_path}/gone", "PATH": f"{tmp_path}/path:/usr/bin:/bin"}
    assert versions(env).python == "3.13.3"


def test_none() -> None:
    """Nothing is known where there is no Python."""
    assert versions({"PATH": "/nonexistent"}).python == ""


def test_a_real_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This very Python answers; a module of the present folder is not run."""
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "__init__.py").write_text("raise SystemExit(1)")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / "bin" / "python").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert versions({**PATH, "VIRTUAL_ENV": str(tmp_path)}).python == "{}.{}.{}".format(*sys.version_info[:3])


def test_closing_ends_it(tmp_path: Path) -> None:
    """No process is left when a session ends while it asks, and none is started after that."""
    program(tmp_path / "bin/python", "")
    (tmp_path / "bin/python").write_text(f"#!/bin/sh\necho > {tmp_path}/asked\nexec sleep 600\n")
    asking = LocalPython({**PATH, "VIRTUAL_ENV": str(tmp_path)})
    found: list[Versions] = []
    thread = Thread(target=lambda: found.append(asking.versions()))
    thread.start()
    while not (tmp_path / "asked").exists():
        thread.join(0.01)
    asking.close()
    thread.join(60)
    assert found[0].python == ""
    assert asking.versions().python == ""
