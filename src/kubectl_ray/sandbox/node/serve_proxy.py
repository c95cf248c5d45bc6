"""Where Ray Serve's HTTP proxies listen in a pod of the sandbox; runs inside of Ray's processes.

Serve starts a proxy on each node, on one port and on all addresses; here nodes share an address, and two proxies on one
port would take turns with each other's requests. Serve has no setting for one node, but it calls a function of the
user's choice before a proxy listens (RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH, meant for middlewares), from a function
that holds the options which the proxy will use: they are changed there.
"""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

PLACE = f"{__name__}.place"
"""The function's path, as Serve wants it."""


def place() -> list[object]:
    """Give the proxy that is about to start this pod's own port; no middlewares."""
    numbers: dict[str, int] = json.loads(os.environ.get("KUBECTL_RAY_PORTS") or "{}")
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - see above
    while frame is not None:
        options: Any = frame.f_locals.get("http_options")
        if options is not None and hasattr(options, "port") and hasattr(options, "host"):
            options.host = "127.0.0.1"
            options.port = numbers.get(str(options.port), options.port)
            break
        frame = frame.f_back
    return []
