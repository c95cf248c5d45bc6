"""Ray's own HTTP API, as the operator uses it: jobs and Serve applications of one cluster.

Source: Ray 2.52, `dashboard/modules/job` and `dashboard/modules/serve`; which calls, and their two seconds, are the
KubeRay operator's v1.6.2. Errors are worded as that operator words them: they end up in events.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.operator import naming, spec
from kubectl_ray.sandbox.operator.parents import dashboard_address, head_pod, key_of, port_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object

    Addresses = Callable[[str, str, int], tuple[str, int] | None]
    """Namespace, pod and container port to host and port on this machine; None where nothing runs."""

TIMEOUT = 2.0
"""Seconds for one request, all in all."""

JOBS = "/api/jobs/"
APPLICATIONS = "/api/serve/applications/"


class NoAnswer(Exception):
    """Ray's API cannot be reached, or does not give what was asked for; the text says what it gave."""


class Job(NamedTuple):
    """What the operator reads of Ray's job; times are milliseconds since 1970, 0 where Ray gives none."""

    status: str
    message: str
    start: int
    end: int


class Dashboard:
    """The API of one cluster. `shown` is the address that errors name: the cluster's own, not that on this machine."""

    def __init__(self, session: aiohttp.ClientSession, base: str, shown: str, token: str = "") -> None:
        self._session = session
        self._base = base.rstrip("/")
        self._shown = shown
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def job(self, submission: str) -> Job | None:
        """The job of that submission id; None where Ray knows none.

        Raises:
            NoAnswer: no answer, or not one about a job.
        """
        code, _reason, body = await self._ask("GET", JOBS + submission)
        if code == 404:  # noqa: PLR2004 - HTTP's own number
            return None
        found = _object(body, f"GetJobInfo fail: {body}")
        return Job(
            str(found.get("status") or ""),
            str(found.get("message") or ""),
            _milliseconds(found.get("start_time")),
            _milliseconds(found.get("end_time")),
        )

    async def submit(self, request: Mapping[str, Any]) -> None:
        """Start a job.

        Raises:
            NoAnswer: no answer, or Ray refuses.
        """
        code, reason, body = await self._ask("POST", JOBS, request)
        if not _fine(code):
            raise NoAnswer(f"SubmitJob fail: {code} {reason} {body}")

    async def stop(self, submission: str) -> None:
        """Stop a job; one that has ended already is fine.

        Raises:
            NoAnswer: no answer, or the job goes on.
        """
        _code, _reason, body = await self._ask("POST", f"{JOBS}{submission}/stop", {})
        if _object(body, f"StopJob fail: {body}").get("stopped") is not True:
            found = await self.job(submission)
            if found is not None and found.status not in {"STOPPED", "SUCCEEDED", "FAILED"}:
                raise NoAnswer(f"failed to stop job: {found}")

    async def applications(self) -> dict[str, Object]:
        """The Serve applications by name.

        Raises:
            NoAnswer: no answer, or Serve is not installed.
        """
        code, reason, body = await self._ask("GET", f"{APPLICATIONS}?api_type=declarative")
        if not _fine(code):
            raise NoAnswer(f"failed to get serve details: GetServeDetails fail: {code} {reason} {body}")
        wrong = f"GetServeDetails failed. Failed to unmarshal bytes: {body}"
        found = _object(body, wrong).get("applications") or {}
        if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
            raise NoAnswer(wrong)
        return found

    async def configure(self, config: Mapping[str, Any]) -> None:
        """Give Serve the applications that it shall run.

        Raises:
            NoAnswer: no answer, or Serve refuses.
        """
        code, reason, body = await self._ask("PUT", APPLICATIONS, config)
        if not _fine(code):
            raise NoAnswer(f"UpdateDeployments fail: {code} {reason} {body}")

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, str, str]:
        where = f'{method.capitalize()} "http://{self._shown}{path}"'
        try:
            async with self._session.request(
                method,
                self._base + path,
                json=body,
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            ) as answer:
                return answer.status, answer.reason or "", await answer.text(errors="replace")
        except TimeoutError:
            late = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            raise NoAnswer(f"{where}: {late}") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise NoAnswer(f"{where}: {_why(error)}") from error


class Access:
    """How the controllers get at Ray: one HTTP session for all clusters.

    Args:
        objects: where services and tokens are found.
        addresses: where a pod's port is on this machine.
    """

    def __init__(self, objects: Objects, addresses: Addresses) -> None:
        self._objects = objects
        self._addresses = addresses
        self._opened: aiohttp.ClientSession | None = None

    def dashboard(self, cluster: Object) -> Dashboard:
        """The API of a cluster.

        Raises:
            NoAnswer: it has no service, no live head or no token.
        """
        shown = dashboard_address(self._objects, cluster)
        if shown is None:
            raise NoAnswer("dashboard port is not found")
        found = self.address(cluster, port_of(cluster, "dashboard"))
        if found is None:
            raise NoAnswer(f'Get "http://{shown}": dial tcp: connect: connection refused')
        host, port = found
        return Dashboard(self._session, f"http://{host}:{port}", shown, self._token(cluster))

    def address(self, cluster: Object, port: int) -> tuple[str, int] | None:
        """Where a port of the head's container is on this machine; None where no head listens."""
        pod = head_pod(self._objects, cluster)
        return None if pod is None else self._addresses(*key_of(pod), port)

    async def serves(self, cluster: Object) -> bool:
        """Whether the head's Serve proxy answers."""
        found = self.address(cluster, port_of(cluster, "serve"))
        if found is None:
            return False
        host, port = found
        try:
            async with self._session.get(
                f"http://{host}:{port}/-/healthz", timeout=aiohttp.ClientTimeout(total=TIMEOUT)
            ) as answer:
                return answer.status == 200  # noqa: PLR2004 - HTTP's own number
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return False

    async def close(self) -> None:
        """End the connections."""
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    @property
    def _session(self) -> aiohttp.ClientSession:
        # Made late: it needs a running event loop, and many sandboxes never see a job.
        if self._opened is None:
            self._opened = aiohttp.ClientSession(headers={"User-Agent": "kuberay-operator/v1.6.2"}, trust_env=False)
        return self._opened

    def _token(self, cluster: Object) -> str:
        if not spec.token_auth(cluster["spec"]):
            return ""
        given = (cluster["spec"].get("authOptions") or {}).get("secretName")
        namespace, name = cluster["metadata"]["namespace"], given or naming.short_name(cluster["metadata"]["name"])
        secret = self._objects.find(kinds.SECRETS, namespace, name)
        if secret is None:
            raise NoAnswer(f'failed to get auth secret {namespace}/{name}: Secret "{name}" not found')
        held = (secret.get("data") or {}).get("auth_token")
        if held is None:
            raise NoAnswer(f"auth token key '\"auth_token\"' not found in secret {namespace}/{name}")
        try:
            return base64.b64decode(held, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, TypeError) as error:
            raise NoAnswer(f"the auth token in secret {namespace}/{name} cannot be read") from error


def _fine(code: int) -> bool:
    return 200 <= code <= 299  # noqa: PLR2004 - HTTP's own numbers


def _object(body: str, wrong: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise NoAnswer(wrong) from None
    if not isinstance(found, dict):
        raise NoAnswer(wrong)
    return found


def _milliseconds(given: object) -> int:
    return int(given) if isinstance(given, int | float) and 0 < given < 1e15 else 0  # noqa: PLR2004 - the year 33658


def _why(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"dial tcp {error.host}:{error.port}: connect: connection refused"
    return str(error) or "EOF"
