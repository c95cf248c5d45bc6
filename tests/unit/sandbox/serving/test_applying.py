"""Server-side apply through HTTP; its rules have tests of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.sandbox.serving.world import CLUSTERS, MAPS, MERGE, Answer, World, play

if TYPE_CHECKING:
    from pathlib import Path

APPLY = "application/apply-patch+yaml"
SPEC = {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [{"name": "h", "image": "i"}]}}}}
CLUSTER = {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "c"}, "spec": SPEC}


async def applied(
    world: World, data: dict[str, str], query: str = "fieldManager=me", path: str = f"{MAPS}/x"
) -> Answer:
    """Apply a config map."""
    body: Any = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data}
    return await world.ask("PATCH", f"{path}?{query}", body, content_type=APPLY)


def test_made_and_changed(tmp_path: Path) -> None:
    """The first makes the object, the same again changes nothing, another changes it."""

    async def story(world: World) -> None:
        assert (await applied(world, {"a": "b"})).code == 201
        version = world.objects.store.version
        again = await applied(world, {"a": "b"})
        assert (again.code, world.objects.store.version) == (200, version)
        other = await applied(world, {"c": "d"})
        assert (other.code, other.json["data"]) == (200, {"c": "d"})

    play(tmp_path, story)


def test_conflict(tmp_path: Path) -> None:
    """A field that another owns is not taken without force."""

    async def story(world: World) -> None:
        await applied(world, {"a": "b"})
        refused = await applied(world, {"a": "c"}, "fieldManager=other")
        assert (refused.code, refused.json["message"]) == (
            409,
            'Apply failed with 1 conflict: conflict with "me": .data.a',
        )
        forced = await applied(world, {"a": "c"}, "fieldManager=other&force=true")
        assert (forced.code, forced.json["data"]) == (200, {"a": "c"})

    play(tmp_path, story)


def test_other_writes_count(tmp_path: Path) -> None:
    """Who patches or replaces owns what it wrote, under its program's name."""

    async def story(world: World) -> None:
        await applied(world, {"a": "b"})
        patched = await world.ask(
            "PATCH", f"{MAPS}/x", {"data": {"a": "p"}}, content_type=MERGE, User_Agent="kubectl-patch/v1"
        )
        assert patched.code == 200
        refused = await applied(world, {"a": "b"})
        assert (refused.code, refused.json["details"]["causes"][0]["message"]) == (
            409,
            'conflict with "kubectl-patch" using v1',
        )

    play(tmp_path, story)


def test_dry_run(tmp_path: Path) -> None:
    """A dry run tells what would be, and makes nothing."""

    async def story(world: World) -> None:
        assert (await applied(world, {"a": "b"}, "fieldManager=me&dryRun=All")).code == 201
        assert (await world.get(f"{MAPS}/x")).code == 404

    play(tmp_path, story)


def test_status(tmp_path: Path) -> None:
    """The status can be applied apart, of an object that is there."""

    async def story(world: World) -> None:
        patch = {"apiVersion": "ray.io/v1", "kind": "RayCluster", "status": {"state": "ready"}}
        path = f"{CLUSTERS}/c/status?fieldManager=me"
        assert (await world.ask("PATCH", path, patch, content_type=APPLY)).code == 404
        assert (await world.ask("POST", CLUSTERS, CLUSTER)).code == 201
        answer = await world.ask("PATCH", path, patch, content_type=APPLY)
        assert (answer.code, answer.json["status"]) == (200, {"state": "ready"})

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b"a: b", 400, "invalid object type: /, Kind="),
        (b"a: [b", 400, "error decoding YAML: error converting YAML to JSON: yaml:"),
        (
            b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"y"}}',
            400,
            "the name of the object (y) does not match the name on the URL (x)",
        ),
    ],
)
def test_bad_patches(tmp_path: Path, body: bytes, code: int, message: str) -> None:
    """What cannot be applied is refused."""

    async def story(world: World) -> None:
        answer = await world.ask("PATCH", f"{MAPS}/x?fieldManager=me", body, content_type=APPLY)
        assert answer.code == code
        assert answer.json["message"].startswith(message)

    play(tmp_path, story)
