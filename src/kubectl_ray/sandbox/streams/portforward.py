"""`portforward`: ports of a pod to a client, in the three ways that Kubernetes has for it.

- WebSocket `SPDY/3.1+portforward.k8s.io`: SPDY inside the messages of one WebSocket (KEP-4006); kubectl's way.
- `POST` with `Upgrade: SPDY/3.1`: the same without the WebSocket; older clients and kubectl's fallback. In both, each
  connection is a pair of streams, `error` and `data`, with the headers `port` and `requestID`.
- WebSocket `v4.channel.k8s.io`: one connection for each port of the query `ports`, channels 2n (data) and 2n+1 (error),
  each beginning with the port as two bytes, little-endian.

The server calls `handle_portforward` after it has checked the rights.

Source: Kubernetes' `k8s.io/cri-streaming/pkg/streaming/portforward` and `k8s.io/apiserver/pkg/util/proxy`, v1.36.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.kinds import PODS
from kubectl_ray.sandbox.api.refusals import Refused, bad_request
from kubectl_ray.sandbox.streams import channels, pods, upgrades
from kubectl_ray.sandbox.streams.channel_forward import serve_channels
from kubectl_ray.sandbox.streams.liveness import first_of
from kubectl_ray.sandbox.streams.stream_forward import serve_streams
from kubectl_ray.sandbox.streams.takeover import Left, switching, take_over
from kubectl_ray.sandbox.streams.wire import Tunnel

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Change, Object

PROTOCOL = "portforward.k8s.io"
TUNNELED = "SPDY/3.1+"
MAX_PORT, MOST_DIGITS = 65_535, 18
MOST_PORTS = 128
"""In one WebSocket: each has two of the 256 channels."""


async def handle_portforward(
    request: web.Request,
    namespace: str,
    name: str,
    *,
    objects: Objects,
    address: Callable[[str, str, int], tuple[str, int] | None],
) -> web.StreamResponse:
    """Forward until the client leaves or the pod is gone. `address` is asked for each connection anew.

    Raises:
        Refused: no such pod, or it has no node; a port that is none; not an upgrade.
    """
    if request.method not in ("GET", "POST"):
        raise Refused(
            405, "MethodNotAllowed", "the server does not allow this method on the requested resource", details={}
        )
    ports = _ports(request)
    pod = pods.on_a_node(objects, namespace, name)
    upgrades.require_upgrade(request)  # the real server looks for the pod first, too
    if pods.is_over(pod):
        return upgrades.text(500, f'pod not found ("{name}_{namespace}")')

    def where(port: int) -> tuple[str, int] | None:
        return address(namespace, name, port)

    if not upgrades.is_websocket(request):
        return await _over_spdy(request, objects, pod, where)
    offered = upgrades.words(request, "Sec-WebSocket-Protocol")
    tunneled = [each for each in offered if each.startswith(TUNNELED) and each.endswith(".k8s.io")]
    if tunneled:
        return await _over_tunnel(request, objects, pod, where, tunneled)
    return await _over_channels(request, objects, pod, where, ports)


async def _over_spdy(
    request: web.Request, objects: Objects, pod: Object, where: Callable[[int], tuple[str, int] | None]
) -> web.StreamResponse:
    offered = upgrades.words(request, upgrades.VERSION_HEADER)
    refusal = upgrades.spdy_refusal(request, offered, [PROTOCOL], [PROTOCOL])
    if refusal is not None:
        return refusal
    wire = take_over(request)
    try:
        await wire.write(switching("SPDY/3.1", [(upgrades.VERSION_HEADER, PROTOCOL)]))
        await first_of(serve_streams(wire, pod, where), _until_gone(objects, pod))
    finally:
        wire.abort()
    return Left()


async def _over_tunnel(
    request: web.Request,
    objects: Objects,
    pod: Object,
    where: Callable[[int], tuple[str, int] | None],
    tunneled: list[str],
) -> web.StreamResponse:
    inner = [each.removeprefix(TUNNELED) for each in tunneled]
    if PROTOCOL not in inner:
        return upgrades.not_negotiated(inner, [PROTOCOL])
    socket = await upgrades.websocket(request, TUNNELED + PROTOCOL)
    await first_of(serve_streams(Tunnel(socket), pod, where), _until_gone(objects, pod))
    await socket.close()
    return socket


async def _over_channels(
    request: web.Request,
    objects: Objects,
    pod: Object,
    where: Callable[[int], tuple[str, int] | None],
    ports: list[int],
) -> web.StreamResponse:
    if not ports:
        return upgrades.text(400, 'query parameter "port" is required')
    if 0 in ports:
        return upgrades.text(400, 'port "0" must be > 0')
    if channels.V4 not in upgrades.words(request, "Sec-WebSocket-Protocol"):
        return upgrades.no_websocket_protocol()
    socket = await upgrades.websocket(request, channels.V4)
    await first_of(serve_channels(socket, pod, where, ports), _until_gone(objects, pod))
    await socket.close()
    return socket


def _ports(request: web.Request) -> list[int]:
    """The query's ports, with the words of Go's parser for those that are none."""
    ports: list[int] = []
    for text in ",".join(request.query.getall("ports", [])).split(",") if "ports" in request.query else ():
        if not (text.isascii() and text.isdigit()):
            raise bad_request(f'cannot convert to []int32: strconv.ParseUint: parsing "{text}": invalid syntax')
        if len(text) > MOST_DIGITS or int(text) > MAX_PORT:
            raise bad_request(f'cannot convert to []int32: strconv.ParseUint: parsing "{text}": value out of range')
        ports.append(int(text))
    if len(ports) > MOST_PORTS:
        raise bad_request(f"{len(ports)} ports are more than the {MOST_PORTS} that one connection can carry")
    return ports


async def _until_gone(objects: Objects, pod: Object) -> None:
    """Wait until this very pod is gone, or has ended for good."""
    meta = pod["metadata"]
    gone = asyncio.Event()

    def look(change: Change) -> None:
        it = change.kind is PODS and change.object["metadata"]["uid"] == meta["uid"]
        if it and (change.what == "DELETED" or pods.is_over(change.object)):
            gone.set()

    unlisten = objects.store.listen(look)
    try:
        now = objects.find(PODS, meta["namespace"], meta["name"])
        if now is not None and now["metadata"]["uid"] == meta["uid"]:
            await gone.wait()
    finally:
        unlisten()
