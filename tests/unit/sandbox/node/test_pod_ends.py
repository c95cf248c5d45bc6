"""How pods are taken down; statuses and events are those recorded on a real node."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.kinds import PODS
from kubectl_ray.sandbox.node.processes import POD, Belonging
from tests.unit.sandbox.node.machine import NAMESPACE, pod, running, shell, story

if TYPE_CHECKING:
    from pathlib import Path

FOREVER = "trap 'exit 0' TERM; while true; do sleep 0.05; done"


def test_deleting_ends_the_processes_and_then_the_object(folder: Path) -> None:
    """SIGTERM, the phase its exit code means, then it is gone; Killing is told of."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell("trap 'exit 7' TERM; sleep 100 & while true; do sleep 0.05; done")))
            await machine.until(lambda: machine.phase() == "Running")
            uid = machine.pod()["metadata"]["uid"]
            machine.objects.delete(PODS, NAMESPACE, "p")
            await machine.until(lambda: machine.objects.find(PODS, NAMESPACE, "p") is None)
            last = machine.seen["p"][-1]
            assert last["status"]["phase"] == "Failed"
            assert last["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 7
            assert last["metadata"]["deletionGracePeriodSeconds"] == 0
            assert machine.events("Killing") == ["Stopping container a"]
            assert Belonging(POD, uid).find() == []

    asyncio.run(live())


def test_what_does_not_end_is_killed_after_the_grace_period(folder: Path) -> None:
    """Exit code 137."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell("trap '' TERM; while true; do sleep 0.05; done"), terminationGracePeriodSeconds=1))
            await machine.until(lambda: machine.phase() == "Running")
            machine.objects.delete(PODS, NAMESPACE, "p")
            await machine.until(lambda: machine.objects.find(PODS, NAMESPACE, "p") is None)
            ended = machine.seen["p"][-1]["status"]["containerStatuses"][0]["state"]["terminated"]
            assert ended["exitCode"] == 137

    asyncio.run(live())


def test_a_pod_that_never_ran_is_deleted_as_one_that_nobody_could_find(folder: Path) -> None:
    """ContainerStatusUnknown."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod({**shell("true"), "image": "x.invalid/y:1"}))
            await machine.until(lambda: machine.waiting() == "ErrImagePull")
            machine.objects.delete(PODS, NAMESPACE, "p")
            await machine.until(lambda: machine.objects.find(PODS, NAMESPACE, "p") is None)
            status = machine.seen["p"][-1]["status"]
            ended = status["containerStatuses"][0]["state"]["terminated"]
            assert (status["phase"], ended["reason"], ended["exitCode"]) == ("Failed", "ContainerStatusUnknown", 137)

    asyncio.run(live())


def test_a_pod_deleted_by_force_leaves_no_process(folder: Path) -> None:
    """The object goes at once, what ran soon after."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell("trap '' TERM; sleep 1000 & sleep 1000")))
            await machine.until(lambda: machine.phase() == "Running")
            uid = machine.pod()["metadata"]["uid"]
            machine.objects.delete(PODS, NAMESPACE, "p", grace=0)
            await machine.node.settle()
            assert Belonging(POD, uid).find() == []

    asyncio.run(live())


def test_hooks_run_around_the_life_of_a_container(folder: Path) -> None:
    """PreStop before the signal; one that fails is told of."""

    async def live() -> None:
        async with running(folder) as machine:
            hook = {"preStop": {"exec": {"command": ["sh", "-c", 'touch "$HOME/stopped"; exit 5']}}}
            script = "trap 'test -e \"$HOME/stopped\" && exit 9' TERM; while true; do sleep 0.05; done"
            machine.make(pod(shell(script, lifecycle=hook)))
            await machine.until(lambda: machine.phase() == "Running")
            machine.objects.delete(PODS, NAMESPACE, "p")
            await machine.until(lambda: machine.objects.find(PODS, NAMESPACE, "p") is None)
            ended = machine.seen["p"][-1]["status"]["containerStatuses"][0]["state"]["terminated"]
            assert ended["exitCode"] == 9
            assert machine.events("FailedPreStopHook") == ["PreStopHook failed"]

    asyncio.run(live())


def test_a_post_start_hook_that_fails_ends_the_container(folder: Path) -> None:
    """PostStartHookError, and again."""

    async def live() -> None:
        async with running(folder) as machine:
            hook = {"postStart": {"exec": {"command": ["false"]}}}
            machine.make(pod(shell(FOREVER, lifecycle=hook)))
            await machine.until(lambda: machine.container().get("restartCount") == 1)
            assert machine.events("FailedPostStartHook") == ["PostStartHook failed"]
            assert "waiting PostStartHookError" in story(machine)

    asyncio.run(live())


def test_a_pod_that_is_active_too_long_fails(folder: Path) -> None:
    """DeadlineExceeded, in its status and as an event."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell(FOREVER), activeDeadlineSeconds=1))
            await machine.until(lambda: machine.phase() == "Failed")
            status = machine.pod()["status"]
            text = "Pod was active on the node longer than the specified deadline"
            assert (status["reason"], status["message"]) == ("DeadlineExceeded", text)
            assert machine.events("DeadlineExceeded") == [text]

    asyncio.run(live())
