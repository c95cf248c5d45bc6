"""Runs subjects in turn, over and over, and keeps what each run cost."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.subjects import Subject

CHILD = Path(__file__).with_name("child.py")


class BenchError(Exception):
    """The benchmark cannot go on; the message says why and what to do."""


@dataclass(frozen=True)
class Sample:
    """What one run of a program cost: it and every process it waited for."""

    wall: float  # seconds
    cpu: float  # seconds of user and system time
    memory: float  # bytes: the most that one process of it held
    code: int  # exit code; negative is a signal


class Launcher:
    """A small process that starts the programs to be measured, so that this one's size does not count as theirs."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for this process, which closes its pipes
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            pass  # closes both pipes, at which it ends, and waits for that

    def run(self, argv: Sequence[str], env: Mapping[str, str]) -> Sample:
        """Run a program, given by its full path, to its end.

        Raises:
            BenchError: it could not be started.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise BenchError("the launcher has no pipes")
        stdin.write(json.dumps({"argv": list(argv), "env": dict(env)}) + "\n")
        stdin.flush()
        answer = stdout.readline()
        if not answer:
            raise BenchError(f"cannot run {argv[0]}")
        found = json.loads(answer)
        return Sample(found["wall"], found["cpu"], found["memory"], found["code"])


def quiet(busy: Callable[[], float], seconds: int = 60, most: float = 20.0) -> bool:
    """Wait until nothing else needs this machine's processors; False where that does not come.

    `busy` takes a second to find out how much of all of them was used meanwhile, in per cent (`psutil.cpu_percent(1)`).
    """
    return any(busy() <= most for _ in range(seconds))


def interleaved(
    launcher: Launcher,
    subjects: Sequence[Subject],
    env: Mapping[str, str],
    rounds: int,
    progress: Callable[[int], None],
) -> dict[str, list[Sample]]:
    """Each subject once as a warm-up, then `rounds` times A B C A B C …; samples by the subject's name.

    Raises:
        BenchError: a subject that worked when it was checked failed while it was measured.
    """
    samples: dict[str, list[Sample]] = {subject.name: [] for subject in subjects}
    for turn in range(rounds + 1):
        progress(turn)
        for subject in subjects:
            sample = launcher.run(subject.argv, env)
            if sample.code:
                raise BenchError(f"{subject.name} ended with {sample.code} in the middle of the run: {subject.argv}")
            if turn:
                samples[subject.name].append(sample)
    return samples
