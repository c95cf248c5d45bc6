"""Creating, replacing and patching through HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.sandbox.serving.world import CLUSTERS, JSON, MAPS, MERGE, World, play

if TYPE_CHECKING:
    from pathlib import Path

YAML = "application/yaml"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
SPEC = {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [{"name": "h", "image": "i"}]}}}}
CLUSTER = {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "c"}, "spec": SPEC}
INSIDE = "the namespace of the provided object does not match the namespace sent on the request"
FORMAT = "the body of the request was in an unknown format - accepted media types include:"
NO_CONVERSION = "cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion"
UNKNOWN = "the object provided is unrecognized (must be of type ConfigMap):"


@pytest.mark.parametrize(
    ("body", "content_type", "code", "message"),
    [
        (b"{", JSON, 400, f"{UNKNOWN} couldn't get version/kind; json parse error: unexpected end of JSON input ({{)"),
        (b'{"metadata":{"name":"x","namespace":"other"}}', JSON, 400, INSIDE),
        (
            b'{"kind":"Secret","apiVersion":"v1","metadata":{"name":"x"}}',
            JSON,
            400,
            f'Secret in version "v1" {NO_CONVERSION}',
        ),
        (
            b"{}",
            JSON,
            422,
            'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
        ),
        (b"x", "text/plain", 415, f"{FORMAT} application/json, application/yaml, application/vnd.kubernetes.protobuf"),
    ],
)
def test_bad_bodies(tmp_path: Path, body: bytes, content_type: str, code: int, message: str) -> None:
    """A body that cannot be taken is refused in the real server's words."""

    async def story(world: World) -> None:
        answer = await world.ask("POST", MAPS, body, content_type=content_type)
        assert (answer.code, answer.json["message"]) == (code, message)

    play(tmp_path, story)


@pytest.mark.parametrize("content_type", [JSON, YAML, "", "application/json; charset=utf-8"])
def test_bodies(tmp_path: Path, content_type: str) -> None:
    """JSON is taken as JSON and as YAML, and without a type."""

    async def story(world: World) -> None:
        body = b'{"metadata":{"name":"x"},"data":{"a":"b"}}'
        answer = await world.ask("POST", MAPS, body, content_type=content_type)
        assert (answer.code, answer.json["data"]) == (201, {"a": "b"})

    play(tmp_path, story)


def test_yaml_body(tmp_path: Path) -> None:
    """YAML proper is taken too."""

    async def story(world: World) -> None:
        answer = await world.ask("POST", MAPS, b"metadata: {name: x}\ndata:\n  a: |\n    b\n", content_type=YAML)
        assert answer.json["data"] == {"a": "b\n"}

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("validation", "code", "warnings"),
    [
        ("", 201, '299 - "unknown field \\"dta\\""'),
        ("Warn", 201, '299 - "unknown field \\"dta\\""'),
        ("Ignore", 201, None),
        ("Strict", 400, None),
    ],
)
def test_unknown_fields(tmp_path: Path, validation: str, code: int, warnings: str | None) -> None:
    """They are told in headers, refused, or dropped silently."""

    async def story(world: World) -> None:
        body = {"metadata": {"name": "x"}, "dta": {}}
        answer = await world.ask("POST", f"{MAPS}?fieldValidation={validation}", body)
        assert (answer.code, answer.headers.get("Warning")) == (code, warnings)
        if code == 400:
            assert answer.json["message"] == (
                'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dta"'
            )

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("query", "kind", "field"),
    [
        ("fieldValidation=Foo", "CreateOptions", "fieldValidation"),
        ("dryRun=Foo", "CreateOptions", "dryRun"),
        ("fieldManager=" + "x" * 129, "CreateOptions", "fieldManager"),
        ("fieldManager=%07", "CreateOptions", "fieldManager"),
    ],
)
def test_bad_options(tmp_path: Path, query: str, kind: str, field: str) -> None:
    """Options with values that there are not are refused."""

    async def story(world: World) -> None:
        answer = await world.ask("POST", f"{MAPS}?{query}", {"metadata": {"name": "x"}})
        assert (answer.code, answer.json["details"]["kind"]) == (422, kind)
        assert answer.json["details"]["causes"][0]["field"] == field

    play(tmp_path, story)


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    """A dry run answers as the write would and leaves nothing, whatever the verb."""

    async def story(world: World) -> None:
        assert (await world.ask("POST", f"{MAPS}?dryRun=All", {"metadata": {"name": "x"}})).code == 201
        assert (await world.get(f"{MAPS}/x")).code == 404
        held = await world.make(MAPS, "x")
        version = world.objects.store.version
        path = f"{MAPS}/x?dryRun=All"
        patched = await world.ask("PATCH", path, {"data": {"a": "b"}}, content_type=MERGE)
        assert patched.json["data"] == {"a": "b"}
        replaced = await world.ask("PUT", path, {**held, "data": {"a": "c"}})
        assert replaced.json["data"] == {"a": "c"}
        assert (await world.ask("DELETE", path)).json["status"] == "Success"
        assert world.objects.store.version == version

    play(tmp_path, story)


def test_put(tmp_path: Path) -> None:
    """A PUT replaces the object; what the server owns stays."""

    async def story(world: World) -> None:
        held = await world.make(MAPS, "x", data={"a": "b"}, metadata={"labels": {"l": "1"}})
        answer = await world.ask("PUT", f"{MAPS}/x", {"metadata": {"name": "x"}, "data": {"c": "d"}})
        assert (answer.code, answer.json["data"]) == (200, {"c": "d"})
        meta = answer.json["metadata"]
        assert "labels" not in meta
        assert (meta["uid"], meta["creationTimestamp"]) == (
            held["metadata"]["uid"],
            held["metadata"]["creationTimestamp"],
        )

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("meta", "code", "message"),
    [
        ({}, 400, "the name of the object (x based on URL) was undeterminable: name must be provided"),
        ({"name": "y"}, 400, "the name of the object (y) does not match the name on the URL (x)"),
        ({"name": "x", "namespace": "other"}, 400, INSIDE),
        ({"name": "x"}, 404, 'configmaps "x" not found'),
    ],
)
def test_bad_put(tmp_path: Path, meta: Any, code: int, message: str) -> None:
    """A PUT must be of the object at that path, which must be there."""

    async def story(world: World) -> None:
        answer = await world.ask("PUT", f"{MAPS}/x", {"metadata": meta})
        assert (answer.code, answer.json["message"]) == (code, message)

    play(tmp_path, story)


def test_put_of_an_older_state(tmp_path: Path) -> None:
    """A PUT with the version of before is a conflict."""

    async def story(world: World) -> None:
        held = await world.make(MAPS, "x")
        await world.ask("PATCH", f"{MAPS}/x", {"data": {"a": "b"}}, content_type=MERGE)
        answer = await world.ask("PUT", f"{MAPS}/x", held)
        assert (answer.code, answer.json["reason"]) == (409, "Conflict")

    play(tmp_path, story)


def test_put_makes_an_event(tmp_path: Path) -> None:
    """Of some kinds a PUT makes the object that is not there."""

    async def story(world: World) -> None:
        body = {"metadata": {"name": "e"}, "involvedObject": {"namespace": "lab"}}
        answer = await world.ask("PUT", "/api/v1/namespaces/lab/events/e", body)
        assert answer.code == 201, answer.text

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("content_type", "patch"),
    [
        (MERGE, {"data": {"a": "new"}}),
        (STRATEGIC, {"data": {"a": "new"}}),
        (JSON_PATCH, [{"op": "replace", "path": "/data/a", "value": "new"}]),
    ],
)
def test_patches(tmp_path: Path, content_type: str, patch: Any) -> None:
    """Each of the three languages changes what it says."""

    async def story(world: World) -> None:
        await world.make(MAPS, "x", data={"a": "b", "c": "d"})
        answer = await world.ask("PATCH", f"{MAPS}/x", patch, content_type=content_type)
        assert (answer.code, answer.json["data"]) == (200, {"a": "new", "c": "d"})

    play(tmp_path, story)


def test_a_patch_that_changes_nothing(tmp_path: Path) -> None:
    """It is no write: the version stays."""

    async def story(world: World) -> None:
        await world.make(MAPS, "x", data={"a": "b"})
        version = world.objects.store.version
        answer = await world.ask("PATCH", f"{MAPS}/x", {"data": {"a": "b"}}, content_type=MERGE)
        assert (answer.code, world.objects.store.version) == (200, version)

    play(tmp_path, story)


def test_force_is_for_apply(tmp_path: Path) -> None:
    """`force` with another patch is refused."""

    async def story(world: World) -> None:
        answer = await world.ask("PATCH", f"{MAPS}/x?force=true", {}, content_type=MERGE)
        assert (answer.code, answer.json["details"]["causes"][0]["message"]) == (
            422,
            "Forbidden: may not be specified for non-apply patch",
        )

    play(tmp_path, story)


def test_status_is_apart(tmp_path: Path) -> None:
    """The status subresource changes the status only; the object's own path changes everything but it."""

    async def story(world: World) -> None:
        assert (await world.ask("POST", CLUSTERS, CLUSTER)).code == 201
        patch = {"status": {"state": "ready"}, "spec": {"suspend": True}}
        status = await world.ask("PATCH", f"{CLUSTERS}/c/status", patch, content_type=MERGE)
        assert status.json["status"] == {"state": "ready"}
        assert "suspend" not in status.json["spec"]
        assert status.json["metadata"]["generation"] == 1
        patch["status"] = {"state": "failed"}
        spec = await world.ask("PATCH", f"{CLUSTERS}/c", patch, content_type=MERGE)
        assert (spec.json["status"], spec.json["spec"]["suspend"]) == ({"state": "ready"}, True)
        assert spec.json["metadata"]["generation"] == 2
        held = (await world.get(f"{CLUSTERS}/c/status")).json
        held["status"]["state"] = "suspended"
        assert (await world.ask("PUT", f"{CLUSTERS}/c/status", held)).json["status"]["state"] == "suspended"

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("method", "path", "code", "message"),
    [
        ("PUT", MAPS, 405, "the server does not allow this method on the requested resource"),
        ("POST", f"{MAPS}/x", 405, "the server does not allow this method on the requested resource"),
        ("POST", "/api/v1/pods", 405, "the server does not allow this method on the requested resource"),
        ("OPTIONS", MAPS, 405, "the server does not allow this method on the requested resource"),
        ("POST", f"{CLUSTERS}/c/status", 405, 'create is not supported on resources of kind "rayclusters.ray.io"'),
        ("DELETE", f"{CLUSTERS}/c/status", 405, 'delete is not supported on resources of kind "rayclusters.ray.io"'),
        ("PUT", CLUSTERS, 400, "name must be provided"),
        ("GET", f"{CLUSTERS}/c/scale", 404, 'rayclusters.ray.io "c" not found'),
    ],
)
def test_verbs_that_there_are_not(tmp_path: Path, method: str, path: str, code: int, message: str) -> None:
    """A method that means nothing at a path is refused as the real server does for each sort of kind."""

    async def story(world: World) -> None:
        answer = await world.ask(method, path, {})
        assert (answer.code, answer.json["message"]) == (code, message)

    play(tmp_path, story)
