"""Deleting through HTTP: options, answers, many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.serving import deleting
from tests.unit.sandbox.serving.world import CLUSTERS, MAPS, World, play

if TYPE_CHECKING:
    from pathlib import Path

SPEC = {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [{"name": "h", "image": "i"}]}}}}
SERVICES = "/api/v1/namespaces/lab/services"
BAD = 'DeleteOptions.meta.k8s.io "" is invalid: '

POLICY = f"{BAD}propagationPolicy:"
POLICIES = 'supported values: "Foreground", "Background", "Orphan", "nil"'
OPTIONS = [
    "kind",
    "apiVersion",
    "gracePeriodSeconds",
    "propagationPolicy",
    "dryRun",
    "preconditions",
    "orphanDependents",
]


async def cluster(world: World) -> None:
    """A RayCluster `c`."""
    body = {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "c"}, "spec": SPEC}
    assert (await world.ask("POST", CLUSTERS, body)).code == 201


def test_gone(tmp_path: Path) -> None:
    """What is gone at once is answered with a Status that has its uid."""

    async def story(world: World) -> None:
        held = await world.make(MAPS, "x")
        answer = await world.ask("DELETE", f"{MAPS}/x")
        assert (answer.code, answer.json) == (
            200,
            {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Success",
                "details": {"name": "x", "kind": "configmaps", "uid": held["metadata"]["uid"]},
            },
        )
        assert (await world.ask("DELETE", f"{MAPS}/x")).code == 404

    play(tmp_path, story)


def test_services_are_shown(tmp_path: Path) -> None:
    """Some kinds are answered with the object that is gone."""

    async def story(world: World) -> None:
        await world.make(SERVICES, "s", spec={"ports": [{"port": 80}]})
        answer = await world.ask("DELETE", f"{SERVICES}/s")
        assert (answer.code, answer.json["kind"]) == (200, "Service")
        assert (await world.get(f"{SERVICES}/s")).code == 404

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("?propagationPolicy=Foreground", None),
        ("", {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground"}),
        ("", {"propagationPolicy": "Foreground"}),
        ("?propagationPolicy=Background", {"propagationPolicy": "Foreground"}),
    ],
)
def test_foreground(tmp_path: Path, query: str, body: Any) -> None:
    """An object that waits for its dependents is shown; options come in the body, or else in the query."""

    async def story(world: World) -> None:
        await cluster(world)
        answer = await world.ask("DELETE", f"{CLUSTERS}/c{query}", body)
        assert answer.json["metadata"]["finalizers"] == ["foregroundDeletion"]
        assert answer.json["metadata"]["deletionTimestamp"]

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("query", "body", "code", "message"),
    [
        ("?gracePeriodSeconds=x", None, 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("", b'{"foo":', 400, "couldn't get version/kind; json parse error: unexpected end of JSON input"),
        (
            "",
            {"kind": "Foo", "apiVersion": "v1"},
            400,
            'no kind "Foo" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"',
        ),
        ("?propagationPolicy=Foo", None, 422, f'{POLICY} Unsupported value: "Foo": {POLICIES}'),
        (
            "",
            {"orphanDependents": True, "propagationPolicy": "Orphan"},
            422,
            f'{POLICY} Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
        ),
        ("", {"dryRun": ["x"]}, 422, f'{BAD}dryRun: Unsupported value: ["x"]: supported values: "All"'),
    ],
)
def test_bad_options(tmp_path: Path, query: str, body: Any, code: int, message: str) -> None:
    """Options that make no sense are refused in the real server's words."""

    async def story(world: World) -> None:
        await world.make(MAPS, "x")
        answer = await world.ask("DELETE", f"{MAPS}/x{query}", body)
        assert (answer.code, answer.json["message"]) == (code, message)

    play(tmp_path, story)


@given(text=some.binary() | some.text().map(str.encode), yaml=some.booleans())
def test_options_fuzz(text: bytes, *, yaml: bool) -> None:
    """Whatever the body is, it is options or refused."""
    try:
        deleting.checked(deleting.of_body(text, yaml=yaml))
    except Refused as refusal:
        code = refusal.code
    else:
        code = 400
    assert code in {400, 422}


FIELDS = some.sampled_from(OPTIONS)
VALUES = (
    some.none()
    | some.booleans()
    | some.integers()
    | some.text()
    | some.lists(some.text())
    | some.dictionaries(some.sampled_from(["uid", "resourceVersion"]), some.none() | some.text() | some.integers())
)


@given(some.dictionaries(FIELDS, VALUES))
def test_option_values_fuzz(value: Any) -> None:
    """Whatever the fields hold, they are options or refused."""
    try:
        deleting.checked(value)
    except Refused as refusal:
        code = refusal.code
    else:
        code = 400
    assert code in {400, 422}


def test_preconditions(tmp_path: Path) -> None:
    """Another uid than the object's is a conflict."""

    async def story(world: World) -> None:
        held = await world.make(MAPS, "x")
        wrong = await world.ask("DELETE", f"{MAPS}/x", {"preconditions": {"uid": "other"}})
        assert (wrong.code, wrong.json["reason"]) == (409, "Conflict")
        right = await world.ask("DELETE", f"{MAPS}/x", {"preconditions": {"uid": held["metadata"]["uid"]}})
        assert right.code == 200

    play(tmp_path, story)


def test_many(tmp_path: Path) -> None:
    """A collection is deleted as far as the selector goes, and answered with what it was."""

    async def story(world: World) -> None:
        for name, label in (("a", "1"), ("b", "2"), ("c", "1")):
            await world.make(MAPS, name, metadata={"labels": {"x": label}})
        answer = await world.ask("DELETE", f"{MAPS}?labelSelector=x%3D1")
        assert answer.json["kind"] == "ConfigMapList"
        assert [item["metadata"]["name"] for item in answer.json["items"]] == ["a", "c"]
        left = (await world.get(MAPS)).json["items"]
        assert [item["metadata"]["name"] for item in left] == ["b"]

    play(tmp_path, story)


def test_many_in_a_dry_run(tmp_path: Path) -> None:
    """A dry run deletes none of them."""

    async def story(world: World) -> None:
        await world.make(MAPS, "a")
        assert len((await world.ask("DELETE", f"{MAPS}?dryRun=All")).json["items"]) == 1
        assert (await world.get(f"{MAPS}/a")).code == 200

    play(tmp_path, story)
