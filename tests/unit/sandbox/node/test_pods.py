"""A pod's life, with lines of shell for containers; statuses and events are those recorded on a real node."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from kubectl_ray.sandbox.api.kinds import CONFIG_MAPS, SECRETS
from kubectl_ray.sandbox.node.processes import POD, Belonging
from kubectl_ray.sandbox.node.settings import Pace
from tests.unit.sandbox.node.machine import NAMESPACE, Machine, Object, pod, running, shell, story

if TYPE_CHECKING:
    from pathlib import Path

FOREVER = "trap 'exit 0' TERM; while true; do sleep 0.05; done"


def conditions(seen: Object) -> dict[str, tuple[str, str]]:
    """Status and reason of each."""
    return {each["type"]: (each["status"], each.get("reason", "")) for each in seen["status"].get("conditions", [])}


def test_a_pod_that_runs_is_ready_with_an_address(folder: Path) -> None:
    """Scheduled, sandboxed, initialized, ready: conditions in the kubelet's order."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell(FOREVER)))
            await machine.until(lambda: machine.phase() == "Running")
            seen = machine.pod()
            assert list(conditions(seen)) == [
                "PodReadyToStartContainers",
                "Initialized",
                "Ready",
                "ContainersReady",
                "PodScheduled",
            ]
            assert all(status == "True" for status, _reason in conditions(seen).values())
            assert seen["status"]["podIP"] == "127.0.0.1"
            assert seen["metadata"]["generation"] == 1
            assert machine.container()["started"] is True
            assert {"Container created", "Container started"} <= set(machine.events())

    asyncio.run(live())


def test_what_a_pod_was_before_it_ran_is_told_step_by_step(folder: Path) -> None:
    """Waiting without, then with its sandbox, then running."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell(FOREVER)))
            await machine.until(lambda: machine.phase() == "Running")
            steps = [conditions(each).get("PodReadyToStartContainers", ("", ""))[0] for each in machine.seen["p"]]
            assert [each for at, each in enumerate(steps) if not at or steps[at - 1] != each] == ["", "False", "True"]
            assert story(machine) == ["waiting ContainerCreating", "running"]

    asyncio.run(live())


@pytest.mark.parametrize(("code", "phase", "reason"), [(0, "Succeeded", "PodCompleted"), (3, "Failed", "PodFailed")])
def test_a_pod_that_ends_says_how_before_its_phase_does(folder: Path, code: int, phase: str, reason: str) -> None:
    """Ready is false for that reason while the phase is still Running; then it is the last phase."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell(f"sleep 0.2; exit {code}"), restartPolicy="Never"))
            await machine.until(lambda: machine.phase() == phase)
            before, last = machine.seen["p"][-2:]
            assert (before["status"]["phase"], conditions(before)["Ready"]) == ("Running", ("False", reason))
            assert conditions(last)["PodReadyToStartContainers"][0] == "False"
            assert machine.container()["state"]["terminated"]["exitCode"] == code

    asyncio.run(live())


def test_a_signal_is_an_exit_code(folder: Path) -> None:
    """128 + its number, reason Error."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell("kill -9 $$$$"), restartPolicy="Never"))
            await machine.until(lambda: machine.phase() == "Failed")
            ended = machine.container()["state"]["terminated"]
            assert (ended["exitCode"], ended["reason"]) == (137, "Error")

    asyncio.run(live())


def test_a_container_that_crashes_restarts_at_once_and_then_backs_off(folder: Path) -> None:
    """First restart at once; then CrashLoopBackOff, longer each time, with the last end as last state."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell("exit 2")))
            await machine.until(lambda: machine.container().get("restartCount") == 3)
            first = ["waiting ContainerCreating", "running", "terminated Error", "running", "terminated Error"]
            assert story(machine)[:6] == [*first, "waiting CrashLoopBackOff"]
            waited = [
                each["status"]["containerStatuses"][0]["state"]["waiting"]["message"]
                for each in machine.seen["p"]
                if "CrashLoopBackOff" in str(each.get("status"))
            ]
            uid = machine.pod()["metadata"]["uid"]
            assert waited[0].endswith(f"restarting failed container=a pod=p_ns({uid})")
            assert machine.phase() == "Running"
            assert machine.container()["lastState"]["terminated"]["exitCode"] == 2
            assert machine.events("BackOff") == [f"Back-off restarting failed container a in pod p_ns({uid})"]

    asyncio.run(live())


def test_on_failure_restarts_only_what_failed(folder: Path) -> None:
    """A container that exits 0 stays as it is, its neighbour that fails runs again."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell("exit 0"), shell("exit 1", "b"), restartPolicy="OnFailure"))
            await machine.until(lambda: machine.container(name="b").get("restartCount") == 1)
            assert machine.container()["restartCount"] == 0
            assert machine.container()["state"]["terminated"]["reason"] == "Completed"
            assert machine.phase() == "Running"

    asyncio.run(live())


def test_init_containers_run_one_after_the_other(folder: Path) -> None:
    """Each waits for the one before; a failing one runs again; others say PodInitializing meanwhile."""

    async def live() -> None:
        async with running(folder) as machine:
            inits = [shell("echo one; exit 0", "i"), shell('test -e "$HOME/x" || { touch "$HOME/x"; exit 4; }', "j")]
            machine.make(pod(shell(FOREVER), initContainers=inits))
            await machine.until(lambda: machine.phase() == "Running")
            assert story(machine) == ["waiting PodInitializing", "running"]
            assert machine.container(name="j")["restartCount"] == 1
            assert machine.container(name="i")["ready"] is True
            assert await machine.text("i") == "one\n"
            states = [conditions(each).get("Initialized") for each in machine.seen["p"]]
            assert ("False", "ContainersNotInitialized") in states

    asyncio.run(live())


def test_a_failed_init_container_fails_a_pod_that_never_restarts(folder: Path) -> None:
    """Its containers are never started."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell("true"), initContainers=[shell("exit 4", "i")], restartPolicy="Never"))
            await machine.until(lambda: machine.phase() == "Failed")
            assert machine.waiting() == "PodInitializing"

    asyncio.run(live())


def test_a_sidecar_runs_beside_and_ends_last(folder: Path) -> None:
    """A restartable init container does not hold the others up, and is ended after them."""

    async def live() -> None:
        async with running(folder) as machine:
            sidecar = {**shell(FOREVER, "s"), "restartPolicy": "Always"}
            machine.make(pod(shell("sleep 0.2"), initContainers=[sidecar], restartPolicy="Never"))
            await machine.until(lambda: machine.phase() == "Succeeded")
            assert machine.container(name="s")["state"]["terminated"]["exitCode"] == 0
            assert "Stopping container s" in machine.events("Killing")

    asyncio.run(live())


def test_a_program_that_is_not_there_is_a_start_error(folder: Path) -> None:
    """The container runtime's own words; exit code 128."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod({"name": "a", "image": "ray:1", "command": ["nosuch-binary"]}, restartPolicy="Never"))
            await machine.until(lambda: machine.phase() == "Failed")
            ended = machine.container()["state"]["terminated"]
            assert (ended["exitCode"], ended["reason"]) == (128, "StartError")
            assert ended["message"] == (
                "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create "
                'failed: unable to start container process: exec: "nosuch-binary": executable file not found in '
                "$PATH: unknown"
            )
            assert machine.events("Failed") == [f"Error: {ended['message']}"]

    asyncio.run(live())


def test_a_program_that_is_not_there_is_tried_again_where_the_policy_says_so(folder: Path) -> None:
    """RunContainerError, then CrashLoopBackOff; the last state tells the cause."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod({"name": "a", "image": "ray:1", "command": ["/etc/passwd"]}))
            await machine.until(lambda: machine.waiting() == "CrashLoopBackOff")
            last = machine.container()["lastState"]["terminated"]
            assert last["startedAt"] == "1970-01-01T00:00:00Z"
            assert last["message"].endswith('exec: "/etc/passwd": permission denied: unknown')
            assert "waiting RunContainerError" in story(machine)

    asyncio.run(live())


@pytest.mark.parametrize(
    ("env", "text"),
    [
        ([{"name": "X", "valueFrom": {"secretKeyRef": {"name": "no", "key": "k"}}}], 'secret "no" not found'),
        ([{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "no", "key": "k"}}}], 'configmap "no" not found'),
    ],
)
def test_a_container_waits_for_what_its_environment_needs(folder: Path, env: list[Object], text: str) -> None:
    """CreateContainerConfigError, until it is there."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell('test "$X" = v && ' + FOREVER, env=env)))
            await machine.until(lambda: machine.waiting() == "CreateContainerConfigError")
            assert machine.container()["state"]["waiting"]["message"] == text
            assert machine.events("Failed") == [f"Error: {text}"]
            made = {"metadata": {"name": "no"}}
            if "secret" in text:
                machine.objects.create(SECRETS, {**made, "data": {"k": "dg=="}}, NAMESPACE)
            else:
                machine.objects.create(CONFIG_MAPS, {**made, "data": {"k": "v"}}, NAMESPACE)
            await machine.until(lambda: machine.phase() == "Running")

    asyncio.run(live())


def test_a_pod_waits_for_its_volumes(folder: Path) -> None:
    """ContainerCreating without a sandbox, FailedMount counted up; it runs when the volume is there, with its files."""

    async def live() -> None:
        async with running(folder) as machine:
            volumes = [{"name": "v", "configMap": {"name": "code"}}]
            mounts = [{"name": "v", "mountPath": "/home/ray/code"}]
            machine.make(pod(shell(f"cat /home/ray/code/x; {FOREVER}", volumeMounts=mounts), volumes=volumes))
            await machine.until(lambda: machine.events("FailedMount"))
            assert machine.events("FailedMount") == [
                'MountVolume.SetUp failed for volume "v" : configmap "code" not found'
            ]
            assert machine.waiting() == "ContainerCreating"
            assert conditions(machine.pod())["PodReadyToStartContainers"][0] == "False"
            machine.objects.create(CONFIG_MAPS, {"metadata": {"name": "code"}, "data": {"x": "hi"}}, NAMESPACE)
            await machine.until(lambda: machine.phase() == "Running")
            code, out, _err = await machine.run("cat", "/home/ray/code/x")
            assert (code, out) == (0, b"hi")

    asyncio.run(live())


def test_an_image_that_is_marked_as_missing_is_not_pulled(folder: Path) -> None:
    """ErrImagePull and ImagePullBackOff take turns; a missing pull secret is only a warning."""

    async def live() -> None:
        async with running(folder, missing_images=("*/nope:*",)) as machine:
            container = {**shell("true"), "image": "me/nope:1"}
            machine.make(pod(container, imagePullSecrets=[{"name": "no"}]))
            await machine.until(lambda: story(machine).count("waiting ErrImagePull") == 2)
            assert story(machine)[:4] == [
                "waiting ContainerCreating",
                "waiting ErrImagePull",
                "waiting ImagePullBackOff",
                "waiting ErrImagePull",
            ]
            assert machine.phase() == "Pending"
            assert 'Back-off pulling image "me/nope:1"' in machine.events("BackOff")
            assert machine.events("FailedToRetrieveImagePullSecret") == [
                "Unable to retrieve some image pull secrets (no); attempting to pull the image may not succeed."
            ]

    asyncio.run(live())


@pytest.mark.parametrize(
    ("more", "script", "message"),
    [
        ({}, "echo because > /dev/termination-log; exit 9", "because\n"),
        ({"terminationMessagePolicy": "FallbackToLogsOnError"}, "echo printed; exit 9", "printed\n"),
        ({}, "echo printed; exit 9", None),
    ],
)
def test_a_container_may_say_why_it_ended(folder: Path, more: Any, script: str, message: str | None) -> None:
    """In its file, or by the end of its log where it asks for that."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell(script, **more), restartPolicy="Never"))
            await machine.until(lambda: machine.phase() == "Failed")
            assert machine.container()["state"]["terminated"].get("message") == message

    asyncio.run(live())


def test_a_container_far_above_its_memory_limit_is_killed(folder: Path) -> None:
    """OOMKilled, 137."""

    async def live() -> None:
        async with running(folder) as machine:
            script = "import time; held = bytearray(200 << 20); time.sleep(60)"
            container = {"name": "a", "image": "ray:1", "command": ["python", "-c", script]}
            machine.make(pod({**container, "resources": {"limits": {"memory": "50Mi"}}}, restartPolicy="Never"))
            await machine.until(lambda: machine.phase() == "Failed")
            ended = machine.container()["state"]["terminated"]
            assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)

    asyncio.run(live())


def test_after_a_restart_of_the_sandbox_containers_run_again(folder: Path) -> None:
    """As after a reboot of a node: counted as a restart; what ran before has ended for an unknown reason."""

    async def live() -> None:
        machine = Machine(folder)
        await machine.node.start()
        machine.make(pod(shell(FOREVER)))
        await machine.until(lambda: machine.phase() == "Running")
        await machine.node.stop()
        assert machine.phase() == "Running"
        other = type(machine.node)(machine.objects, folder, machine.settings)
        await other.start()
        try:
            await machine.until(lambda: machine.container()["restartCount"] == 1)
            last = machine.container()["lastState"]["terminated"]
            assert (last["exitCode"], last["reason"]) == (255, "Unknown")
            assert machine.events("SandboxChanged")
        finally:
            await other.stop()
            other._places.sweep([])

    asyncio.run(live())


def test_stopping_ends_every_process_and_nothing_else(folder: Path) -> None:
    """Children that left their group too; this process's own child stays."""

    async def live() -> None:
        mine = await asyncio.create_subprocess_exec("sleep", "100")
        try:
            async with running(folder) as machine:
                script = "trap '' TERM; python -c 'import os, time; os.setsid(); time.sleep(100)' & sleep 100"
                machine.make(pod(shell(script)))
                await machine.until(lambda: machine.phase() == "Running")
                uid = machine.pod()["metadata"]["uid"]
                await machine.until(machine.node.processes)
            assert Belonging(POD, uid).find() == []
            assert psutil.pid_exists(mine.pid)
        finally:
            mine.kill()
            await mine.wait()

    asyncio.run(live())


def test_the_delays_are_the_kubelets() -> None:
    """10 s, twice as long each time, 300 s at most, ten calm minutes; only tests are in a hurry."""
    assert (Pace().first_restart, Pace().longest, Pace().calm) == (10.0, 300.0, 600.0)
