"""What the sandbox's commands share."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.commands.sandbox import local
from kubectl_ray.sandbox.home import Home, Run
from tests.unit.cli.running import run

if TYPE_CHECKING:
    from pathlib import Path

RUN = Run(pid=1, created=2.5, since=3.5, port=4, ca="ca", token="t", cpus=8, memory=5, ray="2.52.0")


@pytest.mark.parametrize("command", ["start", "stop", "status"])
def test_the_extra_is_missing(env: dict[str, str], monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """One clear error, whose last line is what to type."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in {"ray", "aiohttp"} else find(name))
    said = run(f"sandbox {command}", env)
    assert said.code == 1
    assert said.err == (
        "Error: The sandbox is not installed: aiohttp, ray cannot be found\n"
        "Install it:  pip install 'kubectl-ray[sandbox]'\n"
    )


def test_windows(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It says where it would work."""
    from kubectl_ray.errors import KubectlRayError

    assert env
    monkeypatch.setattr(os, "name", "nt")
    try:
        with pytest.raises(KubectlRayError, match="Linux and macOS") as caught:
            local.require()
    finally:
        monkeypatch.undo()
    assert "WSL" in caught.value.hint


def test_no_home() -> None:
    """Nothing says where its folder is to be."""
    said = run("sandbox status", {"PATH": os.environ["PATH"]})
    assert said.code == 1
    assert "KUBECTL_RAY_SANDBOX_HOME" in said.err


def test_a_login_is_known_again(tmp_path: Path) -> None:
    """By the folder that its cluster names, whatever else changed; another sandbox's is not ours."""
    one, other = Home(tmp_path / "ä one"), Home(tmp_path / "other")
    made = local.login(one, RUN)
    assert made.cluster["server"] == "https://127.0.0.1:4"
    assert made.user == {"token": "t"}
    assert local.made_by(one)(made.cluster | {"server": "x"})
    assert not local.made_by(other)(made.cluster)


MARK = "sandbox.kubectl-ray"
FOREIGN = [{}, {"extensions": None}, {"extensions": [7, {"name": "x"}]},
           {"extensions": [{"name": MARK, "extension": {"home": 7}}]}]  # fmt: skip


@pytest.mark.parametrize("cluster", FOREIGN)
def test_foreign_entries(tmp_path: Path, cluster: dict[str, object]) -> None:
    """What has not our mark is never replaced."""
    home = Home(tmp_path)
    assert not local.made_by(home)(cluster)
    assert not local.replaceable_by(home)(cluster)


def test_an_entry_of_another_sandbox(tmp_path: Path) -> None:
    """It may be replaced when that one runs no more."""
    other = Home(tmp_path / "other")
    other.prepare()
    cluster = local.login(other, RUN).cluster
    assert local.replaceable_by(Home(tmp_path))(cluster)
    claim = other.claim()
    assert claim is not None
    assert not local.replaceable_by(Home(tmp_path))(cluster)
    os.close(claim)
