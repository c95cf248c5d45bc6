"""Exec and attach by WebSocket, with real processes."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import InvalidStatus

from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.streams import liveness
from tests.unit.sandbox.streams.dialing import HANDSHAKE, V4, V5, ask, dial, everything, message, path
from tests.unit.sandbox.streams.world import NAMESPACE, serving

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from websockets.asyncio.client import ClientConnection


def run(
    command: list[str],
    *,
    protocol: Any = V5,
    meanwhile: Callable[[ClientConnection], Awaitable[None]] | None = None,
    **asked: str,
) -> tuple[dict[int, bytes], int]:
    """A command's output by channel, and the closing code."""

    async def inner() -> tuple[dict[int, bytes], int]:
        query = {"stdout": "true", "stderr": "true", **asked}
        async with serving() as world, dial(world, path("exec", command=command, **query), protocol) as socket:
            if meanwhile is not None:
                await meanwhile(socket)
            return await everything(socket)

    return asyncio.run(inner())


@pytest.mark.parametrize("protocol", [V5, V4])
def test_output_and_exit_code_reach_the_client(protocol: str) -> None:
    """Each on its channel, and an orderly end of the WebSocket."""
    got, code = run(["sh", "-c", "echo out; echo err >&2; exit 3"], protocol=protocol)
    status = json.loads(got.pop(3))
    assert (got, code) == ({1: b"out\n", 2: b"err\n"}, 1000)
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]


def test_success_is_told() -> None:
    """The whole conversation of `true`, as it was seen at the real server: an empty message comes first."""
    assert run(["true"]) == ({1: b"", 3: b'{"metadata":{},"status":"Success"}'}, 1000)


def test_a_signal_is_an_exit_code() -> None:
    """128 and its number, as container runtimes have it."""
    got, _ = run(["sh", "-c", "kill -9 $$"])
    assert json.loads(got[3])["details"]["causes"][0]["message"] == "137"


def test_stdin_reaches_the_process_to_its_end() -> None:
    """CLOSE of channel 0 is the end of the input; text messages count as well."""

    async def type_in(socket: ClientConnection) -> None:
        await socket.send(b"\0some ")
        await socket.send("\0text")
        await socket.send(b"")
        await socket.send(b"\x09nobody listens here")
        await socket.send(b"\xff\0")

    got, _ = run(["cat"], stdin="true", meanwhile=type_in)
    assert got[1] == b"some text"


def test_a_command_without_stdin_sees_its_end_at_once() -> None:
    """What the client sends all the same goes nowhere."""

    async def type_in(socket: ClientConnection) -> None:
        await socket.send(b"\0text")

    got, _ = run(["cat"], meanwhile=type_in)
    assert got[1] == b""


def test_much_output_arrives_whole() -> None:
    """More than all buffers together."""
    got, _ = run(["head", "-c", "20000000", "/dev/zero"])
    assert len(got[1]) == 20_000_000


def test_a_process_that_stops_reading_still_tells_its_end() -> None:
    """`head` leaves most of its input unread; its output and exit code are not lost by that."""

    async def type_in(socket: ClientConnection) -> None:
        for _ in range(100):
            await socket.send(b"\0" + b"x" * 30_000)

    got, code = run(["head", "-c", "5"], stdin="true", meanwhile=type_in)
    assert (got[1], code) == (b"xxxxx", 1000)
    assert json.loads(got[3])["status"] == "Success"


def test_output_that_was_not_asked_for_is_not_sent() -> None:
    """And the process does not hang on it."""
    got, _ = run(["sh", "-c", "head -c 1000000 /dev/zero; echo err >&2"], stdout="false")
    assert (set(got), got[2]) == ({2, 3}, b"err\n")


def test_a_child_that_keeps_the_output_open_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ray start` leaves such children."""
    monkeypatch.setattr("kubectl_ray.sandbox.streams.execs.SILENCE", 0.1)
    got, _ = run(["sh", "-c", "sleep 100 & echo out; exit 4"])
    assert got[1] == b"out\n"
    assert json.loads(got[3])["details"]["causes"][0]["message"] == "4"


def test_a_terminal_has_the_size_that_the_client_says() -> None:
    """And one output for everything."""

    async def type_in(socket: ClientConnection) -> None:
        await socket.send(b'\4{"Width":101,"Height":33}')
        await socket.send(b"\4nonsense")
        await socket.send(b"\0stty size; echo err >&2; exit 4\n")

    got, _ = run(["sh"], stdin="true", tty="true", meanwhile=type_in)
    assert b"33 101\r\n" in got[1]
    assert b"err\r\n" in got[1]
    assert 2 not in got


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["nosuch"], 'exec: "nosuch": executable file not found in $PATH'),
        (["/no/such"], 'exec: "/no/such": stat /no/such: no such file or directory'),
        (["/etc/passwd"], 'exec: "/etc/passwd": permission denied'),
        ([], "args must not be empty"),
    ],
)
def test_a_program_that_cannot_be_started_is_told_in_runcs_words(command: list[str], why: str) -> None:
    """It comes as an internal error on the error channel, after the upgrade."""
    got, _ = run(command)
    told = json.loads(got[3])["message"]
    assert told.startswith("Internal error occurred: Internal error occurred: error executing command in container: ")
    assert told.endswith(f"{why}: unknown")


def test_a_pod_that_ended_meanwhile_is_told() -> None:
    """The refusal comes after the upgrade, so it comes on the error channel."""

    async def inner() -> dict[int, bytes]:
        async with serving() as world:
            world.start.refusal = Refused(500, "InternalError", "the container is gone")
            async with dial(world, path("exec", command="ls", stdout=1), V5) as socket:
                return (await everything(socket))[0]

    assert json.loads(asyncio.run(inner())[3])["message"].endswith("the container is gone")


def test_a_client_that_leaves_takes_its_process_with_it() -> None:
    """Nothing of an exec is left behind."""

    async def inner() -> None:
        async with serving() as world:
            async with dial(world, path("exec", command=["sleep", "100"], stdout=1), V5) as socket:
                await socket.recv()
            await world.start.started[0].wait()
            assert world.start.started[0].killed

    asyncio.run(inner())


def test_a_client_that_is_cut_off_takes_its_process_with_it() -> None:
    """Also when the process does not read, so that nobody reads from the client either."""

    async def inner() -> None:
        async with serving() as world:
            async with dial(world, path("exec", command=["sleep", "100"], stdin=1, stdout=1), V5) as socket:
                await socket.recv()
                sending = asyncio.ensure_future(flood(socket))
                await asyncio.wait([sending], timeout=0.3)
                socket.transport.abort()
                await asyncio.gather(sending, return_exceptions=True)
            await world.start.started[0].wait()

    async def flood(socket: ClientConnection) -> None:
        while True:
            await socket.send(b"\0" + bytes(60_000))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(liveness, "PING_EVERY", 0.1)
        asyncio.run(inner())


def test_a_client_that_leaves_lets_an_attached_process_run() -> None:
    """Attach only looks on; `kill` of what it was given is a letting go, which the fake remembers."""

    async def inner() -> None:
        async with serving() as world, dial(world, path("attach", stdin=1, stdout=1), V5) as socket:
            assert await socket.recv() == b"\1"
            assert await socket.recv() == b"\1attached\n"
            await socket.send(b"\0hello")
            assert await socket.recv() == b"\1hello"
            assert world.start.asked == [(NAMESPACE, "web", "main", (), True, False)]

    asyncio.run(inner())


def test_an_attached_process_ends_with_success() -> None:
    """Its exit code is the container's, which its status tells."""

    async def inner() -> dict[int, bytes]:
        async with serving() as world, dial(world, path("attach", stdin=1, stdout=1), V5) as socket:
            assert [await socket.recv(), await socket.recv()] == [b"\1", b"\1attached\n"]
            world.start.started[0].process.kill()
            return (await everything(socket))[0]

    assert asyncio.run(inner())[3] == b'{"metadata":{},"status":"Success"}'


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_plain_request_is_refused(method: str) -> None:
    """Exec is an upgrade or nothing."""
    assert message(ask(method, path("exec", command="ls", stdout=1), {})) == (400, "Upgrade request required")


@pytest.mark.parametrize("what", ["exec", "attach"])
@pytest.mark.parametrize(
    ("where", "changes", "told"),
    [
        ({"name": "nope"}, {}, (404, 'pods "nope" not found')),
        ({"container": "zz"}, {}, (400, "container zz is not valid for pod web")),
        ({}, {"node": ""}, (400, "pod web does not have a host assigned")),
    ],
)
def test_a_plain_request_to_a_pod_that_cannot_take_it(
    what: str, where: dict[str, Any], changes: dict[str, Any], told: tuple[int, str]
) -> None:
    """What is wrong with the pod comes before the missing upgrade."""
    assert message(ask("GET", path(what, stdout=1, **where), {}, **changes)) == told


def test_no_stream_at_all_is_refused() -> None:
    """In the kubelet's plain words."""
    told = (400, "text/plain", "you must specify at least 1 of stdin, stdout, stderr")
    assert ask("GET", path("exec", command="ls", stdout="false"), HANDSHAKE) == told


def test_another_method_is_refused() -> None:
    """As of every resource."""
    refused = ask("PUT", path("exec", command="ls", stdout=1), HANDSHAKE)
    assert message(refused) == (405, "the server does not allow this method on the requested resource")


TWO = {"containers": [{"name": "a"}, {"name": "b"}], "initContainers": [{"name": "first"}]}


@pytest.mark.parametrize(
    ("where", "changes", "told"),
    [
        (path("exec", "nope", stdout=1), {}, (404, 'pods "nope" not found')),
        (path("exec", stdout=1, container="zz"), {}, (400, "container zz is not valid for pod web")),
        (
            path("exec", stdout=1),
            TWO,
            (400, "a container name must be specified for pod web, choose one of: [first a b]"),
        ),
        (path("exec", stdout=1), {"node": ""}, (400, "pod web does not have a host assigned")),
    ],
)
def test_what_is_wrong_with_the_pod_is_a_status(where: str, changes: dict[str, Any], told: tuple[int, str]) -> None:
    """Before any upgrade."""
    assert message(ask("GET", where, HANDSHAKE, **changes)) == told


def test_a_container_that_does_not_run_is_the_kubelets_affair() -> None:
    """Plain words and 500, as it was seen."""
    told = (500, "text/plain", 'container not found ("main")')
    assert ask("GET", path("exec", command="ls", stdout=1), HANDSHAKE, state="waiting") == told


def test_a_protocol_that_nobody_speaks_is_refused() -> None:
    """403 without a word."""

    async def inner() -> int:
        async with serving() as world:
            with pytest.raises(InvalidStatus) as refused:
                await dial(world, path("exec", command="ls", stdout=1), "foo.k8s.io")
            return refused.value.response.status_code

    assert asyncio.run(inner()) == 403
