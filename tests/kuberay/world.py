"""A whole world for one command line: `World().run("cluster list")` → what came out, and what the server was asked."""

from __future__ import annotations

import io
import shlex
from typing import TYPE_CHECKING, Any

from kubectl_ray.cli.main import main
from tests.kuberay.objects import namespace
from tests.kuberay.operator import Operator
from tests.wire import ApiServer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from tests.wire import Request

    Step = tuple[str, Callable[[], object] | None]
    """When this text has come out, do that; None: the reader has seen enough and leaves."""

WHO_AM_I = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
SERVICES = "/api/v1/namespaces/default/services/"


class Outcome:
    """What a run left behind: its exit code, stdout, stderr, and the requests that it made."""

    def __init__(self, code: int, out: str, err: str, requests: list[Request]) -> None:
        self.code = code
        self.out = out
        self.err = err
        self.requests = requests

    @property
    def lines(self) -> list[str]:
        """The lines of stdout, the cells of each parted by single spaces."""
        return [" ".join(line.split()) for line in self.out.splitlines()]

    @property
    def rows(self) -> list[dict[str, str]]:
        """The table on stdout: a dict for each row. Cells hold no double spaces."""
        titles, *rows = [[cell.strip() for cell in line.split("   ") if cell.strip()] for line in self.out.splitlines()]
        return [dict(zip(titles, row, strict=True)) for row in rows]

    @property
    def asked(self) -> list[str]:
        """The requests, as `GET /api/v1/…`."""
        return [f"{request.method} {request.path}" for request in self.requests]

    def __repr__(self) -> str:
        return f"exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}\n--- asked\n{self.asked}"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """As a terminal's."""
        return True


class Audience:
    """Reads stdout and stderr as they come, and does the next step when it has read that step's text."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = list(steps)
        self._heard = ""

    def hear(self, text: str) -> None:
        """More came out.

        Raises:
            BrokenPipeError: the reader has left.
        """
        self._heard += text
        while self._steps and self._steps[0][0] in self._heard:
            expected, act = self._steps.pop(0)
            self._heard = self._heard.partition(expected)[2]
            if act is None:
                raise BrokenPipeError
            act()


class Heard(io.StringIO):
    """A stream that an audience follows."""

    def __init__(self, audience: Audience) -> None:
        super().__init__()
        self._audience = audience

    def write(self, text: str, /) -> int:
        """As a stream's."""
        written = super().write(text)
        self._audience.hear(text)
        return written


class World:
    """A fake API server with KubeRay installed, a login called jane, and command lines run in this process.

    `ray` is what a head's dashboard answers: by path, `(status, object)`.
    """

    def __init__(self) -> None:
        self.api = ApiServer()
        self.store = self.api.store
        self.ray: dict[str, tuple[int, Any]] = {
            "/api/version": (200, {"ray_version": "2.52.0"}),
            "/api/jobs/": (200, []),
        }
        self._operator: Operator | None = None

    def __enter__(self) -> Self:
        self.api.__enter__()
        self.api.add(namespace("default"), namespace("kube-system"))
        self.api.route(WHO_AM_I, self._who_am_i)
        self.api.route(SERVICES, self._dashboard)
        return self

    def __exit__(self, *trouble: object) -> None:
        if self._operator is not None:
            self._operator.stop()
        self.api.__exit__(*trouble)

    def add(self, *objects: dict[str, Any]) -> None:
        """Objects that are there."""
        self.api.add(*objects)

    def with_operator(self) -> Self:
        """From now on pods come and go as the clusters want them."""
        self._operator = Operator(self.store)
        self._operator.start()
        return self

    def run(
        self, line: str | list[str], *, stdin: str = "", terminal: bool = False, steps: Sequence[Step] = ()
    ) -> Outcome:
        """Run what follows `kubectl ray`. With `terminal` a person is there, and says `stdin`.

        `steps` are done as the output comes; a command that never ends by itself ends when the reader leaves.
        """
        before = len(self.api.requests)
        argv = shlex.split(line) if isinstance(line, str) else line
        audience = Audience(steps)
        out: io.StringIO = Heard(audience)
        err: io.StringIO = Terminal() if terminal else Heard(audience)
        given = Terminal(stdin) if terminal else io.StringIO(stdin)
        code = main(argv, env={**self.api.env, "TERM": "dumb"}, stdin=given, stdout=out, stderr=err)
        return Outcome(code, out.getvalue(), err.getvalue(), self.api.requests[before:])

    def meanwhile(self, method: str, path: str, act: Callable[[], object]) -> None:
        """Somebody does something after the next such request was sent, and before it is answered."""

        def when(_request: Request) -> bool:
            act()
            return True

        self.api.fault(path, method=method, when=when)

    def _who_am_i(self, _request: Request) -> tuple[int, Any]:
        return 201, {"kind": "SelfSubjectReview", "status": {"userInfo": {"username": self.api.user}}}

    def _dashboard(self, request: Request) -> tuple[int, Any]:
        for path, answer in self.ray.items():
            if request.path.endswith(f"/proxy{path}"):
                return answer
        return 404, b"not found"
