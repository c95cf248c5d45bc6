"""What the API server asks the node for: logs, commands in containers, addresses."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.sandbox.api.kinds import NODES, PODS
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.node.settings import NODE_NAME
from tests.unit.sandbox.node.machine import NAMESPACE, pod, running, shell

if TYPE_CHECKING:
    from pathlib import Path

FOREVER = "trap 'exit 0' TERM; while true; do sleep 0.05; done"


def test_a_log_is_what_was_printed(folder: Path) -> None:
    """Both streams; the last lines, or with their times, where that is asked for."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell("echo one; echo two; echo three >&2; printf four"), restartPolicy="Never"))
            await machine.until(lambda: machine.phase() == "Succeeded")
            assert sorted(re.findall(r"one|two|three|four", await machine.text())) == ["four", "one", "three", "two"]
            assert len((await machine.text(tail_lines=2)).splitlines()) == 2
            stamped = await machine.text(timestamps=True, stream="Stdout")
            assert re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (one\n|two\n|four)){3}", stamped)
            assert await machine.text(since=4e9) == ""
            assert await machine.text(limit_bytes=5, stream="Stdout") == "one\nt"

    asyncio.run(live())


def test_a_log_is_followed_until_the_container_ends(folder: Path) -> None:
    """Line by line as they come."""

    async def live() -> None:
        async with running(folder) as machine:
            script = 'for i in 1 2 3; do echo $i; while [ ! -e "$HOME/$i" ]; do sleep 0.02; done; done'
            machine.make(pod(shell(script), restartPolicy="Never"))
            await machine.until(lambda: machine.phase() == "Running")
            got = []
            async for piece in machine.node.log(NAMESPACE, "p").read(follow=True):
                got.append(piece.decode())
                await machine.run("touch", f"/home/ray/{got[-1].strip()}")
            assert got == ["1\n", "2\n", "3\n"]

    asyncio.run(live())


def test_the_log_of_the_run_before_is_kept(folder: Path) -> None:
    """`--previous`; the present one is another."""

    async def live() -> None:
        async with running(folder) as machine:
            script = f'if [ -e "$HOME/x" ]; then echo second; {FOREVER}; fi; touch "$HOME/x"; echo first; exit 1'
            machine.make(pod(shell(script)))
            await machine.until(lambda: machine.container().get("restartCount") == 1 and machine.container()["ready"])
            assert await machine.text(previous=True) == "first\n"
            present = machine.node.log(NAMESPACE, "p").read(follow=True)
            assert await anext(present) == b"second\n"
            await present.aclose()

    asyncio.run(live())


@pytest.mark.parametrize(
    ("container", "previous", "message"),
    [
        ("nosuch", False, "container nosuch is not valid for pod p"),
        ("a", True, 'previous terminated container "a" in pod "p" not found'),
        ("b", False, 'container "b" in pod "p" is waiting to start: trying and failing to pull image'),
        ("", False, "a container name must be specified for pod p, choose one of: [a b]"),
    ],
)
def test_why_there_is_no_log(folder: Path, container: str, previous: bool, message: str) -> None:
    """400 in the words of the API server and the kubelet."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell(FOREVER), {**shell("true", "b"), "image": "x.invalid/y"}))
            await machine.until(
                lambda: machine.waiting(name="b") == "ImagePullBackOff" and machine.container()["ready"]
            )
            with pytest.raises(Refused) as refused:
                machine.node.log(NAMESPACE, "p", container, previous=previous)
            assert (refused.value.code, refused.value.message) == (400, message)

    asyncio.run(live())


def test_the_log_of_a_pod_that_waits_for_a_node_is_empty(folder: Path) -> None:
    """No error, as on a real cluster; a pod that is not there is one."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell("true"), nodeSelector={"no": "such"}))
            await machine.node.settle()
            assert await machine.text() == ""
            with pytest.raises(Refused) as refused:
                machine.node.log(NAMESPACE, "q")
            assert refused.value.code == 404

    asyncio.run(live())


def test_a_command_runs_with_the_containers_environment(folder: Path) -> None:
    """Its exit code, streams and input are the command's."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell(FOREVER, env=[{"name": "X", "value": "y"}])))
            await machine.until(lambda: machine.phase() == "Running")
            assert await machine.run("sh", "-c", "cat; echo $X >&2; exit 3", stdin=b"in") == (3, b"in", b"y\n")
            code, _out, _err = await machine.run("sh", "-c", "kill -9 $$")
            assert code == 137

    asyncio.run(live())


def test_a_command_may_have_a_terminal(folder: Path) -> None:
    """With the size that was told; both streams are one."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell(FOREVER)))
            await machine.until(lambda: machine.phase() == "Running")
            script = "test -t 0 && test -t 1 && read line && stty size && echo $line >&2"
            process = await machine.node.exec(NAMESPACE, "p", "", ["sh", "-c", script], stdin=True, tty=True)
            await process.resize(120, 40)
            await process.write_stdin(b"typed\n")
            out = b""
            while data := await process.read_stdout(1024):
                out += data
            assert out.replace(b"\r\n", b"\n").endswith(b"40 120\ntyped\n")
            assert (await process.wait(), await process.read_stderr(10)) == (0, b"")

    asyncio.run(live())


def test_a_command_that_is_let_go_ends_with_all_it_started(folder: Path) -> None:
    """`kill` may be called twice."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell(FOREVER)))
            await machine.until(lambda: machine.phase() == "Running")
            script = "sleep 1000 & echo $!; wait"
            process = await machine.node.exec(NAMESPACE, "p", "", ["sh", "-c", script], stdin=False, tty=False)
            child = int(await process.read_stdout(100))
            await process.kill()
            await process.kill()
            assert await process.wait() == 137
            code, _out, _err = await machine.run(
                "sh", "-c", f"kill -0 {child} 2>/dev/null && ! grep -q Z /proc/{child}/stat"
            )
            assert code != 0

    asyncio.run(live())


def test_the_containers_own_process_can_be_joined(folder: Path) -> None:
    """Its output from then on, its input, its exit code."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell("read line; echo got $line; exit 5", stdin=True), restartPolicy="Never"))
            await machine.until(lambda: machine.phase() == "Running")
            joined = await machine.node.exec(NAMESPACE, "p", "", [], stdin=True, tty=False)
            read = asyncio.create_task(joined.read_stdout(100))
            await asyncio.sleep(0)
            await joined.write_stdin(b"it\n")
            assert await read == b"got it\n"
            assert await joined.wait() == 5

    asyncio.run(live())


def test_commands_are_refused_where_nothing_runs(folder: Path) -> None:
    """No such pod, no node, no such container, not running; a program that is not there is an OSError."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell("true"), name="done", restartPolicy="Never"))
            machine.make(pod(shell("true"), name="homeless", nodeSelector={"no": "such"}))
            machine.make(pod(shell(FOREVER)))
            await machine.until(lambda: machine.phase("done") == "Succeeded" and machine.phase() == "Running")
            for name, container, code in (("no", "", 404), ("homeless", "", 400), ("p", "no", 400), ("done", "", 404)):
                with pytest.raises(Refused) as refused:
                    await machine.node.exec(NAMESPACE, name, container, ["true"], stdin=False, tty=False)
                assert refused.value.code == code
            with pytest.raises(FileNotFoundError):
                await machine.run("nosuch")

    asyncio.run(live())


def test_a_port_is_given_only_where_the_pod_itself_listens(folder: Path) -> None:
    """Not one on which somebody else on this machine does."""

    async def live() -> None:
        async with running(folder) as machine:
            other = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
            taken = other.sockets[0].getsockname()[1]
            script = (
                "import socket, time; s = socket.create_server(('127.0.0.1', 0));"
                " print(s.getsockname()[1], flush=True); time.sleep(100)"
            )
            machine.make(pod({"name": "a", "image": "ray:1", "command": ["python", "-c", script]}))
            await machine.until(lambda: machine.phase() == "Running")
            stream = machine.node.log(NAMESPACE, "p").read(follow=True)
            port = int(await anext(stream))
            await stream.aclose()
            assert machine.node.address(NAMESPACE, "p", port) == ("127.0.0.1", port)
            assert machine.node.address(NAMESPACE, "p", taken) is None
            assert machine.node.address(NAMESPACE, "q", port) is None
            other.close()
            await other.wait_closed()

    asyncio.run(live())


def test_a_ray_pods_ports_are_moved(folder: Path) -> None:
    """Each to one of its own, the same as long as it lives."""

    async def live() -> None:
        async with running(folder) as machine:
            head = pod(shell(FOREVER))
            head["metadata"]["labels"] = {"ray.io/node-type": "head", "ray.io/cluster": "c"}
            machine.make(head)
            await machine.until(lambda: machine.phase() == "Running")
            found = machine.node.address(NAMESPACE, "p", 8265)
            assert found is not None
            assert found[1] not in {8265, None}
            assert machine.node.address(NAMESPACE, "p", 8265) == found
            code, out, _err = await machine.run("echo", "http://localhost:8265/x")
            assert (code, out) == (0, f"http://127.0.0.1:{found[1]}/x\n".encode())

    asyncio.run(live())


def test_what_runs_is_told_with_its_memory(folder: Path) -> None:
    """For `sandbox status`."""

    async def live() -> None:
        async with running(folder) as machine:
            machine.make(pod(shell(FOREVER)))
            await machine.until(lambda: machine.phase() == "Running")
            (shown,) = machine.node.processes()
            assert (shown.namespace, shown.pod, shown.container) == (NAMESPACE, "p", "a")
            assert shown.memory > 0

    asyncio.run(live())


def test_the_node_says_what_it_is(folder: Path) -> None:
    """Ready, with its size on paper."""

    async def live() -> None:
        async with running(folder) as machine:
            node = machine.objects.get(NODES, "", NODE_NAME)
            assert node["status"]["capacity"] == {"cpu": "4", "memory": "8388608Ki", "pods": "110"}
            assert node["metadata"]["labels"]["kubernetes.io/hostname"] == NODE_NAME
            assert node["status"]["conditions"][-1]["reason"] == "KubeletReady"

    asyncio.run(live())


def test_nothing_of_a_pod_is_left_when_it_is_gone(folder: Path) -> None:
    """Neither its logs nor what ran."""

    async def live() -> None:
        async with running(folder) as machine:
            made = machine.make(pod(shell("echo x; exit 0"), restartPolicy="Never"))
            await machine.until(lambda: machine.phase() == "Succeeded")
            place = machine.node._places.pod(made["metadata"]["uid"]).path
            assert place.exists()
            machine.objects.delete(PODS, NAMESPACE, "p")
            await machine.until(lambda: not machine.phase())
            await machine.node.settle()
            assert not place.exists()
            assert list((folder / "pods").iterdir()) == []

    asyncio.run(live())
