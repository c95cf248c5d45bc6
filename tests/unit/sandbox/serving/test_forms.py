"""In which form objects and lists come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.sandbox.serving.world import CLUSTERS, MAPS, TABLE, World, play

if TYPE_CHECKING:
    from pathlib import Path

SPEC = {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [{"name": "h", "image": "i"}]}}}}


def names(listing: Any) -> list[str]:
    """The names of a list's items."""
    return [item["metadata"]["name"] for item in listing["items"]]


async def some_maps(world: World, *wanted: str) -> None:
    """Config maps of these names."""
    for name in wanted or ("a1", "a2", "a3", "a4", "a5"):
        await world.make(MAPS, name, data={"of": name})


def test_items_say_their_kind_where_it_is_custom(tmp_path: Path) -> None:
    """Items of a custom kind have apiVersion and kind, those of a built-in one do not."""

    async def story(world: World) -> None:
        await some_maps(world, "a")
        made = await world.ask(
            "POST", CLUSTERS, {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "c"}, "spec": SPEC}
        )
        assert made.code == 201, made.text
        maps, clusters = (await world.get(MAPS)).json, (await world.get(CLUSTERS)).json
        assert (maps["kind"], "kind" in maps["items"][0]) == ("ConfigMapList", False)
        assert (clusters["kind"], clusters["items"][0]["kind"]) == ("RayClusterList", "RayCluster")

    play(tmp_path, story)


def test_a_namespace_that_does_not_exist(tmp_path: Path) -> None:
    """Listing in it gives nothing, and no error."""

    async def story(world: World) -> None:
        answer = await world.get("/api/v1/namespaces/nosuch/configmaps")
        assert (answer.code, answer.json["items"]) == (200, [])

    play(tmp_path, story)


@pytest.mark.parametrize("accept", ["application/yaml", "application/yaml;q=0.9, application/json;q=0.1"])
def test_yaml(tmp_path: Path, accept: str) -> None:
    """Objects and lists come as YAML when that is liked best."""
    import yaml

    async def story(world: World) -> None:
        await some_maps(world, "a")
        one, all_ = await world.get(f"{MAPS}/a", Accept=accept), await world.get(MAPS, Accept=accept)
        assert one.headers["Content-Type"] == "application/yaml"
        assert yaml.safe_load(one.text)["data"] == {"of": "a"}
        assert names(yaml.safe_load(all_.text)) == ["a"]

    play(tmp_path, story)


NONE_OF = "only the following media types are accepted: application/json, application/yaml"
NOTHING = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml"


@pytest.mark.parametrize(
    ("path", "accept", "message"),
    [
        (f"{MAPS}/x", "text/html", NOTHING),
        (f"{MAPS}/x", "application/*", NOTHING),
        (MAPS, "text/html", f"{NOTHING}, application/json;stream=watch"),
        (MAPS, "application/vnd.kubernetes.protobuf", NONE_OF),
        (MAPS, "application/json;as=Foo;v=v1;g=x", NONE_OF),
        (CLUSTERS, "text/html", NONE_OF),
    ],
)
def test_not_acceptable(tmp_path: Path, path: str, accept: str, message: str) -> None:
    """What cannot be given is refused, by the router for Kubernetes' own kinds."""

    async def story(world: World) -> None:
        answer = await world.get(path, Accept=accept)
        assert (answer.code, answer.json["reason"], answer.json["message"]) == (406, "NotAcceptable", message)

    play(tmp_path, story)


def test_metadata_only(tmp_path: Path) -> None:
    """Metadata of one or of many, and each of the two refused for the other."""
    one = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
    many = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"

    async def story(world: World) -> None:
        await some_maps(world, "a")
        single = (await world.get(f"{MAPS}/a", Accept=one)).json
        assert (single["kind"], single["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")
        assert set(single) == {"kind", "apiVersion", "metadata"}
        listing = (await world.get(MAPS, Accept=many)).json
        assert (listing["kind"], names(listing)) == ("PartialObjectMetadataList", ["a"])
        wrong = await world.get(MAPS, Accept=one)
        assert (wrong.code, wrong.json["message"]) == (
            406,
            "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)",
        )
        assert (await world.get(f"{MAPS}/a", Accept=many)).code == 406

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("query", "agent", "pretty"), [("", "x", False), ("?pretty=true", "x", True), ("", "curl/8", True)]
)
def test_pretty(tmp_path: Path, query: str, agent: str, *, pretty: bool) -> None:
    """Answers have line breaks for people and those who ask for them."""

    async def story(world: World) -> None:
        await some_maps(world, "a")
        answer = await world.get(f"{MAPS}/a{query}", User_Agent=agent)
        assert (b"\n" in answer.body) == pretty

    play(tmp_path, story)


@pytest.mark.parametrize(("encoding", "packed"), [("gzip", True), ("identity", False)])
def test_long_lists(tmp_path: Path, encoding: str, *, packed: bool) -> None:
    """A long list comes whole, compressed for those who can read that."""

    async def story(world: World) -> None:
        for number in range(120):
            await world.make(MAPS, f"m{number:03}", data={"a": "x" * 2000})
        answer = await world.get(MAPS, Accept_Encoding=encoding)
        assert len(names(answer.json)) == 120
        assert (answer.headers.get("Content-Encoding") == "gzip") == packed

    play(tmp_path, story)


def test_short_lists_are_not_compressed(tmp_path: Path) -> None:
    """Below 128 KiB nothing is compressed."""

    async def story(world: World) -> None:
        await some_maps(world)
        assert "Content-Encoding" not in (await world.get(MAPS, Accept_Encoding="gzip")).headers

    play(tmp_path, story)


@pytest.mark.parametrize(("include", "held"), [("None", False), ("Metadata", True), ("Object", True)])
def test_tables(tmp_path: Path, include: str, *, held: bool) -> None:
    """A table has columns, a row for each object, and of the object what is asked for."""

    async def story(world: World) -> None:
        await some_maps(world, "a", "b")
        table = (await world.get(f"{MAPS}?includeObject={include}", Accept=TABLE)).json
        assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
        assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
        assert [row["cells"][:2] for row in table["rows"]] == [["a", 1], ["b", 1]]
        assert all(bool(row.get("object")) == held for row in table["rows"])
        one = (await world.get(f"{MAPS}/b", Accept=TABLE)).json
        assert [row["cells"][0] for row in one["rows"]] == ["b"]

    play(tmp_path, story)


def test_bad_include(tmp_path: Path) -> None:
    """What else a row shall hold is refused."""

    async def story(world: World) -> None:
        answer = await world.get(f"{MAPS}?includeObject=Foo", Accept=TABLE)
        assert answer.code == 400
        assert answer.json["message"].endswith(
            """includeObject: Invalid value: "Foo": must be 'Metadata', 'Object', 'None', or empty"""
        )

    play(tmp_path, story)


def test_watched_tables(tmp_path: Path) -> None:
    """A watch can be of tables; only the first tells the columns."""

    async def story(world: World) -> None:
        await some_maps(world, "a", "b")
        path = f"{MAPS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        async with world.watching(path, Accept=TABLE) as watch:
            first, second, mark = [await watch.next() for _ in range(3)]
        assert [each[1]["rows"][0]["cells"][0] for each in (first, second)] == ["a", "b"]
        assert first[1]["columnDefinitions"]
        assert second[1]["columnDefinitions"] is None
        assert (mark[0], mark[1]["kind"]) == ("BOOKMARK", "Table")
        assert mark[1]["rows"][0]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}

    play(tmp_path, story)
