"""`exec` and `attach`: a process's streams to a client, over a WebSocket (GET) or SPDY/3.1 (POST).

The server calls `handle_exec` and `handle_attach` after it has checked the rights. What they refuse before the upgrade
is either raised as Refused or returned as the kubelet's plain words.

Source: Kubernetes' `k8s.io/cri-streaming/pkg/streaming/remotecommand` and `k8s.io/apiserver/pkg/util/proxy`, v1.36.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import secrets
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api.kinds import PODS
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.streams import channels, pods, upgrades
from kubectl_ray.sandbox.streams.fronts import PIECE, ChannelFront, SpdyFront, Wanted
from kubectl_ray.sandbox.streams.liveness import ended, first_of, surely, until_gone
from kubectl_ray.sandbox.streams.takeover import Left, switching, take_over

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from aiohttp import web

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.streams.fronts import Front
    from kubectl_ray.sandbox.streams.process import Process, Start

log = logging.getLogger(__name__)

SILENCE = 2.0
"""Seconds. After the command's end its output is over when nothing came for so long, though a child holds it open."""

LAST_WORD = 1.0
"""Seconds that a client has for taking it."""

CUT_OFF = "error executing command in container: the server has ended"

SPDY_PROTOCOLS = ("v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io")
"""What the real server says it accepts; clients that offer v4, which is older than all supported ones, get that."""


async def handle_exec(
    request: web.Request, namespace: str, name: str, *, objects: Objects, start: Start
) -> web.StreamResponse:
    """Run `?command=…` in a container; the process is ended when the client goes away.

    Raises:
        Refused: no such pod or container, or it has no node; not an upgrade.
    """
    return await _handle(request, namespace, name, request.query.getall("command", []), objects=objects, start=start)


async def handle_attach(
    request: web.Request, namespace: str, name: str, *, objects: Objects, start: Start
) -> web.StreamResponse:
    """Join a container's own process; it goes on when the client goes away. `start` is called with no command.

    Raises:
        Refused: as of `handle_exec`.
    """
    return await _handle(request, namespace, name, None, objects=objects, start=start)


async def _handle(
    request: web.Request,
    namespace: str,
    name: str,
    command: Sequence[str] | None,
    *,
    objects: Objects,
    start: Start,
) -> web.StreamResponse:
    if request.method not in ("GET", "POST"):
        raise Refused(
            405, "MethodNotAllowed", "the server does not allow this method on the requested resource", details={}
        )
    pod = objects.get(PODS, namespace, name)
    container = pods.container(pod, request.query.get("container", ""))
    pods.on_a_node(objects, namespace, name)
    upgrades.require_upgrade(request)  # the real server looks for the pod first, too
    wanted = _wanted(request)
    if not any(wanted[:3]):
        return upgrades.text(400, "you must specify at least 1 of stdin, stdout, stderr")
    if not pods.runs(pod, container):
        return upgrades.text(500, f'container not found ("{container}")')

    async def run() -> Process:
        if command is not None and not command:
            raise OSError(errno.EINVAL, "args must not be empty")
        return await start(namespace, name, container, command or (), stdin=wanted.stdin, tty=wanted.tty)

    if upgrades.is_websocket(request):
        protocol = channels.choose(upgrades.words(request, "Sec-WebSocket-Protocol"))
        if protocol is None:
            return upgrades.no_websocket_protocol()
        socket = await upgrades.websocket(request, protocol)
        front: Front = ChannelFront(socket, protocol)
        await _session(front, run, wanted, command)
        return socket
    offered = upgrades.words(request, upgrades.VERSION_HEADER)
    refusal = upgrades.spdy_refusal(request, offered, [channels.V4], SPDY_PROTOCOLS)
    if refusal is not None:
        return refusal
    wire = take_over(request)
    await wire.write(switching("SPDY/3.1", [(upgrades.VERSION_HEADER, channels.V4)]))
    spdy = SpdyFront(wire, wanted)
    if await spdy.ready():
        await _session(spdy, run, wanted, command)
    else:
        await spdy.close()
    return Left()


def _wanted(request: web.Request) -> Wanted:
    def asked(name: str) -> bool:
        return request.query.get(name, "false").lower() not in ("false", "0")

    tty = asked("tty")
    return Wanted(asked("stdin"), asked("stdout"), asked("stderr") and not tty, tty)


async def _session(
    front: Front, run: Callable[[], Awaitable[Process]], wanted: Wanted, command: Sequence[str] | None
) -> None:
    """One process and one client, until either has ended."""
    try:
        if isinstance(front, ChannelFront):  # tells the client that the way to the container is open
            await front.send(next(i for i in (1, 2, 3) if i == channels.ERROR or wanted[i]), b"")
        try:
            process = await run()
        except (OSError, Refused) as error:
            if isinstance(error, ConnectionError):
                raise
            await _tell(front, channels.failed(_not_started(error, command or ()), front.protocol))
            return
        try:
            await first_of(
                _follow(front, process, wanted, command),
                _feed(front, process),
                until_gone(front.ping),
            )
        finally:
            await surely(process.kill())
    except ConnectionError:
        log.debug("the client of %s has gone", command)
    except asyncio.CancelledError:
        # Clients take an end without a word for success.
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(LAST_WORD):
                await _tell(front, channels.failed(CUT_OFF, front.protocol))
        raise
    finally:
        await front.close()


def _not_started(error: OSError | Refused, command: Sequence[str]) -> str:
    """Why a command could not be started, in the words of kubelet, containerd and runc."""
    if isinstance(error, Refused):
        return error.message
    program = command[0] if command else ""
    why = {
        errno.ENOENT: f"stat {program}: no such file or directory"
        if "/" in program
        else "executable file not found in $PATH",
        errno.EACCES: "permission denied",
        errno.ENOEXEC: "exec format error",
    }.get(error.errno or 0, error.strerror or str(error))
    told = f'unable to start container process: exec: "{program}": {why}' if command else why
    return (
        "error executing command in container: failed to exec in container: failed to start exec"
        f' "{secrets.token_hex(32)}": OCI runtime exec failed: exec failed: {told}: unknown'
    )


async def _follow(front: Front, process: Process, wanted: Wanted, command: Sequence[str] | None) -> None:
    """Bring its output to the client, and then tell how it ended."""
    waiting = asyncio.ensure_future(process.wait())
    pumps = [
        asyncio.ensure_future(_pump(front, read, channel, waiting, shown=wanted[channel]))
        for channel, read in ((channels.STDOUT, process.read_stdout), (channels.STDERR, process.read_stderr))
    ]
    try:
        await asyncio.gather(*pumps)
        code = await waiting
    finally:
        await ended(waiting, *pumps)
    await _tell(front, channels.ended(0 if command is None else code, front.protocol, command or ()))


async def _pump(
    front: Front,
    read: Callable[[int], Awaitable[bytes]],
    channel: int,
    process_ended: asyncio.Future[int],
    *,
    shown: bool,
) -> None:
    """Output to its end; what nobody asked for is read all the same, so that the process never waits for a reader."""
    while True:
        reading = asyncio.ensure_future(read(PIECE))
        either: list[asyncio.Future[Any]] = [reading, process_ended]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({reading}, timeout=SILENCE if not reading.done() else 0)
            if not reading.done() or not (data := reading.result()):
                break
        finally:
            await ended(reading)
        if shown:
            await front.send(channel, data)
    if shown:
        await front.finish(channel)


async def _feed(front: Front, process: Process) -> None:
    """Bring the client's input to the process, until the client has gone."""
    async for channel, data in front.inputs():
        if channel == channels.RESIZE:
            size = channels.size(data)
            if size is not None:
                await process.resize(*size)
            continue
        with contextlib.suppress(ConnectionError):  # it may have closed its input; its end is told apart
            await (process.write_stdin(data) if data else process.close_stdin())


async def _tell(front: Front, status: dict[str, object]) -> None:
    await front.send(channels.ERROR, channels.pack(status))
    await front.finish(channels.ERROR)
