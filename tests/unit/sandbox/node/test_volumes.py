"""`node.volumes`: what ConfigMaps, secrets and the pod itself hold becomes files."""

from __future__ import annotations

import stat
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.sandbox.api.kinds import CONFIG_MAPS, NAMESPACES
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.node.environment import Missing
from kubectl_ray.sandbox.node.volumes import Unmountable, mount, paths

if TYPE_CHECKING:
    from pathlib import Path

MODE = 0o755
ITEM = {"key": "run.sh", "path": "deep/run.sh"}


def mounted(folder: Path, volume: dict[str, Any], key: str = "run.sh") -> Path:
    """Where the volume of a pod is; there is a ConfigMap `m` with one script."""
    objects = Objects(Store())
    objects.create(NAMESPACES, {"metadata": {"name": "n"}})
    objects.store.put(CONFIG_MAPS, {"metadata": {"name": "m", "namespace": "n"}, "data": {key: "#!/bin/sh\nexit 7\n"}})
    pod = {"metadata": {"name": "p", "namespace": "n"}, "spec": {"volumes": [{"name": "v", **volume}]}}
    for _ in range(2):  # a pod whose container starts again has it made anew
        found = mount(objects, pod, folder, {}, None)["v"]
    return found


@pytest.mark.parametrize(
    ("volume", "path"),
    [
        ({"configMap": {"name": "m", "defaultMode": MODE}}, "run.sh"),
        ({"configMap": {"name": "m", "defaultMode": 0o444, "items": [{**ITEM, "mode": MODE}]}}, "deep/run.sh"),
        ({"projected": {"sources": [{"configMap": {"name": "m"}}], "defaultMode": MODE}}, "run.sh"),
        ({"projected": {"sources": [{"configMap": {"name": "m", "items": [{**ITEM, "mode": MODE}]}}]}}, "deep/run.sh"),
    ],
)
def test_a_script_with_a_mode_can_be_run(tmp_path: Path, volume: dict[str, Any], path: str) -> None:
    """As `defaultMode` or an item's own `mode` says."""
    assert subprocess.run([mounted(tmp_path, volume) / path], check=False).returncode == 7


def test_files_stay_writable_for_their_owner(tmp_path: Path) -> None:
    """They are made anew in place, by the same user who reads them."""
    found = mounted(tmp_path, {"configMap": {"name": "m", "defaultMode": 0o400}})
    assert stat.S_IMODE((found / "run.sh").stat().st_mode) == 0o600


@pytest.mark.parametrize("key", ["../out", "/nosuch/out", "a/../../out"])
def test_a_key_that_leads_outside_is_refused(tmp_path: Path, key: str) -> None:
    """Whoever got it past the API server."""
    with pytest.raises(Unmountable, match="invalid path"):
        mounted(tmp_path / "in", {"configMap": {"name": "m"}}, key)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("volume", "left"),
    [
        ({"configMap": {"name": "m", "optional": True}}, []),
        ({"projected": {"sources": [{"configMap": {"name": "m", "optional": True}}]}}, []),
        ({"emptyDir": {}}, ["old"]),
    ],
)
def test_only_what_is_there_now_is_in_a_volume_of_keys(tmp_path: Path, volume: dict[str, Any], left: list[str]) -> None:
    """A pod that starts again, with its sandbox, has no files of keys that are gone; what a pod wrote is kept."""
    (mounted(tmp_path, volume) / "old").touch()
    assert sorted(each.name for each in mounted(tmp_path, volume, "new").iterdir()) == (left or ["new"])


@pytest.mark.parametrize("part", ["../out", "link/out"])
def test_a_part_that_leads_out_of_its_volume_is_refused(tmp_path: Path, part: str) -> None:
    """Whoever got it past the API server, or made a link; no folder is made outside."""
    volume = tmp_path / "in"
    volume.mkdir()
    (volume / "link").symlink_to(tmp_path)
    container = {"name": "a", "volumeMounts": [{"name": "v", "mountPath": "/x", "subPath": part}]}
    with pytest.raises(Missing, match='failed to prepare subPath for volumeMount "v" of container "a"'):
        paths(container, {"v": volume})
    assert not (tmp_path / "out").exists()
