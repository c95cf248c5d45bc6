"""`python -m bench.session [--runs N] [--in-a-row N] [--context NAME]`: a session beside `kubectl port-forward`.

Both on one Ray cluster of a namespace of its own, in turn, in one run. Exit codes as of `python -m bench`.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from bench import access, fill, install
from bench.measure import BenchError, quiet
from bench.session_cluster import CLIENT, DASHBOARD, SERVE, Head, cluster
from bench.session_load import VERSION, ask, at_once, fetch, in_a_row, ray_session
from bench.session_report import Line, median, percentile, table
from bench.session_subjects import KUBECTL, OURS, Maker, Tunnel
from bench.subjects import programs
from bench.talk import Talk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.subjects import Programs

FURTHER = 200  # connections whose median and p99 are shown
SIZE = 200 * 1000 * 1000  # bytes
AT_ONCE = 500  # connections
ROUNDS = 5  # of the transfers
IN_A_ROW = 10_000  # connections
WARM = 1000  # connections in a row before memory and descriptors count
FLAT = 8.0  # MB that memory may grow by: pages of buffers that are touched once
HEADS = 2  # times that the head is replaced
_ANSWER = 1.0  # seconds for one look whether a session answers again
_PATIENCE = 180.0  # seconds until it does


class Session:
    """All measurements of one run."""

    def __init__(self, talk: Talk, head: Head, kubectl: Maker, ours: Maker) -> None:
        self._talk = talk
        self._head = head
        self._makers = (kubectl, ours)
        self._ours = ours

    def starts(self, runs: int) -> list[Line]:
        """From the start of the program to the first byte of an answer, each `runs` times in turn."""
        found: dict[str, list[float]] = {KUBECTL: [], OURS: []}
        for turn in range(runs + 1):
            self._talk.say(f"start to first byte: {turn} of {runs}")
            for maker in self._makers[:: 1 if turn % 2 else -1]:
                with maker.tunnel((DASHBOARD, CLIENT), VERSION) as tunnel:
                    if turn:  # the first fills caches
                        found[maker.name].append(tunnel.start * 1e3)
        return [_pair("start to first byte, ms, median", found, median, most=1.0)]

    def further(self) -> list[Line]:
        """A further connection, from its start to the first byte."""
        found: dict[str, list[float]] = {KUBECTL: [], OURS: []}
        with ExitStack() as stack:
            tunnels = [stack.enter_context(maker.tunnel((DASHBOARD, CLIENT), VERSION)) for maker in self._makers]
            for turn in range(-10, FURTHER):
                for tunnel in tunnels:
                    first = ask(tunnel.ports[DASHBOARD], VERSION)[0]
                    if turn >= 0:
                        found[tunnel.name].append(first * 1e3)
        return [
            _pair(f"a further connection, ms, median of {FURTHER}", found, median, most=0.9),
            _pair("a further connection, ms, p99", found, lambda values: percentile(values, 0.99), most=0.9),
        ]

    def transfers(self) -> list[Line]:
        """Much data, over one connection and over four."""
        speed: dict[tuple[str, int], list[float]] = {}
        cost: dict[tuple[str, int], list[float]] = {}
        growth: dict[str, float] = {}
        with ExitStack() as stack:
            tunnels = [stack.enter_context(maker.tunnel((SERVE,), "/")) for maker in self._makers]
            for turn in range(ROUNDS + 1):
                self._talk.say(f"{SIZE // 10**6} MB on one connection and on four: {turn} of {ROUNDS}")
                for connections in (1, 4):
                    for tunnel in tunnels:
                        key = (tunnel.name, connections)
                        seconds, cpu, peak = _transfer(tunnel, connections)
                        if not turn:
                            growth[tunnel.name] = tunnel.memory() / 1e6
                            continue
                        speed.setdefault(key, []).append(SIZE / seconds / 1e6)
                        cost.setdefault(key, []).append(cpu / SIZE * 1e9)
                        growth[f"most {tunnel.name}"] = max(growth.get(f"most {tunnel.name}", 0.0), peak / 1e6)
        lines = []
        for connections in (1, 4):
            word = "one connection" if connections == 1 else f"{connections} connections"
            rates = {name: speed[name, connections] for name in (KUBECTL, OURS)}
            costs = {name: cost[name, connections] for name in (KUBECTL, OURS)}
            lines.append(_pair(f"{word}, MB/s", rates, median, least=1.0))
            lines.append(_pair(f"{word}, CPU seconds a GB", costs, median, most=2.5, absolute=True))
        grown = {name: growth[f"most {name}"] - growth[name] for name in (KUBECTL, OURS)}
        lines.append(Line("memory's growth by all that, MB", grown[KUBECTL], grown[OURS], most=FLAT, absolute=True))
        return lines

    def many(self, count: int) -> list[Line]:
        """Many connections at once and in a row: what fails, and what is left behind."""
        rows: dict[str, dict[str, float]] = {}
        with ExitStack() as stack:
            for maker in self._makers:
                tunnel = stack.enter_context(maker.tunnel((SERVE,), "/"))
                self._talk.say(f"{tunnel.name}: {AT_ONCE} connections at once, {count} in a row")
                rows[tunnel.name] = _many(tunnel.ports[SERVE], tunnel, count)
        limits = {"failed at once": 0.0, "failed in a row": 0.0, "descriptors left": 0.0, "memory's growth, MB": FLAT}
        names = {
            "failed at once": f"failed of {AT_ONCE} at once",
            "failed in a row": f"failed of {count} in a row",
            "descriptors left": "descriptors more than before them",
            "memory's growth, MB": "memory's growth by them, MB",
        }
        return [
            Line(names.get(what, what), rows[KUBECTL][what], rows[OURS][what], limits.get(what), absolute=True)
            for what in rows[OURS]
        ]

    def heads(self) -> list[Line]:
        """The head pod is deleted: how long after Ray's own dashboard the session answers again."""
        late = []
        with self._ours.tunnel((DASHBOARD, CLIENT), VERSION) as tunnel:
            for turn in range(HEADS):
                self._talk.say(f"a new head: {turn + 1} of {HEADS}")
                late.append(_replaced(self._head, tunnel.ports[DASHBOARD]))
        return [Line("new head: seconds after its dashboard, worst", None, max(late), most=1.0, absolute=True)]


def _pair(
    what: str,
    found: Mapping[str, Sequence[float]],
    of: Callable[[Sequence[float]], float | None],
    *,
    most: float | None = None,
    least: float | None = None,
    absolute: bool = False,
) -> Line:
    return Line(what, of(found[KUBECTL]), of(found[OURS]), most, least, absolute)


def _transfer(tunnel: Tunnel, connections: int) -> tuple[float, float, int]:
    """Seconds, the tunnel's seconds of CPU, its most memory."""
    before = tunnel.cpu()
    seconds, peak = tunnel.peak(lambda: fetch(tunnel.ports[SERVE], SIZE, connections))
    return seconds, tunnel.cpu() - before, peak


def _many(port: int, tunnel: Tunnel, count: int) -> dict[str, float]:
    at_once(port, AT_ONCE)  # makes what is kept from then on
    in_a_row(port, min(WARM, count))
    descriptors, memory = tunnel.settled(), tunnel.memory()
    failed, seconds = at_once(port, AT_ONCE)
    began = time.perf_counter()
    failed_in_a_row = in_a_row(port, count)
    each = (time.perf_counter() - began) / count
    return {
        "failed at once": failed,
        f"until all {AT_ONCE} have an answer, ms": seconds * 1e3,
        "failed in a row": failed_in_a_row,
        "each of those, ms": each * 1e3,
        "descriptors left": tunnel.settled() - descriptors,
        "memory's growth, MB": (tunnel.memory() - memory) / 1e6,
    }


def _replaced(head: Head, port: int) -> float:
    """Seconds from the new head's first own answer to the session's first answer from it."""
    old = head.pod()
    old_session = ray_session(port, _ANSWER)
    again: list[float] = []

    def watch() -> None:
        end = time.monotonic() + _PATIENCE
        while not again and time.monotonic() < end:
            name = ray_session(port, _ANSWER)
            if name and name != old_session:
                again.append(time.monotonic())
            else:
                time.sleep(0.01)

    watcher = threading.Thread(target=watch, daemon=True)
    head.delete(old)
    watcher.start()
    own = head.replaced(old)
    watcher.join()
    if not again:
        raise BenchError(f"the session did not answer within {_PATIENCE:.0f} s of the head pod's end")
    return again[0] - own


def measure(talk: Talk, used: Programs, env: Mapping[str, str], door: int, *, starts: int, in_a_row: int) -> list[Line]:
    """Measure everything and print it as it comes; the lines that have a limit.

    Raises:
        BenchError: it cannot be measured here.
    """
    found: list[Line] = []
    with ExitStack() as stack:
        namespace = stack.enter_context(fill.namespace(door, "session"))
        talk.say("starting a Ray cluster")
        head = stack.enter_context(cluster(used.plugin, used.kubectl, env, door, namespace))
        head.serve()
        talk.say("waiting until nothing else is busy: Ray starts processes for a while")
        if not quiet(lambda: psutil.cpu_percent(1)):
            print("note: this machine is busy with something else; times are longer for it")
        run = Session(talk, head, Maker(KUBECTL, used.kubectl, env, head), Maker(OURS, used.plugin, env, head))
        parts: dict[str, Callable[[], list[Line]]] = {
            "session: start": lambda: run.starts(starts),
            "session: further connections": run.further,
            "session: transfers": run.transfers,
            "session: many connections": lambda: run.many(in_a_row),
            "session: a new head": run.heads,
        }
        for title, part in parts.items():
            lines = part()
            talk.clear()
            print(table(title, lines), end="\n\n", flush=True)
            found += lines
        talk.say("removing the cluster")
    talk.clear()
    return [line for line in found if line.limited]


def _bench(args: argparse.Namespace, talk: Talk) -> list[Line]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kubectl-ray-bench-")))
        scripts = install.installed(install.folder(os.environ), talk.say)
        used = programs(scripts, None)
        given = stack.enter_context(access.kubeconfig_to_use(args.context))
        text = access.own_kubeconfig(used.kubectl, given, args.context, "yaml")
        direct = access.write_kubeconfig(folder / "direct", text)
        door = stack.enter_context(access.door(used.kubectl, direct))
        env = install.environment(os.environ, direct, scripts, used.kubectl)
        return measure(talk, used, env, door, starts=args.runs, in_a_row=args.in_a_row)


def main() -> int:
    """Run the benchmark and print its verdicts."""
    parser = argparse.ArgumentParser(prog="python -m bench.session", description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="starts of each (default: 10)")
    parser.add_argument("--in-a-row", type=int, default=IN_A_ROW, help="connections (default: 10000)")
    parser.add_argument("--context", default="", help="of the kubeconfig (default: the current one)")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it cleans up, then
    try:
        lines = _bench(args, Talk())
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(*lines, sep="\n")
    return 0 if all(line.holds for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
