"""Sessions that a case opens: the ports that they said, and that nothing of them is left when they end."""

from __future__ import annotations

import json
import re
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil

from tests.e2e.harness.conditions import until
from tests.e2e.harness.sockets import IPV6, nobody_listens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.harness.live import Live, Outcome
    from tests.e2e.harness.running import Ray

TITLES = {
    "client": "Ray Interactive Client",
    "dashboard": "Ray Dashboard",
    "serve": "Ray Serve",
    "metrics": "Ray Metrics",
}
SOON = 1.5
"""Seconds within which an interrupted session has ended: one, and what starting to look costs on a busy machine."""


class Session:
    """A session that runs: its program, and what it said of its ports."""

    def __init__(self, running: Live) -> None:
        self.running = running
        self.process = psutil.Process(running.process.pid)
        self._known: dict[str, int] = {}

    def port(self, name: str, *, within: float = 60.0) -> int:
        """The local port of client, dashboard, serve or metrics, as soon as the session says it."""
        if name not in self._known:
            begin = f"{TITLES[name]} Session started on port "
            self.running.see(begin, within=within)
            number = re.escape(begin) + r"(\d+)\.\.\."
            self._known[name] = int(until(lambda: re.findall(number, self.running.said), f"the port of {name}")[0])
        return self._known[name]

    @property
    def ports(self) -> list[int]:
        """Every port that was said so far."""
        return [int(each) for each in re.findall(r"Session started on port (\d+)\.\.\.", self.running.said)]

    @property
    def used(self) -> tuple[int, int]:
        """Descriptors and threads that its process has."""
        return self.process.num_fds(), self.process.num_threads()

    @property
    def memory(self) -> int:
        """Bytes of memory that its process holds."""
        return int(self.process.memory_info().rss)

    def see(self, text: str, *, within: float = 60.0) -> str:
        """Wait until it says this; returns everything so far."""
        return self.running.see(text, within=within)

    def end(self, number: int = signal.SIGINT) -> Outcome:
        """End it by a signal, of which it dies within a second, without a port or a child left."""
        ports = {each.laddr.port for each in self.process.net_connections("tcp") if each.status == psutil.CONN_LISTEN}
        children = self.process.children(recursive=True)
        began = time.monotonic()
        if number == signal.SIGINT:
            self.running.interrupt()
        else:
            self.running.process.send_signal(number)
        ended = self.running.ended(within=10)
        took = time.monotonic() - began
        assert ended.code == -number, ended
        assert took < SOON, f"{took:.1f} s\n{ended}"
        assert "Traceback" not in ended.out + ended.err, ended
        for port in ports:
            assert nobody_listens(port), f"port {port} is left"
            assert nobody_listens(port, IPV6), f"port {port} is left"
        assert not [each for each in children if each.is_running()]
        return ended


@contextmanager
def opened(ray: Ray, line: str, *names: str, within: float = 90.0) -> Iterator[Session]:
    """`kubectl ray cluster session LINE`, open when the ports of these names are; ended by Ctrl-C if it runs still."""
    with ray.live(f"cluster session {line}") as running:
        session = Session(running)
        for name in names:
            session.port(name, within=within)
        yield session
        if running.process.poll() is None:
            session.end()


def changes(text: str) -> list[dict[str, Any]]:
    """What `-o json` said: one object a line, and nothing else."""
    return [json.loads(line) for line in text.splitlines()]


def listening(session: Session) -> set[tuple[str, int]]:
    """Addresses and ports that a session's process listens on."""
    return {
        (each.laddr.ip, each.laddr.port)
        for each in session.process.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN
    }
