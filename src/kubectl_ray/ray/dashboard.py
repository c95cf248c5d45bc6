"""Ray's dashboard, asked over a way that the caller provides.

Source: Ray's dashboard REST API (`/api/version`, `/api/jobs/`, `/api/authentication_mode`, `/nodes`), and its token
rules: 401 without a token and 403 with a wrong one, both as plain text, so either still proves that Ray answers.
"""

from __future__ import annotations

import json
import re

from kubectl_ray.models.fields import dig, mapping, mappings, sequence, text

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
_PYTHON = re.compile(r"(?:^|/)python(3\.[0-9]{1,3})(?:/|$)")


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
        jobs = _json(body)
        if not isinstance(jobs, list):
            return None
        alive = [job for job in jobs if isinstance(job, dict) and job.get("status") in {"PENDING", "RUNNING"}]
        return [str(job.get("submission_id") or job.get("job_id") or "?") for job in alive]

    def needs_token(self) -> bool | None:
        """Does it ask for a token? Ray older than 2.52 knows no tokens; `None`: it cannot be told."""
        status, _, body = self._asked("/api/authentication_mode")
        if status == OK:
            mode = dig(_json(body), "authentication_mode")
            return mode == "token" if isinstance(mode, str) else None
        return None if status in {0, *CLOSED} else status in NEEDS_TOKEN

    def ray_version(self) -> str:
        """The version of Ray on the cluster, "" when it cannot be told."""
        status, _, body = self._asked("/api/version")
        return text(dig(_json(body), "ray_version")) if status == OK else ""

    def python_version(self) -> str:
        """The Python that Ray runs with, as `3.11`: it stands in the paths of Ray's own programs. Else ""."""
        status, _, body = self._asked("/nodes?view=summary")
        found = dig(_json(body), "data", "summary") if status == OK else None
        for node in mappings(found):
            for program in (node, mapping(node.get("raylet")), mapping(node.get("agent")), mapping(node.get("gcs"))):
                for word in sequence(program.get("cmdline")):
                    named = _PYTHON.search(text(word))
                    if named:
                        return named[1]
        return ""

    def _asked(self, path: str) -> tuple[int, str, bytes]:
        answer = self._ask("GET", path)
        self.silent = answer[0] == 0
        return answer


def _json(body: bytes) -> Any:
    """What the body says; None when it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
