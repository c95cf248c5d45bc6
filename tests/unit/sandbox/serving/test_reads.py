"""Lists: pages, versions, selectors, forms and sizes."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from kubectl_ray.sandbox.api.history import KEPT_CHANGES, KEPT_SECONDS
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.serving import reads
from tests.unit.sandbox.serving.world import MAPS, PATIENCE, World, play

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kubectl_ray.sandbox.api.store import Change

SPEC = {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [{"name": "h", "image": "i"}]}}}}


OPTIONS = 'ListOptions.meta.k8s.io "" is invalid: '
MATCH = f"{OPTIONS}resourceVersionMatch: Forbidden: resourceVersionMatch"
NO_NUMBER = 'Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'


def names(listing: Any) -> list[str]:
    """The names of a list's items."""
    return [item["metadata"]["name"] for item in listing["items"]]


async def some_maps(world: World, *wanted: str) -> None:
    """Config maps of these names."""
    for name in wanted or ("a1", "a2", "a3", "a4", "a5"):
        await world.make(MAPS, name, data={"of": name})


def forget_history(world: World) -> None:
    """As after a restart: nothing before now can be watched."""
    world.objects.store.history.clear()


def test_pages(tmp_path: Path) -> None:
    """A list in pages has all objects once, in order, and says how many are left."""

    async def story(world: World) -> None:
        await some_maps(world)
        first = (await world.get(f"{MAPS}?limit=2")).json
        assert (names(first), first["metadata"]["remainingItemCount"]) == (["a1", "a2"], 3)
        second = (await world.get(f"{MAPS}?limit=2&continue={first['metadata']['continue']}")).json
        assert (names(second), second["metadata"]["remainingItemCount"]) == (["a3", "a4"], 1)
        third = (await world.get(f"{MAPS}?limit=2&continue={second['metadata']['continue']}")).json
        assert names(third) == ["a5"]
        assert third["metadata"] == {"resourceVersion": first["metadata"]["resourceVersion"]}

    play(tmp_path, story)


def test_page_of_before(tmp_path: Path) -> None:
    """Later pages show what there was when the first was asked for, whatever has changed since."""

    async def story(world: World) -> None:
        await some_maps(world)
        first = (await world.get(f"{MAPS}?limit=2")).json
        await world.ask("DELETE", f"{MAPS}/a3")
        await world.make(MAPS, "a35")
        changed = await world.ask(
            "PATCH", f"{MAPS}/a4", {"data": {"of": "new"}}, content_type="application/merge-patch+json"
        )
        assert changed.code == 200
        rest = (await world.get(f"{MAPS}?continue={first['metadata']['continue']}")).json
        assert names(rest) == ["a3", "a4", "a5"]
        assert rest["items"][1]["data"] == {"of": "a4"}

    play(tmp_path, story)


def test_pages_of_all_namespaces(tmp_path: Path) -> None:
    """Pages go on over namespaces."""

    async def story(world: World) -> None:
        for namespace in ("default", "lab"):
            for name in ("x", "y"):
                await world.make(f"/api/v1/namespaces/{namespace}/configmaps", name)
        seen, token = [], ""
        while True:
            page = (await world.get(f"/api/v1/configmaps?limit=1&continue={token}")).json
            seen += [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in page["items"]]
            token = page["metadata"].get("continue", "")
            if not token:
                break
        assert seen == [("default", "x"), ("default", "y"), ("lab", "x"), ("lab", "y")]

    play(tmp_path, story)


def test_token_too_old(tmp_path: Path) -> None:
    """A token whose version is forgotten gives 410 with a fresh one, which goes on from the same place."""

    async def story(world: World) -> None:
        await some_maps(world)
        first = (await world.get(f"{MAPS}?limit=2")).json
        await world.make(MAPS, "a9")
        forget_history(world)
        answer = await world.get(f"{MAPS}?limit=2&continue={first['metadata']['continue']}")
        assert (answer.code, answer.json["reason"], answer.json["message"]) == (410, "Expired", reads.TOO_OLD)
        rest = (await world.get(f"{MAPS}?continue={answer.json['metadata']['continue']}")).json
        assert names(rest) == ["a3", "a4", "a5", "a9"]

    play(tmp_path, story)


def test_no_count_with_a_selector(tmp_path: Path) -> None:
    """How many are left is told without a selector only."""

    async def story(world: World) -> None:
        for name in ("a", "b", "c"):
            await world.make(MAPS, name, metadata={"labels": {"x": "1"}})
        page = (await world.get(f"{MAPS}?limit=1&labelSelector=x%3D1")).json
        assert "remainingItemCount" not in page["metadata"]
        assert page["metadata"]["continue"]

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("abc", "invalid character 'i' looking for beginning of value"),
        ("%21%21", "illegal base64 data at input byte 0"),
        (base64.urlsafe_b64encode(b'{"v":"x"}').decode(), 'server does not recognize this encoded version "x"'),
        (
            base64.urlsafe_b64encode(b'{"v":"meta.k8s.io/v1","start":"a"}').decode(),
            "incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
        ),
    ],
)
def test_garbage_token(tmp_path: Path, token: str, why: str) -> None:
    """A token that is none is a bad request."""

    async def story(world: World) -> None:
        answer = await world.get(f"{MAPS}?limit=2&continue={token}")
        assert answer.code == 400
        assert answer.json["message"] == f"invalid continue token: continue key is not valid: {why}"

    play(tmp_path, story)


@given(some.text() | some.binary().map(lambda data: base64.urlsafe_b64encode(data).decode()))
def test_tokens_fuzz(text: str) -> None:
    """Whatever a token is, it means a page or is refused."""
    try:
        found = reads.page(text, "lab")
    except Refused as refusal:
        code = refusal.code
    else:
        code = 400 if isinstance(found, reads.Page) else 0
    assert code == 400


@given(
    some.integers(min_value=1),
    some.sampled_from(["", "lab"]),
    some.from_regex(r"[a-z][a-z0-9.-]{0,20}", fullmatch=True),
)
def test_tokens_come_back(version: int, namespace: str, name: str) -> None:
    """A token means the page that it was made of."""
    made = reads.Page(version, (namespace or "other", name))
    assert reads.page(reads.token(made, namespace), namespace) == made


def test_exact_version(tmp_path: Path) -> None:
    """An older version can be listed as long as the history reaches back to it."""

    async def story(world: World) -> None:
        await some_maps(world, "a", "b")
        version = (await world.get(MAPS)).json["metadata"]["resourceVersion"]
        await world.ask("DELETE", f"{MAPS}/a")
        then = (await world.get(f"{MAPS}?resourceVersion={version}&resourceVersionMatch=Exact")).json
        assert (names(then), then["metadata"]["resourceVersion"]) == (["a", "b"], version)
        forget_history(world)
        late = await world.get(f"{MAPS}?resourceVersion={version}&resourceVersionMatch=Exact")
        assert (late.code, late.json["message"]) == (410, "The resourceVersion for the provided list is too old.")

    play(tmp_path, story)


def test_version_zero_is_the_newest_and_whole(tmp_path: Path) -> None:
    """`resourceVersion=0` is answered with all there is; a limit does not matter then."""

    async def story(world: World) -> None:
        await some_maps(world)
        listing = (await world.get(f"{MAPS}?resourceVersion=0&limit=2")).json
        assert len(listing["items"]) == 5
        assert "continue" not in listing["metadata"]

    play(tmp_path, story)


@pytest.mark.parametrize("path", [MAPS, f"{MAPS}/x"])
def test_version_of_the_future(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """A version that does not come in time is a timeout, which says when to ask again."""
    monkeypatch.setattr(reads, "LATE", 0.05)

    async def story(world: World) -> None:
        answer = await world.get(f"{path}?resourceVersion=99999999")
        assert (answer.code, answer.json["reason"], answer.headers["Retry-After"]) == (504, "Timeout", "1")
        assert answer.json["message"].startswith("Timeout: Too large resource version: 99999999, current: ")
        assert answer.json["details"] == {
            "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
            "retryAfterSeconds": 1,
        }

    play(tmp_path, story)


def test_version_that_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that comes soon is waited for."""

    async def story(world: World) -> None:
        import asyncio

        store = world.objects.store
        waits = asyncio.Event()
        listen = store.listen

        def listening(listener: Callable[[Change], None]) -> Callable[[], None]:
            waits.set()
            return listen(listener)

        monkeypatch.setattr(store, "listen", listening)
        asked = asyncio.ensure_future(world.get(f"{MAPS}?resourceVersion={store.version + 1}"))
        await asyncio.wait_for(waits.wait(), PATIENCE)
        await world.make(MAPS, "new")
        assert names((await asked).json) == ["new"]

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("limit=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("timeoutSeconds=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("resourceVersion=x", 400, f"invalid resource version: resourceVersion: {NO_NUMBER}"),
        ("resourceVersionMatch=Exact", 422, f"{MATCH} is forbidden unless resourceVersion is provided"),
        (
            "resourceVersion=5&resourceVersionMatch=Foo",
            422,
            f'{OPTIONS}resourceVersionMatch: Unsupported value: "Foo": supported values: "Exact", "NotOlderThan", ""',
        ),
        (
            "resourceVersion=0&resourceVersionMatch=Exact",
            422,
            f'{MATCH} "exact" is forbidden for resourceVersion "0"',
        ),
        (
            "sendInitialEvents=true",
            422,
            f"{OPTIONS}sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list",
        ),
        ("labelSelector=a%20b", 400, "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("fieldSelector=foo", 400, "invalid selector: 'foo'; can't understand 'foo'"),
        (
            "fieldSelector=foo%3Dbar",
            400,
            '"foo" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
    ],
)
def test_bad_options(tmp_path: Path, query: str, code: int, message: str) -> None:
    """Options that make no sense are refused in the real server's words."""

    async def story(world: World) -> None:
        answer = await world.get(f"{MAPS}?{query}")
        assert (answer.code, answer.json["message"]) == (code, message)

    play(tmp_path, story)


def test_selectors(tmp_path: Path) -> None:
    """Labels and fields choose."""

    async def story(world: World) -> None:
        await world.make(MAPS, "a", metadata={"labels": {"x": "1"}})
        await world.make(MAPS, "b")
        assert names((await world.get(f"{MAPS}?labelSelector=x%3D1")).json) == ["a"]
        assert names((await world.get(f"{MAPS}?labelSelector=!x")).json) == ["b"]
        assert names((await world.get(f"{MAPS}?fieldSelector=metadata.name%3Db")).json) == ["b"]

    play(tmp_path, story)


def test_history_is_bounded(tmp_path: Path) -> None:
    """Only so many changes are kept: pages that are older than these expire."""

    async def story(world: World) -> None:
        await some_maps(world)
        first = (await world.get(f"{MAPS}?limit=2")).json
        kept = world.objects.store
        from kubectl_ray.sandbox.api import kinds

        held = kept.list(kinds.CONFIG_MAPS, "lab")[0]
        for _ in range(KEPT_CHANGES + 1):
            kept.put(kinds.CONFIG_MAPS, held)
        answer = await world.get(f"{MAPS}?limit=2&continue={first['metadata']['continue']}")
        assert answer.code == 410

    play(tmp_path, story)


@pytest.mark.parametrize("asked", ["limit=2&continue={token}", "resourceVersion={version}&resourceVersionMatch=Exact"])
def test_old_versions_expire(tmp_path: Path, asked: str) -> None:
    """An older version can be listed for some minutes."""

    async def story(world: World) -> None:
        await some_maps(world)
        meta = (await world.get(f"{MAPS}?limit=2")).json["metadata"]
        await world.make(MAPS, "a9")
        path = f"{MAPS}?{asked.format(token=meta['continue'], version=meta['resourceVersion'])}"
        assert "a9" not in names((await world.get(path)).json)
        then = world.objects.store.history.clock() + KEPT_SECONDS
        world.objects.store.history.clock = lambda: then
        assert (await world.get(path)).code == 410

    play(tmp_path, story)


def test_events_in_both_groups(tmp_path: Path) -> None:
    """An event is the same object in the core group and in events.k8s.io."""

    async def story(world: World) -> None:
        body = {
            "metadata": {"name": "e"},
            "involvedObject": {"kind": "Pod", "name": "p", "namespace": "lab"},
            "reason": "Tested",
            "message": "hello",
            "type": "Normal",
        }
        made = await world.ask("POST", "/api/v1/namespaces/lab/events", body)
        assert made.code == 201, made.text
        new = (await world.get("/apis/events.k8s.io/v1/namespaces/lab/events/e")).json
        assert (new["apiVersion"], new["note"], new["regarding"]["name"]) == ("events.k8s.io/v1", "hello", "p")
        listing = (
            await world.get("/apis/events.k8s.io/v1/namespaces/lab/events?fieldSelector=regarding.name%3Dp")
        ).json
        assert names(listing) == ["e"]

    play(tmp_path, story)


def test_token_reads_as_json() -> None:
    """Tokens are those of the real server, so that a person can read one."""
    text = reads.token(reads.Page(5, ("lab", "a2")), "lab")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert json.loads(raw) == {"v": "meta.k8s.io/v1", "rv": 5, "start": "a2\0"}
