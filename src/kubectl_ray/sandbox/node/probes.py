"""Startup, readiness and liveness probes of a container that runs.

Source: Kubernetes v1.36, `pkg/kubelet/prober` and `pkg/probe`; the events' texts are recorded. The probes that
KubeRay's operator writes (a shell with wget or python) are done here over HTTP, and until the first success more often
than they ask for: a Ray on one machine is up before their first delay is over.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kubectl_ray.sandbox.api.store import Object

STARTUP, READINESS, LIVENESS = "Startup", "Readiness", "Liveness"
PASSED, FAILED, ERRED = "passed", "failed", "errored"

_WGET = re.compile(r"wget --tries \d+ -T (\d+) -q -O- (http://localhost:(\d+)(/\S*)) \| grep (\w+)")
_PYTHON = re.compile(
    r"python3? -c \"import urllib\.request; r=urllib\.request\.urlopen\('http://(?:localhost|127\.0\.0\.1):(\d+)"
    r"(/[^']*)', timeout=(\d+)\); exit\(0 if b'(\w+)' in r\.read\(\) else 1\)\""
)
_LONGEST_BODY = 10 * 1024


class Look(NamedTuple):
    """One request of an operator's probe: the answer must hold `word`."""

    port: int
    path: str
    seconds: float
    word: str


class Verdict(NamedTuple):
    """What a probe found; `text` is for the event."""

    result: str
    text: str = ""


class Target(Protocol):
    """What a probe needs of the container that it probes."""

    def address(self, port: int) -> tuple[str, int]:
        """Where a port of the pod is on this machine."""

    def number(self, port: int | str) -> int | None:
        """The number of a port that may be named; None when no port has that name."""

    async def run(self, command: Sequence[str], seconds: float) -> tuple[int, bytes]:
        """Exit code and output of a command in the container.

        Raises:
            TimeoutError: it takes longer; it has been ended.
            OSError: it cannot be started.
        """


def looks(probe: Object) -> list[Look]:
    """The requests of a probe that the operator wrote; none when it is another one."""
    command = (probe.get("exec") or {}).get("command") or []
    if len(command) != len(("bash", "-c", "script")) or command[:2] not in (["bash", "-c"], ["sh", "-c"]):
        return []
    found = []
    for part in command[2].split(" && "):
        wget, python = _WGET.fullmatch(part.strip()), _PYTHON.fullmatch(part.strip())
        if wget:
            found.append(Look(int(wget[3]), wget[4], float(wget[1]), wget[5]))
        elif python:
            found.append(Look(int(python[1]), python[2], float(python[3]), python[4]))
        else:
            return []
    return found


class Prober:
    """One probe at work, from `run` until it is cancelled.

    `told(passed)` is called when the result that counts changes, `event(text)` with each failure's text.
    """

    def __init__(
        self,
        kind: str,
        probe: Object,
        target: Target,
        *,
        eager: float,
        told: Callable[[bool], None],
        event: Callable[[str], None],
    ) -> None:
        self._kind, self._probe, self._target = kind, probe, target
        self._eager, self._told, self._event = eager, told, event
        self._looks = looks(probe)
        self._period = float(probe.get("periodSeconds") or 10)
        self._seconds = float(probe.get("timeoutSeconds") or 1)
        self._holds: bool | None = None
        self._row = 0
        self._last: bool | None = None

    async def run(self) -> None:
        """Probe until cancelled; a startup probe that passed has done its work."""
        began = time.monotonic()
        next_tick = began + float(self._probe.get("initialDelaySeconds") or 0)
        while not (self._kind == STARTUP and self._holds):
            if await self._early(next_tick):
                next_tick = time.monotonic()
            await asyncio.sleep(max(0.0, next_tick - time.monotonic()))
            verdict = await self.once()
            self._count(verdict)
            next_tick = max(next_tick + self._period, time.monotonic())

    async def _early(self, until: float) -> bool:
        """Look more often than asked, silently, until it passes for the first time."""
        if not self._looks or self._kind == LIVENESS:
            return False
        while self._holds is not True and time.monotonic() + self._eager < until:
            await asyncio.sleep(self._eager)
            if (await self.once()).result == PASSED:
                return True
        return False

    def _count(self, verdict: Verdict) -> None:
        if verdict.result != PASSED:
            how = "failed: " if verdict.result == FAILED else "errored and resulted in unknown state: "
            self._event(f"{self._kind} probe {how}{verdict.text}")
        if verdict.result == ERRED:
            return
        passed = verdict.result == PASSED
        self._row = self._row + 1 if passed == self._last else 1
        self._last = passed
        needed = self._probe.get("successThreshold" if passed else "failureThreshold") or (1 if passed else 3)
        if self._row >= needed and self._holds != passed:
            self._holds = passed
            self._told(passed)
            if not passed and self._kind != READINESS:
                self._row, self._holds = 0, None

    async def once(self) -> Verdict:
        """Probe now."""
        probe = self._probe
        if self._looks:
            return await self._by_looks()
        if probe.get("exec"):
            return await self._by_command(probe["exec"].get("command") or [])
        if probe.get("httpGet"):
            return await self._by_request(probe["httpGet"])
        socket = probe.get("tcpSocket") or probe.get("grpc") or {}
        return await self._by_connection(socket.get("port", 0))

    async def _by_looks(self) -> Verdict:
        for look in self._looks:
            host, port = self._target.address(look.port)
            limit = aiohttp.ClientTimeout(min(look.seconds, self._seconds))
            try:
                async with (
                    aiohttp.ClientSession(timeout=limit) as session,
                    session.get(f"http://{host}:{port}{look.path}") as answer,
                ):
                    text = await answer.text(errors="replace")
            except TimeoutError:
                return Verdict(FAILED, _timed_out(self._probe["exec"]["command"], self._seconds))
            except (aiohttp.ClientError, OSError):
                return Verdict(FAILED)
            if answer.status >= 400 or look.word not in text:  # noqa: PLR2004 - wget fails from there on
                return Verdict(FAILED)
        return Verdict(PASSED)

    async def _by_command(self, command: Sequence[str]) -> Verdict:
        try:
            code, output = await self._target.run(command, self._seconds)
        except TimeoutError:
            return Verdict(FAILED, _timed_out(command, self._seconds))
        except OSError as error:
            return Verdict(
                ERRED,
                "rpc error: code = Unknown desc = failed to exec in container: OCI runtime exec failed: exec failed: "
                f"unable to start container process: {start_problem(command, error)}: unknown",
            )
        return Verdict(PASSED) if code == 0 else Verdict(FAILED, output[:_LONGEST_BODY].decode(errors="replace"))

    async def _by_request(self, request: Object) -> Verdict:
        number = self._target.number(request.get("port", 0))
        if number is None:
            return Verdict(ERRED, f'couldn\'t find port: "{request.get("port")}"')
        host, port = self._target.address(number)
        scheme = request.get("scheme", "HTTP").lower()
        path = "/" + request.get("path", "").lstrip("/")
        shown = f'Get "{scheme}://{host}:{number}{path}": '
        headers = {each["name"]: each["value"] for each in request.get("httpHeaders") or []}
        limit = aiohttp.ClientTimeout(self._seconds)
        try:
            async with (
                aiohttp.ClientSession(timeout=limit) as session,
                session.get(f"{scheme}://{host}:{port}{path}", headers=headers, ssl=False) as answer,
            ):
                status = answer.status
        except TimeoutError:
            return Verdict(FAILED, f"{shown}context deadline exceeded (Client.Timeout exceeded while awaiting headers)")
        except aiohttp.ClientConnectorError:
            return Verdict(FAILED, f"{shown}dial tcp {host}:{number}: connect: connection refused")
        except (aiohttp.ClientError, OSError, ValueError):
            return Verdict(FAILED, f"{shown}EOF")
        if 200 <= status < 400:  # noqa: PLR2004 - the kubelet's own bounds
            return Verdict(PASSED)
        return Verdict(FAILED, f"HTTP probe failed with statuscode: {status}")

    async def _by_connection(self, named: int | str) -> Verdict:
        number = self._target.number(named)
        if number is None:
            return Verdict(ERRED, f'couldn\'t find port: "{named}"')
        host, port = self._target.address(number)
        try:
            _reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), self._seconds)
        except TimeoutError:
            return Verdict(FAILED, f"dial tcp {host}:{number}: i/o timeout")
        except OSError:
            return Verdict(FAILED, f"dial tcp {host}:{number}: connect: connection refused")
        writer.close()
        return Verdict(PASSED)


def _timed_out(command: Sequence[str], seconds: float) -> str:
    return f'command timed out: "{" ".join(command)}" timed out after {seconds:g}s'


def start_problem(command: Sequence[str], error: OSError) -> str:
    """Why a program cannot be started, in the container runtime's words."""
    program = command[0] if command else ""
    if isinstance(error, FileNotFoundError):
        why = f"stat {program}: no such file or directory" if "/" in program else "executable file not found in $PATH"
    elif isinstance(error, PermissionError):
        why = "permission denied"
    else:
        why = (error.strerror or str(error)).lower()
    return f'exec: "{program}": {why}'
