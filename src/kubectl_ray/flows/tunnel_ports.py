"""The ports of a head: their names and usual numbers, and what proves that one of them really answers."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_ray.models.pod import Pod

REMOTE = {"client": 10001, "dashboard": 8265, "serve": 8000, "metrics": 8080}
"""The ports of a head by name, where its container names none; also the local ports wanted by default.

Source: Ray's own defaults, and KubeRay's names for them.
"""

DEFAULTS = {
    "raycluster": ("client", "dashboard"),
    "rayjob": ("client", "dashboard"),
    "rayservice": ("client", "dashboard", "serve"),
}
"""The ports that a session opens when none are named, by `Target.kind`."""

MAIN = "dashboard"
"""The port whose answer says that Ray is there, where it is asked for."""

# RFC 9113 §3.4: a client's preface and an empty SETTINGS frame; a server's first frame is SETTINGS (type 4) too.
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
_FRAME_HEAD = 9
_SETTINGS = 4


class Port:
    """A port that is asked for: `name` (a key of REMOTE), and the local port `wanted`; None: the usual, 0: any."""

    __slots__ = ("name", "wanted")

    def __init__(self, name: str, wanted: int | None = None) -> None:
        self.name = name
        self.wanted = REMOTE[name] if wanted is None else wanted


def remote_port(pod: Pod, name: str) -> int:
    """The port of the head that has this name, else the usual one."""
    return pod.ports.get(name, REMOTE[name])


def question(name: str, remote: int) -> tuple[bytes, Callable[[bytes], bool]]:
    """What is sent to a port of this name, and whether an answer so far is long enough to judge it by."""
    if name == "client":
        return _PREFACE, _is_whole_frame_head
    path = {"dashboard": "/api/version", "serve": "/-/healthz", "metrics": "/metrics"}[name]
    asked = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{remote}\r\nUser-Agent: kubectl-ray\r\nConnection: close\r\n\r\n"
    return asked.encode(), _is_whole_status_line


def convinces(name: str, answer: bytes) -> bool:
    """Whether this answer comes from what is meant to listen on a port of this name.

    The dashboard may want a token, or a login before it: whatever is not a server's own failure is an answer.
    """
    if name == "client":
        return len(answer) >= _FRAME_HEAD and answer[3] == _SETTINGS
    version, _, rest = answer.partition(b" ")
    status = rest[:3]
    if not version.startswith(b"HTTP/") or not status.isdigit():
        return False
    return name != MAIN or status < b"500"


def _is_whole_frame_head(answer: bytes) -> bool:
    return len(answer) >= _FRAME_HEAD


def _is_whole_status_line(answer: bytes) -> bool:
    return b"\n" in answer
