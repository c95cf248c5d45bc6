"""The log of a container, as `kubectl logs` asks for it.

Source: Kubernetes' `pkg/registry/core/pod/rest/log.go` and `pkg/apis/core/validation` (ValidatePodLogOptions), v1.36.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from aiohttp import web

from kubectl_ray.sandbox.api.kinds import PODS
from kubectl_ray.sandbox.api.refusals import Refused, bad_request
from kubectl_ray.sandbox.serving import options
from kubectl_ray.sandbox.serving.paths import truth

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from kubectl_ray.sandbox.api.objects import Objects

LAYOUT = "2006-01-02T15:04:05Z07:00"
"""How Go calls RFC 3339."""


class Log(Protocol):
    """The output of one run of a container."""

    def read(
        self,
        *,
        follow: bool = False,
        tail_lines: int | None = None,
        since: float | None = None,
        timestamps: bool = False,
        limit_bytes: int | None = None,
        stream: str = "All",
    ) -> AsyncGenerator[bytes]:
        """Its text, piece by piece; `since` is in seconds since 1970."""


class OpenLog(Protocol):
    """Finds a log; whoever runs pods offers it."""

    def __call__(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> Log:
        """The log; `container` "" is the only one.

        Raises:
            Refused: 400, 404, there is none.
        """


class Wanted(NamedTuple):
    """The options of a request for a log."""

    container: str
    previous: bool
    follow: bool
    timestamps: bool
    tail_lines: int | None
    limit_bytes: int | None
    since: float | None
    stream: str


class PodLogs:
    """Answers the subresource `pods/log`."""

    def __init__(self, objects: Objects, open_log: OpenLog) -> None:
        self._objects = objects
        self._open_log = open_log

    async def answer(self, request: web.Request, namespace: str, name: str, rest: str) -> web.StreamResponse:
        """The text of a log.

        Raises:
            Refused: 400, 404, 405, 422.
        """
        del rest
        if request.method not in {"GET", "HEAD"}:
            told = "the server does not allow this method on the requested resource"
            raise Refused(405, "MethodNotAllowed", told, {})
        asked = wanted(name, request.query, self._objects.clock())
        pod = self._objects.get(PODS, namespace, name)
        if not pod["spec"].get("nodeName"):
            return web.Response(status=204)
        log = self._open_log(namespace, name, asked.container, previous=asked.previous)
        answer = web.StreamResponse()
        answer.content_type = "text/plain"
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        pieces = log.read(
            follow=asked.follow,
            tail_lines=asked.tail_lines,
            since=asked.since,
            timestamps=asked.timestamps,
            limit_bytes=asked.limit_bytes,
            stream=asked.stream,
        )
        try:
            async for piece in pieces:
                await answer.write(piece)
        finally:
            await pieces.aclose()
        await answer.write_eof()
        return answer


def wanted(pod: str, query: Mapping[str, str], now: float) -> Wanted:
    """The options, if they make sense; `now` is in seconds since 1970.

    Raises:
        Refused: 400, 422.
    """
    tail, limit = options.number(query, "tailLines"), options.number(query, "limitBytes")
    seconds, moment = options.number(query, "sinceSeconds"), query.get("sinceTime", "")
    since = None if seconds is None else now - seconds
    if moment:
        since = _moment(moment)
    wrong: list[tuple[str, str, str]] = []
    if tail is not None and tail < 0:
        wrong.append(("FieldValueInvalid", f"Invalid value: {tail}: must be greater than or equal to 0", "tailLines"))
    if limit is not None and limit < 1:
        wrong.append(("FieldValueInvalid", f"Invalid value: {limit}: must be greater than 0", "limitBytes"))
    if seconds is not None and moment:
        told = "at most one of `sinceTime` or `sinceSeconds` may be specified"
        wrong.append(("FieldValueForbidden", f"Forbidden: {told}", "[]"))
    elif seconds is not None and seconds < 1:
        wrong.append(("FieldValueInvalid", f"Invalid value: {seconds}: must be greater than 0", "sinceSeconds"))
    if query.get("stream", "All") != "All":
        wrong.append(("FieldValueForbidden", "Forbidden: may not be specified", "stream"))
    if wrong:
        raise _invalid(pod, wrong)
    return Wanted(
        query.get("container", ""),
        truth(query.get("previous", "")),
        truth(query.get("follow", "")),
        truth(query.get("timestamps", "")),
        tail,
        limit,
        since,
        "All",
    )


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
        seconds = moment.timestamp()
    except (ValueError, OverflowError):
        moment, seconds = None, 0.0
    if moment is None or moment.tzinfo is None:
        shown = json.dumps(text)
        raise bad_request(f'parsing time {shown} as "{LAYOUT}": cannot parse {shown} as "2006"')
    return seconds


def _invalid(pod: str, causes: list[tuple[str, str, str]]) -> Refused:
    told = [f"{field}: {message}" for _reason, message, field in causes]
    text = told[0] if len(told) == 1 else "[" + ", ".join(told) + "]"
    details = {
        "name": pod,
        "kind": "PodLogOptions",
        "causes": [{"reason": reason, "message": message, "field": field} for reason, message, field in causes],
    }
    return Refused(422, "Invalid", f'PodLogOptions "{pod}" is invalid: {text}', details)
