"""What a test may order instead of, or before, the right answer."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Fault:
    """Done to the next `times` requests (None: all) whose method and path (a regular expression, searched) match.

    `status`, `headers`, `body` (bytes, or an object sent as JSON): this answer.
    `raw`: these bytes, then the connection closes, or with `hold` stays open in silence until the client leaves.
    `drop`: the connection closes with no answer; `cut`: after that many bytes of the right answer's body.
    `delay`: seconds before anything is done (with nothing else: the right answer then).
    `after`: the request is carried out first, then the fault is done to its answer.
    """

    def __init__(  # noqa: PLR0913 -- one argument a fault
        self,
        path: str = "",
        *,
        method: str = "",
        times: int | None = 1,
        status: int = 0,
        headers: dict[str, str] | None = None,
        body: Any = None,
        raw: bytes = b"",
        drop: bool = False,
        cut: int | None = None,
        delay: float = 0,
        after: bool = False,
        hold: bool = False,
        when: Callable[[Any], bool] | None = None,
    ) -> None:
        self.path = re.compile(path)
        self.method = method
        self.left = times
        self.status = status
        self.headers = headers or {}
        self.body = body
        self.raw = raw
        self.drop = drop
        self.cut = cut
        self.delay = delay
        self.after = after
        self.hold = hold
        self.when = when
        self.done = 0

    def takes(self, request: Any) -> bool:
        """Whether it is for this request; counts it if so."""
        if self.left == 0 or (self.method and self.method != request.method) or not self.path.search(request.target):
            return False
        if self.when is not None and not self.when(request):
            return False
        if self.left is not None:
            self.left -= 1
        self.done += 1
        return True
