"""One process' worth of fake Ray: the job and serve API and a Serve proxy, over real HTTP."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.test_utils import TestServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp.typedefs import Handler

NO_SERVE = 'Serve dependencies are not installed. Please run `pip install "ray[serve]"`.'


class FakeRay:
    """What it holds is set and read by the test; `asked` is every request, method and path."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.applications: dict[str, dict[str, Any]] = {}
        self.config: dict[str, Any] | None = None
        self.asked: list[tuple[str, str]] = []
        self.headers: dict[str, str] = {}
        self.token = ""
        self.serve_installed = True
        self.proxy_code = 404
        self.broken = ""
        self.slow = False
        self.base = ""
        self.now = 0.0
        """Seconds since 1970 that a posted job is said to have begun at; 0 for none."""

    def job(self, submission: str, status: str, **more: Any) -> None:
        """Let Ray know a job."""
        self.jobs[submission] = {"submission_id": submission, "status": status, "message": "", **more}

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, port = self.base.removeprefix("http://").split(":")
        return host, int(port)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeRay]:
        """Answer on loopback."""
        app = web.Application(middlewares=[self._first])
        app.router.add_get("/api/jobs/{id}", self._get)
        app.router.add_post("/api/jobs/", self._submit)
        app.router.add_post("/api/jobs/{id}/stop", self._stop)
        app.router.add_get("/api/serve/applications/", self._details)
        app.router.add_put("/api/serve/applications/", self._configure)
        app.router.add_get("/-/healthz", self._health)
        server = TestServer(app)
        await server.start_server()
        self.base = f"http://127.0.0.1:{server.port}"
        try:
            yield self
        finally:
            await server.close()

    @web.middleware
    async def _first(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.asked.append((request.method, request.path))
        self.headers = dict(request.headers)
        if self.slow:
            await asyncio.Event().wait()
        if self.broken:
            return web.Response(text=self.broken)
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401, text="Unauthorized: Missing authentication token")
        return await handler(request)

    async def _get(self, request: web.Request) -> web.Response:
        found = self.jobs.get(request.match_info["id"])
        if found is None:
            return web.Response(status=404, text=f"Job {request.match_info['id']} does not exist")
        return web.json_response(found)

    async def _submit(self, request: web.Request) -> web.Response:
        body = await request.json()
        begun = {"start_time": int(self.now * 1000)} if self.now else {}
        self.job(body["submission_id"], "PENDING", message="Job has not started yet.", request=body, **begun)
        return web.json_response({"job_id": body["submission_id"], "submission_id": body["submission_id"]})

    async def _stop(self, request: web.Request) -> web.Response:
        found = self.jobs.get(request.match_info["id"])
        if found is None:
            return web.Response(status=404, text=f"Job {request.match_info['id']} does not exist")
        running = found["status"] in {"PENDING", "RUNNING"}
        if running:
            found |= {"status": "STOPPED", "message": "Job was intentionally stopped."}
        return web.json_response({"stopped": running})

    async def _details(self, _request: web.Request) -> web.Response:
        if not self.serve_installed:
            return web.Response(status=501, text=NO_SERVE)
        return web.json_response({"applications": self.applications})

    async def _configure(self, request: web.Request) -> web.Response:
        self.config = await request.json()
        return web.Response()

    async def _health(self, _request: web.Request) -> web.Response:
        return web.Response(status=self.proxy_code, text="success")
