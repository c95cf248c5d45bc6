"""`python3 -m bench [--plugin PATH] [--runs N] [--clusters N] [--no-session] [--report-only]`, in the checkout's root.

Exit codes: 0 the limits hold (or nobody asked) · 1 one does not · 2 it cannot be measured here.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bench import access, fill, install, report, session, subjects
from bench.measure import BenchError, Launcher, interleaved
from bench.relay import Relay
from bench.talk import Talk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

    from bench.session_report import Line

_FEW = 3  # clusters in the small list, with their pods
_CHECK_TIME = 60  # seconds that one run may take


class Bench:
    """One run: the programs, the cluster, and the ways in that count."""

    def __init__(
        self, talk: Talk, launcher: Launcher, envs: Sequence[Mapping[str, str]], relays: Sequence[Relay]
    ) -> None:
        self._talk = talk
        self._launcher = launcher
        self._env, *self._counted_envs = envs  # as they are; over TLS by way of a relay; over plain HTTP by way of one
        self._relays = relays

    def measure(self, task: subjects.Task, runs: int) -> list[report.Row]:
        """The rows of one task. Who does not do the task is not measured and says why."""
        self._talk.say(f"{task.title}: who does it")
        failures = {subject.name: self._failure(task, subject) for subject in task.subjects}
        able = [subject for subject in task.subjects if not failures[subject.name]]
        counts = {subject.name: self._counts(subject) if task.talks else (None, None) for subject in able}
        progress = self._talk.counting(task.title, runs)
        samples = interleaved(self._launcher, able, self._env, runs, progress)
        return [
            report.failed(subject.name, failures[subject.name])
            if failures[subject.name]
            else report.row(subject.name, samples[subject.name], *counts[subject.name])
            for subject in task.subjects
        ]

    def _failure(self, task: subjects.Task, subject: subjects.Subject) -> str:
        """Why it does not do the task; empty if it does."""
        try:
            done = _run(subject, self._env)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if done.returncode:
            return f"exit code {done.returncode}: {_last_line(done.stderr)}"
        missing = [words for words in task.shows if words.lower() not in done.stdout.lower()]
        rows = len(done.stdout.splitlines())
        if missing or rows < task.least_rows:
            return f"its output lacks {missing[0] if missing else f'{task.least_rows - rows} rows'}"
        return ""

    def _counts(self, subject: subjects.Subject) -> tuple[int | None, int | None]:
        """Requests, and bytes both ways with TLS, of a run that is not timed and whose caches are warm."""
        found: list[int | None] = []
        for env, relay, which in zip(self._counted_envs, self._relays, (0, 1), strict=True):
            if _run(subject, env).returncode:
                found.append(None)
                continue
            relay.counted()
            _run(subject, env)
            found.append(relay.counted()[which])
        traffic, requests = found
        return requests, traffic


def _run(subject: subjects.Subject, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        subject.argv,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_CHECK_TIME,
        check=False,
    )


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]


def bench(args: argparse.Namespace, talk: Talk) -> list[report.Verdict | Line]:
    """Measure everything, print the tables as they come.

    Raises:
        BenchError: it cannot be measured here.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kubectl-ray-bench-")))
        scripts = install.installed(install.folder(os.environ), talk.say)
        all_programs = subjects.programs(scripts, args.plugin)
        given = stack.enter_context(access.kubeconfig_to_use(args.context))
        text = access.own_kubeconfig(all_programs.kubectl, given, args.context, "yaml")
        direct = access.write_kubeconfig(folder / "direct", text)
        document = json.loads(access.own_kubeconfig(all_programs.kubectl, str(direct), "", "json"))
        port = stack.enter_context(access.door(all_programs.kubectl, direct))
        server = access.server(document)
        relays = [stack.enter_context(Relay(server.host, server.port)), stack.enter_context(Relay("127.0.0.1", port))]
        ways = [
            direct,
            access.write_kubeconfig(folder / "counted", access.through(document, relays[0].port)),
            access.write_kubeconfig(folder / "plain", access.plain(relays[1].port)),
        ]
        envs = [install.environment(os.environ, way, scripts, all_programs.kubectl) for way in ways]
        run = Bench(talk, stack.enter_context(Launcher()), envs, relays)
        verdicts: list[report.Verdict | Line] = []

        def show(task: subjects.Task, runs: int) -> None:
            rows = run.measure(task, runs)
            talk.clear()
            print(report.table(task.title, rows), end="\n\n", flush=True)
            verdicts.extend(report.verdicts(task.name, rows))

        names = [f"cluster-{number}" for number in range(_FEW)]
        where = stack.enter_context(fill.namespace(port, "few"))
        fill.fill(port, where, names, pods=True, progress=talk.counting("creating a few clusters", _FEW))
        for task in subjects.small_tasks(all_programs, where, names):
            show(task, args.runs)
        if args.session:
            verdicts += session.measure(talk, all_programs, envs[0], port, starts=args.runs, in_a_row=session.IN_A_ROW)
        if args.clusters:
            names = [f"cluster-{number:05d}" for number in range(args.clusters)]
            where = stack.enter_context(fill.namespace(port, "many"))
            title = f"creating {args.clusters} clusters"
            fill.fill(port, where, names, pods=False, progress=talk.counting(title, args.clusters))
            show(subjects.large_task(all_programs, args.clusters), max(5, args.runs // 2))
        talk.say("removing the clusters")
    talk.clear()
    return verdicts


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m bench", description=__doc__)
    parser.add_argument("--plugin", metavar="PATH", help="a further plugin binary, with the words `get cluster`")
    parser.add_argument("--runs", type=int, default=30, help="of each subject; medians are shown (default: 30)")
    parser.add_argument("--clusters", type=int, default=3000, help="in the large list; 0 leaves it out (default: 3000)")
    parser.add_argument("--no-session", dest="session", action="store_false", help="start no Ray for the tunnels")
    parser.add_argument("--context", default="", help="of the kubeconfig (default: the current one)")
    parser.add_argument("--report-only", action="store_true", help="exit 0 whether or not the limits hold")
    return parser


def _interrupted(number: int, _: object) -> NoReturn:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)  # what follows removes what was made
    raise SystemExit(128 + number)


def main() -> int:
    """Run the benchmark and print its verdicts."""
    args = _parser().parse_args()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _interrupted)
    try:
        verdicts = bench(args, Talk())
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(
        f"{subjects.OURS} is the plugin's own process, and the limits are about it; `kubectl ray` is what a user types:"
    )
    print("it costs one start of kubectl more, which looks the plugin up and becomes it.")
    print(*verdicts, sep="\n")
    return 0 if args.report_only or all(verdict.holds for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
