"""The real kubectl against exec, cp and port-forward, over WebSockets and over its SPDY fallback."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import struct
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.sandbox.api.kinds import PODS
from tests.unit.sandbox.streams.dialing import forwarding
from tests.unit.sandbox.streams.world import NAMESPACE, World, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KUBECTL = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or "kubectl"

ways = pytest.mark.parametrize("websockets", ["true", "false"])


@contextlib.asynccontextmanager
async def started(
    world: World, folder: Path, websockets: str, *argv: str, ends: int = asyncio.subprocess.PIPE
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A kubectl that is ended in the end."""
    environment = {
        **os.environ,
        "KUBECONFIG": world.kubeconfig(folder),
        "KUBECTL_REMOTE_COMMAND_WEBSOCKETS": websockets,
        "KUBECTL_PORT_FORWARD_WEBSOCKETS": websockets,
        "HOME": str(folder),
    }
    process = await asyncio.create_subprocess_exec(
        KUBECTL, *argv, env=environment, cwd=folder, stdin=ends, stdout=ends, stderr=ends
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def kubectl(folder: Path, websockets: str, *argv: str, stdin: bytes = b"") -> tuple[int, bytes, str]:
    """Its exit code, output and words."""

    async def inner() -> tuple[int, bytes, str]:
        async with serving() as world, started(world, folder, websockets, *argv) as process:
            out, err = await process.communicate(stdin)
            return process.returncode or 0, out, err.decode()

    return asyncio.run(inner())


@ways
def test_exec_has_the_commands_output_and_exit_code(tmp_path: Path, websockets: str) -> None:
    """As if the command had run here."""
    code, out, err = kubectl(tmp_path, websockets, "exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (code, out, err) == (7, b"out\n", "err\ncommand terminated with exit code 7\n")


@ways
def test_exec_passes_its_input_on(tmp_path: Path, websockets: str) -> None:
    """Whole, and with its end."""
    code, out, _ = kubectl(tmp_path, websockets, "exec", "-i", "web", "--", "wc", "-c", stdin=b"x" * 3_000_000)
    assert (code, out.strip()) == (0, b"3000000")


@ways
def test_exec_of_nothing_is_an_error(tmp_path: Path, websockets: str) -> None:
    """With the words that people search for."""
    code, _, err = kubectl(tmp_path, websockets, "exec", "web", "--", "nosuch")
    assert code == 1
    assert 'exec: "nosuch": executable file not found in $PATH: unknown' in err


@ways
def test_cp_brings_a_folder_there_and_back(tmp_path: Path, websockets: str) -> None:
    """It is `tar` over exec."""
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    (here / "deep").mkdir(parents=True)
    (here / "deep" / "file").write_bytes(os.urandom(2_000_000))
    assert kubectl(tmp_path, websockets, "cp", "here", f"web:{there}")[0] == 0
    assert kubectl(tmp_path, websockets, "cp", f"web:{there}/here", "back")[0] == 0
    assert (tmp_path / "back" / "deep" / "file").read_bytes() == (here / "deep" / "file").read_bytes()


@ways
def test_exec_with_a_terminal_is_a_session(tmp_path: Path, websockets: str) -> None:
    """What is typed comes back, the size is the own terminal's, and the exit code the shell's."""

    async def inner() -> tuple[int, bytes]:
        ours, theirs = os.openpty()
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 101, 0, 0))
        argv = ("exec", "-it", "web", "--", "sh")
        async with serving() as world, started(world, tmp_path, websockets, *argv, ends=theirs) as process:
            os.close(theirs)
            # The size comes right after the start; a shell that asks before would see none.
            os.write(ours, b"until stty size | grep 33; do sleep 0.05; done; exit 5\n")
            code, shown = await process.wait(), b""
            with contextlib.suppress(OSError):  # Linux says EIO when the last one has closed a terminal
                while piece := os.read(ours, 65536):
                    shown += piece
        os.close(ours)
        return code, shown

    code, shown = asyncio.run(inner())
    assert code == 5
    assert b"33 101\r\n" in shown


async def local_port(process: asyncio.subprocess.Process) -> int:
    """Where a port-forward listens."""
    assert process.stdout is not None
    line = await process.stdout.readline()
    return int(line.decode().partition("127.0.0.1:")[2].partition(" ")[0])


@ways
def test_port_forward_carries_many_connections_with_half_close(tmp_path: Path, websockets: str) -> None:
    """Each to its end; the pod hears that the client has finished, and can still answer."""

    async def one(port: int, number: int) -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        text = str(number).encode() * 50_000
        writer.write(text)
        writer.write_eof()
        got = await reader.read(-1)
        writer.close()
        return got == text + b" and goodbye"

    async def inner() -> list[bool]:
        argv = ("port-forward", "pod/web", ":7000")
        async with forwarding() as world, started(world, tmp_path, websockets, *argv) as process:
            port = await local_port(process)
            return await asyncio.gather(*(one(port, number) for number in range(20)))

    assert asyncio.run(inner()) == [True] * 20


@ways
def test_port_forward_to_a_closed_port_tells_why(tmp_path: Path, websockets: str) -> None:
    """In the kubelet's words; kubectl then ends."""

    async def inner() -> str:
        async with serving() as world, started(world, tmp_path, websockets, "port-forward", "web", ":1") as process:
            _, writer = await asyncio.open_connection("127.0.0.1", await local_port(process))
            err = (await process.communicate())[1].decode()
            writer.close()
            return err

    err = asyncio.run(inner())
    assert "IPv4: dial tcp4 127.0.0.1:1: connect: connection refused" in err
    assert err.endswith("error: lost connection to pod\n")


@ways
def test_port_forward_ends_with_its_pod(tmp_path: Path, websockets: str) -> None:
    """A new pod of the same name is another one."""

    async def inner() -> tuple[int, str]:
        async with serving() as world, started(world, tmp_path, websockets, "port-forward", "web", ":1") as process:
            await local_port(process)
            world.objects.store.drop(PODS, world.objects.get(PODS, NAMESPACE, "web"))
            err = (await process.communicate())[1].decode()
            return process.returncode or 0, err

    assert asyncio.run(inner()) == (1, "error: lost connection to pod\n")
