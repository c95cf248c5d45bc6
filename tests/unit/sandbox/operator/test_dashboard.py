"""The client of Ray's own API."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.operator import dashboard as module
from kubectl_ray.sandbox.operator.dashboard import Job, NoAnswer
from kubectl_ray.sandbox.operator.services import head_service
from tests.unit.sandbox.operator.world import NAMESPACE, SPEC, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kubectl_ray.sandbox.operator.dashboard import Dashboard


def ask(question: Callable[[World, Dashboard], Awaitable[Any]], prepare: Callable[[World], None] | None = None) -> Any:
    """Ask a cluster's fake Ray something."""

    async def run() -> Any:
        world = World()
        async with world.ray.serving():
            body = {"metadata": {"name": "c"}, "spec": SPEC}
            cluster = world.objects.create(kinds.RAY_CLUSTERS, body, NAMESPACE)
            world.cluster_comes_up()
            if prepare is not None:
                prepare(world)
            try:
                return await question(world, world.access.dashboard(cluster))
            finally:
                await world.access.close()

    return asyncio.run(run())


def test_a_job() -> None:
    """Its status, words and times."""

    def prepare(world: World) -> None:
        world.ray.job("a", "RUNNING", message="m", start_time=5, end_time=None)

    assert ask(lambda _world, ray: ray.job("a"), prepare) == Job("RUNNING", "m", 5, 0)


def test_no_such_job() -> None:
    """None, and not an error."""
    assert ask(lambda _world, ray: ray.job("a")) is None


def test_stopping_what_has_ended() -> None:
    """It is fine."""
    assert ask(lambda _world, ray: ray.stop("a"), lambda world: world.ray.job("a", "FAILED")) is None


@pytest.mark.parametrize("body", ["<html>", "[]", "null", '"x"', "[" * 100_000])
def test_answers_that_are_none(body: str) -> None:
    """What is no object is told as it came."""

    async def question(world: World, ray: Dashboard) -> None:
        world.ray.broken = body
        for call in (ray.job("a"), ray.stop("a"), ray.applications()):
            with pytest.raises(NoAnswer):
                await call

    ask(question)


@given(st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()), st.lists, max_leaves=5))
def test_any_times(value: object) -> None:
    """A time is a number of milliseconds or none."""
    assert module._milliseconds(value) >= 0


def test_applications_that_are_none() -> None:
    """Each has to be an object."""

    async def question(world: World, ray: Dashboard) -> None:
        world.ray.broken = '{"applications": {"a": 1}}'
        with pytest.raises(NoAnswer, match="Failed to unmarshal"):
            await ray.applications()

    ask(question)


def test_serve_is_missing() -> None:
    """Ray's words are kept."""

    async def question(world: World, ray: Dashboard) -> None:
        world.ray.serve_installed = False
        with pytest.raises(NoAnswer, match="501 Not Implemented Serve dependencies are not installed"):
            await ray.applications()

    ask(question)


def test_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the limit it is given up, in the words of the operator's client, with the address that users know."""
    monkeypatch.setattr(module, "TIMEOUT", 0.05)

    async def question(world: World, ray: Dashboard) -> None:
        world.ray.slow = True
        with pytest.raises(NoAnswer) as told:
            await ray.configure({})
        assert str(told.value) == (
            'Put "http://c-head-svc.lab.svc.cluster.local:8265/api/serve/applications/": context deadline exceeded'
            " (Client.Timeout exceeded while awaiting headers)"
        )

    ask(question)


def test_nobody_listens() -> None:
    """A refused connection is told with the address that users know."""

    async def run() -> None:
        world = World()
        async with world.ray.serving():
            base = world.ray.base
        world.ray.base = base
        cluster = world.objects.create(kinds.RAY_CLUSTERS, {"metadata": {"name": "c"}, "spec": SPEC}, NAMESPACE)
        world.cluster_comes_up()
        with pytest.raises(NoAnswer, match=r'^Get "http://c-head-svc\.lab\.svc\.cluster\.local:8265/api/jobs/a": dial'):
            await world.access.dashboard(cluster).job("a")
        await world.access.close()

    asyncio.run(run())


@pytest.mark.parametrize("missing", ["service", "head"])
def test_nothing_to_ask(missing: str) -> None:
    """Without a service or a live head there is no dashboard."""
    world = World()
    cluster = world.objects.create(kinds.RAY_CLUSTERS, {"metadata": {"name": "c"}, "spec": SPEC}, NAMESPACE)
    if missing == "head":
        world.objects.create(kinds.SERVICES, head_service(cluster), NAMESPACE)
    with pytest.raises(NoAnswer):
        world.access.dashboard(cluster)


@pytest.mark.parametrize(
    ("data", "fine"),
    [({"auth_token": base64.b64encode(b"T").decode()}, True), ({}, False), ({"auth_token": "%"}, False)],
)
def test_a_token(data: dict[str, str], fine: bool) -> None:
    """It is read from the cluster's Secret, and sent."""

    async def run() -> None:
        world = World()
        world.ray.token = "T"
        spec = {**SPEC, "authOptions": {"mode": "token"}}
        async with world.ray.serving():
            cluster = world.objects.create(kinds.RAY_CLUSTERS, {"metadata": {"name": "c"}, "spec": spec}, NAMESPACE)
            world.cluster_comes_up()
            with pytest.raises(NoAnswer, match="failed to get auth secret lab/c"):
                world.access.dashboard(cluster)
            body = {"metadata": {"name": "c", "namespace": NAMESPACE}, "data": data}
            world.store.put(kinds.SECRETS, body)
            if fine:
                assert await world.access.dashboard(cluster).job("a") is None
            else:
                with pytest.raises(NoAnswer):
                    world.access.dashboard(cluster)
            await world.access.close()

    asyncio.run(run())
