"""What is compared with what: for each task, the command lines that do it."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import BenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

OURS = "kubectl-ray"  # the subject that the limits are about: the plugin's own process


@dataclass(frozen=True)
class Subject:
    """One command line that does the task, under the name that the table shows."""

    name: str
    argv: tuple[str, ...]


@dataclass(frozen=True)
class Programs:
    """Full paths of what is compared."""

    kubectl: str
    plugin: str
    completer: str
    other: str | None = None


def programs(scripts: Path, other: str | None) -> Programs:
    """The programs to compare.

    Raises:
        BenchError: no kubectl, or one that is a script and so would cost an interpreter more than the real one.
    """
    beside = Path(sys.executable).with_name("kubectl")
    kubectl = str(beside) if beside.exists() else shutil.which("kubectl")
    if kubectl is None:
        raise BenchError("no kubectl on PATH to compare with")
    with Path(kubectl).open("rb") as file:
        if file.read(2) == b"#!":
            raise BenchError(f"{kubectl} is a script around the real kubectl: put the real one first on PATH")
    other_path = None if other is None else str(Path(other).absolute())
    return Programs(kubectl, str(scripts / "kubectl-ray"), str(scripts / "kubectl_complete-ray"), other_path)


@dataclass(frozen=True)
class Task:
    """A task and everyone who does it. The first subject is what the others are compared with."""

    name: str
    title: str
    subjects: tuple[Subject, ...]
    shows: tuple[str, ...] = ()  # words that the output of each must hold, or it has not done the task
    least_rows: int = 1  # lines that it must have
    talks: bool = True  # with the API server


def small_tasks(programs: Programs, namespace: str, names: Sequence[str]) -> list[Task]:
    """The tasks on a namespace with a few clusters."""
    one = names[0]
    place = ("-n", namespace)
    return [
        Task(
            "list",
            f"cluster list: {len(names)} clusters",
            _subjects(
                programs, ("get", "rayclusters", *place), ("cluster", "list", *place), ("get", "cluster", *place)
            ),
            shows=tuple(names),
        ),
        Task(
            "get",
            "cluster get NAME",
            _subjects(
                programs,
                ("get", "rayclusters", one, *place),
                ("cluster", "get", one, *place),
                ("get", "cluster", one, *place),
            ),
            shows=(one,),
        ),
        Task(
            "help",
            "--help",
            _subjects(programs, ("get", "--help"), ("--help",), ("--help",)),
            least_rows=10,
            talks=False,
        ),
        Task(
            "complete",
            'completion of a cluster\'s name: cluster get "" TAB',
            _completing(programs, place),
            shows=tuple(names),
        ),
    ]


def large_task(programs: Programs, count: int) -> Task:
    """The list of all namespaces' clusters where there are thousands of them."""
    return Task(
        "many",
        f"cluster list -A: {count} clusters",
        _subjects(programs, ("get", "rayclusters", "-A"), ("cluster", "list", "-A"), ("get", "cluster", "-A")),
        least_rows=count,
    )


def _subjects(
    programs: Programs, kubectl: tuple[str, ...], ours: tuple[str, ...], other: tuple[str, ...]
) -> tuple[Subject, ...]:
    shown = " ".join(kubectl[:2])
    everyone = [
        Subject(f"kubectl {shown}", (programs.kubectl, *kubectl)),
        Subject(OURS, (programs.plugin, *ours)),
        Subject("kubectl ray", (programs.kubectl, "ray", *ours)),
    ]
    if programs.other is not None:
        everyone.append(Subject(programs.other, (programs.other, *other)))
    return tuple(everyone)


def _completing(programs: Programs, place: tuple[str, ...]) -> tuple[Subject, ...]:
    words = ("cluster", "get", *place, "")
    everyone = [
        Subject("kubectl __complete", (programs.kubectl, "__complete", "get", "rayclusters", *place, "")),
        Subject(OURS, (programs.completer, *words)),
        Subject("kubectl ray", (programs.kubectl, "__complete", "ray", *words)),
    ]
    if programs.other is not None:
        everyone.append(Subject(programs.other, (programs.other, "__complete", "get", "cluster", *place, "")))
    return tuple(everyone)
