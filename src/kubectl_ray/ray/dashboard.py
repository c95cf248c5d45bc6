"""Ray's dashboard, asked over a way that the caller provides.

Source: Ray's dashboard REST API (`/api/version`, `/api/jobs/`), and its token rules: 401 without a token and 403 with a
wrong one, both as plain text, so either still proves that Ray answers.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Ask = Callable[[str, str], "tuple[int, str, bytes]"]
    """`ask(method, path)` → HTTP status, content type, body; status 0 when the way itself is closed."""

OK = 200
NEEDS_TOKEN = (401, 403)
CLOSED = (405, 413, 502, 504)
"""What proxies on the way answer when they do not let through; 503 is what they say of a head that is not up yet."""


class Dashboard:
    """One cluster's dashboard. Nothing here raises: what cannot be asked is `None`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.silent = False
        """The last question got no answer at all."""

    def answers(self) -> bool | None:
        """Does Ray answer? `None`: the way there is closed to this login, so it cannot be told."""
        status, content_type, _ = self._asked("/api/version")
        if status == OK:
            return True
        if status in NEEDS_TOKEN:
            # Ray's own refusals are plain text, Kubernetes' are Status objects: the latter closes the way.
            return None if "json" in content_type else True
        return None if status in CLOSED else False

    def running_jobs(self) -> list[str] | None:
        """The jobs that run or wait, by submission id, else Ray's job id; `None` when they cannot be asked for."""
        status, _, body = self._asked("/api/jobs/")
        if status != OK:
            return None
        try:
            jobs: Any = json.loads(body)
        except (ValueError, RecursionError):
            return None
        if not isinstance(jobs, list):
            return None
        alive = [job for job in jobs if isinstance(job, dict) and job.get("status") in {"PENDING", "RUNNING"}]
        return [str(job.get("submission_id") or job.get("job_id") or "?") for job in alive]

    def _asked(self, path: str) -> tuple[int, str, bytes]:
        answer = self._ask("GET", path)
        self.silent = answer[0] == 0
        return answer
