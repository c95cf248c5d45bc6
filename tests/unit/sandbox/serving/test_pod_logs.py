"""The log of a container: options and what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.refusals import Refused, bad_request
from kubectl_ray.sandbox.serving import pod_logs
from tests.unit.sandbox.serving.world import World, play

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from aiohttp import web

NOW = 1_795_435_000.0
POD = "/api/v1/namespaces/lab/pods/p"


class Log:
    """A log that tells how it was asked."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.closed = False

    async def read(self, **asked: Any) -> AsyncGenerator[bytes]:
        """Two pieces."""
        self.asked = asked
        try:
            yield b"one\n"
            yield b"two\n"
        finally:
            self.closed = True


def with_log(folder: Path, story: Any) -> None:
    """Run a story with a pod `p` on a node, whose only log is given to it."""
    log, opened = Log(), []

    def open_log(namespace: str, pod: str, container: str, *, previous: bool = False) -> Log:
        opened.append((namespace, pod, container, previous))
        if container == "none":
            raise bad_request(f"container {container} is not valid for pod {pod}")
        return log

    async def answer(request: web.Request, namespace: str, name: str, rest: str) -> web.StreamResponse:
        return await parts[0].answer(request, namespace, name, rest)

    parts: list[pod_logs.PodLogs] = []

    async def run(world: World) -> None:
        parts.append(pod_logs.PodLogs(world.objects, open_log))
        await world.make("/api/v1/namespaces/lab/serviceaccounts", "default")
        await world.make("/api/v1/namespaces/lab/pods", "p", spec={"containers": [{"name": "c", "image": "i"}]})
        await story(world, log, opened)

    play(folder, run, streams={(kinds.PODS, "log"): answer})


async def bind(world: World) -> None:
    """Give the pod a node."""
    body = {"target": {"kind": "Node", "name": "n"}}
    assert (await world.ask("POST", f"{POD}/binding", body)).code == 201


def test_text(tmp_path: Path) -> None:
    """A log comes as plain text, as it was asked for."""

    async def story(world: World, log: Log, opened: Any) -> None:
        await bind(world)
        answer = await world.get(
            f"{POD}/log?container=c&previous=true&tailLines=5&limitBytes=9&timestamps=1&follow=false"
        )
        assert (answer.code, answer.text) == (200, "one\ntwo\n")
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert opened == [("lab", "p", "c", True)]
        assert log.asked == {
            "follow": False,
            "tail_lines": 5,
            "since": None,
            "timestamps": True,
            "limit_bytes": 9,
            "stream": "All",
        }
        assert log.closed

    with_log(tmp_path, story)


def test_refusals(tmp_path: Path) -> None:
    """A pod that is not there, a container that is not, a method that means nothing; no node means nothing yet."""

    async def story(world: World, _log: Log, _opened: Any) -> None:
        assert (await world.get(f"{POD}/log")).code == 204
        await bind(world)
        assert (await world.get(f"{POD}x/log")).code == 404
        assert (await world.get(f"{POD}/log?container=none")).code == 400
        assert (await world.ask("POST", f"{POD}/log", {})).code == 405
        anonymous = await world.ask("GET", f"{POD}/log", token="")
        assert 'cannot get resource "pods/log"' in anonymous.json["message"]

    with_log(tmp_path, story)


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ({"tailLines": "-1"}, 422, "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ({"limitBytes": "0"}, 422, "limitBytes: Invalid value: 0: must be greater than 0"),
        ({"sinceSeconds": "0"}, 422, "sinceSeconds: Invalid value: 0: must be greater than 0"),
        ({"stream": "Stdout"}, 422, "stream: Forbidden: may not be specified"),
        (
            {"sinceSeconds": "5", "sinceTime": "2026-01-01T00:00:00Z"},
            422,
            "[]: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
        ),
    ],
)
def test_options_that_make_no_sense(query: dict[str, str], code: int, message: str) -> None:
    """They are refused in the real server's words."""
    with pytest.raises(Refused) as refused:
        pod_logs.wanted("p", query, NOW)
    assert (refused.value.code, refused.value.message) == (code, f'PodLogOptions "p" is invalid: {message}')


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"tailLines": "x"}, 'strconv.ParseInt: parsing "x": invalid syntax'),
        (
            {"sinceTime": "foo"},
            'parsing time "foo" as "2006-01-02T15:04:05Z07:00": cannot parse "foo" as "2006"',
        ),
    ],
)
def test_options_that_cannot_be_read(query: dict[str, str], message: str) -> None:
    """So are those of another type."""
    with pytest.raises(Refused) as refused:
        pod_logs.wanted("p", query, NOW)
    assert (refused.value.code, refused.value.message) == (400, message)


@pytest.mark.parametrize(
    ("query", "since"),
    [({}, None), ({"sinceSeconds": "60"}, NOW - 60), ({"sinceTime": "2026-11-23T11:56:40Z"}, NOW)],
)
def test_since(query: dict[str, str], since: float | None) -> None:
    """A time is given as seconds ago, or as a moment."""
    assert pod_logs.wanted("p", query, NOW).since == since


NAMES = some.sampled_from(["tailLines", "limitBytes", "sinceSeconds", "sinceTime", "stream", "follow", "container"])


@given(some.dictionaries(NAMES, some.text() | some.integers().map(str)))
def test_any_options(query: dict[str, str]) -> None:
    """Whatever is asked for, it is understood or refused."""
    try:
        found = pod_logs.wanted("p", query, NOW).stream
    except Refused as refusal:
        found = "All" if refusal.code in {400, 422} else ""
    assert found == "All"
