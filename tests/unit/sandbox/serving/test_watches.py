"""Watches: from where they begin, what they tell, how they end."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.serving import reads, watches
from tests.unit.sandbox.serving.world import MAPS, MERGE, World, play

if TYPE_CHECKING:
    from pathlib import Path

WATCH = f"{MAPS}?watch=1"


def version(world: World) -> int:
    """The newest."""
    return world.objects.store.version


async def relabel(world: World, name: str, value: str) -> None:
    """Give a config map another label `x`."""
    answer = await world.ask("PATCH", f"{MAPS}/{name}", {"metadata": {"labels": {"x": value}}}, content_type=MERGE)
    assert answer.code == 200, answer.text


async def listeners_gone(world: World) -> None:
    """Until nothing listens to the store any more."""
    async with asyncio.timeout(5):
        while world.objects.store._listeners:  # noqa: ASYNC110 - the store tells nobody of this
            await asyncio.sleep(0.01)


def test_from_nothing(tmp_path: Path) -> None:
    """Without a version, what there is comes first, then what happens."""

    async def story(world: World) -> None:
        await world.make(MAPS, "a")
        async with world.watching(WATCH) as watch:
            assert await watch.named() == ("ADDED", "a")
            await world.make(MAPS, "b")
            assert await watch.named() == ("ADDED", "b")
            await relabel(world, "b", "1")
            type_, held = await watch.next()
            assert (type_, held["metadata"]["labels"]) == ("MODIFIED", {"x": "1"})
            await world.ask("DELETE", f"{MAPS}/a")
            type_, held = await watch.next()
            assert (type_, held["metadata"]["name"]) == ("DELETED", "a")
            assert held["metadata"]["resourceVersion"] == str(version(world))

    play(tmp_path, story)


def test_from_a_version(tmp_path: Path) -> None:
    """From a version on, all that happened since comes, and nothing of before."""

    async def story(world: World) -> None:
        await world.make(MAPS, "a")
        seen = version(world)
        await world.make(MAPS, "b")
        await relabel(world, "a", "1")
        async with world.watching(f"{WATCH}&resourceVersion={seen}") as watch:
            await world.make(MAPS, "c")
            found = [await watch.named() for _ in range(3)]
            assert found == [("ADDED", "b"), ("MODIFIED", "a"), ("ADDED", "c")]

    play(tmp_path, story)


def test_timeout(tmp_path: Path) -> None:
    """`timeoutSeconds` ends it without a word."""

    async def story(world: World) -> None:
        async with world.watching(f"{WATCH}&resourceVersion={version(world)}&timeoutSeconds=1") as watch:
            assert await watch.rest() == []
            assert watch.answer.status == 200

    play(tmp_path, story)


def test_too_old(tmp_path: Path) -> None:
    """A version that is forgotten gives an ERROR event in a 200, and the end."""

    async def story(world: World) -> None:
        await world.make(MAPS, "a")
        oldest = version(world)
        world.objects.store.history.clear()
        async with world.watching(f"{WATCH}&resourceVersion=1") as watch:
            assert watch.answer.status == 200
            ((type_, status),) = await watch.rest()
        assert (type_, status["code"], status["reason"]) == ("ERROR", 410, "Expired")
        assert status["message"] == f"too old resource version: 1 ({oldest})"

    play(tmp_path, story)


def test_of_the_future(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that does not come gives an ERROR event that says when to try again."""
    monkeypatch.setattr(reads, "LATE", 0.05)

    async def story(world: World) -> None:
        async with world.watching(f"{WATCH}&resourceVersion=99999999") as watch:
            ((type_, status),) = await watch.rest()
        assert (type_, status["code"], status["details"]["retryAfterSeconds"]) == ("ERROR", 504, 1)

    play(tmp_path, story)


def test_of_the_near_future(tmp_path: Path) -> None:
    """A version that comes soon is waited for; what happens after it is told."""

    async def story(world: World) -> None:
        async with world.watching(f"{WATCH}&resourceVersion={version(world) + 1}") as watch:
            await world.make(MAPS, "a")
            await asyncio.sleep(0)
            await world.make(MAPS, "b")
            assert await watch.named() == ("ADDED", "b")

    play(tmp_path, story)


def test_bad_version(tmp_path: Path) -> None:
    """A version that is no number is the real server's 500."""

    async def story(world: World) -> None:
        answer = await world.get(f"{WATCH}&resourceVersion=abc")
        assert answer.code == 500
        assert answer.json["message"] == (
            'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax'
        )
        assert "reason" not in answer.json

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("sendInitialEvents=true", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
        (
            "resourceVersionMatch=NotOlderThan",
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        ),
    ],
)
def test_bad_options(tmp_path: Path, query: str, message: str) -> None:
    """Options that contradict each other are refused."""

    async def story(world: World) -> None:
        answer = await world.get(f"{WATCH}&{query}")
        assert (answer.code, answer.json["details"]["causes"][0]["message"]) == (422, f"Forbidden: {message}")

    play(tmp_path, story)


def test_initial_events(tmp_path: Path) -> None:
    """With `sendInitialEvents` a bookmark tells where the list ends and the watch begins."""

    async def story(world: World) -> None:
        await world.make(MAPS, "a")
        query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        async with world.watching(f"{WATCH}&{query}") as watch:
            assert await watch.named() == ("ADDED", "a")
            type_, mark = await watch.next()
            assert type_ == "BOOKMARK"
            assert mark == {
                "kind": "ConfigMap",
                "apiVersion": "v1",
                "metadata": {
                    "resourceVersion": str(version(world)),
                    "annotations": {"k8s.io/initial-events-end": "true"},
                },
            }
            await world.make(MAPS, "b")
            assert await watch.named() == ("ADDED", "b")

    play(tmp_path, story)


def test_bookmarks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bookmark tells now and then how far everything has come, also when nothing of it is meant."""
    monkeypatch.setattr(watches, "BOOKMARKS", 0.1)

    async def story(world: World) -> None:
        async with world.watching(f"{WATCH}&allowWatchBookmarks=true&resourceVersion={version(world)}") as watch:
            await world.make("/api/v1/namespaces/default/configmaps", "elsewhere")
            while True:
                type_, mark = await watch.next()
                assert type_ == "BOOKMARK"
                if mark["metadata"] == {"resourceVersion": str(version(world))}:
                    break

    play(tmp_path, story)


def test_no_bookmarks_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not ask for bookmarks gets none."""
    monkeypatch.setattr(watches, "BOOKMARKS", 0.05)

    async def story(world: World) -> None:
        async with world.watching(f"{WATCH}&timeoutSeconds=1&resourceVersion={version(world)}") as watch:
            assert await watch.rest() == []

    play(tmp_path, story)


def test_selector(tmp_path: Path) -> None:
    """An object that begins to match comes; one that ceases to match goes as it last was, with the new version."""

    async def story(world: World) -> None:
        await world.make(MAPS, "a")
        async with world.watching(f"{WATCH}&labelSelector=x%3D1&resourceVersion={version(world)}") as watch:
            await relabel(world, "a", "1")
            assert await watch.named() == ("ADDED", "a")
            await relabel(world, "a", "2")
            type_, held = await watch.next()
            assert (type_, held["metadata"]["labels"]) == ("DELETED", {"x": "1"})
            assert held["metadata"]["resourceVersion"] == str(version(world))
            await world.ask("DELETE", f"{MAPS}/a")
            await world.make(MAPS, "b", metadata={"labels": {"x": "1"}})
            assert await watch.named() == ("ADDED", "b")

    play(tmp_path, story)


def test_selector_in_the_past(tmp_path: Path) -> None:
    """The same holds for what happened before the watch was opened."""

    async def story(world: World) -> None:
        await world.make(MAPS, "a", metadata={"labels": {"x": "1"}})
        seen = version(world)
        await relabel(world, "a", "2")
        async with world.watching(f"{WATCH}&labelSelector=x%3D1&resourceVersion={seen}") as watch:
            assert await watch.named() == ("DELETED", "a")

    play(tmp_path, story)


@pytest.mark.parametrize(
    "path", [f"{WATCH}&fieldSelector=metadata.name%3Db", "/api/v1/watch/namespaces/lab/configmaps/b"]
)
def test_one_object(tmp_path: Path, path: str) -> None:
    """One object alone can be watched, by its name or by the old path."""

    async def story(world: World) -> None:
        await world.make(MAPS, "a")
        async with world.watching(path) as watch:
            await world.make(MAPS, "b")
            assert await watch.named() == ("ADDED", "b")

    play(tmp_path, story)


def test_all_namespaces(tmp_path: Path) -> None:
    """A watch of one namespace tells nothing of another; one of all tells of both."""

    async def story(world: World) -> None:
        async with world.watching(WATCH) as inside, world.watching("/api/v1/configmaps?watch=true") as all_:
            await world.make("/api/v1/namespaces/default/configmaps", "other")
            await world.make(MAPS, "mine")
            assert await inside.named() == ("ADDED", "mine")
            assert [await all_.named() for _ in range(2)] == [("ADDED", "other"), ("ADDED", "mine")]

    play(tmp_path, story)


def test_events_of_the_new_group(tmp_path: Path) -> None:
    """Core events are told in the form of events.k8s.io where that is watched."""

    async def story(world: World) -> None:
        async with world.watching("/apis/events.k8s.io/v1/namespaces/lab/events?watch=1") as watch:
            body = {"metadata": {"name": "e"}, "involvedObject": {"namespace": "lab"}, "message": "hello"}
            made = await world.ask("POST", "/api/v1/namespaces/lab/events", body)
            assert made.code == 201, made.text
            _type, event = await watch.next()
            assert (event["apiVersion"], event["note"]) == ("events.k8s.io/v1", "hello")

    play(tmp_path, story)


def test_metadata_only(tmp_path: Path) -> None:
    """Changes can be told of metadata only."""

    async def story(world: World) -> None:
        await world.make(MAPS, "a", data={"b": "c"})
        accept = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
        async with world.watching(WATCH, Accept=accept) as watch:
            _type, held = await watch.next()
            assert set(held) == {"kind", "apiVersion", "metadata"}

    play(tmp_path, story)


def test_not_in_yaml(tmp_path: Path) -> None:
    """A watch comes in JSON only; the refusal comes in what was asked for."""

    async def story(world: World) -> None:
        answer = await world.get(WATCH, Accept="application/yaml")
        assert (answer.code, answer.headers["Content-Type"]) == (406, "application/yaml")

    play(tmp_path, story)


def test_get_is_no_watch(tmp_path: Path) -> None:
    """`watch` of one object's own path is a plain get."""

    async def story(world: World) -> None:
        await world.make(MAPS, "a")
        assert (await world.get(f"{MAPS}/a?watch=1")).json["metadata"]["name"] == "a"

    play(tmp_path, story)


def test_a_client_that_goes_leaves_nothing(tmp_path: Path) -> None:
    """When the client has gone, nobody listens for it any more."""

    async def story(world: World) -> None:
        async with world.watching(WATCH) as watch:
            await world.make(MAPS, "a")
            await watch.named()
            assert len(world.objects.store._listeners) == 1
            watch.answer.close()
        await listeners_gone(world)

    play(tmp_path, story)


def test_many_clients_that_go(tmp_path: Path) -> None:
    """Nor do a hundred leave anything."""

    async def story(world: World) -> None:
        opened = [await world.session.get(world.server.url + WATCH, headers=login(world)) for _ in range(100)]
        assert len(world.objects.store._listeners) == 100
        for each in opened:
            each.close()
        await listeners_gone(world)

    play(tmp_path, story)


def login(world: World) -> dict[str, str]:
    """The admin's header."""
    return {"Authorization": f"Bearer {world.server.token}"}


def test_a_slow_reader_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not read is cut off when too much waits; others go on, and nothing is left of it."""
    monkeypatch.setattr(watches, "MOST_WAITING", 50)

    async def story(world: World) -> None:
        context = ssl.create_default_context(cadata=world.server.authority)
        reader, writer = await asyncio.open_connection("127.0.0.1", world.server.port, ssl=context, limit=1024)
        head = f"GET {WATCH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {world.server.token}\r\n\r\n"
        writer.write(head.encode())
        await reader.readuntil(b"\r\n\r\n")
        held = await world.make(MAPS, "a", data={"a": "x" * 300_000})
        store = world.objects.store
        stored = store.get(kinds.CONFIG_MAPS, "lab", held["metadata"]["name"])
        assert stored is not None
        for _ in range(200):
            store.put(kinds.CONFIG_MAPS, stored)
            await asyncio.sleep(0)
        await listeners_gone(world)
        assert (await world.get("/version")).code == 200
        writer.close()

    play(tmp_path, story)


def test_the_end_of_the_server_ends_watches(tmp_path: Path) -> None:
    """Stopping does not wait for watches."""

    async def story(world: World) -> None:
        async with world.watching(WATCH):
            async with asyncio.timeout(3):
                await world.server.stop()

    play(tmp_path, story)
