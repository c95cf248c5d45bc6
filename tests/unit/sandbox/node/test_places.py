"""Folders and ports of pods."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubectl_ray.sandbox.node import places
from kubectl_ray.sandbox.node.places import Places
from kubectl_ray.sandbox.node.ports import RAY_PORTS, Ports, free, key, moved
from kubectl_ray.sandbox.node.serve_proxy import place
from kubectl_ray.sandbox.node.settings import Settings
from kubectl_ray.sandbox.node.volumes import clear

POD: dict[str, Any] = {"metadata": {"name": "p", "namespace": "ns", "uid": "u"}, "spec": {"containers": []}}


def settings(*temporary: Path) -> Settings:
    """With these for temporary folders."""
    given = Settings(cpus=1, memory=1 << 30, ray_bin=Path(sys.executable).parent)
    return replace(given, temporary=tuple(map(str, temporary))) if temporary else given


def test_a_pods_folder_is_short_and_private(tmp_path: Path) -> None:
    """Unix sockets must fit, whatever the state folder is called; the same pod always has the same one."""
    held = Places(tmp_path / ("long " * 20 + "ü"), settings())
    found = held.pod("u")
    assert len(str(found.ray)) < 40
    assert found.path == held.pod("u").path
    assert found.path != Places(tmp_path / "other", settings()).pod("u").path
    found.make(Path(sys.executable).parent)
    try:
        assert found.path.parent.stat().st_mode & 0o077 == 0
    finally:
        asyncio.run(held.forget(POD))
    assert not found.path.exists()


def test_a_state_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    """Names are bytes: those that the locale cannot read are a name like any other, and are swept like any other."""
    odd = tmp_path / os.fsdecode(b"h\xff")
    odd.mkdir()
    held = Places(odd, settings())
    found = held.pod("u")
    found.make(Path(sys.executable).parent)
    try:
        assert found.path.is_dir()
        held.sweep(())
        assert not found.path.exists()
    finally:
        asyncio.run(held.forget(POD))


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    """Nor a link; the next place is taken, or none."""
    open_, linked, good = (tmp_path / each for each in ("a", "b", "c"))
    for each in (open_, linked, good):
        each.mkdir()
    name = f"kr-{os.getuid()}"
    (open_ / name).mkdir()
    (open_ / name).chmod(0o777)
    (linked / name).symlink_to(good)
    assert Places(tmp_path, settings(open_, linked, good)).short == good / name
    with pytest.raises(OSError, match="no folder of one's own"):
        Places(tmp_path, settings(open_, linked))


def test_a_folder_that_somebody_else_made_meanwhile_is_not_used(tmp_path: Path) -> None:
    """The last sandbox that is forgotten takes the folder for all pods away: whoever makes it next may be anybody."""
    held = Places(tmp_path / "home", settings(tmp_path))
    found = held.pod("u")
    held.short.rmdir()
    held.short.mkdir()
    held.short.chmod(0o777)
    with pytest.raises(PermissionError):
        found.make(Path(sys.executable).parent)
    assert list(held.short.iterdir()) == []
    held.short.rmdir()
    found.make(Path(sys.executable).parent)
    assert held.short.stat().st_mode & 0o077 == 0


def test_what_belongs_to_pods_that_are_gone_is_swept(tmp_path: Path) -> None:
    """And to sandboxes whose folder is gone, but nothing of another one that is there."""
    mine, other, deleted = (Places(tmp_path / each, settings(tmp_path)) for each in ("a", "b", "c"))
    mine.prepare()
    other.prepare()
    kept, gone, foreign, orphan = mine.pod("u"), mine.pod("gone"), other.pod("x"), deleted.pod("x")
    for each in (kept, gone, foreign, orphan):
        each.make(Path(sys.executable).parent)
    mine.logs({"metadata": {**POD["metadata"], "uid": "gone"}}, "a").mkdir(parents=True)
    mine.sweep([POD])
    assert (kept.path.exists(), foreign.path.exists()) == (True, True)
    assert (gone.path.exists(), orphan.path.exists()) == (False, False)
    assert list((tmp_path / "a" / "pods").iterdir()) == []


def test_a_folder_that_another_sandbox_took_away(tmp_path: Path) -> None:
    """The last one to end removes the folder for all; one that starts just then sweeps nothing, and goes on."""
    places = Places(tmp_path / "a", settings(tmp_path))
    places.short.rmdir()
    places.sweep([])
    assert not places.short.exists()


def test_the_program_ray_runs_from_anywhere(tmp_path: Path) -> None:
    """Also where modules of other names lie about."""
    found = Places(tmp_path / "a", settings(tmp_path)).pod("u")
    found.make(Path(sys.executable).parent)
    (tmp_path / "json.py").write_text("raise SystemExit(9)")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        line = [str(found.programs / "ray"), "health-check", "--address", address]
        assert subprocess.run(line, cwd=tmp_path, check=False).returncode == 0


def test_rays_folder_is_new_for_each_run(tmp_path: Path) -> None:
    """Unless a volume is mounted there, which keeps what it has."""
    found = Places(tmp_path / "a", settings(tmp_path)).pod("u")
    found.make(Path(sys.executable).parent)
    volume = tmp_path / "v"
    volume.mkdir()
    asyncio.run(found.new_ray(None))
    (found.ray / "old").touch()
    asyncio.run(found.new_ray(None))
    assert list(found.ray.iterdir()) == []
    asyncio.run(found.new_ray(volume))
    (found.ray / "kept").touch()
    asyncio.run(found.new_ray(volume))
    assert [each.name for each in found.ray.iterdir()] == ["kept"]


@pytest.mark.parametrize("what", ["new_ray", "forget"])
def test_others_go_on_while_files_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Ray leaves very many; what waits for the end of it goes on when they are gone."""
    held = Places(tmp_path / "a", settings(tmp_path))
    found = held.pod("u")
    found.make(Path(sys.executable).parent)
    found.ray.mkdir()
    (found.ray / "old").touch()
    others = threading.Event()

    def slow(folder: Path) -> None:
        assert others.wait(20)
        clear(folder)

    monkeypatch.setattr(places, "clear", slow)

    async def live() -> None:
        asyncio.get_running_loop().call_soon(others.set)
        await (found.new_ray(None) if what == "new_ray" else held.forget(POD))
        assert not (found.ray / "old").exists()
        assert found.path.exists() is (what == "new_ray")

    asyncio.run(live())


def test_ports_are_given_once() -> None:
    """Free ones, the same again for the same key, others for others; given back they may come again."""
    ports = Ports()
    one, other = ports.of("a", [6379, 8265]), ports.of("b", [6379, 8265])
    assert ports.of("a", [6379]) == {6379: one[6379]}
    assert len({*one.values(), *other.values()}) == 4
    assert all(free(each) for each in one.values())
    ports.release("a")
    assert ports.of("b", [6379]) == {6379: other[6379]}


def test_a_port_that_somebody_took_is_given_up() -> None:
    """When its pod starts anew."""
    ports = Ports()
    port = ports.of("a", [1])[1]
    with socket.create_server(("127.0.0.1", port)):
        ports.renew("a")
        assert ports.of("a", [1])[1] != port


def test_a_head_keeps_its_ports_over_its_pods() -> None:
    """Workers were told of them; other pods have ports of their own."""
    labels = {"ray.io/node-type": "head", "ray.io/cluster": "c"}
    first = {**POD, "metadata": {**POD["metadata"], "labels": labels}}
    second = {**first, "metadata": {**first["metadata"], "uid": "v"}}
    assert key(first) == key(second) != key(POD)


def test_ports_of_flags_are_moved_too() -> None:
    """Only in pods of Ray; what other programs listen on is theirs."""
    container = {"args": ["ray start --head --dashboard-port=9999 --port 7777 --num-cpus=3"]}
    pod = {**POD, "spec": {"containers": [container]}}
    assert moved(pod) == []
    pod["metadata"] = {**POD["metadata"], "labels": {"ray.io/node-type": "head"}}
    assert moved(pod) == [*RAY_PORTS, 9999, 7777]


def test_a_serve_proxy_is_told_its_pods_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the options of the function that asks for middlewares; there are none."""

    class Options:
        host = "0.0.0.0"  # noqa: S104 - what Serve says by itself
        port = 8000

    def configure(http_options: Options) -> list[object]:
        assert http_options
        return place()

    monkeypatch.setenv("KUBECTL_RAY_PORTS", '{"8000": 20001}')
    options = Options()
    assert configure(options) == []
    assert (options.host, options.port) == ("127.0.0.1", 20001)
