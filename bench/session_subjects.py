"""Who makes the tunnels: `kubectl port-forward`, and `kubectl-ray cluster session`."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

from bench.measure import BenchError
from bench.session_cluster import CLIENT, DASHBOARD, SERVE
from bench.session_load import first_answer, free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.session_cluster import Head

KUBECTL, OURS = "kubectl", "kubectl-ray"
_NAMES = {DASHBOARD: "dashboard", CLIENT: "client", SERVE: "serve"}
_PATIENCE = 60.0  # seconds until a tunnel answers
_LEAVE = 5.0  # seconds for its end after Ctrl-C
_LOOK = 0.02  # seconds between two looks at a process's memory


class Maker:
    """One program that makes tunnels to a head."""

    def __init__(self, name: str, program: str, env: Mapping[str, str], head: Head, target: str = "svc") -> None:
        self.name = name
        self._program = program
        self._env = env
        self._head = head
        self._target = target

    def argv(self, ports: Mapping[int, int]) -> list[str]:
        """The command line for a tunnel; remote ports and the local ones that stand for them."""
        place = ["-n", self._head.namespace]
        if self.name == OURS:
            names = ",".join(_NAMES[remote] for remote in ports)
            chosen = [f"--port={_NAMES[remote]}={local}" for remote, local in ports.items()]
            return [self._program, "cluster", "session", self._head.name, *place, f"--ports={names}", *chosen]
        pod = f"svc/{self._head.name}-head-svc" if self._target == "svc" else f"pod/{self._head.pod()}"
        pairs = [f"{local}:{remote}" for remote, local in ports.items()]
        return [self._program, "port-forward", *place, pod, *pairs]

    @contextmanager
    def tunnel(self, remotes: Sequence[int], path: str) -> Iterator[Tunnel]:
        """A tunnel for these ports of the head, once `path` of the first one has given a byte.

        Raises:
            BenchError: it never did.
        """
        ports = dict(zip(remotes, free_ports(len(remotes)), strict=True))
        argv = self.argv(ports)
        with tempfile.TemporaryFile() as said:
            began = time.perf_counter()
            process = subprocess.Popen(
                argv,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for this process, which ends them
            )
            try:
                first_answer(ports[remotes[0]], path, _PATIENCE)
                yield Tunnel(self.name, process, ports, time.perf_counter() - began)
            except BenchError as error:
                said.seek(0)
                words = said.read().decode(errors="replace").strip()
                raise BenchError(f"{' '.join(argv)}: {error}\n{words}") from error
            finally:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(_LEAVE)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


class Tunnel:
    """One that is open. `start`: seconds from the program's start to the first byte of an answer."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], ports: Mapping[int, int], start: float) -> None:
        self.name = name
        self.ports = ports
        self.start = start
        self._process = psutil.Process(process.pid)

    def cpu(self) -> float:
        """Seconds of user and system time so far."""
        return sum(self._process.cpu_times()[:2])

    def memory(self) -> int:
        """Bytes in memory now."""
        return int(self._process.memory_info().rss)

    def descriptors(self) -> int:
        """Open files and sockets now."""
        return int(self._process.num_fds())

    def settled(self) -> int:
        """Open files and sockets once that number has stayed the same for a second; at most 20 seconds."""
        end = time.monotonic() + 20
        seen, since = self.descriptors(), time.monotonic()
        while time.monotonic() < min(end, since + 1):
            time.sleep(_LOOK)
            now = self.descriptors()
            if now != seen:
                seen, since = now, time.monotonic()
        return seen

    def peak(self, work: Callable[[], float]) -> tuple[float, int]:
        """What the work gives, and the most memory that was seen meanwhile."""
        most, done = self.memory(), threading.Event()

        def watch() -> None:
            nonlocal most
            while not done.wait(_LOOK):
                most = max(most, self.memory())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            return work(), max(most, self.memory())
        finally:
            done.set()
            watcher.join()
